// SPDX-License-Identifier: BSD-2-Clause
//
// Where the settle list is stored: in an append-only file in the state directory or, if that is not possible, in
// memory. Both hold the same lines, so that neither needs memory for each key.

import Basics
import SystemPackage

/// A first-in, first-out list of bytes.
protocol SettleLog: AnyObject {
  /// Adds bytes at the end: all of them or none.
  func append(_ bytes: [UInt8]) throws(Errno)
  /// Reads from an offset. Returns fewer bytes than asked for at the end.
  func read(at offset: Int, count: Int) throws(Errno) -> [UInt8]
  /// Drops everything before the offset, which becomes 0.
  func drop(before offset: Int) throws(Errno)
  /// Cuts off the end, so that `count` bytes are left.
  func truncate(to count: Int) throws(Errno)
  /// Makes the appended bytes survive a crash of the machine.
  func sync()
  var count: Int { get }
}

/// The list in memory: lost when the process ends.
final class MemorySettleLog: SettleLog {
  private var bytes: [UInt8] = []

  var count: Int { bytes.count }

  func append(_ bytes: [UInt8]) { self.bytes += bytes }

  func read(at offset: Int, count: Int) -> [UInt8] {
    Array(bytes.dropFirst(offset).prefix(count))
  }

  func drop(before offset: Int) { bytes.removeFirst(min(offset, bytes.count)) }

  func truncate(to count: Int) { bytes.removeLast(max(0, bytes.count - count)) }

  func sync() {}
}

/// The list in a file that only one process at a time may use.
final class FileSettleLog: SettleLog {
  private static let name = "settle"
  /// How much is copied at a time, in bytes: a list of a million keys must not be held in memory.
  private static let copiedAtOnce = 256 * 1024

  private let directory: FilePath
  private var descriptor: CInt
  private(set) var count: Int

  /// Opens the file, or creates it.
  /// - Throws: the `Errno` of open(2); `EWOULDBLOCK` when another process uses the file; `EPERM` when another user owns
  ///   it, as may happen in a folder that everyone may write.
  init(in directory: FilePath) throws(Errno) {
    self.directory = directory
    (descriptor, count) = try Self.openLocked(directory.appending(Self.name), O_CREAT)
    // `self` is complete now: an error that is thrown closes the descriptor.
    var (file, folder) = (stat(), stat())
    let isFolder = directory.withPlatformString { stat($0, &folder) } == 0
    guard fstat(descriptor, &file) == 0, file.st_mode & S_IFMT == S_IFREG, file.st_nlink == 1,
      file.st_uid == geteuid() || (isFolder && file.st_uid == folder.st_uid)
    else { throw .notPermitted }
    _ = fchmod(descriptor, 0o600)
  }

  deinit { close(descriptor) }

  private static func openLocked(_ path: FilePath, _ flags: CInt) throws(Errno) -> (CInt, Int) {
    let flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags
    let descriptor = path.withPlatformString { open($0, flags, 0o600) }
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let error = Errno(rawValue: errno)
      close(descriptor)
      throw error
    }
    return (descriptor, Int(lseek(descriptor, 0, SEEK_END)))
  }

  func append(_ bytes: [UInt8]) throws(Errno) {
    do throws(Errno) {
      try Self.write(bytes, to: descriptor)
      count += bytes.count
    } catch {
      // A whole line must not follow half a line.
      try? truncate(to: count)
      throw error
    }
  }

  private static func write(_ bytes: [UInt8], to descriptor: CInt) throws(Errno) {
    var rest = bytes[...]
    if CrashPoint.settleTorn.isChosen { rest = rest.prefix(rest.count / 2) }
    try writeAll(rest, to: descriptor)
    CrashPoint.settleTorn.reach()
  }

  func read(at offset: Int, count: Int) throws(Errno) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    while true {
      let length = pread(descriptor, &bytes, count, off_t(offset))
      if length < 0, errno == EINTR { continue }
      guard length >= 0 else { throw Errno(rawValue: errno) }
      return Array(bytes.prefix(length))
    }
  }

  func drop(before offset: Int) throws(Errno) {
    if offset >= count { return try truncate(to: 0) }
    try replace(from: offset)
  }

  func truncate(to length: Int) throws(Errno) {
    guard ftruncate(descriptor, off_t(length)) == 0 else { throw Errno(rawValue: errno) }
    count = length
  }

  /// Puts a new file under the old name, so that a crash leaves one of the two, complete.
  private func replace(from offset: Int) throws(Errno) {
    let fresh = directory.appending(Self.name + ".new")
    fresh.withPlatformString { _ = unlink($0) }
    let (replacement, _) = try Self.openLocked(fresh, O_CREAT | O_EXCL)
    var copied = 0
    do throws(Errno) {
      while offset + copied < count {
        let bytes = try read(
          at: offset + copied, count: min(Self.copiedAtOnce, count - offset - copied))
        // A file that another process has cut must not be replaced by its rest.
        guard !bytes.isEmpty else { throw .ioError }
        try Self.write(bytes, to: replacement)
        copied += bytes.count
      }
      CrashPoint.settleCompacted.reach()
      let renamed = fresh.withPlatformString { from in
        directory.appending(Self.name).withPlatformString { to in rename(from, to) }
      }
      guard renamed == 0 else { throw Errno(rawValue: errno) }
    } catch {
      close(replacement)
      throw error
    }
    close(descriptor)
    descriptor = replacement
    count = copied
  }

  func sync() { fsync(descriptor) }
}
