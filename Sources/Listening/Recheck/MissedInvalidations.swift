// SPDX-License-Identifier: BSD-2-Clause
//
// Changes that the database shows and no queue told of: a trigger is missing, or has not fired. No clock.

import Basics
import CacheFS

/// Judges changes once the queues have had the time to tell of them.
struct MissedInvalidations {
  /// More at a time are cleared like the others, and not judged.
  static let mostSuspects = 100_000
  /// What the clocks of two machines may differ by, in nanoseconds.
  static let slack: Int64 = 5_000_000_000
  /// So many are named in one line.
  static let named = 5

  struct Suspect {
    let family: String
    let key: CacheKey
    /// When it was changed, by our own clock.
    let changed: Int64
  }

  private var suspects: [Suspect] = []
  /// Whether all queues have been asked since the last of them came.
  private var isPolled = false
  /// How many keys were changed without a word, by family.
  private(set) var counts: [String: Int] = [:]

  var isEmpty: Bool { suspects.isEmpty }

  mutating func add(_ more: [Suspect]) {
    guard !more.isEmpty else { return }
    suspects += more.prefix(max(0, Self.mostSuspects - suspects.count))
    isPolled = false
  }

  /// Every queue is about to be drained, asked for or not.
  mutating func notePoll() { isPolled = true }

  /// What is in a queue has been met by now.
  /// - Returns: a line for each family that was told of nowhere.
  mutating func judge(_ requested: RequestedKeys, _ layout: Layout, verb: String) -> [String] {
    guard isPolled, !suspects.isEmpty else { return [] }
    var missed: [String: [CacheKey]] = [:]
    for suspect in suspects {
      if requested.isRequested(suspect.key, since: suspect.changed, slack: Self.slack, layout)
        == false
      {
        missed[suspect.family, default: []].append(suspect.key)
      }
    }
    suspects = []
    for (family, keys) in missed { counts[family, default: 0] += keys.count }
    return missed.sorted { $0.key < $1.key }.map { family, keys in
      Self.line(family, keys.map { layout.valuesText(of: $0) ?? "all of it" }, verb: verb)
    }
  }

  static func line(_ family: String, _ keys: [String], verb: String) -> String {
    let more = keys.count > named ? " and \(grouped(keys.count - named)) more" : ""
    let what = keys.count == 1 ? "1 key" : "\(grouped(keys.count)) keys"
    return "\(family): \(what) changed and nothing was queued "
      + "(\(keys.prefix(named).joined(separator: ", "))\(more)): \(verb); look for the trigger"
  }

  /// The layout is another: what was changed is known by other keys.
  mutating func forgetSuspects() { suspects = [] }
}
