// SPDX-License-Identifier: BSD-2-Clause
//
// Queues and events of a site's own: names that go into statements, and what the machine makes of them.

import Testing

@testable import Listening
@testable import PGQueue

@Suite("Queues of a site's own") struct OwnQueueTests {
  @Test(
    "names are quoted as they are spelled",
    arguments: [
      ("changes", "\"changes\""), ("wiki.changes", "\"wiki\".\"changes\""),
      ("Changes", "\"Changes\""),
      ("_a$1", "\"_a$1\""), ("select", "\"select\""),
      (String(repeating: "x", count: 63), "\"\(String(repeating: "x", count: 63))\""),
    ])
  func good(_ name: String, _ quoted: String) throws {
    #expect(SQLIdentifier(table: name)?.quoted == quoted)
    #expect((SQLIdentifier(column: name) == nil) == name.contains("."))
  }

  @Test(
    "and what could be anything else is none",
    arguments: [
      "", ".", "a.", ".a", "a.b.c", "1a", "a b", "a\"", "a\";DROP TABLE x;--", "a'", "a\0", "ä",
      "a-b",
      "a\u{301}", "e\u{301}", String(repeating: "x", count: 64),
    ])
  func bad(_ name: String) {
    #expect(SQLIdentifier(table: name) == nil)
    #expect(SQLIdentifier(column: name) == nil)
  }

  private func queue(_ name: String, _ order: QueueTable.Order) throws -> QueueTable {
    QueueTable(
      try #require(SQLIdentifier(table: name)),
      key: [.text(try #require(SQLIdentifier(column: "A")))],
      order: order, added: QueueTable.usualAdded)
  }

  @Test("statements name the table and its columns in quotes")
  func statements() throws {
    let queue = try queue("s.T", .text(try #require(SQLIdentifier(column: "K"))))
    #expect(
      queue.batchStatement(.behindNumber) == """
        SELECT ctid, xmin, "K"::pg_catalog.text, \
        pg_catalog.substr("A"::pg_catalog.text, 1, 4096), tableoid, \
        pg_catalog.pg_relation_filenode(tableoid) FROM "s"."T" \
        WHERE ("K", tableoid, ctid) OPERATOR(pg_catalog.>) \
        ($2::pg_catalog.text, $3::pg_catalog.oid, $4::pg_catalog.tid) \
        ORDER BY "s"."T"."K", "s"."T".tableoid, "s"."T".ctid LIMIT $1::bigint
        """)
    #expect(
      queue.lockStatement == "LOCK TABLE \"s\".\"T\" IN SHARE ROW EXCLUSIVE MODE")
    #expect(queue.countStatement == "SELECT pg_catalog.count(*) FROM \"s\".\"T\"")
    #expect(queue.name == "s.T" && !queue.growsWithTime && !queue.isOptional)
  }

  @Test("every queue is drained at connect, announced or not; families that events empty are not")
  func connect() throws {
    let (announced, silent) = (
      try queue("a", QueueTable.usualOrder), try queue("b", QueueTable.usualOrder)
    )
    let (drain, empty) = (
      SiteEvent("saved", .drain([announced])), SiteEvent("skin", .empty(["pages"]))
    )
    let nothing = SiteEvent("other", .nothing)
    var settings = ListenerMachine.Settings()
    settings.queues = [announced, silent]
    settings.events = [drain, empty, nothing]
    var machine = ListenerMachine(settings, jitter: { 0 })
    _ = machine.handle(.started, at: .zero)
    _ = machine.handle(.connected, at: .zero)
    let done = DrainOutcome.drained(retryAfter: nil)
    #expect(machine.handle(.probeReturned, at: .zero) == [.serve(announced, .whole)])
    #expect(machine.handle(.served(announced, done), at: .zero) == [.serve(silent, .whole)])
    #expect(
      machine.handle(.served(silent, done), at: .zero)
        == [.finish([drain, nothing], complete: true)])
    // What a lost connection left undone, and no queue remembers, is done at the next.
    _ = machine.handle(.notified([drain, empty]), at: .seconds(1))
    _ = machine.handle(.disconnected, at: .seconds(1))
    _ = machine.handle(.timePassed, at: .seconds(5))
    _ = machine.handle(.connected, at: .seconds(5))
    _ = machine.handle(.probeReturned, at: .seconds(5))
    // Queues take turns, so that the other one is the first this time.
    _ = machine.handle(.served(silent, done), at: .seconds(5))
    #expect(
      machine.handle(.served(announced, done), at: .seconds(5))
        == [.finish([drain, nothing, empty], complete: true)])
  }
}
