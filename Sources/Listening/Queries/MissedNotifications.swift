// SPDX-License-Identifier: BSD-2-Clause
//
// Notifications that are in no queue: the site's own query of a family shows whether one was missed.
//
// The query may take minutes, and the drains must not wait for it. It runs on its own thread and connection, and the
// listener takes its findings at the next tick.

import CacheFS
import Logging

/// Looks for pages that an event without a queue should have cleared, once on each connection.
package final class MissedNotifications {
  private let logger: Logger
  private var look: MissedLook?
  /// Whether a look is asked for.
  private var isWanted = false
  private let thread = LookThread<MissedLook.Outcome>()
  /// The logged problem of each family that could not be compared.
  private var told: [String: String] = [:]

  init(_ logger: Logger) { self.logger = logger }

  /// Looks for these from now on; nil for nothing.
  package func follow(_ look: MissedLook?) {
    self.look = look
    isWanted = false
    thread.makeObsolete()
  }

  /// Asks for a look: the connection is new, and it is unknown what was missed before.
  func want() { isWanted = look != nil }

  /// Begins the look that was asked for, if none is running.
  func begin() {
    guard isWanted, !thread.isUnderWay, let look else { return }
    isWanted = false
    // Where the system cannot make a thread, the look runs on this one rather than not at all.
    if !thread.begin(wake: look.place.wake, { look.run($0) }) { thread.lookNow(look.run) }
  }

  /// The same at once, on the caller's thread.
  func lookNow() {
    guard let look else { return }
    isWanted = false
    thread.lookNow(look.run)
  }

  /// Whether a look has ended and its findings are not taken yet.
  var hasEnded: Bool { thread.hasEnded }

  /// Returns the findings, once. Problems are logged once, until they change.
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
