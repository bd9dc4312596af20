// SPDX-License-Identifier: BSD-2-Clause
//
// Writes files that other processes may be reading: a new file under a temporary name, then a rename.

import SystemPackage

/// A file that is replaced as a whole.
package struct AtomicFile {
  private let path: FilePath

  package init(_ path: String) { self.path = FilePath(path) }

  /// Its path, escaped for display.
  package var name: String { escape(Array(path.string.utf8)) }

  /// A random name. Another user cannot guess it and create it first in a world-writable folder.
  private func temporaryName() -> FilePath {
    FilePath("\(path).\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).tmp")
  }

  /// What kind of crash the new content must survive.
  package enum Crash { case process, machine }

  /// Replaces the file.
  /// - Parameters:
  ///   - modified: its modification time, in nanoseconds since the epoch; nil means now.
  ///   - crash: after a crash of the process, nothing that was written is lost. A crash of the machine may
  ///     lose data that was not synced.
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

  /// Syncs the folder, so that the new name is on the disk too. Not every file system can do this.
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
