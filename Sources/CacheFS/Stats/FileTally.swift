// SPDX-License-Identifier: BSD-2-Clause
//
// Sums over files and folders.

/// The sum over files of one kind.
package struct FileTally: Equatable, Sendable {
  /// Names that are not folders. A file with two names counts twice, as find(1) would list it.
  package private(set) var files = 0
  /// Apparent sizes, in bytes. A file with several names counts once, as in du(1).
  package private(set) var bytes: Int64 = 0
  /// Allocated bytes on disk; counted like ``bytes``.
  package private(set) var diskBytes: Int64 = 0
  /// Modification time of the oldest file, in nanoseconds since the epoch.
  package private(set) var oldest: Int64?
  /// Modification time of the newest file, in nanoseconds since the epoch.
  package private(set) var newest: Int64?

  package init() {}

  @inline(__always)
  mutating func add(_ status: FileStatus) {
    addName(status)
    addSize(status)
  }

  /// Counts a name only. The file's size is added elsewhere, once for all its names.
  @inline(__always)
  mutating func addName(_ status: FileStatus) {
    files += 1
    oldest = min(oldest ?? status.modified, status.modified)
    newest = max(newest ?? status.modified, status.modified)
  }

  @inline(__always)
  mutating func addSize(_ status: FileStatus) {
    bytes &+= status.size
    diskBytes &+= status.diskSize
  }

  mutating func add(_ other: FileTally) {
    files += other.files
    bytes &+= other.bytes
    diskBytes &+= other.diskBytes
    if let other = other.oldest { oldest = min(oldest ?? other, other) }
    if let other = other.newest { newest = max(newest ?? other, other) }
  }
}

/// The sum over folders. Each counts with its own size, without its content.
package struct FolderTally: Equatable, Sendable {
  package private(set) var folders = 0
  /// Apparent sizes, in bytes.
  package private(set) var bytes: Int64 = 0
  /// Allocated bytes on disk.
  package private(set) var diskBytes: Int64 = 0

  package init() {}

  mutating func add(_ status: FileStatus) {
    folders += 1
    bytes &+= status.size
    diskBytes &+= status.diskSize
  }

  mutating func add(_ other: FolderTally) {
    folders += other.folders
    bytes &+= other.bytes
    diskBytes &+= other.diskBytes
  }
}
