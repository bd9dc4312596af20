// SPDX-License-Identifier: BSD-2-Clause
//
// An answer in time, whatever hangs: a monitor that has to kill its plugin learns nothing. A thread waits and
// answers instead, since what hangs may be a call that cannot be ended, such as one for a host's address.

import Basics
import Synchronization
import SystemPackage

/// What is answered where there is no answer in time.
enum AnswerDeadline {
  private static let isAnswered = Atomic(false)

  /// What the thread needs.
  private final class Answer: Sendable {
    let text: String
    let descriptor: CInt
    let status: Int32
    let time: Duration

    init(_ text: String, on descriptor: CInt, status: Int32, after time: Duration) {
      self.text = text
      self.descriptor = descriptor
      self.status = status
      self.time = time
    }

    func giveWhenDue() {
      let deadline = ContinuousClock.now + time
      while case let left = ContinuousClock.now.duration(to: deadline), left > .zero {
        poll(nil, 0, left.pollTimeout)
      }
      guard !isAnswered.exchange(true, ordering: .relaxed) else { return }
      do throws(Errno) { try writeAll(Array((text + "\n").utf8)[...], to: descriptor) } catch {}
      _exit(status)
    }
  }

  /// Has the program write a line and end when a time has passed, unless ``claim()`` was called.
  static func start(
    _ text: String, on descriptor: CInt = STDOUT_FILENO, status: Int32, after time: Duration
  ) {
    let answer = Unmanaged.passRetained(Answer(text, on: descriptor, status: status, after: time))
    var thread = pthread_t()
    let failure = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Answer>.fromOpaque(argument).takeRetainedValue().giveWhenDue()
        return nil
      }, answer.toOpaque())
    if failure == 0 { pthread_detach(thread) } else { answer.release() }
  }

  /// From here on the caller answers. Where the time has just passed it does not return.
  static func claim() {
    while isAnswered.exchange(true, ordering: .relaxed) { poll(nil, 0, -1) }
  }
}
