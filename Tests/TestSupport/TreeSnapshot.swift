// SPDX-License-Identifier: BSD-2-Clause
//
// A tree as it was at one moment, for "nothing at all is changed". Two snapshots are equal, or their difference says
// in words what has changed.

import Foundation

/// The names, kinds, modes, sizes, times and contents of a tree at one moment.
public struct TreeSnapshot: Equatable, Sendable, CustomStringConvertible {
  /// One file, folder or link.
  public struct Entry: Equatable, Sendable, CustomStringConvertible {
    /// Kind and permissions, as in `st_mode`.
    public let mode: mode_t
    /// Bytes; 0 for a folder, whose own size depends on the file system.
    public let size: Int
    /// When it was last written, in nanoseconds.
    public let modified: Int
    /// A hash of its bytes, or of a link's target; valid only within this process.
    public let contentHash: Int

    /// For instance `mode 100664, 70 bytes, modified 1579564800000000000, content 1f2e`.
    public var description: String {
      "mode \(String(mode, radix: 8)), \(size) bytes, modified \(modified), "
        + "content \(String(UInt(bitPattern: contentHash), radix: 16))"
    }
  }

  /// The entries, by relative path.
  public let entries: [String: Entry]

  /// What has changed since `earlier`, one line each, sorted; empty if nothing has.
  public func differences(from earlier: TreeSnapshot) -> [String] {
    var result: [String] = []
    for (path, old) in earlier.entries {
      if let new = entries[path] {
        if new != old { result.append("\(path): \(old) -> \(new)") }
      } else {
        result.append("\(path): gone")
      }
    }
    for path in entries.keys where earlier.entries[path] == nil { result.append("\(path): new") }
    return result.sorted()
  }

  /// The number of entries. A whole listing would bury a test's failure.
  public var description: String { "\(entries.count) entries" }
}

extension TemporaryTree {
  /// The tree as it is now, its own folder included as `.`.
  /// - Throws: `SupportError` if something cannot be read.
  public func snapshot() throws -> TreeSnapshot {
    var result: [String: TreeSnapshot.Entry] = [".": try entry("")]
    for (path, _) in try entries() { result[path] = try entry(path) }
    return TreeSnapshot(entries: result)
  }

  private func entry(_ relative: String) throws -> TreeSnapshot.Entry {
    let whole = fullPath(relative)
    var information = stat()
    guard lstat(whole, &information) == 0 else { throw SupportError.system("lstat", whole) }
    var hasher = Hasher()
    var size = Int(information.st_size)
    switch information.st_mode & S_IFMT {
    case S_IFREG:
      let file = try Descriptor.open(whole, O_RDONLY)
      file.contents().withUnsafeBytes { hasher.combine(bytes: $0) }
    case S_IFLNK:
      hasher.combine(try FileManager.default.destinationOfSymbolicLink(atPath: whole))
    default:
      size = 0
    }
    #if canImport(Darwin)
      let time = information.st_mtimespec
    #else
      let time = information.st_mtim
    #endif
    return TreeSnapshot.Entry(
      mode: information.st_mode, size: size,
      modified: Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec),
      contentHash: hasher.finalize())
  }
}
