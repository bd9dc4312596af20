// SPDX-License-Identifier: BSD-2-Clause
//
// The file that the events are appended to. It is opened by its name, so that a log rotator may rename it and send
// SIGHUP. A line counts only when it is on the disk.

import Basics
import SystemPackage

/// A file of lines, to which this process appends.
final class EventFile {
  /// Why no line can be written.
  struct Problem: Error {
    /// Safe to display.
    let text: String

    init(_ text: String) { self.text = text }
    init(_ error: Errno = Errno(rawValue: errno)) { text = error.description }
  }

  private let path: FilePath
  /// Nil while the file is not open.
  private var descriptor: CInt?

  init(_ path: String) { self.path = FilePath(path) }

  deinit { release() }

  /// The path, escaped for display.
  var name: String { escape(Array(path.string.utf8)) }

  var isOpen: Bool { descriptor != nil }

  private func release() {
    if let descriptor { close(descriptor) }
    descriptor = nil
  }

  // MARK: Opening

  /// Opens the file by its name, or creates it.
  func openByName() throws(Problem) {
    release()
    // Only a reader at its other end would let a pipe be opened for writing; this must not wait for one.
    let flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    var opened = path.withPlatformString { open($0, flags) }
    let isNew = opened < 0 && errno == ENOENT
    if isNew { opened = path.withPlatformString { open($0, flags | O_CREAT | O_EXCL, 0o644) } }
    guard opened >= 0 else { throw Problem() }
    descriptor = opened
    do throws(Problem) {
      try check(opened)
      if isNew {
        // Whoever reads the events need not be the listener's user, whatever its umask.
        fchmod(opened, 0o644)
        try syncFolder()
      }
    } catch {
      release()
      throw error
    }
  }

  /// In a folder that everyone may write, another user could put something else in the file's place, such as another
  /// name of a page.
  private func check(_ descriptor: CInt) throws(Problem) {
    let file = try status(descriptor)
    guard file.st_mode & S_IFMT == S_IFREG else { throw Problem("is not a plain file") }
    guard file.st_nlink == 1 else { throw Problem("the file has other names (hard links)") }
    var folder = stat()
    let isFolder = self.folder.withPlatformString { stat($0, &folder) } == 0
    let owners = [geteuid(), 0] + (isFolder ? [folder.st_uid] : [])
    guard owners.contains(file.st_uid) else { throw Problem("belongs to another user") }
  }

  private var folder: FilePath {
    let folder = path.removingLastComponent()
    return folder.isEmpty ? "." : folder
  }

  /// Without this a crash of the machine could leave the new file without its name.
  private func syncFolder() throws(Problem) {
    let descriptor = folder.withPlatformString {
      open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    guard descriptor >= 0 else { throw Problem() }
    defer { close(descriptor) }
    // Not every file system can do this.
    _ = fsync(descriptor)
  }

  private func status(_ descriptor: CInt) throws(Problem) -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Problem() }
    return status
  }

  // MARK: Writing

  /// Appends whole lines, and returns when they would survive a crash of the machine. After a failure, some of the
  /// lines may be there, and the last of them may be torn: the caller writes all of them again.
  func append(_ lines: [UInt8]) throws(Problem) {
    do throws(Problem) {
      if try isGone() { try openByName() }
      guard let descriptor else { throw Problem() }
      var bytes = lines
      // A crash or a full disk has left a part of a line. The next line must not continue it.
      if try isTorn(descriptor) { bytes.insert(UInt8(ascii: "\n"), at: 0) }
      try put(bytes, into: descriptor)
      try sync(descriptor)
    } catch {
      // The next try opens it again: it may be another file by then.
      release()
      throw error
    }
  }

  /// Whether the file is not open, or was removed: what is written to a file without a name is lost.
  private func isGone() throws(Problem) -> Bool {
    guard let descriptor else { return true }
    return try status(descriptor).st_nlink == 0
  }

  private func isTorn(_ descriptor: CInt) throws(Problem) -> Bool {
    let size = try status(descriptor).st_size
    guard size > 0 else { return false }
    var last = UInt8(ascii: "\n")
    guard pread(descriptor, &last, 1, size - 1) >= 0 else { throw Problem() }
    return last != UInt8(ascii: "\n")
  }

  private func put(_ bytes: [UInt8], into descriptor: CInt) throws(Problem) {
    var rest = bytes[...]
    if CrashPoint.eventsTorn.isChosen { rest = rest.dropLast(rest.count / 3) }
    do throws(Errno) { try writeAll(rest, to: descriptor) } catch { throw Problem(error) }
    CrashPoint.eventsTorn.reach()
  }

  private func sync(_ descriptor: CInt) throws(Problem) {
    while fdatasync(descriptor) != 0 {
      if errno != EINTR { throw Problem() }
    }
  }
}
