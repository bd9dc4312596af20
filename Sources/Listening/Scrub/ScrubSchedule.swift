// SPDX-License-Identifier: BSD-2-Clause
//
// When a scrub is due, and what becomes of what it has found. No clock, no connection.

import Basics

/// A scrub's decisions.
enum ScrubSchedule {
  /// The scrubs of many nodes are spread over so long, and over no more than a 24th of the interval.
  private static let widestSpread = Duration.seconds(3600)
  /// When a scrub that could not be made is tried again.
  private static let retry = Duration.seconds(600)

  /// How long to wait for the first scrub of a process, or of another interval.
  /// - Parameters:
  ///   - last: when the last one ended, in nanoseconds since the epoch; nil for never.
  ///   - now: the same clock. It may have been set back since: then the last one is taken to have ended now.
  ///   - isBounded: whether rechecks know from when to ask. Where they do not, nobody knows what was missed.
  ///   - jitter: a number from 0 to 1.
  static func wait(
    _ interval: Duration, last: Int64?, now: Int64, isBounded: Bool, jitter: Double
  ) -> Duration {
    guard isBounded else { return .zero }
    guard let last else { return spread(interval, jitter) }
    let age = Duration.nanoseconds(max(0, clampedDifference(now, last)))
    return max(.zero, interval - age) + spread(interval, jitter)
  }

  /// How long to wait after one that took so long. Scrubs take a tenth of the time at most.
  static func wait(_ interval: Duration, after duration: Duration, jitter: Double) -> Duration {
    max(interval + spread(interval, jitter), RecheckPlan.rest(after: duration))
  }

  /// How long to wait after one that could not be made: the server or the cache directory was away.
  static func waitAfterFailure(_ interval: Duration) -> Duration { min(interval, retry) }

  private static func spread(_ interval: Duration, _ jitter: Double) -> Duration {
    min(interval / 24, widestSpread) * jitter
  }

  enum Decision: Equatable, Sendable {
    case clear
    case report
    /// That many pages are no repair, but a wrong query or a wrong clock.
    case refuse
  }

  static func decision(found: Int, most: Int, _ mode: ScrubPlan.Mode) -> Decision {
    if mode == .report { return .report }
    return found > most ? .refuse : .clear
  }
}
