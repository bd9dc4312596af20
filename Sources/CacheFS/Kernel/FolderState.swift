// SPDX-License-Identifier: BSD-2-Clause
//
// Which folder it is and when an entry was last added to it. While both stay the same, a name that was not in the
// folder is still not in it.

import Basics
import SystemPackage

/// A folder at one moment.
struct FolderState: Hashable, Sendable {
  let identity: FileIdentity
  /// When an entry was last added, removed or renamed in it, in nanoseconds since the epoch (st_ctim).
  let changed: Int64
}

extension Directory {
  /// Its state; nil where the state does not prove that nothing was added.
  ///
  /// It proves this where this machine's kernel writes the file system and sets the time of each change. On a network
  /// file system, another machine may add an entry, and fstat(2) may answer from a cache.
  func state() -> FolderState? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, isOnLocalFileSystem else { return nil }
    return FolderState(
      identity: FileStatus(status).identity, changed: nanoseconds(status.st_ctim))
  }

  private var isOnLocalFileSystem: Bool {
    #if os(Linux)
      return Self.localTypes.contains(fpc_file_system_type(descriptor))
    #else
      return false
    #endif
  }

  /// By statfs(2): ext2 to ext4, XFS, Btrfs, tmpfs, F2FS and ZFS.
  private static let localTypes: Set<UInt> = [
    0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0xF2F5_2010, 0x2FC1_2FC1,
  ]
}
