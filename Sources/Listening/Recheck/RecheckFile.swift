// SPDX-License-Identifier: BSD-2-Clause
//
// The time from which each family must be asked. It survives the process, in the state directory.
//
//   cache /var/db/freshports/cache
//   ports 1579609496123456789

import Basics
import CacheFS
import SystemPackage

/// The lower bounds of a recheck on disk. Without the file, or with a torn file, there are none.
package struct RecheckFile {
  private static let name = "recheck"

  private let path: String
  private let file: AtomicFile
  private let dryRun: DryRun

  package init(stateDirectory: FilePath, dryRun: DryRun) {
    path = stateDirectory.appending(Self.name).string
    file = AtomicFile(path)
    self.dryRun = dryRun
  }

  /// The bound of each family; none where the file belongs to another cache.
  func read(cache: String) -> [String: Int64] {
    guard let bytes = try? FileReader.ours.read(path) else { return [:] }
    var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")[...]
    guard lines.popFirst() == "cache \(cache)" else { return [:] }
    var bounds: [String: Int64] = [:]
    for line in lines {
      let words = line.split(separator: " ")
      guard words.count == 2, let bound = Int64(words[1]) else { continue }
      bounds[String(words[0])] = bound
    }
    return bounds
  }

  /// - Throws: the `Errno` of the failure.
  func write(_ bounds: [String: Int64], cache: String) throws(Errno) {
    guard dryRun == .no else { return }
    let lines = bounds.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
    // After a machine crash the older file may be there again; its bounds ask for more.
    try file.write("cache \(cache)\n" + lines.joined(), mode: 0o600)
  }

  var shownName: String { file.name }
}
