// SPDX-License-Identifier: BSD-2-Clause
//
// The head of the nodes' log, from which it gets its numbers: lost, set to what cannot be, or written
// by somebody who wants to be read.

import Foundation
import Testing

@testable import TestSupport

@Suite struct NodeHeadTests {
  private let database: TestDatabase
  private let node: TestNode
  private let page = "daily/2020/01/21.daily.head"
  private let polling = ["--settle", "0", "--poll-interval", "0.3"]

  init() throws {
    database = try PostgresServer.shared.makeDatabase()
    try database.prepareForNodes()
    node = try TestNode("web1", database)
  }

  /// Queues a port and tells of it.
  private func queue() throws {
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port)
      VALUES (1, 'a', md5(random()::text)); NOTIFY port_updated
      """)
  }

  private func prepare() throws {
    try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b')")
  }

  @Test(
    "with the head gone while it runs no row is lost, two lines say so, and the schema mends it")
  func lostWhileRunning() throws {
    let listener = try node.startAndSettle(polling + ["--status-file", node.statusFile])
    try queue()
    try eventually("a row is moved and read", details: "\(node)") {
      try database.sql("SELECT cursor FROM fpcache_node") == "1"
    }
    try node.tree.write(page, bytes: 1)
    try database.sql("TRUNCATE fpcache_head")
    try queue()
    let line = try listener.waitForLog(containing: "error: fpcache_head has no row")
    #expect(
      line.hasSuffix("; have the tables' owner run: fpcache listen --print-schema | psql DATABASE"))
    for _ in 1...3 { try queue() }
    let drains = try node.drains() ?? 0
    try eventually("some polls have passed", details: "\(node)") {
      try node.drains() ?? 0 > drains + 3
    }
    let mark = listener.lines.count
    #expect(try database.count("cache_clearing_ports") == 4, "\(node)")
    #expect(try database.count("fpcache_log") <= 1)

    try database.prepareForNodes()
    try listener.waitForLog(
      containing: "1 row of the log is gone before this node read", after: mark)
    try eventually("what waited is moved and read", details: "\(node)") {
      try database.count("cache_clearing_ports") == 0 && database.lag(of: "web1") == 0
    }
    try listener.waitForLog(containing: "fpcache_log: can be drained again", after: mark)
    #expect(!node.tree.exists(page), "nobody knows what it has missed")
    #expect(listener.lines.count { $0.contains("fpcache_head has no row") } <= 2, "\(node)")
  }

  @Test("a schema that was restored without data: said once, no row lost, and it goes on")
  func neverThere() throws {
    try database.sql("DELETE FROM fpcache_head")
    try prepare()
    let listener = try node.startAndSettle(polling)
    try listener.waitForLog(containing: "fpcache_head has no row")
    #expect(!listener.lines.contains { $0.contains("registers") }, "\(node)")
    let stats = try Command.fpcache(
      ["stats", "--dsn", database.listenerDSN, "--cache-dir", node.tree.path], in: node.tree)
    #expect(stats.stderr.contains("nodes: fpcache_head has no row"), "\(stats)")
    #expect(try database.count("cache_clearing_ports") == 1)
    try database.prepareForNodes()
    try eventually("the row is moved", details: "\(node)") {
      try database.count("cache_clearing_ports") == 0 && database.lag(of: "web1") == 0
    }
    #expect(listener.lines.count { $0.contains("fpcache_head has no row") } == 1, "\(node)")
  }

  @Test("a head that was made anew by hand gives numbers that the log has: the schema mends it")
  func madeAnew() throws {
    let listener = try node.startAndSettle(polling)
    try database.sql(
      """
      INSERT INTO fpcache_log SELECT n, 'cache_clearing_ports', '{a,b}', now() + interval '1 day'
      FROM generate_series(1, 9) AS n
      """)
    try queue()
    try listener.waitForLog(
      containing: "\"fpcache_log_pkey\"; have the tables' owner run: fpcache listen --print-schema")
    #expect(try database.count("cache_clearing_ports") == 1, "\(node)")
    try database.prepareForNodes()
    try eventually("the row is moved", details: "\(node)") {
      try database.count("cache_clearing_ports") == 0 && database.lag(of: "web1") == 0
    }
    #expect(try database.sql("SELECT last_id FROM fpcache_head") == "11")
  }

  @Test("rows that somebody has taken out of the log are missed, and the cache is emptied")
  func gap() throws {
    try node.startAndSettle()
    try node.stop()
    try node.tree.write(page, bytes: 1)
    // Three rows of which the second is gone.
    try database.sql(
      """
      INSERT INTO fpcache_log SELECT n, 'cache_clearing_ports', '{a,b}', now()
      FROM generate_series(1, 3, 2) AS n; UPDATE fpcache_head SET last_id = 3
      """)
    let listener = try node.startAndSettle()
    try listener.waitForLog(containing: "1 row of the log is gone before this node read")
    #expect(!node.tree.exists(page))
    #expect(try database.lag(of: "web1") == 0)
  }

  @Test(
    "bounds that cannot be are refused by the tables, and by a listener on older tables left aside",
    arguments: [
      "keep_rows = -5", "keep_age = '-1 day'", "keep_rows = -9223372036854775808",
      "keep_age = '10000 years'",
    ])
  func bounds(change: String) throws {
    #expect(throws: SupportError.self) { try database.sql("UPDATE fpcache_head SET \(change)") }
    try database.sql(
      """
      ALTER TABLE fpcache_head DROP CONSTRAINT fpcache_head_keep;
      UPDATE fpcache_head SET \(change), last_id = 3, trimmed_to = 9
      """)
    let listener = try node.startAndSettle(polling)
    for row in 4...6 {
      try queue()
      try eventually("row \(row) is read", details: "\(node)") {
        try database.sql("SELECT cursor FROM fpcache_node") == "\(row)"
      }
    }
    try eventually("the mark is back", details: "\(node)") {
      try database.sql("SELECT trimmed_to <= last_id FROM fpcache_head") == "t"
    }
    #expect(listener.lines.count { $0.contains("emptied its cache:") } == 1, "\(node)")
    #expect(!listener.lines.contains { $0.contains("error:") }, "\(node)")

    try database.prepareForNodes()
    #expect(
      try database.sql(
        """
        SELECT keep_rows >= 0 AND keep_age BETWEEN '0' AND '1000 years', last_id FROM fpcache_head;
        SELECT count(*) FROM pg_constraint WHERE conname = 'fpcache_head_keep'
        """) == "t|6\n1")
  }

  @Test("what others have written into the tables cannot forge a line of the log")
  func forgery() throws {
    let forged = "2026-01-01T00:00:00Z error: forged"
    try database.sql(
      "UPDATE fpcache_head SET mover = E'web0\\n\(forged)'")
    try prepare()
    let listener = try node.startAndSettle()
    let line = try listener.waitForLog(containing: "now moves the rows of the queues")
    #expect(line.contains("web0\\x0a\(forged) did not"), "\(line)")
    try database.sql(
      """
      BEGIN; INSERT INTO fpcache_log SELECT last_id + 1, E'a\\n\(forged)', '{a}', now()
      FROM fpcache_head; UPDATE fpcache_head SET last_id = last_id + 1; COMMIT; NOTIFY fpcache_log
      """)
    try listener.waitForLog(containing: "a\\x0a\(forged): row ")
    #expect(!listener.lines.contains { $0.hasPrefix(forged) }, "\(node)")
  }

  @Test("a role whose transactions are read-only by default is a node like any other")
  func readOnlyRole() throws {
    try database.sql(
      """
      ALTER ROLE listening IN DATABASE \(database.name) SET default_transaction_read_only = on
      """)
    try prepare()
    let listener = try node.startAndSettle()
    try eventually("the row is moved", details: "\(node)") {
      try database.count("cache_clearing_ports") == 0 && database.lag(of: "web1") == 0
    }
    #expect(!listener.lines.contains { $0.contains("error:") }, "\(node)")
  }
}

extension TestNode {
  fileprivate var statusFile: String { state.fullPath("status.json") }

  /// How many drains its listener has ended, by its status file.
  fileprivate func drains() throws -> Int? {
    let status = try JSONSerialization.jsonObject(with: Data(state.read("status.json").utf8))
    return (status as? [String: Any])?["drains"] as? Int
  }
}
