// SPDX-License-Identifier: BSD-2-Clause
//
// How long to wait before the next try. The delay doubles up to a ceiling. Jitter keeps many listeners from
// coming back at the same moment.

/// A delay that doubles with each failure.
package struct Backoff: Equatable, Sendable {
  package let first: Duration
  package let ceiling: Duration
  private var current: Duration?

  package init(first: Duration, ceiling: Duration) {
    self.first = first
    self.ceiling = ceiling
  }

  /// The delay before the next try. `jitter`, from 0 to 1, takes off up to a quarter.
  package mutating func next(jitter: Double) -> Duration {
    let delay = current.map { min($0 * 2, ceiling) } ?? first
    current = delay
    return delay * (1 - jitter / 4)
  }

  /// Starts again at the first delay.
  package mutating func reset() { current = nil }

  /// Whether no failure has been counted since the last reset.
  package var isReset: Bool { current == nil }
}
