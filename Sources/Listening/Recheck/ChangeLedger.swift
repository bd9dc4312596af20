// SPDX-License-Identifier: BSD-2-Clause
//
// What is known of one family's changes, and what a look at the database adds: which keys to clear, and from when the
// next look must ask. No clock, no connection.
//
// A change is a key with its `changed_at`, and is cleared once, when it is first seen. The page's own time decides
// nothing: `changed_at` is mostly the start of the writer's transaction, and a page that was rendered between that and
// the commit is younger than the change and still stale.

import Basics
import CacheFS
import PGQueue

/// The changes of one family that have been seen. Times are the server's, in nanoseconds since the epoch.
struct ChangeLedger: Equatable, Sendable {
  /// No more are remembered: about 35 bytes each. The oldest are forgotten first, and cleared again.
  static let mostSeen = 1_000_000
  /// A transaction appears in pg_stat_activity a moment after it began, and the site's servers may set `changed_at` by
  /// their own clocks.
  static let slack: Int64 = 10_000_000_000

  /// More keys than may be cleared automatically. None of them was cleared.
  struct Burst: Equatable, Sendable {
    var keys: Int
    /// From when to ask for them again.
    let bound: Int64
    /// When they were first seen, by the file system's clock: pages rendered later show the changes.
    var seenAt: Int64
  }

  /// The time from which the next look asks: all earlier changes were seen. Nil before the first look.
  private(set) var bound: Int64?
  private(set) var burst: Burst?
  /// The seen changes at or after the bound, by their fingerprints.
  private(set) var seen: [UInt64: Int64] = [:]
  /// For each prepared transaction, the bound when it was first seen: it had not begun before that.
  private var prepared: [String: Int64] = [:]

  init(bound: Int64? = nil) { self.bound = bound }

  /// The time from which a process that knows nothing else must ask.
  var survivingBound: Int64? { burst?.bound ?? bound }

  /// The time from which to ask now. A bound in the future comes from another clock, or another server.
  func since(_ horizon: ChangeHorizon, overlap: Int64) -> Int64 {
    guard let bound, bound <= horizon.now else { return clampedDifference(horizon.now, overlap) }
    return bound
  }

  func hasSeen(_ fingerprint: UInt64) -> Bool { seen[fingerprint] != nil }

  /// The changes of a look that were not seen before.
  struct Look: Sendable {
    var horizon: ChangeHorizon
    /// The changes, by fingerprint.
    var fingerprints: [UInt64: Int64] = [:]
    /// The number of changed keys.
    var keys = 0
    /// The time of the look, by the file system's clock.
    var takenAt: Int64 = 0
  }

  /// What to do with the keys of a look.
  enum Decision: Equatable, Sendable {
    case clear
    /// There are too many keys, and the family may be emptied as a whole.
    case clearFamily
    case refuse
  }

  static func decision(_ keys: Int, most: Int, isEmptiedWhole: Bool) -> Decision {
    if keys <= most { return .clear }
    return isEmptiedWhole ? .clearFamily : .refuse
  }

  /// Records a look whose keys are cleared and on the settle list, or refused.
  mutating func accept(
    _ look: Look, _ decision: Decision, overlap: Int64, mostSeen: Int = Self.mostSeen
  ) {
    let since = since(look.horizon, overlap: overlap)
    if decision == .refuse {
      burst = Burst(
        keys: look.keys + (burst?.keys ?? 0), bound: burst?.bound ?? since, seenAt: look.takenAt)
    }
    let next = nextBound(since, look.horizon, overlap: overlap)
    bound = next
    seen.merge(look.fingerprints) { max($0, $1) }
    seen = seen.filter { $0.value >= next }
    if seen.count > mostSeen { forget(seen.count - mostSeen) }
  }

  private mutating func nextBound(
    _ since: Int64, _ horizon: ChangeHorizon, overlap: Int64
  ) -> Int64 {
    prepared = prepared.filter { horizon.prepared.contains($0.key) }
    for name in horizon.prepared where prepared[name] == nil { prepared[name] = since }
    var next = clampedDifference(min(horizon.now, horizon.oldest ?? .max), Self.slack)
    if !horizon.isComplete { next = min(next, clampedDifference(horizon.now, overlap)) }
    next = min(next, prepared.values.min() ?? .max)
    // Seen changes stay seen.
    return max(next, since)
  }

  private mutating func forget(_ count: Int) {
    let oldest = seen.sorted { $0.value < $1.value }.prefix(count)
    for change in oldest { seen[change.key] = nil }
  }

  /// The pages of the burst were cleared by hand, or rendered again since.
  mutating func endBurst() { burst = nil }

  /// The burst no longer counts as one: its keys are asked for again, with all changes since.
  mutating func reopenBurst() {
    guard let burst else { return }
    bound = burst.bound
    seen = [:]
    self.burst = nil
  }
}
