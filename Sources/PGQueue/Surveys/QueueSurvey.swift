// SPDX-License-Identifier: BSD-2-Clause
//
// A survey of the queues, for an operator: how much waits, since when, and what comes first.
//
// The columns are looked up before they are asked for, since schemas differ: date_added is a timestamp, or in older
// schemas a time of day, which gives no age.

import Basics

/// The contents of one queue table.
package struct QueueSurvey: Equatable, Sendable {
  /// One row of the queue.
  package struct Row: Equatable, Sendable {
    /// The key's columns; nil for NULL.
    package let key: [[UInt8]?]
    /// date_added as the server writes it; nil for NULL and when there is no such column.
    package let added: [UInt8]?
    /// Seconds since then; nil when unknown.
    package let age: Double?
  }

  package struct Contents: Equatable, Sendable {
    package let rows: Int
    /// Distinct keys; nil in a brief survey.
    package let keys: Int?
    /// By date_added, or by the queue's order where date_added is not a date.
    package let oldest: Row?
    /// By date_added, or by the queue's order where date_added is not a date.
    package let newest: Row?
    /// The keys that are drained first, at most ``QueueSurvey/listedKeys``; empty in a brief survey.
    package let firstKeys: [[[UInt8]?]]
  }

  /// How much a survey reads from a queue.
  package enum Depth: Sendable {
    /// The number of rows, and the oldest: cheap in a long queue.
    case brief
    /// Also the distinct keys, the newest row and the first keys.
    case full
  }

  package enum Outcome: Equatable, Sendable {
    /// This database has no such table.
    case missing
    /// We may not read it, or another transaction holds it.
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

  /// Surveys every queue: in two round trips, unless the server refuses one of them.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  package static func all(
    of queues: [QueueTable], _ depth: Depth = .full, on connection: Connection
  ) throws(DatabaseError) -> [QueueSurvey] {
    do throws(DatabaseError) {
      return try together(queues, depth, connection)
    } catch {
      guard case .refused = error else { throw error }
      try connection.script("ROLLBACK")
    }
    // Asking for each queue alone shows which of them is refused.
    var all: [QueueSurvey] = []
    for table in queues { all += try alone(table, depth, connection) }
    return all
  }

  private static func alone(
    _ table: QueueTable, _ depth: Depth, _ connection: Connection
  ) throws(DatabaseError) -> [QueueSurvey] {
    do throws(DatabaseError) {
      return try together([table], depth, connection)
    } catch {
      guard case .refused(let reason) = error else { throw error }
      try connection.script("ROLLBACK")
      return [QueueSurvey(table: table, outcome: .refused(reason))]
    }
  }

  private static func together(
    _ queues: [QueueTable], _ depth: Depth, _ connection: Connection
  ) throws(DatabaseError) -> [QueueSurvey] {
    guard !queues.isEmpty else { return [] }
    let columns = try connection.query(
      columnsStatement(queues.count), queues.map(\.reference))
    var dateTypes: [Int: String?] = [:]
    for row in 0..<columns.count {
      guard let number = columns.text(row, 0).flatMap({ Int($0) }), queues.indices.contains(number)
      else { continue }
      let isDate = columns.text(row, 1) == queues[number].added.description
      dateTypes[number] = isDate ? columns.text(row, 2) : dateTypes[number] ?? .some(nil)
    }
    let there = queues.indices.filter { dateTypes[$0] != nil }
    let statements = there.map {
      queues[$0].surveyStatements(dateType: dateTypes[$0] ?? nil, depth)
    }
    // On one snapshot. Another session's exclusive lock must not keep an operator waiting.
    let results = try connection.script(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '2s'; "
        + (statements.flatMap { $0 } + ["COMMIT"]).joined(separator: "; "))
    var rest = results.dropFirst(2).dropLast()
    return queues.indices.map { number in
      guard let place = there.firstIndex(of: number) else {
        return QueueSurvey(table: queues[number], outcome: .missing)
      }
      let own = Array(rest.prefix(statements[place].count))
      rest = rest.dropFirst(own.count)
      return QueueSurvey(table: queues[number], outcome: .counted(contents(queues[number], own)))
    }
  }

  /// Returns no row for a table that does not exist.
  private static func columnsStatement(_ count: Int) -> String {
    let wanted = (0..<count).map { "(\($0), $\($0 + 1)::pg_catalog.text)" }
    return """
      SELECT number, attname, pg_catalog.format_type(atttypid, NULL) \
      FROM (VALUES \(wanted.joined(separator: ", "))) AS wanted (number, name), \
      pg_catalog.pg_attribute \
      WHERE attrelid \(Builtin.equal) pg_catalog.to_regclass(wanted.name)::pg_catalog.oid \
      AND attnum \(Builtin.greater) 0 AND NOT attisdropped
      """
  }

  /// - Parameter results: those of ``QueueTable/surveyStatements(dateType:_:)``, one for each statement.
  private static func contents(_ table: QueueTable, _ results: [Rows]) -> Contents {
    guard results.count >= 2 else {
      return Contents(rows: 0, keys: 0, oldest: nil, newest: nil, firstKeys: [])
    }
    let first = results.count > 3 ? results[3] : nil
    return Contents(
      rows: results[0].text(0, 0).flatMap { Int($0) } ?? 0,
      keys: results[0].text(0, 1).flatMap { Int($0) },
      oldest: row(table, results[1], 0),
      newest: results.count > 2 ? row(table, results[2], 0) : nil,
      firstKeys: first.map { rows in
        (0..<rows.count).compactMap { row(table, rows, $0)?.key }
      } ?? [])
  }

  private static func row(_ table: QueueTable, _ rows: Rows, _ index: Int) -> Row? {
    guard index < rows.count else { return nil }
    return Row(
      key: table.key.indices.map { rows[index, $0 + 2] }, added: rows[index, 0],
      age: rows.text(index, 1).flatMap { Double($0) })
  }
}

