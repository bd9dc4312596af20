// SPDX-License-Identifier: BSD-2-Clause
//
// Guarantees an answer in time, whatever hangs: a monitor that must kill its plugin learns nothing. A thread waits and
// answers instead, since the hanging call may be one that cannot be ended, such as the lookup of a host's address.

import Basics
import CacheFS
import Synchronization
import SystemPackage

/// The answer that is given when no other answer comes in time.
enum AnswerDeadline {
  private static let isAnswered = Atomic(false)

  /// Makes the program write a line and end when the time has passed, unless ``claim()`` was called.
  static func start(
    _ text: String, on descriptor: CInt = STDOUT_FILENO, status: Int32, after time: Duration
  ) {
    let deadline = ContinuousClock.now + time
    _ = detachThread {
      while case let left = ContinuousClock.now.duration(to: deadline), left > .zero {
        poll(nil, 0, left.pollTimeout)
      }
      guard !isAnswered.exchange(true, ordering: .relaxed) else { return }
      do throws(Errno) { try writeAll(Array((text + "\n").utf8)[...], to: descriptor) } catch {}
      _exit(status)
    }
  }

  /// From here on the caller answers. If the time has just passed, it does not return.
  static func claim() {
    while isAnswered.exchange(true, ordering: .relaxed) { poll(nil, 0, -1) }
  }
}
