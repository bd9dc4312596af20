// SPDX-License-Identifier: BSD-2-Clause
//
// Notifications that no queue remembers: the site's own query of a family tells whether one was missed.
//
// The query may take minutes, and the drains must not wait for it: it runs on a thread and a connection
// of its own, and the listener takes what it found at its next tick.

import CacheFS
import Logging
import Synchronization

/// Looks for pages that an event without a queue should have cleared, once on each connection.
package final class MissedNotifications {
  /// How often the listener wakes to see whether a look has ended.
  private static let pollInterval = Duration.milliseconds(100)

  private let logger: Logger
  private var look: MissedLook?
  /// Whether there is to be one, and whether one is under way.
  private var isWanted = false
  private var isUnderWay = false
  /// Whether the configuration has changed since it began: its keys are those of another layout.
  private var isObsolete = false
  private let result = LookBox<MissedLook.Outcome>()
  /// What was told of each family that could not be looked at.
  private var told: [String: String] = [:]

  init(_ logger: Logger) { self.logger = logger }

  /// Looks for these from now on; nil for nothing.
  package func follow(_ look: MissedLook?) {
    self.look = look
    isWanted = false
    isObsolete = isUnderWay
  }

  /// Asks for a look: the connection is new, and nobody knows what was missed before.
  func want() { isWanted = look != nil }

  /// Begins the look that was asked for, if there is none under way.
  func begin() {
    guard isWanted, !isUnderWay, let look else { return }
    isWanted = false
    isUnderWay = true
    let result = result
    let body: @Sendable () -> Void = { result.put(look.run { result.note(isAsking: $0) }) }
    // Where there is no thread to be had, it is done here rather than not at all.
    if !detachThread(body) { body() }
  }

  /// The same here and now.
  func lookNow() {
    guard let look else { return }
    isWanted = false
    isUnderWay = true
    result.put(look.run { _ in })
  }

  /// Whether a look has ended that nobody has taken yet.
  var hasEnded: Bool { isUnderWay && result.isThere }

  /// When to come back for the result; nil when none is to come.
  var nextLook: Duration? { isUnderWay ? Self.pollInterval : nil }

  /// What was found, once; what could not be looked at is logged, once until it changes.
  func take() -> [MissedLook.Found] {
    guard isUnderWay, let outcome = result.take() else { return [] }
    isUnderWay = false
    guard !isObsolete else {
      isObsolete = false
      return []
    }
    isWanted = isWanted || outcome.isUnfinished
    for (family, reason) in outcome.failures where told[family] != reason {
      logger.warning("\(family): cannot tell whether a notification was missed: \(reason)")
    }
    told = outcome.failures
    return outcome.found
  }

  /// Waits until no statement is under way: libpq must not be at work while the process ends.
  func leave() {
    while isUnderWay, result.isAsking { pause(milliseconds: 5) }
  }
}