extension QueueTable {
  /// The counts and the oldest row; in a full survey also the newest row and the first in order.
  /// - Parameter dateType: the type of date_added; nil when there is no such column.
  fileprivate func surveyStatements(dateType: String?, _ depth: QueueSurvey.Depth) -> [String] {
    let added = added.quoted
    let hasDate = dateType.map { $0.hasPrefix("timestamp") || $0 == "date" } ?? false
    let key = key.joined(separator: ", ")
    let age =
      hasDate
      ? """
      CASE WHEN pg_catalog.isfinite(\(added)) THEN extract(epoch FROM \
      pg_catalog.now() \(Builtin.minus) \(added)::pg_catalog.timestamptz) END
      """ : "NULL"
    let columns = "\(dateType == nil ? "NULL" : "\(added)::pg_catalog.text"), \(age), \(boundedKey)"
    let (oldest, newest) =
      hasDate
      ? (
        "\(reference).\(added) NULLS LAST, \(place)",
        "\(reference).\(added) DESC NULLS LAST, \(place) DESC"
      ) : (place, "\(place) DESC")
    let count = "(SELECT pg_catalog.count(*) FROM \(reference))"
    /// The row is found before it is converted to text: otherwise the server converts every row, and then takes one.
    func one(_ order: String) -> String {
      "SELECT \(columns) FROM (SELECT * FROM \(reference) ORDER BY \(order) LIMIT 1) AS found"
    }
    switch depth {
    case .brief: return ["SELECT \(count)", one(oldest)]
    case .full:
      return [
        "SELECT \(count), (SELECT pg_catalog.count(*) FROM "
          + "(SELECT DISTINCT \(key) FROM \(reference)) AS keys)",
        one(oldest), one(newest),
        "SELECT \(columns) FROM \(reference) ORDER BY \(place) LIMIT \(QueueSurvey.listedKeys)",
      ]
    }
  }
}
