// SPDX-License-Identifier: BSD-2-Clause
//
// When a queue is to be served next; the listener's machine keeps one schedule for each queue.

import Basics

/// What to do about a queue.
struct QueueSchedule {
  var isDue = false
  /// Not before this time.
  var notBefore: Duration?
  var contention = Backoff(first: .milliseconds(20), ceiling: .seconds(1))
  var contendedSince: Duration?
  /// Whether a pass has served some rows and is not at the end.
  var isUnderWay = false
  /// Asked for again during a pass: new rows may stand before its position.
  var isAskedAgain = false
  /// Until when the queue's lock is not taken.
  var lockNotBefore: Duration?
  /// Due only because a poll came during a drain. The drain need not wait for it: where polls come faster than locks
  /// are taken, each poll would extend the drain, which would never end.
  private var isOfNextDrain = false
  /// Whether there may be new rows whose pages need not wait for the lock.
  var hasNews = false

  /// Rows that wait for another try must not delay new rows; a writer may.
  mutating func becomeDue() {
    isDue = true
    isOfNextDrain = false
    if contendedSince == nil { notBefore = nil }
  }

  /// The same at a poll, without a notification.
  mutating func becomeDue(byPollAt now: Duration, inDrain isDraining: Bool) {
    let isAsked = isDue && !isOfNextDrain && (notBefore ?? .zero) <= now
    becomeDue()
    isOfNextDrain = isDraining && !isAsked
  }

  /// The queue's turn has come.
  mutating func begin() {
    hasNews = false
    isOfNextDrain = false
  }

  /// When to serve the rows; nil when there is nothing to do.
  var due: Duration? {
    isDue ? max(notBefore ?? .zero, lockNotBefore ?? .zero) : nil
  }

  /// Whether the rows wait only for the lock, which other processes need too.
  func isDeferred(_ now: Duration) -> Bool {
    guard isDue, !isOfNextDrain, (notBefore ?? .zero) <= now, let lockNotBefore else {
      return false
    }
    return lockNotBefore > now
  }

  mutating func endContention() {
    contention.reset()
    contendedSince = nil
  }
}
