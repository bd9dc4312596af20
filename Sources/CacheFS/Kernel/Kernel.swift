// SPDX-License-Identifier: BSD-2-Clause
//
// The calls that differ between systems, or that a test must fail, as one struct of functions.

import Basics
import SystemPackage

/// A NUL-terminated name in a directory, as the kernel takes and returns it.
typealias CName = UnsafePointer<CChar>

/// The calls that change the tree or may be refused. They are real by default; a test replaces one to force
/// EACCES, EIO or EINTR.
package struct Kernel: Sendable {
  /// unlinkat(2) with its flags; 0 or -1 with errno.
  package var unlinkat: @Sendable (CInt, UnsafePointer<CChar>, CInt) -> CInt = unlinkEntry

  /// Opens a folder by its name in another folder. Returns a descriptor, or -1 with errno: `ENOTDIR` for a
  /// link, `EXDEV` for a mount point unless mounts may be crossed.
  package var openFolder: @Sendable (CInt, UnsafePointer<CChar>, Mounts) -> CInt =
    hasOpenat2 ? openBeneath : openByParts

  package static let real = Kernel()

  private static let folderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

  #if os(Linux)
    /// Available since Linux 5.6, unless a container's filter forbids it.
    static let hasOpenat2: Bool = {
      let descriptor = CInt(fpc_openat2(AT_FDCWD, "/", UInt64(folderFlags), 0))
      if descriptor >= 0 { close(descriptor) }
      return descriptor >= 0
    }()

    /// The kernel itself refuses every way out of the folder.
    static let openBeneath: @Sendable (CInt, UnsafePointer<CChar>, Mounts) -> CInt = {
      directory, name, mounts in
      let resolve =
        fpc_beneath | fpc_no_symlinks | fpc_no_magiclinks
        | (mounts == .refused ? fpc_no_xdev : 0)
      return CInt(fpc_openat2(directory, name, UInt64(folderFlags), UInt64(resolve)))
    }
  #else
    static let hasOpenat2 = false
    static let openBeneath = openByParts
  #endif

  /// Opens the cache directory by its path without links. A link that was put into this path later is not
  /// followed at any place on Linux 5.6 or later. Before that, and on other systems, only a link in the last
  /// place is refused.
  static func openRoot(_ path: UnsafePointer<CChar>) -> CInt {
    #if os(Linux)
      if hasOpenat2 {
        return CInt(
          fpc_openat2(
            AT_FDCWD, path, UInt64(folderFlags), UInt64(fpc_no_symlinks | fpc_no_magiclinks)))
      }
    #endif
    return open(path, folderFlags)
  }

  /// ``openBeneath`` with older calls. It does not detect a folder mounted from the same file system.
  static let openByParts: @Sendable (CInt, UnsafePointer<CChar>, Mounts) -> CInt = {
    directory, name, mounts in
    let descriptor = openat(directory, name, folderFlags)
    guard descriptor >= 0, mounts == .refused else { return descriptor }
    var (parent, child) = (stat(), stat())
    if fstat(directory, &parent) == 0, fstat(descriptor, &child) == 0,
      parent.st_dev == child.st_dev
    {
      return descriptor
    }
    close(descriptor)
    errno = EXDEV
    return -1
  }
}

/// unlinkat(2), under a name that no member shadows.
private let unlinkEntry: @Sendable (CInt, UnsafePointer<CChar>, CInt) -> CInt = {
  unlinkat($0, $1, $2)
}

/// Whether mounted file systems are entered.
package enum Mounts: Sendable {
  case refused
  case crossed
}

/// Repeats a call that a signal interrupted.
@inline(__always)
func retrying<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
  while true {
    let result = call()
    if result >= 0 { return result }
    let error = Errno(rawValue: errno)
    if error != .interrupted { throw error }
  }
}
