// SPDX-License-Identifier: BSD-2-Clause
//
// What is known of one family's changes, and what a look at the database makes of it: which keys are to be
// cleared, and from when the next look has to ask. No clock, no connection.
//
// A change is a key with its `changed_at`, and is cleared once, when it is first seen. The page's own time
// decides nothing: `changed_at` is mostly when the writer's transaction began, and a page rendered between that
// and its commit is younger than the change and stale all the same.

import Basics
import CacheFS
import PGQueue

/// The changes of one family that have been seen. Times are the server's, in nanoseconds since the epoch.
struct ChangeLedger: Equatable, Sendable {
  /// More are not remembered: some 35 bytes each. The oldest are forgotten first, and cleared once more.
  static let mostSeen = 1_000_000
  /// A transaction is to be seen in pg_stat_activity a moment after it began, and servers of the site may set
  /// `changed_at` by clocks of their own.
  static let slack: Int64 = 10_000_000_000

  /// More keys than may be cleared unasked. None of them was.
  struct Burst: Equatable, Sendable {
    var keys: Int
    /// From when to ask for them again.
    let bound: Int64
    /// When they were first seen, by the file system's clock: what was rendered later shows them.
    var seenAt: Int64
  }

  /// From when the next look asks: all that was changed before was seen. Nil before the first look.
  private(set) var bound: Int64?
  private(set) var burst: Burst?
  /// The changes at or after the bound that have been seen, by their fingerprints.
  private(set) var seen: [UInt64: Int64] = [:]
  /// For each prepared transaction, the bound when it was first met: it had not begun before that.
  private var prepared: [String: Int64] = [:]

  init(bound: Int64? = nil) { self.bound = bound }

  /// From when a process that knows nothing else has to ask.
  var survivingBound: Int64? { burst?.bound ?? bound }

  /// From when to ask now. A bound that has not come yet is of another clock, or of another server.
  func since(_ horizon: ChangeHorizon, overlap: Int64) -> Int64 {
    guard let bound, bound <= horizon.now else { return clampedDifference(horizon.now, overlap) }
    return bound
  }

  func hasSeen(_ fingerprint: UInt64) -> Bool { seen[fingerprint] != nil }

  /// What a look has found that was not seen before.
  struct Look: Sendable {
    var horizon: ChangeHorizon
    /// Each change, by its fingerprint.
    var fingerprints: [UInt64: Int64] = [:]
    /// How many keys were changed.
    var keys = 0
    /// When it was taken, by the file system's clock.
    var takenAt: Int64 = 0
  }

  /// What is to be done with the keys of a look.
  enum Decision: Equatable, Sendable {
    case clear
    /// There are too many, and the family is one that is emptied as a whole.
    case clearFamily
    case refuse
  }

  static func decision(_ keys: Int, most: Int, isEmptiedWhole: Bool) -> Decision {
    if keys <= most { return .clear }
    return isEmptiedWhole ? .clearFamily : .refuse
  }

  /// Takes note of a look whose keys are cleared, and on the settle list, or refused.
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
    // What was seen stays seen.
    return max(next, since)
  }

  private mutating func forget(_ count: Int) {
    let oldest = seen.sorted { $0.value < $1.value }.prefix(count)
    for change in oldest { seen[change.key] = nil }
  }

  /// The pages of the burst were cleared by hand, or rendered anew since.
  mutating func endBurst() { burst = nil }

  /// The burst is no longer one: its keys are asked for once more, and all that was changed since.
  mutating func reopenBurst() {
    guard let burst else { return }
    bound = burst.bound
    seen = [:]
    self.burst = nil
  }
}
