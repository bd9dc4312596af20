// SPDX-License-Identifier: BSD-2-Clause
//
// The site's own SQL: what it may be, what is refused, rows by the batch, and that it can change
// nothing and leaves nothing behind.

import TestSupport
import Testing

@testable import Basics
@testable import PGQueue

@Suite struct ChangeQueryTests {
  private func connection(_ database: TestDatabase) throws -> Connection {
    try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
  }

  /// What a query gives: its columns, whether there is a time, and its rows as text.
  private func run(
    _ sql: String, on connection: Connection, timeout: Duration = .seconds(30), goOn: Bool = true
  ) throws(DatabaseError) -> (columns: [String], hasTime: Bool, rows: [String]) {
    var result: (columns: [String], hasTime: Bool, rows: [String]) = ([], false, [])
    try ChangeQuery(sql, timeout: timeout).run(on: connection) { columns, hasTime in
      result.columns = columns
      result.hasTime = hasTime
      return goOn
    } row: { row in
      let values = row.values.map { $0.map { String(decoding: $0, as: UTF8.self) } ?? "NULL" }
      result.rows.append((values + [row.changed.map { "\($0)" } ?? "NULL"]).joined(separator: " "))
      return true
    }
    return result
  }

  private func refusal(_ sql: String, on connection: Connection) throws -> ServerError? {
    do throws(DatabaseError) {
      _ = try run(sql, on: connection)
      return nil
    } catch {
      guard case .refused(let reason) = error else { throw error }
      return reason
    }
  }

  @Test func columnsAndTimes() throws {
    let database = try PostgresServer.shared.makeDatabase()
    defer { withExtendedLifetime(database) {} }
    let connection = try connection(database)
    let sql = """
      SELECT * FROM (VALUES
        ('net', 'a', '2020-01-21 12:00:00+00'::timestamptz), ('net', NULL, NULL),
        ('w"w', 'é', 'infinity')) AS t ("category", "po""rt", changed_at)
      """
    let result = try run(sql, on: connection)
    #expect(result.columns == ["category", "po\"rt"] && result.hasTime)
    #expect(result.rows == ["net a 1579608000.0", "net NULL NULL", "w\"w é inf"])
  }

  @Test(arguments: [
    "SELECT 1 AS id, now() AS changed_at;", "SELECT 1 AS id, now() AS changed_at ; ;\n",
    "SELECT 1 AS id, now() AS changed_at -- and that is it", "TABLE pg_temp_x",
    "WITH x AS (SELECT 1 AS id) SELECT id, current_date AS changed_at FROM x",
    "SELECT now()::timestamp AS changed_at, 1 AS id", "VALUES (1, 2)",
  ])
  func whatIsWritten(_ sql: String) throws {
    let database = try PostgresServer.shared.makeDatabase()
    defer { withExtendedLifetime(database) {} }
    let connection = try connection(database)
    try connection.query("CREATE TEMP TABLE pg_temp_x (id, changed_at) AS SELECT 1, now()")
    if sql.hasPrefix("VALUES") {
      let result = try run(sql, on: connection, goOn: false)
      #expect(!result.hasTime && result.columns == ["column1", "column2"] && result.rows == [])
    } else {
      let result = try run(sql, on: connection)
      #expect(result.columns == ["id"] && result.hasTime && result.rows.count == 1)
    }
  }

  @Test(arguments: [
    ("SELECT 1 AS id, now() AS changed_at; DELETE FROM listen_for", "42601"),
    ("DELETE FROM cache_clearing_ports RETURNING *", "42601"),
    ("WITH x AS (DELETE FROM cache_clearing_ports RETURNING *) SELECT * FROM x", "0A000"),
    ("SELECT nextval('cache_clearing_ports_id_seq') AS id, now() AS changed_at", "42501"),
    ("SELECT 1 AS id, 5 AS changed_at", "42846"), ("SELECT * FROM commit_log", "42501"),
    ("SELECT * FROM no_such_table", "42P01"), ("SELECT", "42601"), ("", "42601"),
    ("SELECT 1 AS id, now() AS changed_at) AS x; DROP TABLE listen_for; --", "42601"),
    ("SELECT 1/(random() * 0)::int AS id, now() AS changed_at", "22012"),
  ])
  func whatIsRefusedLeavesNothingBehind(_ sql: String, _ state: String) throws {
    let database = try PostgresServer.shared.makeDatabase()
    let connection = try connection(database)
    // An empty SELECT has no columns and no fault of its own.
    if sql == "SELECT" {
      #expect(try run(sql, on: connection, goOn: false).hasTime == false)
    } else {
      #expect(try refusal(sql, on: connection)?.sqlState == state, "\(sql)")
    }
    #expect(try run("SELECT 7 AS id, now() AS changed_at", on: connection).rows.count == 1)
    #expect(try database.count("listen_for") == 9)
  }

  @Test func theWordsOfTheServer() throws {
    let database = try PostgresServer.shared.makeDatabase()
    defer { withExtendedLifetime(database) {} }
    let connection = try connection(database)
    let reason = try refusal("SELECT id, commit_date AS changed_at FROM commit_log", on: connection)
    #expect(reason?.message == "permission denied for table commit_log")
  }

  @Test(arguments: [0, 1, 4095, 4096, 4097, 10_000])
  func rowsByTheBatch(_ count: Int) throws {
    let database = try PostgresServer.shared.makeDatabase()
    defer { withExtendedLifetime(database) {} }
    let connection = try connection(database)
    let sql = "SELECT id, to_timestamp(id) AS changed_at FROM generate_series(1, \(count)) AS id"
    let result = try run(sql, on: connection)
    #expect(result.rows.count == count)
    #expect(result.rows.last == (count == 0 ? nil : "\(count) \(count).0"))
  }

  @Test func timeRunsOut() throws {
    let database = try PostgresServer.shared.makeDatabase()
    defer { withExtendedLifetime(database) {} }
    let connection = try connection(database)
    var reason: ServerError?
    do throws(DatabaseError) {
      _ = try run(
        "SELECT pg_sleep(20)::text AS id, now() AS changed_at", on: connection,
        timeout: .milliseconds(100))
    } catch {
      guard case .refused(let refusal) = error else { throw error }
      reason = refusal
    }
    #expect(reason?.sqlState == "57014")
    #expect(try run("SELECT 7 AS id, now() AS changed_at", on: connection).rows.count == 1)
  }
}
