// SPDX-License-Identifier: BSD-2-Clause
//
// Notifications that no queue remembers: the site's own query of a family tells whether one was missed.
//
// The query may take minutes, and the drains must not wait for it: it runs on a thread and a connection
// of its own, and the listener takes what it found at its next tick.

import CacheFS
import Logging

/// Looks for pages that an event without a queue should have cleared, once on each connection.
package final class MissedNotifications {
  private let logger: Logger
  private var look: MissedLook?
  /// Whether there is to be one.
  private var isWanted = false
  private let thread = LookThread<MissedLook.Outcome>()
  /// What was told of each family that could not be looked at.
  private var told: [String: String] = [:]

  init(_ logger: Logger) { self.logger = logger }

  /// Looks for these from now on; nil for nothing.
  package func follow(_ look: MissedLook?) {
    self.look = look
    isWanted = false
    thread.makeObsolete()
  }

  /// Asks for a look: the connection is new, and nobody knows what was missed before.
  func want() { isWanted = look != nil }

  /// Begins the look that was asked for, if there is none under way.
  func begin() {
    guard isWanted, !thread.isUnderWay, let look else { return }
    isWanted = false
    // Where there is no thread to be had, it is done here rather than not at all.
    if !thread.begin(wake: look.place.wake, { look.run($0) }) { thread.lookNow(look.run) }
  }

  /// The same here and now.
  func lookNow() {
    guard let look else { return }
    isWanted = false
    thread.lookNow(look.run)
  }

  /// Whether a look has ended that nobody has taken yet.
  var hasEnded: Bool { thread.hasEnded }

  /// What was found, once; what could not be looked at is logged, once until it changes.
  func take() -> [MissedLook.Found] {
    guard let outcome = thread.take() else { return [] }
    isWanted = isWanted || outcome.isUnfinished
    for (family, reason) in outcome.failures where told[family] != reason {
      logger.warning("\(family): cannot tell whether a notification was missed: \(reason)")
    }
    told = outcome.failures
    return outcome.found
  }

  func leave() { thread.leave() }
}
