// SPDX-License-Identifier: BSD-2-Clause
//
// When to try again what failed: 1 s later, doubling to 5 min, as long as that takes no more than a small part of the
// time. It has no clock: the time goes in, so that its tests are tables.

import Basics

/// When to try something again that failed.
struct Retry {
  static let first = Duration.seconds(1)
  static let longest = Duration.seconds(300)

  private var backoff = Backoff(first: first, ceiling: longest)
  private(set) var notBefore: ContinuousClock.Instant

  init(at now: ContinuousClock.Instant = .now) { notBefore = now }

  /// Whether nothing has failed yet.
  var isNew: Bool { backoff.isReset }

  /// What stood in the way is gone.
  mutating func hasten(at now: ContinuousClock.Instant = .now) { notBefore = now }

  /// Pushes the next try away. Without jitter, so that what fails together is tried together.
  mutating func postpone(at now: ContinuousClock.Instant = .now) {
    notBefore = now + backoff.next(jitter: 0)
  }
}

/// How much of the time tries may take.
///
/// A pass that does nothing but try again reads all that waits. Where that takes seconds, the first tries still
/// come when they are due; where it goes on, each is paid for with so many times its length of rest.
struct RetryPace {
  /// Tries may take one part in so many of the time.
  private static let share = 20
  /// What they may take ahead of that: the share of the longest delay, so that a single row that is tried 1, 2, 4, ... s
  /// apart is not held up by the length of its passes.
  private static let ahead = Retry.longest / share

  private var spent = Duration.zero
  private var asOf: ContinuousClock.Instant?

  /// The rest that follows a try, where none may be taken ahead.
  static func rest(after took: Duration) -> Duration { took * share }

  /// Takes note of tries that end now.
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
