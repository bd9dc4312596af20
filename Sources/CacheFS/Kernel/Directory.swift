// SPDX-License-Identifier: BSD-2-Clause
//
// An open directory. Every call uses its descriptor and the name of an entry, and no link is followed below the
// cache directory. Only the files of this folder call the kernel for what lies in the cache.

import Basics
import Synchronization
import SystemPackage

/// Whether the directory may have been listed before through the same descriptor.
enum ListingTurn {
  /// Opened just now: it is at its start. This saves one call in each folder of a walk.
  case first
  case again
}

/// An open directory. It is closed when the last reference goes.
package final class Directory: Sendable {
  /// Room for some 700 entries with names as long as a port's, so that most folders take one call.
  static let listingBufferSize = 32 * 1024

  let descriptor: CInt
  private let tree: Tree
  /// Its place among the folders where a mount belongs to the cache; nil below them.
  private let fixed: FixedFolder?

  /// What the folders of one cache directory have in common.
  private final class Tree: Sendable {
    /// The cache directory as it was named, and its path without links.
    let path: FilePath
    let realPath: FilePath
    let mounts: MountPlaces
    let kernel: Kernel

    init(_ path: FilePath, _ realPath: FilePath, _ mounts: MountPlaces, _ kernel: Kernel) {
      self.path = path
      self.realPath = realPath
      self.mounts = mounts
      self.kernel = kernel
    }
  }

  private init(_ descriptor: CInt, _ tree: Tree, _ fixed: FixedFolder?) {
    self.descriptor = descriptor
    self.tree = tree
    self.fixed = fixed
  }

  deinit { close(descriptor) }

  /// Opens the cache directory itself. Links in its path are resolved here, once, and nowhere else.
  /// - Throws: the `Errno` of realpath(3) or open(2).
  package convenience init(
    root path: FilePath, mounts: MountPlaces = .none, kernel: Kernel = .real
  ) throws(Errno) {
    try self.init(Tree(path, try Self.resolve(path), mounts, kernel))
  }

  private convenience init(_ tree: Tree) throws(Errno) {
    let opened = tree.realPath.withPlatformString { path in
      Result { () throws(Errno) in try retrying { Kernel.openRoot(path) } }
    }
    self.init(try opened.get(), tree, tree.mounts.root)
    // A folder with read but no search permission can be opened, but nothing in it can.
    var status = stat()
    _ = try retrying { fstatat(descriptor, ".", &status, 0) }
  }

  private static func resolve(_ path: FilePath) throws(Errno) -> FilePath {
    // An empty path is not a folder, and must not mean the current one.
    guard !path.isEmpty else { throw .noSuchFileOrDirectory }
    guard let resolved = path.withPlatformString({ realpath($0, nil) }) else {
      throw Errno(rawValue: errno)
    }
    defer { free(resolved) }
    return FilePath(platformString: resolved)
  }

  /// The cache directory's path, as it was named.
  package var rootPath: FilePath { tree.path }

  var mountPlaces: MountPlaces { tree.mounts }

  /// The cache directory's own path, without links.
  package var realPath: FilePath { tree.realPath }

  /// Whether `path` leads to this directory.
  package func stands(at path: FilePath) -> Bool {
    var (own, there) = (stat(), stat())
    guard fstat(descriptor, &own) == 0,
      path.withPlatformString({ stat($0, &there) }) == 0
    else { return false }
    return own.st_dev == there.st_dev && own.st_ino == there.st_ino
  }

  /// The cache directory, or the directory that is now at its path. A cache is purged by moving it away and
  /// making a new one. A listener must then not continue to clear the old one.
  /// - Throws: the `Errno` of realpath(3) or open(2); `ELOOP` when a link now leads the path elsewhere,
  ///   because links are resolved once.
  func followed() throws(Errno) -> Directory {
    if stands(at: tree.path) { return self }
    guard try Self.resolve(tree.path) == tree.realPath else { throw .tooManySymbolicLinkLevels }
    return try Directory(tree)
  }

  /// Opens a folder of this one.
  /// - Throws: the `Errno` of openat(2); `ENOTDIR` for a link, `EXDEV` for a mount point where no mount
  ///   belongs to the cache.
  func openDirectory(_ name: CName) throws(Errno) -> Directory {
    let fixed = self.fixed?.folder(name)
    if let fixed, tree.mounts.remembers { return try open(name, fixed) }
    let mounts = fixed == nil ? tree.mounts.elsewhere : .crossed
    return Directory(try retrying { tree.kernel.openFolder(descriptor, name, mounts) }, tree, fixed)
  }

  /// Opens a folder where a mount belongs to the cache, and records whether one is mounted.
  /// - Throws: ``Errno/mountAway`` when one was mounted before and none is now.
  private func open(_ name: CName, _ fixed: FixedFolder) throws(Errno) -> Directory {
    do throws(Errno) {
      let opened = try retrying { tree.kernel.openFolder(descriptor, name, .refused) }
      let directory = Directory(opened, tree, fixed)
      if fixed.wasMounted.load(ordering: .relaxed) { throw .mountAway }
      return directory
    } catch .improperLink {
      let opened = try retrying { tree.kernel.openFolder(descriptor, name, .crossed) }
      fixed.wasMounted.store(true, ordering: .relaxed)
      return Directory(opened, tree, fixed)
    } catch .noSuchFileOrDirectory {
      // The folder that it was mounted on may be gone as well.
      throw fixed.wasMounted.load(ordering: .relaxed) ? .mountAway : .noSuchFileOrDirectory
    }
  }

  /// Opens a folder of this one, by the same rules.
  func openDirectory(_ name: [UInt8]) throws(Errno) -> Directory {
    try Self.withCName(name) { (name) throws(Errno) in try openDirectory(name) }
  }

  /// - Throws: the `Errno` of fstatat(2).
  func status(_ name: CName) throws(Errno) -> FileStatus {
    var status = stat()
    _ = try retrying { fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) }
    return FileStatus(status)
  }

  /// - Throws: the `Errno` of fstatat(2).
  func status(_ name: [UInt8]) throws(Errno) -> FileStatus {
    try Self.withCName(name) { (name) throws(Errno) in try status(name) }
  }

  /// - Throws: the `Errno` of fstat(2).
  package func status() throws(Errno) -> FileStatus {
    var status = stat()
    _ = try retrying { fstat(descriptor, &status) }
    return FileStatus(status)
  }

  /// When an entry was last added, removed or renamed in it, in nanoseconds since the epoch (st_ctim).
  /// - Throws: the `Errno` of fstat(2).
  func changeTime() throws(Errno) -> Int64 {
    var status = stat()
    _ = try retrying { fstat(descriptor, &status) }
    return nanoseconds(status.st_ctim)
  }

  /// - Throws: the `Errno` of unlinkat(2).
  func unlink(_ name: CName, _ kernel: Kernel) throws(Errno) {
    _ = try retrying { kernel.unlinkat(descriptor, name, 0) }
  }

  /// - Throws: the `Errno` of unlinkat(2) with AT_REMOVEDIR.
  func removeDirectory(_ name: CName, _ kernel: Kernel) throws(Errno) {
    _ = try retrying { kernel.unlinkat(descriptor, name, AT_REMOVEDIR) }
  }

  /// Checks that this process may delete what lies here. In a sticky folder it may not delete files of other
  /// users.
  /// - Throws: the `Errno` of faccessat(2), which reports read-only file systems too; `EPERM` for a sticky
  ///   folder of another user.
  func checkRemoval() throws(Errno) {
    var status = stat()
    _ = try retrying { fstat(descriptor, &status) }
    _ = try retrying { faccessat(descriptor, ".", W_OK | X_OK, AT_EACCESS) }
    let isOurs = geteuid() == 0 || status.st_uid == geteuid()
    if status.st_mode & S_ISVTX != 0, !isOurs { throw .notPermitted }
  }

  /// Calls `body` with the name and type of each entry except `.` and `..`, from the start of the directory.
  /// The length of a name does not include the NUL.
  ///
  /// A name is valid during its call only. Entries may be deleted meanwhile.
  /// - Returns: the number of kernel calls; above 2, a caller that deletes must list again.
  /// - Throws: the `Errno` of lseek(2) or getdents64(2).
  @discardableResult
  func list(
    _ buffer: UnsafeMutableRawBufferPointer, _ turn: ListingTurn = .again,
    _ body: (CName, Int, EntryType) -> Void
  ) throws(Errno) -> Int {
    if turn == .again { try rewind() }
    var calls = 1
    while try listNext(buffer, body) { calls += 1 }
    return Self.counted(calls)
  }

  /// The number of calls that a listing took, as far as it is known.
  static func counted(_ calls: Int) -> Int {
    #if os(Linux)
      return calls
    #else
      return max(calls, 3)
    #endif
  }

  /// Makes the next listing begin at the start.
  /// - Throws: the `Errno` of lseek(2).
  func rewind() throws(Errno) { _ = try retrying { lseek(descriptor, 0, SEEK_SET) } }

  /// Like ``list(_:_:_:)``, but lists only what one kernel call returns, and continues where the last call
  /// ended.
  /// - Returns: whether there may be more. Where the kernel has no such call, everything is listed at once.
  /// - Throws: the `Errno` of getdents64(2).
  @inline(__always)
  func listNext(
    _ buffer: UnsafeMutableRawBufferPointer, _ body: (CName, Int, EntryType) -> Void
  ) throws(Errno) -> Bool {
    #if os(Linux)
      // struct linux_dirent64: u64 ino, s64 off, u16 reclen, u8 type, name (getdents64(2)).
      guard let base = buffer.baseAddress else { return false }
      let length = Int(try retrying { fpc_getdents64(descriptor, base, UInt(buffer.count)) })
      var offset = 0
      while offset + 19 < length {
        let record = base + offset
        let recordLength = Int(record.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
        let name = (record + 19).assumingMemoryBound(to: CChar.self)
        if !Self.isDotOrDotDot(name) {
          let type = EntryType(dType: record.load(fromByteOffset: 18, as: UInt8.self))
          body(name, strlen(name), type)
        }
        offset += recordLength
      }
      return length > 0
    #else
      // fdopendir owns its descriptor, so it gets a separate one.
      let own = try retrying { openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
      guard let stream = fdopendir(own) else { throw Errno(rawValue: errno) }
      defer { closedir(stream) }
      errno = 0
      while let entry = readdir(stream) {
        let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        let name = (UnsafeRawPointer(entry) + nameOffset).assumingMemoryBound(to: CChar.self)
        if !Self.isDotOrDotDot(name) {
          body(name, strlen(name), EntryType(dType: entry.pointee.d_type))
        }
        errno = 0
      }
      if errno != 0 { throw Errno(rawValue: errno) }
      return false
    #endif
  }

  private static func isDotOrDotDot(_ name: CName) -> Bool {
    let dot = CChar(bitPattern: UInt8(ascii: "."))
    return name[0] == dot && (name[1] == 0 || (name[1] == dot && name[2] == 0))
  }

  /// `name` with a NUL after it. The field's kind has already refused names that contain a NUL.
  static func withCName<Result>(
    _ name: [UInt8], _ body: (CName) throws(Errno) -> Result
  ) throws(Errno) -> Result {
    // Usually on the stack: a drain of a long queue looks up several hundred thousand names a second.
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: name.count + 1) {
      (bytes) throws(Errno) -> Result in
      guard let base = bytes.baseAddress else { throw .invalidArgument }
      for (place, byte) in name.enumerated() { bytes[place] = CChar(bitPattern: byte) }
      bytes[name.count] = 0
      return try body(base)
    }
  }
}
