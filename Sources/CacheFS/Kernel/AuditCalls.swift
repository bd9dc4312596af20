// SPDX-License-Identifier: BSD-2-Clause
//
// The kernel calls that only an audit makes: owners, permission to delete, and the file system's clock. The
// rules of Directory.swift apply.

import Basics
import SystemPackage

extension Ownership {
  init(_ status: stat) {
    owner = UInt32(status.st_uid)
    group = UInt32(status.st_gid)
    mode = UInt32(status.st_mode)
    modified = nanoseconds(status.st_mtim)
  }

  /// The ownership of the file or folder at a path.
  /// - Throws: the `Errno` of stat(2).
  package init(of path: FilePath) throws(Errno) {
    var status = stat()
    let result = path.withPlatformString { stat($0, &status) }
    guard result == 0 else { throw Errno(rawValue: errno) }
    self.init(status)
  }
}

extension Directory {
  /// - Throws: the `Errno` of fstat(2).
  func ownership() throws(Errno) -> Ownership {
    var status = stat()
    _ = try retrying { fstat(descriptor, &status) }
    return Ownership(status)
  }

  /// - Throws: the `Errno` of fstatat(2).
  func ownership(of name: CName) throws(Errno) -> Ownership {
    var status = stat()
    _ = try retrying { fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) }
    return Ownership(status)
  }

  /// Whether it lies on a read-only mount, by fstatvfs(3).
  var isReadOnly: Bool {
    var information = statvfs()
    guard fstatvfs(descriptor, &information) == 0 else { return false }
    return UInt(information.f_flag) & UInt(ST_RDONLY) != 0
  }

  /// Whether a file system is mounted here. The folder itself cannot be removed then.
  var isMountPoint: Bool {
    #if os(Linux)
      if Kernel.hasOpenat2 {
        // `..` leaves the mount, whether the mounted file system is the same one or another one.
        let flags = UInt64(O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let above = CInt(fpc_openat2(descriptor, "..", flags, UInt64(fpc_no_xdev)))
        guard above >= 0 else { return errno == EXDEV }
        close(above)
        return false
      }
    #endif
    var (own, above) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && fstatat(descriptor, "..", &above, 0) == 0
      && own.st_dev != above.st_dev
  }

  /// Checks that this process may list the folder and delete what is in it, including access control lists.
  /// - Throws: the `Errno` of faccessat(2) when it may not.
  func checkAccess() throws(Errno) {
    _ = try retrying { faccessat(descriptor, ".", R_OK | W_OK | X_OK, AT_EACCESS) }
  }

  /// The current time of this folder's file system, in nanoseconds since the epoch. On a network mount this
  /// is the other machine's time. It is read from a file without a name (O_TMPFILE, open(2)), which changes
  /// nothing. Nil where the system has no such file.
  package func fileSystemTime() -> Int64? {
    #if os(Linux)
      let file = fpc_nameless_file(descriptor)
      guard file >= 0 else { return nil }
      defer { close(file) }
      var status = stat()
      guard fstat(file, &status) == 0 else { return nil }
      return FileStatus(status).modified
    #else
      return nil
    #endif
  }
}

/// Sleeps, for a state that may end in a moment.
package func pause(milliseconds: Int) {
  var left = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
  var rest = timespec()
  while nanosleep(&left, &rest) != 0, errno == EINTR { left = rest }
}
