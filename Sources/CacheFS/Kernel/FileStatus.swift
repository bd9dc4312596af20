// SPDX-License-Identifier: BSD-2-Clause
//
// What the kernel reports about a directory entry.

import Basics
import SystemPackage

/// The type of a directory entry.
package enum EntryType: Hashable, Sendable {
  case file
  case directory
  case symbolicLink
  /// A socket, fifo or device.
  case special
  /// The file system does not report the type; call ``Directory/status(_:)``.
  case unknown
}

/// What lstat(2) reports about an entry.
package struct FileStatus: Hashable, Sendable {
  package let type: EntryType
  /// Apparent size in bytes (st_size).
  package let size: Int64
  /// Allocated bytes on disk (st_blocks, of 512 bytes); a hole counts nothing.
  package let diskSize: Int64
  /// Last modification in nanoseconds since the epoch (st_mtim).
  package let modified: Int64
  /// Last read in nanoseconds since the epoch (st_atim), as far as the mount options keep it.
  package let accessed: Int64
  /// Permission bits and the like (st_mode).
  package let mode: UInt32
  /// How many names it has (st_nlink).
  package let links: UInt64
  package let identity: FileIdentity

  init(_ status: stat) {
    type = EntryType(mode: status.st_mode)
    size = Int64(status.st_size)
    diskSize = Int64(status.st_blocks) &* 512
    modified = nanoseconds(status.st_mtim)
    accessed = nanoseconds(status.st_atim)
    mode = UInt32(status.st_mode)
    links = UInt64(status.st_nlink)
    identity = FileIdentity(
      device: UInt64(truncatingIfNeeded: status.st_dev),
      inode: UInt64(truncatingIfNeeded: status.st_ino))
  }
}

/// A file system time in nanoseconds since the epoch. Times before 1677 or after 2262, which ext4 and others
/// can store, become the nearest value that fits.
func nanoseconds(_ time: timespec) -> Int64 {
  nanoseconds(Int64(time.tv_sec), Int64(time.tv_nsec))
}

extension EntryType {
  init(mode: mode_t) {
    switch mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .directory
    case S_IFLNK: self = .symbolicLink
    default: self = .special
    }
  }

  init(dType: UInt8) {
    switch Int(dType) {
    case Int(DT_REG): self = .file
    case Int(DT_DIR): self = .directory
    case Int(DT_LNK): self = .symbolicLink
    case Int(DT_UNKNOWN): self = .unknown
    default: self = .special
    }
  }
}
