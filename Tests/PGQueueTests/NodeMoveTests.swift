// SPDX-License-Identifier: BSD-2-Clause
//
// Rows on their way from a queue into the log: what a trigger keeps, and locks that are not to be had.

import TestSupport
import Testing

@testable import PGQueue

@Suite struct NodeMoveTests {
  private let server: PostgresServer
  private let database: TestDatabase
  private let queue: Queue
  private let log: NodeLog

  init() throws {
    server = try PostgresServer()
    database = try server.makeDatabase(shape: .plain)
    try database.sql(NodeSchema.sql)
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port)
        SELECT n, 'www', 'p' || n FROM generate_series(1, 4) AS n
      """)
    queue = Queue(
      .ports, on: try Connection(ConnectionParameters([("dbname", database.listenerDSN)])))
    log = NodeLog(
      try #require(Node(name: "web1", token: "t")), on: queue, tables: QueueTable.all)
  }

  private func move() throws -> Int? {
    try log.move(try queue.batch(after: nil, limit: 10), of: .ports)
  }

  @Test("what a trigger keeps is not in the log, and the others are, in their order")
  func kept() throws {
    try database.sql(
      """
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER keep BEFORE DELETE ON cache_clearing_ports
        FOR EACH ROW WHEN (OLD.port_id <= 2) EXECUTE FUNCTION keep();
      """)
    let rows = try queue.batch(after: nil, limit: 10)
    #expect(try log.move(rows, of: .ports) == 2)
    #expect(
      try queue.remaining(of: rows).compactMap { $0.key.last ?? nil } == [
        [0x70, 0x31], [0x70, 0x32],
      ])
    #expect(
      try database.sql("SELECT id, key FROM fpcache_log ORDER BY id") == "1|{www,p3}\n2|{www,p4}")
  }

  @Test(
    "a queue, a row or the head that others hold: nothing is moved and the server logs no error",
    arguments: [
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (9, 'a', 'b')",
      "SELECT FROM cache_clearing_ports WHERE port_id = 3 FOR UPDATE",
      "SELECT FROM fpcache_head FOR UPDATE",
    ])
  func held(statement: String) throws {
    let other = try database.session()
    try other.sql("BEGIN; \(statement)")
    for _ in 0..<2 { #expect(try move() == nil) }
    let lines = { server.log.split(separator: "\n").count { $0.contains("lock timeout") } }
    #expect(lines() == 0)
    try database.sql("REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC")
    #expect(try move() == nil)
    #expect(lines() == 1)
    try other.sql("ROLLBACK")
    #expect(try move() == 4)
  }

  @Test("a row that others hold is not deleted, and the server logs no error")
  func heldRow() throws {
    let other = try database.session()
    try other.sql("BEGIN; SELECT FROM cache_clearing_ports WHERE port_id = 3 FOR UPDATE")
    let rows = try queue.batch(after: nil, limit: 10)
    #expect(try queue.lock(rows) == .granted)
    #expect(throws: DatabaseError.refused(.lockTimeout)) {
      _ = try queue.delete(queue.deletion(of: rows))
    }
    try queue.rollback()
    #expect(!server.log.contains("lock timeout"))
    try other.sql("ROLLBACK")
    #expect(try queue.lock(rows) == .granted)
    #expect(try queue.delete(queue.deletion(of: rows)) == 4)
    try queue.commit()
  }
}
