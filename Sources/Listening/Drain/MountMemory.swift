// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener remembers about mounts. A family whose file system is not mounted has an empty folder in its place.
// Nothing can be cleared there, and the stale pages come back with the mount. So where a file system was mounted once,
// its absence is a failure, and the rows stay. The state directory remembers the mounts across starts.

import Basics
import CacheFS
import Logging
import SystemPackage

/// The folders of families that were mount points, and those that no longer are.
package final class MountMemory {
  private static let file = "mounts"

  private let path: FilePath
  private let dryRun: DryRun
  private let logger: Logger
  private var saved: Set<String>
  private var hasToldOfFailure = false
  /// The folders whose file system is away.
  private(set) var away: Set<CachePath> = []

  package init(stateDirectory: FilePath, dryRun: DryRun, _ logger: Logger) {
    path = stateDirectory.appending(Self.file)
    self.dryRun = dryRun
    self.logger = logger
    saved = Self.read(path)
  }

  /// Tells a clearer what was mounted before, and looks what is mounted now.
  func takeUp(_ clearer: Clearer) {
    saved = Self.read(path)
    away = []
    clearer.remember(
      mounts: clearer.mountsKnown(in: saved))
    note(clearer.awayMounts())
    save(clearer)
  }

  /// Notes folders that could not be cleared. Logs one line for each folder, however many rows name it.
  func note(_ folders: [CachePath]) {
    for folder in folders where away.insert(folder).inserted {
      logger.error(
        """
        \(folder): its file system is not mounted; rows stay in their queues until it is back. If it is now a \
        plain folder, remove \(escape(Array(path.string.utf8))) and restart
        """)
    }
  }

  /// Looks whether a file system that was away is mounted again.
  /// - Returns: whether any of them is mounted again.
  func look(_ clearer: Clearer) -> Bool {
    guard !away.isEmpty else { return false }
    let back = away.subtracting(clearer.awayMounts())
    away.subtract(back)
    for folder in back.sorted() {
      logger.notice("\(folder): its file system is mounted again; resuming")
    }
    return !back.isEmpty
  }

  /// Writes the mounts that were seen for the first time. The mounts of other caches stay in the file.
  func save(_ clearer: Clearer) {
    guard dryRun == .no else { return }
    let lines = saved.union(clearer.mounts.map { clearer.whole($0) })
    guard lines != saved else { return }
    saved = lines
    do throws(Errno) {
      try AtomicFile(path.string).write(
        lines.sorted().map { $0 + "\n" }.joined(), mode: 0o600, survives: .machine)
    } catch {
      guard !hasToldOfFailure else { return }
      hasToldOfFailure = true
      logger.warning(
        """
        \(escape(Array(path.string.utf8))): \(error); after a restart, a missing mount will not be \
        noticed. Name another state directory with --state-dir
        """)
    }
  }

  private static func read(_ path: FilePath) -> Set<String> {
    guard let bytes = try? FileReader.ours.read(path.string) else { return [] }
    return Set(String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init))
  }
}

extension Clearer {
  /// The full path of a folder of the cache, on one line.
  fileprivate func whole(_ folder: CachePath) -> String {
    escape(Array(realPath.string.utf8) + [UInt8(ascii: "/")] + folder.bytes)
  }

  /// The folders of this cache among full paths.
  fileprivate func mountsKnown(in lines: Set<String>) -> [CachePath] {
    let prefix = escape(Array(realPath.string.utf8)) + "/"
    return lines.filter { $0.hasPrefix(prefix) }
      .compactMap { unescape(String($0.dropFirst(prefix.count))).map(CachePath.init) }
  }
}
