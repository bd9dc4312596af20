// SPDX-License-Identifier: BSD-2-Clause
//
// `--watch`: the same look again and again, drawn in the same place on a terminal.
//
// The terminal's state stays as it is: no other screen, no hidden cursor. A program that may be ended in any way must
// have nothing to restore.

import Basics

/// How a look is shown.
enum Watch {
  /// Ctrl-C is the normal way to exit, at any moment and even during a walk. It is not a failure.
  static func leaveOnInterrupt() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        // The shell's prompt must begin on a new line.
        if isatty(STDOUT_FILENO) == 1 { _ = write(STDOUT_FILENO, "\n", 1) }
        _exit(ExitStatus.done.rawValue)
      }
    }
  }

  static func wait(_ duration: Duration) {
    let deadline = ContinuousClock.now + duration
    while true {
      let left = ContinuousClock.now.duration(to: deadline)
      guard left > .zero else { return }
      poll(nil, 0, left.pollTimeout)
    }
  }

  /// The text that draws the lines over the previous ones.
  static func frame(_ lines: [String], isFirst: Bool) -> String {
    // It moves the cursor home, and the first time clears the screen. It erases each line to its end, and everything
    // below.
    (isFirst ? "\u{1B}[H\u{1B}[2J" : "\u{1B}[H") + lines.map { $0 + "\u{1B}[K\n" }.joined()
      + "\u{1B}[J"
  }
}
