// SPDX-License-Identifier: BSD-2-Clause
//
// Locks that others hold on a queue, beside a writer's own: many rows behind a writer, a row that
// somebody has locked, a table that is locked whole. None holds up what it does not concern.

import Testing

@testable import TestSupport

@Suite struct LockTests {
  @Test("a writer holds 2,500 rows: every page goes, other writers hardly wait, rows go at its end")
  func manyRows() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 2500, days: 0)
    try incident.queue(in: database)
    let writer = try database.session()
    try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (0, 'own', 'own')")
    let listener = try Daemon.listen(on: incident.tree, database)
    // The server itself ends a wait that is longer than this, and then the statement fails.
    let other = try database.session()
    try other.sql("SET lock_timeout = '1s'")
    var number = 0

    try eventually("the pages go", details: "\(listener)") {
      number += 1
      try other.sql(
        "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'new', 'n\(number)')"
      )
      return try incident.remainingPages() == []
    }
    for _ in 0..<20 {
      number += 1
      try other.sql(
        "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'new', 'n\(number)')"
      )
    }
    #expect(try database.count("cache_clearing_ports") == 2500 + number)

    try writer.sql("COMMIT")
    try eventually("the rows go", details: "\(listener)") {
      try database.count("cache_clearing_ports") == 0
    }
  }

  @Test("a row that somebody has locked is no error: its batch goes when it is let go")
  func lockedRow() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 3, days: 0)
    try incident.queue(in: database)
    let holder = try database.session()
    try holder.sql("BEGIN; SELECT FROM cache_clearing_ports LIMIT 1 FOR UPDATE")
    let listener = try Daemon.listen(on: incident.tree, database)

    try listener.waitForLog(containing: "a writer holds the rest")
    #expect(try incident.remainingPages() == [])
    #expect(try database.count("cache_clearing_ports") == 3)
    try holder.sql("COMMIT")

    try eventually("the rows go", details: "\(listener)") {
      try database.count("cache_clearing_ports") == 0
    }
    #expect(!listener.lines.contains { $0.contains(" error: ") }, "\(listener)")
  }

  @Test("a queue locked whole, as by ALTER TABLE, holds up no other and costs no connection")
  func lockedTable() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    let listener = try Daemon.listen(on: tree, database, ["--poll-interval", "0.5"])
    try listener.waitForLog(containing: "drained: ")
    let holder = try database.session()
    try holder.sql("BEGIN; LOCK TABLE cache_clearing_ports")

    for day in 11...12 {
      try tree.write("daily/2020/01/\(day).daily.head", bytes: 1)
      _ = try database.sql(
        """
        INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-\(day)');
        NOTIFY port_updated; NOTIFY date_updated;
        """)
      try eventually(timeout: .seconds(30), "the day goes", details: "\(listener)") {
        try !tree.exists("daily/2020/01/\(day).daily.head")
          && database.count("cache_clearing_dates") == 0
      }
    }
    try holder.sql("COMMIT")
    try tree.write("ports/www/page/Detail.Part1.head.PageSize100.PageNum1.html", bytes: 1)
    _ = try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'www', 'page')")
    try eventually("the port goes", details: "\(listener)") {
      try database.count("cache_clearing_ports") == 0
    }
    #expect(!listener.lines.contains { $0.contains("connection lost") }, "\(listener)")
  }
}
