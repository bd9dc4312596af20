// SPDX-License-Identifier: BSD-2-Clause
//
// The one import of the C library. Whoever imports Basics has its functions, under whatever name the
// system gives the module, and the calls of Linux that it lacks.

@_exported import CSyscalls

#if canImport(Glibc)
  @_exported import Glibc
#elseif canImport(Musl)
  @_exported import Musl
#elseif canImport(Darwin)
  @_exported import Darwin
#endif

/// A datagram socket of the Unix domain that no child inherits; -1 with errno.
package func makeUnixDatagramSocket() -> CInt { fpc_unix_datagram_socket() }

/// Has a signal call a function, which may do no more than a signal handler may (signal-safety(7)).
/// - Parameter flags: of sigaction(2).
package func setHandler(
  of number: CInt, flags: CInt = 0, _ handler: @escaping @convention(c) (CInt) -> Void
) {
  _ = fpc_set_handler(number, handler, flags)
}

/// Whether a signal is ignored, as nohup(1) has it.
package func isIgnored(signal number: CInt) -> Bool { fpc_is_ignored(number) != 0 }

/// Whether another user can still read arguments that the program has overwritten: Linux shows the
/// program's own memory, FreeBSD a copy of the kernel's.
package var kernelCopiesArguments: Bool {
  #if os(Linux)
    false
  #else
    true
  #endif
}
