// SPDX-License-Identifier: BSD-2-Clause
//
// When to try again what failed: after 1 s, doubling to 5 min, as long as the tries take only a small part of the time.
// It has no clock. The time is a parameter, so that its tests are tables.

import Basics

/// When to try a failed thing again.
struct Retry {
  static let first = Duration.seconds(1)
  static let longest = Duration.seconds(300)

  private var backoff = Backoff(first: first, ceiling: longest)
  private(set) var notBefore: ContinuousClock.Instant

  init(at now: ContinuousClock.Instant = .now) { notBefore = now }

  /// Whether nothing has failed yet.
  var isNew: Bool { backoff.isReset }

  /// The cause of the failure is gone.
  mutating func hasten(at now: ContinuousClock.Instant = .now) { notBefore = now }

  /// Postpones the next try. There is no jitter, so that what fails together is tried together.
  mutating func postpone(at now: ContinuousClock.Instant = .now) {
    notBefore = now + backoff.next(jitter: 0)
  }
}

/// How much of the time tries may take.
///
/// A pass that only tries again reads everything that waits. If that takes seconds, the first tries still come when
/// they are due. If it goes on, each try is followed by a rest of so many times its length.
struct RetryPace {
  /// Tries may take one part in this many of the time.
  private static let share = 20
  /// What tries may take in advance: the share of the longest delay. So a single row that is tried 1, 2, 4, ... s apart
  /// is not delayed by the length of its passes.
  private static let ahead = Retry.longest / share

  private var spent = Duration.zero
  private var asOf: ContinuousClock.Instant?

  /// The rest that follows a try when nothing may be taken in advance.
  static func rest(after took: Duration) -> Duration { took * share }

  /// Notes tries that end now.
  mutating func note(_ took: Duration, at now: ContinuousClock.Instant = .now) {
    // No rest is longer than the longest delay.
    spent = min(unpaid(at: now) + took, Self.ahead * 2)
    asOf = now
  }

  /// The time until the next try of what is due at a time.
  func wait(
    until due: ContinuousClock.Instant, at now: ContinuousClock.Instant = .now
  ) -> Duration {
    max(now.duration(to: due), Self.rest(after: unpaid(at: now) - Self.ahead))
  }

  private func unpaid(at now: ContinuousClock.Instant) -> Duration {
    guard let asOf else { return .zero }
    return max(.zero, spent - asOf.duration(to: now) / Self.share)
  }
}
