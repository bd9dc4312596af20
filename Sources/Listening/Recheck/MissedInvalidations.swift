// SPDX-License-Identifier: BSD-2-Clause
//
// Changes that the database shows and that were in no queue: a trigger is missing, or has not fired. No clock.

import Basics
import CacheFS

/// Judges changes after the queues have had the time to announce them.
struct MissedInvalidations {
  /// More than this at a time are cleared like the others, and not judged.
  static let mostSuspects = 100_000
  /// How much the clocks of two machines may differ, in nanoseconds.
  static let slack: Int64 = 5_000_000_000
  /// How many keys one log line names.
  static let named = 5

  struct Suspect {
    let family: String
    let key: CacheKey
    /// When it was changed, by this machine's clock.
    let changed: Int64
  }

  private var suspects: [Suspect] = []
  /// Whether all queues have been polled since the last suspect was added.
  private var isPolled = false
  /// The number of keys that changed without being queued, by family.
  private(set) var counts: [String: Int] = [:]

  var isEmpty: Bool { suspects.isEmpty }

  mutating func add(_ more: [Suspect]) {
    guard !more.isEmpty else { return }
    suspects += more.prefix(max(0, Self.mostSuspects - suspects.count))
    isPolled = false
  }

  /// Every queue is about to be drained, with or without a notification.
  mutating func notePoll() { isPolled = true }

  /// All rows in the queues have now been read.
  /// - Returns: a line for each family with changes that were not queued.
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

  /// The layout has changed: the suspects' keys belong to the old one.
  mutating func forgetSuspects() { suspects = [] }
}
