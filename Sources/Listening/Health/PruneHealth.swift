// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener reports about its prunes.

import Basics
import CacheFS

/// The result of the last prune.
package struct PruneHealth: Equatable, Sendable {
  /// When it ended, in nanoseconds since the epoch; nil before the first.
  package var at: Int64?
  package var seconds = 0.0
  /// Pages that it removed.
  package var files = 0
  /// Their apparent size, in bytes.
  package var bytes: Int64 = 0
  /// Pages and folders that it could not remove or read.
  package var failures = 0
  /// Pages removed since the listener's start.
  package var filesTotal = 0
  /// Their apparent size, in bytes.
  package var bytesTotal: Int64 = 0

  package init() {}

  mutating func note(_ reports: [ClearReport], _ duration: Duration, dryRun: DryRun) {
    at = currentTime()
    seconds = duration.seconds
    var sum = ClearReport()
    for report in reports { sum.add(report) }
    failures = sum.failures.count
    (files, bytes) = dryRun == .yes ? (0, 0) : (sum.filesRemoved, sum.bytesRemoved)
    filesTotal += files
    bytesTotal = clampedSum(bytesTotal, bytes)
  }
}

extension PruneHealth {
  var json: JSON {
    .object([
      ("at", at.map { .string(timestamp($0)) } ?? .null), ("duration_seconds", .number(seconds)),
      ("files_removed", .integer(files)), ("bytes_removed", .integer(bytes)),
      ("failures", .integer(failures)),
    ])
  }

  /// Reads the form of the status file.
  init?(_ json: JSON) {
    guard json["files_removed"] != nil else { return nil }
    at = json["at"]?.string.flatMap(parseTimestamp)
    files = count(json["files_removed"])
    bytes = Int64(count(json["bytes_removed"]))
    failures = count(json["failures"])
  }

  func add(to text: inout PrometheusText) {
    text.add(.prunedAt, time: at)
    text.add(.pruneSeconds, seconds)
    text.add(.prunedFiles, filesTotal)
    text.add(.prunedBytes, bytesTotal)
    text.add(.pruneFailures, failures)
  }
}
