// SPDX-License-Identifier: BSD-2-Clause
//
// The site's own SQL. It says when the data that the pages of a family show was last changed. It is read batch by batch
// through a cursor, in a transaction that cannot change anything.

import Basics

/// A query that returns some columns, including `changed_at`.
package struct ChangeQuery: Sendable {
  /// The column with the time of the last change.
  package static let timeColumn = "changed_at"
  /// Rows that are fetched in one round trip. They stay in memory only while they are looked at.
  static let batchSize = 4096

  let sql: String
  let timeout: Duration

  /// - Parameters:
  ///   - sql: one SELECT; a semicolon at the end is allowed.
  ///   - timeout: how long the server may work on it.
  package init(_ sql: String, timeout: Duration) {
    let spaces: Set<Character> = [" ", "\n", "\t", "\r", "\r\n", ";"]
    var text = sql[...]
    while let last = text.last, spaces.contains(last) { text.removeLast() }
    self.sql = String(text)
    self.timeout = timeout
  }

  /// One row: the columns without `changed_at`, and the value of `changed_at` in seconds since the epoch.
  package typealias Row = (values: [[UInt8]?], changed: Double?)

  /// Runs the query.
  /// - Parameters:
  ///   - columns: gets the names of the columns without `changed_at`, and whether `changed_at` exists; returns whether
  ///     to go on.
  ///   - row: gets each row, and returns whether to go on.
  /// - Throws: ``DatabaseError``.
  package func run(
    on connection: Connection, columns: ([String], _ hasTime: Bool) -> Bool,
    row: (Row) -> Bool
  ) throws(DatabaseError) {
    try transaction(on: connection) { () throws(DatabaseError) in
      try read(connection, since: nil, columns, row)
    }
  }

  /// Runs the query for what has changed since a time, which is its parameter `$1` if it has one.
  /// - Parameters:
  ///   - since: gets what the server says about open transactions, and returns the start time to ask for.
  ///   - columns: as in the other function.
  ///   - row: gets each row, and returns whether to go on.
  /// - Returns: what the server said about open transactions.
  /// - Throws: ``DatabaseError``.
  package func run(
    on connection: Connection, since: (ChangeHorizon) -> Int64,
    columns: ([String], _ hasTime: Bool) -> Bool, row: (Row) -> Bool
  ) throws(DatabaseError) -> ChangeHorizon {
    var horizon = ChangeHorizon(now: 0, oldest: nil, isComplete: false)
    try transaction(on: connection) { () throws(DatabaseError) in
      // At READ COMMITTED the query's snapshot is taken after this: a change that it does not contain belongs to a
      // transaction that was open here.
      horizon = try ChangeHorizon.read(on: connection)
      try read(connection, since: since(horizon), columns, row)
    }
    return horizon
  }

  private func transaction(
    on connection: Connection, _ body: () throws(DatabaseError) -> Void
  ) throws(DatabaseError) {
    let milliseconds = max(1, timeout / .milliseconds(1))
    try connection.script(
      """
      BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; \
      SET LOCAL statement_timeout = \(Int(milliseconds)); SET LOCAL cursor_tuple_fraction = 1
      """)
    do throws(DatabaseError) {
      try body()
    } catch {
      if case .refused = error { try connection.script("ROLLBACK") }
      throw error
    }
    try connection.script("ROLLBACK")
  }

  private func read(
    _ connection: Connection, since: Int64?, _ columns: ([String], Bool) -> Bool,
    _ row: (Row) -> Bool
  ) throws(DatabaseError) {
    let values = since.map { [preciseTimestamp($0)] } ?? []
    let condition =
      since == nil
      ? "" : " WHERE site.\(Self.timeColumn)::pg_catalog.timestamptz \(Builtin.greater) $1"
    // A newline, since the query may end in a comment.
    let source = "FROM (\n\(sql)\n) AS site"
    let patience = timeout + .seconds(5)
    let all = try connection.query(
      "SELECT * \(source) LIMIT 0", values, types: [.timestamptz], timeout: patience
    ).columnNames
    let names = all.filter { $0 != Self.timeColumn }
    guard columns(names, all.contains(Self.timeColumn)) else { return }
    var selected: [String] = []
    for name in names {
      selected.append("\(try connection.quoted(identifier: name))::pg_catalog.text")
    }
    selected.append(
      "extract(epoch FROM \(Self.timeColumn)::pg_catalog.timestamptz)::pg_catalog.text")
    try connection.query(
      "DECLARE site_rows NO SCROLL CURSOR FOR SELECT \(selected.joined(separator: ", ")) \(source)\(condition)",
      values, types: [.timestamptz], timeout: patience)
    while true {
      let rows = try connection.query(
        "FETCH FORWARD \(Self.batchSize) FROM site_rows", timeout: patience)
      for index in 0..<rows.count {
        let goesOn = row(
          (
            names.indices.map { rows[index, $0] },
            rows.text(index, names.count).flatMap { Double($0) }
          ))
        if !goesOn { return }
      }
      if rows.count < Self.batchSize { return }
    }
  }
}
