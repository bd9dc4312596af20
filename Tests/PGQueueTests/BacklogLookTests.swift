// SPDX-License-Identifier: BSD-2-Clause
//
// How a listener measures its queues at each poll.

import TestSupport
import Testing

@testable import PGQueue

@Suite struct BacklogLookTests {
  private func refusals(_ server: PostgresServer) -> Int {
    server.log.split(separator: "\n").count { $0.contains("ERROR:") }
  }

  @Test("empty queues are empty, and the others have their rows and their age")
  func mixed() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    try database.sql(
      """
      INSERT INTO cache_clearing_dates (date_to_clear, date_added)
        SELECT '2020-01-02', now() - interval '2 hours' FROM generate_series(1, 3)
      """)
    let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
    var look = BacklogLook()
    for _ in 1...2 {
      let all = try look.measure(QueueTable.all + [.log], on: connection)
      #expect(all.map(\.table) == QueueTable.all)
      #expect(all.map(\.rows) == [0, 3, 0, 0])
      #expect(abs((all[1].oldestAge ?? 0) - 7_200) < 3_600)
    }
    #expect(try look.measure([], on: connection).isEmpty)
  }

  @Test("a refused queue hides no other, and costs one line of the server's log at each look")
  func refused() throws {
    let server = try PostgresServer()
    let database = try server.makeDatabase(shape: .plain)
    try database.sql(
      """
      REVOKE ALL ON cache_clearing_ports FROM listening;
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-02')
      """)
    let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
    var look = BacklogLook()
    let others = QueueTable.all.filter { $0 != .ports }
    let before = refusals(server)
    for number in 1...4 {
      let all = try look.measure(QueueTable.all, on: connection)
      #expect(all.map(\.table) == others)
      #expect(all.map(\.rows) == [1, 0, 0])
      // The first look asks for all of them at once before it asks for each.
      #expect(refusals(server) - before == number + 1)
    }
    try database.sql("GRANT SELECT ON cache_clearing_ports TO listening")
    for _ in 1...2 {
      #expect(try look.measure(QueueTable.all, on: connection).map(\.rows) == [0, 1, 0, 0])
    }
    #expect(refusals(server) - before == 5)
  }

  @Test("a queue without a column that names its pages is not one without rows")
  func withoutColumn() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    try database.sql("ALTER TABLE cache_clearing_files RENAME pathname TO path")
    let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
    var look = BacklogLook()
    for _ in 1...2 {
      let measured = try look.measure(QueueTable.all, on: connection).map(\.table)
      #expect(measured == QueueTable.all.filter { $0 != .files })
    }
    try database.sql("ALTER TABLE cache_clearing_files RENAME path TO pathname")
    #expect(try look.measure(QueueTable.all, on: connection).map(\.table) == QueueTable.all)
  }

  @Test("a queue that another session has locked is left out, and is back afterwards")
  func locked() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
    try connection.query("SET lock_timeout = '100ms'")
    let other = try Connection(ConnectionParameters([("dbname", database.dsn)]))
    try other.script("BEGIN; LOCK cache_clearing_files")
    var look = BacklogLook()
    for _ in 1...2 {
      let measured = try look.measure(QueueTable.all, on: connection).map(\.table)
      #expect(measured == QueueTable.all.filter { $0 != .files })
    }
    try other.query("ROLLBACK")
    #expect(try look.measure(QueueTable.all, on: connection).map(\.table) == QueueTable.all)
  }
}
