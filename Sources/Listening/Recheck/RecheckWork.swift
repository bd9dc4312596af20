// SPDX-License-Identifier: BSD-2-Clause
//
// The findings of a look while they are being cleared.

import Basics
import CacheFS

/// The keys of a look, each once, and how many are cleared.
struct RecheckWork {
  let families: [FamilyLook]
  private let keys: [CacheKey]
  private var position = 0
  var files = 0
  /// The changes that a queue should have announced.
  let suspects: [MissedInvalidations.Suspect]
  /// The number of changed keys in families that no queue announces.
  private let untold: [(family: String, keys: Int)]

  init(_ outcome: RecheckLook.Outcome, _ plan: RecheckPlan) {
    families = outcome.families
    var set = KeySet()
    var suspects: [MissedInvalidations.Suspect] = []
    var untold: [(String, Int)] = []
    for look in families {
      let family = look.query.family
      let decision = plan.decision(look)
      let before = set.keys.count
      switch decision {
      case .clear: _ = set.add(look.changes.map(\.key))
      case .clearFamily: _ = set.add((try? [plan.layout.all(of: family)]) ?? [])
      case .refuse: continue
      }
      let count = set.keys.count - before
      guard plan.announced.contains(family) else {
        if count > 0 { untold.append((family, count)) }
        continue
      }
      guard decision == .clear else { continue }
      // Of several changes of a key, the last: the row for an earlier change may not cover the last one.
      let times = Dictionary(look.changes.map { ($0.key, $0.changed) }, uniquingKeysWith: max)
      suspects += times.map { key, changed in
        .init(family: family, key: key, changed: clampedDifference(changed, outcome.lead))
      }
    }
    keys = set.keys
    self.suspects = suspects
    self.untold = untold
  }

  var count: Int { keys.count }

  /// The next keys; nil after the last.
  mutating func next(_ most: Int) -> [CacheKey]? {
    guard position < keys.count else { return nil }
    let end = min(keys.count, position + most)
    defer { position = end }
    return Array(keys[position..<end])
  }

  /// The log line about changes that no queue could have announced; nil where there were none.
  func line(verb: String) -> String? {
    guard !untold.isEmpty else { return nil }
    let parts = untold.map { "\($0.family): \(counted($0.keys, "key"))" }
    return "recheck: \(verb): \(parts.joined(separator: ", ")) (\(counted(files, "file")))"
  }
}
