// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener prunes by itself, and how often, as the configuration sets it.

import Basics
import CacheFS

/// A bound for some families together.
package struct PruneRule: Equatable, Sendable {
  package enum Limit: Equatable, Sendable {
    case bytes(Int64)
    case files(Int)
    /// No page older than this, in nanoseconds.
    case age(Int64)
  }

  /// Each once.
  package let families: [String]
  package let limit: Limit
  package let order: PruneOrder

  package init(_ families: [String], _ limit: Limit, by order: PruneOrder) {
    (self.families, self.limit, self.order) = (families, limit, order)
  }

  /// - Parameter now: nanoseconds since the epoch.
  func bound(_ now: Int64) -> PruneBound {
    switch limit {
    case .bytes(let bytes): .bytes(bytes)
    case .files(let files): .files(files)
    case .age(let age): .since(clampedDifference(now, age))
    }
  }
}

/// The listener's own prunes.
package struct RegularPrunePlan: Sendable {
  /// At most this much is written between two prunes beyond a bound.
  package static let defaultInterval = Duration.seconds(3600)

  let rules: [PruneRule]
  let interval: Duration
  /// Opens the cache directory, for a clearer that this stops; nil where it does not exist.
  let open: @Sendable (ClearWatch) -> Clearer?
  /// Wakes the listener's loop, from any thread.
  let wake: @Sendable () -> Void

  /// Nil where there is no rule, or prunes are off.
  package init?(
    _ rules: [PruneRule], every interval: Duration, wake: @escaping @Sendable () -> Void,
    open: @escaping @Sendable (ClearWatch) -> Clearer?
  ) {
    guard !rules.isEmpty, interval > .zero else { return nil }
    self.rules = rules
    self.interval = interval
    self.wake = wake
    self.open = open
  }
}
