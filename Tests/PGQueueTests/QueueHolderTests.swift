// SPDX-License-Identifier: BSD-2-Clause
//
// Who holds a queue, as far as a role may see it, and what the server's log has of a lock that is not to be had.

import TestSupport
import Testing

@testable import PGQueue

@Suite struct QueueHolderTests {
  @Test("a writer, one of a partition, a prepared transaction; nobody when they have ended")
  func holders() throws {
    let server = try PostgresServer(settings: ["max_prepared_transactions": "2"])
    let database = try server.makeDatabase(shape: .plain)
    try database.sql("CREATE TABLE heir () INHERITS (cache_clearing_ports)")
    let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
    let queue = Queue(.ports, on: connection)
    let row = "(port_id, category, port) VALUES (1, 'a', 'b')"
    #expect(try queue.holder() == nil)
    for table in ["cache_clearing_ports", "heir"] {
      let writer = try database.session()
      let process = try writer.sql("SET application_name = 'slow'; SELECT pg_backend_pid()")
      try writer.sql("BEGIN; INSERT INTO \(table) \(row)")
      #expect(
        try queue.holder()
          == .session(process: Int32(process) ?? 0, role: "postgres", application: "slow"))
      try writer.sql("ROLLBACK")
    }
    try database.sql(
      "BEGIN; INSERT INTO cache_clearing_ports \(row); PREPARE TRANSACTION 'forgotten'")
    #expect(try queue.holder() == .prepared(identifier: "forgotten", role: "postgres"))
    try database.sql("ROLLBACK PREPARED 'forgotten'")
    #expect(try queue.holder() == nil)
  }

  @Test("a lock that is not to be had is no error in the server's log; without plpgsql it is one")
  func quiet() throws {
    let server = try PostgresServer()
    let database = try server.makeDatabase(shape: .plain)
    let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
    let queue = Queue(.ports, on: connection)
    let writer = try database.session()
    try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b')")
    let rows = try database.sql("SELECT count(*) FROM cache_clearing_dates")
    #expect(rows == "0")
    for _ in 0..<3 { #expect(try queue.lock([]) == .contended) }
    let lines = { server.log.split(separator: "\n").count { $0.contains("lock timeout") } }
    #expect(lines() == 0)
    try database.sql("REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC")
    #expect(try queue.lock([]) == .contended)
    #expect(try queue.lock([]) == .contended)
    #expect(lines() == 2)
    try writer.sql("COMMIT")
    #expect(try queue.lock([]) == .granted)
    try queue.rollback()
  }

  @Test(
    "numbers that repeat, more often than a batch has rows, and rows without one: all come once")
  func places() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    try database.sql(
      """
      INSERT INTO cache_clearing_dates (id, date_to_clear) SELECT 5, '2020-01-21' FROM generate_series(1, 25);
      INSERT INTO cache_clearing_dates (id, date_to_clear) VALUES (6, NULL), (4, NULL);
      ALTER TABLE cache_clearing_dates ALTER id DROP NOT NULL;
      INSERT INTO cache_clearing_dates (id, date_to_clear) SELECT NULL, '2020-01-22' FROM generate_series(1, 25);
      """)
    let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
    let queue = Queue(.dates, on: connection)
    var all: [QueuePlace] = []
    while true {
      let rows = try queue.batch(after: all.last, limit: 10)
      all += rows.compactMap(\.place)
      if rows.count < 10 { break }
    }
    #expect(all.count == 52 && Set(all).count == 52)
    #expect(
      all.map(\.order) == ["4"] + Array(repeating: "5", count: 25) + ["6"]
        + Array(repeating: nil, count: 25))
  }
}
