// SPDX-License-Identifier: BSD-2-Clause
//
// The result of the last scrub. It survives the process, in the state directory.
//
//   cache /var/db/freshports/cache
//   scrubbed 1579609496123456789 81250 750000
//   family ports 3 3 0

import Basics
import CacheFS
import SystemPackage

/// The last scrub on disk. Without the file, or with a torn file, there was none.
package struct ScrubFile {
  private static let name = "scrub"

  private let folder: FilePath
  private let file: AtomicFile
  private let dryRun: DryRun

  package init(stateDirectory: FilePath, dryRun: DryRun) {
    folder = stateDirectory
    file = AtomicFile(stateDirectory.appending(Self.name).string)
    self.dryRun = dryRun
  }

  /// Whether the file can be written.
  var isWritable: Bool { folder.withPlatformString { access($0, W_OK | X_OK) } == 0 }

  var shownName: String { file.name }

  /// The last scrub; nil where the file belongs to another cache, or names none.
  func read(cache: String) -> ScrubHealth? {
    guard let bytes = try? FileReader.ours.read(folder.appending(Self.name).string) else {
      return nil
    }
    var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")[...]
    guard lines.popFirst() == "cache \(cache)" else { return nil }
    var health = ScrubHealth()
    for line in lines {
      let words = line.split(separator: " ")
      let numbers = words.dropFirst(words.first == "family" ? 2 : 1).map { Int64($0) ?? -1 }
      guard numbers.count == 3, numbers.allSatisfy({ $0 >= 0 }) else { continue }
      let counts = numbers.map { Int(clamping: $0) }
      if words.first == "scrubbed" {
        health.at = numbers[0]
        health.seconds = Double(numbers[1]) / 1000
        health.pages = counts[2]
      } else if words.first == "family" {
        var family = ScrubHealth.Family(String(words[1]))
        (family.found, family.cleared, family.refused) = (counts[0], counts[1], counts[2])
        health.families.append(family)
      }
    }
    return health.at == nil ? nil : health
  }

  /// - Throws: the `Errno` of the failure.
  func write(_ health: ScrubHealth, cache: String) throws(Errno) {
    guard dryRun == .no, let at = health.at else { return }
    let families = health.families.map {
      "family \($0.family) \($0.found) \($0.cleared) \($0.refused)\n"
    }
    try file.write(
      "cache \(cache)\nscrubbed \(at) \(Int64(health.seconds * 1000)) \(health.pages)\n"
        + families.joined(), mode: 0o600)
  }
}
