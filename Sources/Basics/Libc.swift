// SPDX-License-Identifier: BSD-2-Clause
//
// The only import of the C library. A file that imports Basics gets its functions, whatever name the system
// gives the module, and the Linux calls that the library lacks.

@_exported import CSyscalls

#if canImport(Glibc)
  @_exported import Glibc
#elseif canImport(Musl)
  @_exported import Musl
#elseif canImport(Darwin)
  @_exported import Darwin
#endif

/// A Unix-domain datagram socket that child processes do not inherit; -1 with errno.
package func makeUnixDatagramSocket() -> CInt { fpc_unix_datagram_socket() }

/// Calls a function when a signal arrives. The function may only do what a signal handler may do
/// (signal-safety(7)).
/// - Parameter flags: flags of sigaction(2).
package func setHandler(
  of number: CInt, flags: CInt = 0, _ handler: @escaping @convention(c) (CInt) -> Void
) {
  _ = fpc_set_handler(number, handler, flags)
}

/// Whether a signal is ignored, for example because of nohup(1).
package func isIgnored(signal number: CInt) -> Bool { fpc_is_ignored(number) != 0 }

/// Whether another user can still read arguments that the program has overwritten. Linux shows the program's
/// own memory; FreeBSD shows a copy that the kernel keeps.
package var kernelCopiesArguments: Bool {
  #if os(Linux)
    false
  #else
    true
  #endif
}
