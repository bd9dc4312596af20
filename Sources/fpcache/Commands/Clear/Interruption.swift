// SPDX-License-Identifier: BSD-2-Clause
//
// Ctrl-C while a command deletes. The signal's handler notes it, and the command stops before the next folder, so that
// it can still report what it did. A second Ctrl-C ends the program at once.

import Basics
import Synchronization

/// The signal that asked for a stop, or 0. The handler touches nothing else.
private let caught = Atomic<CInt>(0)

/// The signals that stop a command between two folders.
enum Interruption {
  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// The signal that has asked for a stop.
  static var signal: CInt? {
    let number = caught.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// From here on, the first of these signals is noted and does not end the program. A signal that the caller ignores,
  /// as nohup(1) and a shell's `&` do, stays ignored.
  static func catchSignals() {
    // Initialized now, so that the handler only stores a value.
    _ = signal
    for number in signals {
      if isIgnored(signal: number) { continue }
      // The second signal of a kind meets the default action again.
      let flags = SA_RESTART | CInt(bitPattern: UInt32(SA_RESETHAND))
      setHandler(of: number, flags: flags) { caught.store($0, ordering: .relaxed) }
    }
  }
}
