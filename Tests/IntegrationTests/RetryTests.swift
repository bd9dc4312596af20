// SPDX-License-Identifier: BSD-2-Clause
//
// What cannot be cleared at first: it is told of once, holds up nothing else, and is cleared by
// itself when the obstacle is gone.

import Testing

@testable import TestSupport

@Suite struct RetryTests {
  @Test("one undeletable page among 1,000 ports: 999 rows go, and its own when it can")
  func undeletable() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 1000, days: 1)
    try incident.queue(in: database)
    let stuck = incident.ports[500]
    try incident.tree.give(to: .unprivileged)
    try incident.tree.setMode("ports/\(stuck)", 0o555)
    let listener = try Daemon.listen(on: incident.tree, database, as: .unprivileged)

    try listener.waitForLog(containing: "the row stays; will retry")
    try eventually("the other rows go", details: "\(listener)") {
      try database.sql("SELECT category || '/' || port FROM cache_clearing_ports") == "\(stuck)"
    }
    try eventually("the other queue's pages go", details: "\(listener)") {
      try incident.remainingPages() == IncidentTree.portPages(stuck).sorted()
    }
    // It fails again at least once, and new rows are served at once meanwhile.
    for other in incident.ports[0..<3] {
      try incident.tree.write(IncidentTree.portPages(other)[0], bytes: 1)
      _ = try database.sql(
        """
        INSERT INTO cache_clearing_ports (port_id, category, port)
          VALUES (1, '\(other.category)', '\(other.port)');
        NOTIFY port_updated;
        """)
      try eventually("the new row goes", details: "\(listener)") {
        try database.count("cache_clearing_ports") == 1
      }
    }
    #expect(try incident.remainingPages() == IncidentTree.portPages(stuck).sorted())

    try incident.tree.setMode("ports/\(stuck)", 0o755)
    try eventually(timeout: .seconds(20), "its row goes by itself", details: "\(listener)") {
      try database.count("cache_clearing_ports") == 0
    }
    #expect(try incident.remainingPages() == [])
    try listener.waitForLog(containing: "\(stuck): cleared at last")
    #expect(listener.lines.count { $0.contains("the row stays") } == 1, "\(listener)")
  }

  @Test("the news family cannot be emptied by --once: status 1, named, and left to the next run")
  func newsOnce() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    let page = "news/news.rss2.0.head.xml"
    try tree.write(page, bytes: 1)
    try tree.give(to: .unprivileged)
    try tree.setMode("news", 0o555)
    func run() throws -> CommandResult {
      try Command.fpcache(
        ["listen", "--once", "--settle", "0", "--dsn", database.listenerDSN, "--format", "json"],
        in: tree, environment: ["FPCACHE_DIR": tree.path], as: .unprivileged)
    }
    let failed = try run()
    #expect(failed.status == 1 && failed.stdout.contains("\"keys_failed\":[\"news\"]"), "\(failed)")
    #expect(failed.stderr.contains("the next run will retry"), "\(failed)")
    try tree.setMode("news", 0o755)
    #expect(try run().status == 0 && !tree.exists(page))
  }

  @Test("the news family cannot be emptied: told once, and emptied by itself when it can")
  func news() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    try tree.write("news/news.rss2.0.head.xml", bytes: 1)
    try tree.give(to: .unprivileged)
    try tree.setMode("news", 0o555)
    let listener = try Daemon.listen(
      on: tree, database, ["--settle", "0.1"], as: .unprivileged)
    let line = try listener.waitForLog(containing: "will retry until it is gone")
    #expect(line.contains("news/news.rss2.0.head.xml"), "\(line)")
    // Events that ask for it meanwhile change nothing.
    for _ in 0..<3 {
      let mark = try tree.snapshot()
      _ = try database.sql(
        """
        INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
        NOTIFY date_updated;
        """)
      try eventually("the row goes", details: "\(listener)") {
        try database.count("cache_clearing_dates") == 0
      }
      #expect(try tree.snapshot() == mark)
    }

    try tree.setMode("news", 0o755)
    try eventually(timeout: .seconds(20), "the news go by themselves", details: "\(listener)") {
      !tree.exists("news/news.rss2.0.head.xml")
    }
    try listener.waitForLog(containing: "news: cleared at last")
    #expect(
      listener.lines.count { $0.contains("will retry until it is gone") } == 1, "\(listener)")
  }

  @Test("a role that may not delete: pages go, the queue is told of once, and drained when it may")
  func noDeleteRight() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 3, days: 2)
    try incident.queue(in: database)
    _ = try database.sql("REVOKE DELETE ON cache_clearing_ports FROM listening")
    let listener = try Daemon.listen(on: incident.tree, database, ["--poll-interval", "0.2"])

    let line = try listener.waitForLog(containing: "the listener needs SELECT and DELETE")
    #expect(line.contains("cache_clearing_ports"), "\(line)")
    try eventually("pages and the other queue's rows go", details: "\(listener)") {
      try incident.remainingPages() == [] && database.count("cache_clearing_dates") == 0
    }
    #expect(try database.count("cache_clearing_ports") == 3)
    _ = try database.sql("GRANT DELETE ON cache_clearing_ports TO listening")

    try listener.waitForLog(containing: "cache_clearing_ports: can be drained again")
    try eventually { try database.count("cache_clearing_ports") == 0 }
    #expect(
      listener.lines.count { $0.contains("the listener needs SELECT and DELETE") } == 1,
      "\(listener)")
  }
}
