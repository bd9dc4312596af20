// SPDX-License-Identifier: BSD-2-Clause
//
// Ctrl-C while a command deletes: noted by the signal's handler, obeyed before the next folder,
// so that what was done can still be said. A second one ends the program at once.

import Basics
import Synchronization

/// The signal that asked for an end, or 0. All that the handler touches.
private let caught = Atomic<CInt>(0)

/// The signals that stop a command between two folders.
enum Interruption {
  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// The signal that has asked for an end.
  static var signal: CInt? {
    let number = caught.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// From here on the first of the signals is noted instead of ending the program. One that the
  /// caller ignores, as nohup(1) and a shell's `&` do, stays ignored.
  static func catchSignals() {
    // Made now, so that the handler only stores.
    _ = signal
    for number in signals {
      if isIgnored(signal: number) { continue }
      // The second of its kind finds the default again.
      let flags = SA_RESTART | CInt(bitPattern: UInt32(SA_RESETHAND))
      setHandler(of: number, flags: flags) { caught.store($0, ordering: .relaxed) }
    }
  }
}
