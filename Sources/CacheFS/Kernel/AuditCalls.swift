// SPDX-License-Identifier: BSD-2-Clause
//
// What only an audit asks of the kernel: who owns what and may delete it, and the file system's
// clock. By the rules of Directory.swift.

import Basics
import SystemPackage

extension Ownership {
  init(_ status: stat) {
    owner = UInt32(status.st_uid)
    group = UInt32(status.st_gid)
    mode = UInt32(status.st_mode)
    modified = nanoseconds(status.st_mtim)
  }

  /// Of what lies at a path.
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

  /// Whether it lies on a file system that is mounted for reading only, by fstatvfs(3).
  var isReadOnly: Bool {
    var information = statvfs()
    guard fstatvfs(descriptor, &information) == 0 else { return false }
    return UInt(information.f_flag) & UInt(ST_RDONLY) != 0
  }

  /// Whether something is mounted here, so that the folder itself cannot be removed.
  var isMountPoint: Bool {
    #if os(Linux)
      if Kernel.hasOpenat2 {
        // The way up leads out of what is mounted, be it of the same file system or of another.
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

  /// Whether this process may list it and delete what is in it, access control lists included.
  /// - Throws: the `Errno` of faccessat(2) when it may not.
  func checkAccess() throws(Errno) {
    _ = try retrying { faccessat(descriptor, ".", R_OK | W_OK | X_OK, AT_EACCESS) }
  }

  /// What time it is for the file system that this folder lies on, in nanoseconds since the epoch:
  /// that of another machine's, where it is mounted from there. Told by a file without a name
  /// (O_TMPFILE, open(2)), which changes nothing; nil where there is no such thing.
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

/// Waits, for what may be over in a moment.
package func pause(milliseconds: Int) {
  var left = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
  var rest = timespec()
  while nanosleep(&left, &rest) != 0, errno == EINTR { left = rest }
}
