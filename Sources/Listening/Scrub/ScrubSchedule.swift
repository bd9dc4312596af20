// SPDX-License-Identifier: BSD-2-Clause
//
// When a scrub is due, and what to do with its findings. No clock, no connection.

import Basics

/// The decisions about scrubs.
enum ScrubSchedule {
  /// The scrubs of many nodes are spread over at most this time, and at most a 24th of the interval.
  private static let widestSpread = Duration.seconds(3600)

  /// How long to wait for the first scrub of a process, or after a change of the interval.
  /// - Parameters:
  ///   - last: when the last scrub ended, in nanoseconds since the epoch; nil for never.
  ///   - now: the same clock. It may have been set back since: then the last scrub is assumed to have ended now.
  ///   - isBounded: whether the rechecks' bounds are known. Where they are not, it is unknown what was missed.
  ///   - jitter: a number from 0 to 1.
  static func wait(
    _ interval: Duration, last: Int64?, now: Int64, isBounded: Bool, jitter: Double
  ) -> Duration {
    guard isBounded else { return .zero }
    guard let last else { return spread(interval, jitter) }
    let age = Duration.nanoseconds(max(0, clampedDifference(now, last)))
    return max(.zero, interval - age) + spread(interval, jitter)
  }

  /// How long to wait after a scrub of this duration. Scrubs take at most a tenth of the time.
  static func wait(_ interval: Duration, after duration: Duration, jitter: Double) -> Duration {
    max(interval + spread(interval, jitter), LookPace.rest(after: duration))
  }

  private static func spread(_ interval: Duration, _ jitter: Double) -> Duration {
    min(interval / 24, widestSpread) * jitter
  }

  enum Decision: Equatable, Sendable {
    case clear
    case report
    /// That many pages are no repair: the query or a clock is wrong.
    case refuse
  }

  static func decision(found: Int, most: Int, _ mode: ScrubPlan.Mode) -> Decision {
    if mode == .report { return .report }
    return found > most ? .refuse : .clear
  }
}
