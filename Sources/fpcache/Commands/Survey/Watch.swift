// SPDX-License-Identifier: BSD-2-Clause
//
// `--watch`: the same look again and again, drawn in its place on a terminal.
//
// The terminal is left as it is: no other screen, no hidden cursor, nothing to be put back by a
// program that may be ended in any way.

import Basics

/// How a look is shown.
enum Watch {
  /// Ctrl-C is how one leaves, at any moment and even in the middle of a walk: it is no failure.
  static func leaveOnInterrupt() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        // A prompt begins a line of its own.
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

  /// What draws the lines over what was drawn before.
  static func frame(_ lines: [String], isFirst: Bool) -> String {
    // Home, and at first an empty screen; each line wiped to its end, and what is below it.
    (isFirst ? "\u{1B}[H\u{1B}[2J" : "\u{1B}[H") + lines.map { $0 + "\u{1B}[K\n" }.joined()
      + "\u{1B}[J"
  }
}
