// SPDX-License-Identifier: BSD-2-Clause
//
// Files that others read while we write them: a new one under a temporary name, then a rename.

import SystemPackage

/// A file that is replaced as a whole.
package struct AtomicFile {
  private let path: FilePath

  package init(_ path: String) { self.path = FilePath(path) }

  /// Its path, fit to be shown.
  package var name: String { escape(Array(path.string.utf8)) }

  /// Nobody can guess it, so nobody can be there first in a folder that all may write.
  private func temporaryName() -> FilePath {
    FilePath("\(path).\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).tmp")
  }

  /// What the new content is to be there after.
  package enum Crash { case process, machine }

  /// Replaces the file.
  /// - Parameters:
  ///   - modified: its modification time, in nanoseconds since the epoch; nil for now.
  ///   - crash: after one of the process nothing is lost that was written; one of the machine may
  ///     lose what has not been waited for.
  /// - Throws: the `Errno` of open(2), write(2), fsync(2) or rename(2).
  package func write(
    _ text: String, mode: mode_t = 0o644, modified: Int64? = nil, survives crash: Crash = .process
  ) throws(Errno) {
    let temporary = temporaryName()
    let descriptor = temporary.withPlatformString {
      open($0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    }
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    defer { close(descriptor) }
    fchmod(descriptor, mode)
    do throws(Errno) {
      try writeAll(Array(text.utf8)[...], to: descriptor)
      if let modified { Self.stamp(descriptor, modified) }
      guard crash == .process || fsync(descriptor) == 0 else { throw Errno(rawValue: errno) }
      try moveIntoPlace(temporary)
    } catch {
      temporary.withPlatformString { _ = unlink($0) }
      throw error
    }
    if crash == .machine { syncFolder() }
  }

  /// So that the new name is on the disk too. Not every file system can.
  private func syncFolder() {
    let folder = path.removingLastComponent().withPlatformString {
      open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }

  private static func stamp(_ descriptor: CInt, _ time: Int64) {
    let stamp = timespec(
      tv_sec: time_t(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
    _ = [stamp, stamp].withUnsafeBufferPointer { futimens(descriptor, $0.baseAddress) }
  }

  private func moveIntoPlace(_ temporary: FilePath) throws(Errno) {
    let result = temporary.withPlatformString { from in
      path.withPlatformString { to in rename(from, to) }
    }
    guard result == 0 else { throw Errno(rawValue: errno) }
  }
}
