// SPDX-License-Identifier: BSD-2-Clause
//
// What a drain has come to: counted, added up, and said in the log's words.

import Basics

/// What a drain has come to.
package struct DrainTally: Equatable {
  package var rows = 0
  package var keys = 0
  package var files = 0
  package var bytes: Int64 = 0
  package var refused = 0
  package var failures = 0
  package var recovered = 0
  /// Rows moved into the log of many nodes, which are counted as rows when they are read there.
  package var moved = 0
  /// Rows that the server was asked to delete; some of them may have been deleted by others, or kept.
  package var asked = 0

  mutating func add(_ other: DrainTally) {
    rows += other.rows
    keys += other.keys
    files += other.files
    bytes = clampedSum(bytes, other.bytes)
    refused += other.refused
    failures += other.failures
    recovered += other.recovered
    moved += other.moved
    asked += other.asked
  }

  /// As the log has it.
  package var text: String {
    "\(counted(rows, "row")), \(counted(keys, "key")), \(counted(files, "file")), "
      + "\(grouped(bytes)) bytes"
      + (moved > 0 ? ", \(grouped(moved)) moved into the log" : "")
      + (refused > 0 ? ", \(grouped(refused)) refused" : "")
      + (recovered > 0 ? ", \(grouped(recovered)) cleared at last" : "")
      + (failures > 0 ? ", \(grouped(failures)) not cleared" : "")
  }
}
