// SPDX-License-Identifier: BSD-2-Clause
//
// When a queue is to be served next, as the listener's machine keeps it for each.

import Basics

/// What is to be done about a queue.
struct QueueSchedule {
  var isDue = false
  /// Not before this time.
  var notBefore: Duration?
  var contention = Backoff(first: .milliseconds(20), ceiling: .seconds(1))
  var contendedSince: Duration?
  /// Whether a pass has come past rows and not to the end.
  var isUnderWay = false
  /// Asked for while a pass was under way: what is new may stand behind it.
  var isAskedAgain = false
  /// Until when the queue's lock is left alone.
  var lockNotBefore: Duration?
  /// Due only since a poll came while a drain was under way, which need not wait for it: where polls come faster than
  /// locks are asked for, one would follow the other, and the drain never end.
  private var isOfNextDrain = false
  /// Whether there may be new rows whose pages need not wait for the lock.
  var hasNews = false

  /// The rows that wait for another try must not hold up new ones; a writer may.
  mutating func becomeDue() {
    isDue = true
    isOfNextDrain = false
    if contendedSince == nil { notBefore = nil }
  }

  /// The same at a poll, unasked.
  mutating func becomeDue(byPollAt now: Duration, inDrain isDraining: Bool) {
    let isAsked = isDue && !isOfNextDrain && (notBefore ?? .zero) <= now
    becomeDue()
    isOfNextDrain = isDraining && !isAsked
  }

  /// Its turn has come.
  mutating func begin() {
    hasNews = false
    isOfNextDrain = false
  }

  /// When the rows may be served; nil when nothing is to be done.
  var due: Duration? {
    isDue ? max(notBefore ?? .zero, lockNotBefore ?? .zero) : nil
  }

  /// Whether only the lock, which others need too, keeps the rows from being served.
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
