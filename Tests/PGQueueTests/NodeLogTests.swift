// A node's statements where something else has happened between two of them.

import Testing

@testable import PGQueue
@testable import TestSupport

@Suite struct NodeLogTests {
  @Test("what could not be cleared is not forgotten when the log is trimmed meanwhile")
  func trimmedMeanwhile() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(FanoutSchema.sql)
    try database.sql(
      """
      INSERT INTO fpcache_log SELECT n, 'cache_clearing_ports', '{a,b}', now()
      FROM generate_series(1, 3) AS n;
      UPDATE fpcache_head SET last_id = 3;
      INSERT INTO fpcache_node (name, token, cursor, must_empty) VALUES ('web1', 't', 0, false)
      """)
    let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
    let log = NodeLog(
      try #require(Node(name: "web1", token: "t")), on: Queue(.log, on: connection),
      tables: QueueTable.all)
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
    #expect(try database.sql("SELECT node, id FROM fpcache_owed") == "web1|3")
  }
}
