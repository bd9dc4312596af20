// SPDX-License-Identifier: BSD-2-Clause
//
// A long look at one queue, for an operator: how much waits, since when, and what comes first.
//
// The columns are looked up before they are asked for, since schemas differ: date_added is a
// timestamp, in older ones a time of day, from which no age can be told.

import Basics

/// What stands in one queue table.
package struct QueueSurvey: Equatable, Sendable {
  /// One row of it.
  package struct Row: Equatable, Sendable {
    /// The key's columns; nil for NULL.
    package let key: [[UInt8]?]
    /// date_added as the server writes it; nil for NULL and where there is no such column.
    package let added: [UInt8]?
    /// Seconds since then; nil when that cannot be told.
    package let age: Double?
  }

  package struct Contents: Equatable, Sendable {
    package let rows: Int
    /// Distinct keys.
    package let keys: Int
    /// By date_added, or by the queue's order where that is no date.
    package let oldest: Row?
    /// By date_added, or by the queue's order where that is no date.
    package let newest: Row?
    /// The keys that will be drained first, ``QueueSurvey/listedKeys`` at most.
    package let firstKeys: [[[UInt8]?]]
  }

  package enum Outcome: Equatable, Sendable {
    /// This database has no such table.
    case missing
    /// We may not read it, or it is held by somebody.
    case refused(ServerError)
    case counted(Contents)
  }

  package let table: QueueTable
  package let outcome: Outcome

  /// How many keys are listed.
  package static let listedKeys = 5

  package init(table: QueueTable, outcome: Outcome) {
    self.table = table
    self.outcome = outcome
  }

  package var contents: Contents? {
    if case .counted(let contents) = outcome { contents } else { nil }
  }

  /// Looks at every queue.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  package static func all(
    of queues: [QueueTable], on connection: Connection
  ) throws(DatabaseError) -> [QueueSurvey] {
    var all: [QueueSurvey] = []
    for table in queues {
      all.append(QueueSurvey(table: table, outcome: try outcome(of: table, on: connection)))
    }
    return all
  }

  private static func outcome(
    of table: QueueTable, on connection: Connection
  ) throws(DatabaseError) -> Outcome {
    do throws(DatabaseError) {
      let columns = try connection.query(columnsStatement, [table.reference])
      guard columns.count > 0 else { return .missing }
      let type = (0..<columns.count).first { columns.text($0, 0) == table.added.description }
        .flatMap { columns.text($0, 1) }
      let results = try connection.script(table.surveyScript(dateType: type))
      return .counted(contents(table, results))
    } catch {
      guard case .refused(let reason) = error else { throw error }
      try connection.script("ROLLBACK")
      return .refused(reason)
    }
  }

  /// No row for a table that is not there.
  private static let columnsStatement = """
    SELECT attname, pg_catalog.format_type(atttypid, NULL) FROM pg_catalog.pg_attribute \
    WHERE attrelid \(Builtin.equal) pg_catalog.to_regclass($1)::pg_catalog.oid \
    AND attnum \(Builtin.greater) 0 AND NOT attisdropped
    """

  /// - Parameter results: those of ``QueueTable/surveyScript(dateType:)``, one for each statement.
  private static func contents(_ table: QueueTable, _ results: [Rows]) -> Contents {
    let selected = results.suffix(5).dropLast()
    guard selected.count == 4, let counts = selected.first else {
      return Contents(rows: 0, keys: 0, oldest: nil, newest: nil, firstKeys: [])
    }
    let rest = selected.dropFirst().map { $0 }
    return Contents(
      rows: counts.text(0, 0).flatMap { Int($0) } ?? 0,
      keys: counts.text(0, 1).flatMap { Int($0) } ?? 0,
      oldest: row(table, rest[0], 0), newest: row(table, rest[1], 0),
      firstKeys: (0..<rest[2].count).compactMap { row(table, rest[2], $0)?.key })
  }

  private static func row(_ table: QueueTable, _ rows: Rows, _ index: Int) -> Row? {
    guard index < rows.count else { return nil }
    return Row(
      key: table.key.indices.map { rows[index, $0 + 2] }, added: rows[index, 0],
      age: rows.text(index, 1).flatMap { Double($0) })
  }
}

extension QueueTable {
  /// Four statements on one snapshot: the counts, the oldest row, the newest, the first in order.
  ///
  /// Somebody's exclusive lock must not keep an operator waiting.
  /// - Parameter dateType: the type of date_added; nil when there is no such column.
  fileprivate func surveyScript(dateType: String?) -> String {
    let added = added.quoted
    let hasDate = dateType.map { $0.hasPrefix("timestamp") || $0 == "date" } ?? false
    let key = key.joined(separator: ", ")
    let age =
      hasDate
      ? """
      CASE WHEN pg_catalog.isfinite(\(added)) THEN extract(epoch FROM \
      pg_catalog.now() \(Builtin.minus) \(added)::pg_catalog.timestamptz) END
      """ : "NULL"
    let columns = "\(dateType == nil ? "NULL" : "\(added)::pg_catalog.text"), \(age), \(key)"
    let (oldest, newest) =
      hasDate
      ? (
        "\(reference).\(added) NULLS LAST, \(place)",
        "\(reference).\(added) DESC NULLS LAST, \(place) DESC"
      ) : (place, "\(place) DESC")
    return """
      BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '2s'; \
      SELECT (SELECT pg_catalog.count(*) FROM \(reference)), \
      (SELECT pg_catalog.count(*) FROM (SELECT DISTINCT \(key) FROM \(reference)) AS keys); \
      SELECT \(columns) FROM \(reference) ORDER BY \(oldest) LIMIT 1; \
      SELECT \(columns) FROM \(reference) ORDER BY \(newest) LIMIT 1; \
      SELECT \(columns) FROM \(reference) ORDER BY \(place) LIMIT \(QueueSurvey.listedKeys); \
      COMMIT
      """
  }
}
