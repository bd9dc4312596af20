// SPDX-License-Identifier: BSD-2-Clause
//
// Signals as bytes in a pipe, so that the one poll(2) of the listener sees them.

import Basics
import PGQueue
import Synchronization

/// Write ends of the pipes. A signal handler may touch nothing else.
nonisolated(unsafe) private var eventPipe: CInt = -1
nonisolated(unsafe) private var stopPipe: CInt = -1
/// Set together with the pipe, for threads that have no time to check a descriptor.
private let stopAsked = Atomic<Bool>(false)

/// The signals that a daemon answers to, delivered through descriptors.
package struct Signals {
  package enum Signal: Equatable, Sendable {
    case terminate
    case hangup
    case user1
  }

  /// Readable when a signal has arrived and is not taken yet.
  package let descriptor: CInt
  private let wakeDescriptor: CInt
  /// The deadline that a requested stop sets.
  package let stop: StopDeadline

  /// Whether a stop was requested: cheap enough to check before each file.
  package static var isStopAsked: Bool { stopAsked.load(ordering: .relaxed) }

  /// Installs the handlers, once for the process. Nil when no pipe can be made.
  ///
  /// A second SIGTERM or SIGINT ends the process at once.
  package init?() {
    guard let events = Self.makePipe(), let stops = Self.makePipe() else { return nil }
    (descriptor, wakeDescriptor) = events
    stop = StopDeadline(descriptor: stops.read)
    eventPipe = events.write
    stopPipe = stops.write
    stopAsked.store(false, ordering: .relaxed)
    signal(SIGPIPE, SIG_IGN)
    for number in [SIGTERM, SIGINT] {
      setHandler(of: number) { number in
        var byte = UInt8(truncatingIfNeeded: number)
        stopAsked.store(true, ordering: .relaxed)
        _ = write(stopPipe, &byte, 1)
        _ = write(eventPipe, &byte, 1)
        signal(SIGTERM, SIG_DFL)
        signal(SIGINT, SIG_DFL)
      }
    }
    for number in [SIGHUP, SIGUSR1] {
      setHandler(of: number) { number in
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(eventPipe, &byte, 1)
      }
    }
  }

  /// Wakes the thread that waits for ``descriptor``, from any thread, without a signal.
  package var wake: @Sendable () -> Void {
    let descriptor = wakeDescriptor
    return {
      // A full pipe already wakes the reader.
      var byte: UInt8 = 0
      _ = write(descriptor, &byte, 1)
    }
  }

  /// The signals that have arrived, in order.
  package func take() -> [Signal] {
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(descriptor, &bytes, bytes.count)
    return bytes.prefix(max(0, count)).compactMap { byte in
      switch CInt(byte) {
      case 0: nil
      case SIGHUP: .hangup
      case SIGUSR1: .user1
      default: .terminate
      }
    }
  }

  private static func makePipe() -> (read: CInt, write: CInt)? {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    return (ends[0], ends[1])
  }
}
