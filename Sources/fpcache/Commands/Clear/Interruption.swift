// Ctrl-C while a command deletes: noted by the signal's handler, obeyed before the next folder,
// so that what was done can still be said. A second one ends the program at once.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

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
      var action = sigaction()
      sigaction(number, nil, &action)
      if isIgnored(action) { continue }
      action = sigaction()
      setHandler(&action) { caught.store($0, ordering: .relaxed) }
      // The second of its kind finds the default again.
      action.sa_flags = SA_RESTART | CInt(bitPattern: UInt32(SA_RESETHAND))
      sigaction(number, &action, nil)
    }
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    #if canImport(Darwin)
      let handler = action.__sigaction_u.__sa_handler
    #else
      let handler = action.__sigaction_handler.sa_handler
    #endif
    return unsafeBitCast(handler, to: UInt.self) == unsafeBitCast(SIG_IGN, to: UInt.self)
  }

  private static func setHandler(
    _ action: inout sigaction, _ handler: @escaping @convention(c) (CInt) -> Void
  ) {
    #if canImport(Darwin)
      action.__sigaction_u.__sa_handler = handler
    #else
      action.__sigaction_handler.sa_handler = handler
    #endif
  }
}
