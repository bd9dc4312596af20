// SPDX-License-Identifier: BSD-2-Clause
//
// The result of a drain: counted, added up, and worded for the log.

import Basics
import PGQueue

/// The first few distinct rows of many, and the number of others.
package struct NamedRows: Equatable {
  /// More names would make a log line long, and would slow down a drain of a million rows.
  private static let most = 3

  private var names: [RowName] = []
  private var others = 0

  package init() {}

  mutating func add(_ rows: [QueueRow]) {
    var rest = rows[...]
    while names.count < Self.most, let row = rest.popFirst() {
      if !names.contains(where: { $0.isName(of: row) }) { names.append(RowName(row)) }
    }
    others += rest.count
  }

  mutating func add(_ more: NamedRows) {
    others += more.others
    for name in more.names where !names.contains(name) {
      if names.count < Self.most { names.append(name) } else { others += 1 }
    }
  }

  /// Such as `www/nginx, lang/python37, 2020-01-21 and 17 more`; nil when there are no rows.
  var text: String? {
    guard !names.isEmpty else { return nil }
    let texts = names.map(\.text)
    return others > 0
      ? "\(texts.joined(separator: ", ")) and \(grouped(others)) more" : listed(texts, "and")
  }
}

/// The result of a drain.
package struct DrainTally: Equatable {
  package var rows = 0
  package var keys = 0
  package var files = 0
  package var bytes: Int64 = 0
  package var refused = 0
  package var failures = 0
  package var recovered = 0
  /// Rows moved into the log of many nodes. They count as rows when they are read from that log.
  package var moved = 0
  /// Rows that the server was asked to delete. Another process may have deleted some of them, or the server may have
  /// kept them.
  package var asked = 0
  /// The first rows that were cleared.
  package var named = NamedRows()

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
    named.add(other.named)
  }

  /// The text for the log.
  package var text: String {
    "\(counted(rows, "row")), \(counted(keys, "key")), \(counted(files, "file")), "
      + sizeText(bytes)
      + (moved > 0 ? ", \(grouped(moved)) moved into the log" : "")
      + (refused > 0 ? ", \(grouped(refused)) refused" : "")
      + (recovered > 0 ? ", \(grouped(recovered)) cleared at last" : "")
      + (failures > 0 ? ", \(grouped(failures)) not cleared" : "")
  }
}
