// SPDX-License-Identifier: BSD-2-Clause
//
// A node's statements where something else has happened between two of them, or does meanwhile.

import Foundation
import Synchronization
import Testing

@testable import PGQueue
@testable import TestSupport

@Suite struct NodeLogTests {
  /// A database whose log has three rows that the node `web1` has not read, an hour old, and that node's statements.
  private func logged() throws -> (database: TestDatabase, log: NodeLog) {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(NodeSchema.sql)
    try database.sql(
      """
      INSERT INTO fpcache_log SELECT n, 'cache_clearing_ports', '{a,b}', now() - interval '1 h'
      FROM generate_series(1, 3) AS n;
      UPDATE fpcache_head SET last_id = 3;
      INSERT INTO fpcache_node (name, token, cursor, must_empty) VALUES ('web1', 't', 0, false)
      """)
    let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
    let node = try #require(Node(name: "web1", token: "t"))
    return (database, NodeLog(node, on: Queue(.log, on: connection), tables: QueueTable.all))
  }

  @Test("what could not be cleared is not forgotten when the log is trimmed meanwhile")
  func trimmedMeanwhile() throws {
    let (database, log) = try logged()
    func batch() throws -> LogBatch? {
      guard case .batch(let batch) = try log.read(after: nil, limit: 2) else { return nil }
      return batch
    }
    // The node has read rows 1 and 2 and could not clear the first; both go from the log.
    let first = try #require(try batch())
    #expect(first.rows.map(\.position) == ["1", "2"])
    try database.sql(
      "UPDATE fpcache_head SET trimmed_to = 2; DELETE FROM fpcache_log WHERE id <= 2")
    #expect(try !log.advance(behind: first, owing: [first.rows[0]]))
    guard case .lost(2) = try log.read(after: nil, limit: 2) else {
      Issue.record("the node is not lost")
      return
    }
    // With nothing to owe there is nothing to lose.
    #expect(try log.advance(behind: first, owing: []))
    // And what is there to be kept is kept.
    let last = try #require(try batch())
    #expect(try log.advance(behind: last, owing: last.rows))
    #expect(
      try database.sql(
        """
        SELECT owed.node, owed.id, owed.moved_at = log.moved_at
        FROM fpcache_owed AS owed JOIN fpcache_log AS log USING (id)
        """) == "web1|3|t")
  }

  @Test(
    "a cursor that another listener of the name has moved, or that belongs to another cache, stays where it is",
    arguments: [
      "UPDATE fpcache_node SET cursor = 3", "UPDATE fpcache_node SET token = 'u'",
      "DELETE FROM fpcache_node",
    ])
  func movedMeanwhile(meanwhile: String) throws {
    let (database, log) = try logged()
    guard case .batch(let batch) = try log.read(after: nil, limit: 2) else {
      Issue.record("no batch")
      return
    }
    let node = "SELECT name, token, cursor FROM fpcache_node"
    try database.sql(meanwhile)
    let before = try database.sql(node)
    #expect(try !log.advance(behind: batch, owing: []))
    #expect(try !log.advance(behind: batch, owing: [batch.rows[1]]))
    #expect(try database.sql(node) == before)
    #expect(try database.count("fpcache_owed") == 0)
  }

  @Test(
    "four that move the same rows while they come: each is in the log once, and no reader passes one over"
  )
  func competition() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(NodeSchema.sql)
    try database.sql("INSERT INTO fpcache_node (name, token, cursor) VALUES ('keeper', '', 0)")
    let (commits, perCommit) = (150, 10)
    let tables = [QueueTable.ports, .dates]
    let expected = commits * perCommit * 2 * tables.count
    // Two writers for each of two queues; a key is written once.
    let writers = try (0..<4).map { _ in try database.session() }
    for (number, writer) in writers.enumerated() {
      let insert =
        number < 2
        ? "cache_clearing_ports (port_id, category, port) SELECT n, 'writer\(number)', i || '-' || n"
        : """
        cache_clearing_dates (date_to_clear)
        SELECT date '2000-01-01' + ((\(number) * \(commits) + i) * \(perCommit) + n)
        """
      try writer.begin(
        """
        DO $$ BEGIN FOR i IN 1..\(commits) LOOP
          INSERT INTO \(insert) FROM generate_series(1, \(perCommit)) AS n; COMMIT;
        END LOOP; END $$
        """)
    }
    let moved = Mutex([Int](repeating: 0, count: 4))
    let seen = Mutex(0)
    let failures = Mutex<[String]>([])
    let deadline = ContinuousClock.now + .seconds(60)
    @Sendable func isOver() -> Bool {
      moved.withLock { $0.reduce(0, +) } >= expected || .now > deadline
        || failures.withLock { !$0.isEmpty }
    }
    let parameters = ConnectionParameters([("dbname", database.listenerDSN)])
    @Sendable func move(_ number: Int) throws {
      let connection = try Connection(parameters)
      let node = try #require(Node(name: "web\(number)", token: ""))
      let log = NodeLog(node, on: Queue(.log, on: connection), tables: tables)
      while !isOver() {
        for table in tables {
          let rows = try Queue(table, on: connection).batch(after: nil, limit: 7)
          let count = try log.move(rows, of: table) ?? 0
          moved.withLock { $0[number] += count }
        }
      }
    }
    // Goes by a cursor, as a node does: what becomes visible below it is lost to it.
    @Sendable func follow() throws {
      let connection = try Connection(parameters)
      var cursor = "0"
      var isLast = false
      while !isLast {
        isLast = isOver()
        let rows = try connection.query(
          "SELECT count(*), coalesce(max(id), $1::bigint) FROM fpcache_log WHERE id > $1::bigint",
          [cursor])
        seen.withLock { $0 += rows.integer(0, 0).map(Int.init) ?? 0 }
        cursor = rows.text(0, 1) ?? cursor
      }
    }
    let group = DispatchGroup()
    for number in 0...4 {
      group.enter()
      Thread.detachNewThread {
        do { try number < 4 ? move(number) : follow() } catch {
          failures.withLock { $0.append("\(error)") }
        }
        group.leave()
      }
    }
    group.wait()
    for writer in writers { try writer.finish() }
    #expect(failures.withLock { $0 } == [])
    #expect(
      try database.sql(
        """
        SELECT count(*), count(DISTINCT (queue, key)), min(id), max(id) FROM fpcache_log;
        SELECT last_id FROM fpcache_head
        """) == "\(expected)|\(expected)|1|\(expected)\n\(expected)")
    #expect(
      try database.count("cache_clearing_ports") + database.count("cache_clearing_dates") == 0)
    #expect(seen.withLock { $0 } == expected)
    #expect(moved.withLock { $0.allSatisfy { $0 > 0 } }, "\(moved.withLock { $0 })")
  }
}
