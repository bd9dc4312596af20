// SPDX-License-Identifier: BSD-2-Clause
//
// An answer in time, whatever hangs: a monitor that has to kill its plugin learns nothing. A thread waits and
// answers instead, since what hangs may be a call that cannot be ended, such as one for a host's address.

import Basics
import CacheFS
import Synchronization
import SystemPackage

/// What is answered where there is no answer in time.
enum AnswerDeadline {
  private static let isAnswered = Atomic(false)

  /// Has the program write a line and end when a time has passed, unless ``claim()`` was called.
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

  /// From here on the caller answers. Where the time has just passed it does not return.
  static func claim() {
    while isAnswered.exchange(true, ordering: .relaxed) { poll(nil, 0, -1) }
  }
}
