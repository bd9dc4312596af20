// SPDX-License-Identifier: BSD-2-Clause
//
// What goes wrong on a node: crashes, pages that cannot be deleted, a name that two caches share, a
// database that was not prepared, and a listener beside the nodes that is none.

import Foundation
import Testing
import fpcache

@testable import Listening
@testable import TestSupport

@Suite struct NodeFaultTests {
  private func makeDatabase() throws -> TestDatabase {
    let database = try PostgresServer.shared.makeDatabase()
    try database.prepareForNodes()
    return database
  }

  private static let steps =
    CrashTests.ofNodes + [.selected, .cleared, .settleTorn, .settled, .finished, .settledAgain]

  @Test(
    "killed at a step, then started again: no page, no row and no lag is left", arguments: steps)
  func killed(step: CrashPoint) throws {
    let database = try makeDatabase()
    let incident = try IncidentTree(ports: 30, days: 3)
    try incident.queue(in: database)
    let node = try TestNode("web1", database, tree: incident.tree)
    // The steps after registering need a node that has been.
    if step != .registered, step != .emptied {
      try node.startAndSettle(["--settle", "0.2"])
      try eventually { try database.lag(of: "web1") == 0 }
      try node.stop()
      _ = try IncidentTree(ports: 30, days: 3, in: incident.tree)
      try incident.queue(in: database)
    }

    let doomed = try node.start(
      ["--settle", "0.2"], environment: ["FPCACHE_CRASH_AT": step.rawValue])
    let death = try doomed.waitForExit(timeout: .seconds(20))
    #expect(death.exit == .signal(9), "\(step): \(death)")
    // A visitor may have brought a page back from old data just before the crash.
    let page = IncidentTree.portPages(incident.ports[0])[0]
    if step != .settledAgain { try incident.tree.write(page, bytes: 10) }

    let listener = try node.startAndSettle(["--settle", "0.2"])
    try eventually("all is gone after \(step)", details: "\(listener)") {
      try database.count("cache_clearing_ports") + database.count("cache_clearing_dates") == 0
        && database.lag(of: "web1") == 0 && incident.remainingPages().isEmpty
    }
    try eventually("the settle list is empty after \(step)", details: "\(listener)") {
      try node.state.read("settle").isEmpty
    }
    try node.stop()
  }

  @Test(
    "a queue that was refused is looked at until it is not, even when nothing waits in it any more")
  func refusedThenEmpty() throws {
    let database = try makeDatabase()
    let node = try TestNode("web1", database)
    let listener = try node.startAndSettle(["--settle", "0", "--poll-interval", "0.3"])
    let queued = """
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b'); NOTIFY port_updated
      """
    try database.sql(queued)
    try eventually {
      try database.lag(of: "web1") == 0 && database.count("cache_clearing_ports") == 0
    }
    // Another node moves rows, but it has died: this one must look into the queue, and may not.
    try database.sql("UPDATE fpcache_head SET mover = 'web0'; NOTIFY fpcache_log")
    try database.sql("REVOKE SELECT ON cache_clearing_ports FROM listening; \(queued)")
    try listener.waitForLog(containing: "cache_clearing_ports: permission denied")
    try database.sql(
      "DELETE FROM cache_clearing_ports; GRANT SELECT ON cache_clearing_ports TO listening")
    try listener.waitForLog(containing: "cache_clearing_ports: can be drained again")
    #expect(try database.sql("SELECT mover FROM fpcache_head") == "web0", "\(listener)")
    try node.stop()
  }

  @Test("a right that lacks for rows that cannot be cleared does not stop the trimming of the log")
  func trimmedWithoutRight() throws {
    let database = try makeDatabase()
    let node = try TestNode("web1", database)
    let listener = try node.startAndSettle(["--settle", "0", "--poll-interval", "0.3"])
    try database.sql("REVOKE INSERT ON fpcache_owed FROM listening")
    try listener.waitForLog(containing: "permission denied for table fpcache_owed")
    try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b'); NOTIFY port_updated"
    )
    try eventually("the row is moved, read and trimmed", details: "\(listener)") {
      try database.sql("SELECT last_id, trimmed_to FROM fpcache_head") == "1|1"
        && database.count("fpcache_log") == 0
    }
    #expect(listener.lines.count { $0.contains("permission denied") } == 1, "\(listener)")
    try node.stop()
  }

  @Test("what one node cannot delete holds up neither its cursor nor the others, and outlives it")
  func owed() throws {
    let database = try makeDatabase()
    let incidents = try (0..<2).map { _ in try IncidentTree(ports: 50, days: 1) }
    let stuck = incidents[0].ports[20]
    try incidents[0].tree.give(to: .unprivileged)
    let node = try TestNode("web1", database, tree: incidents[0].tree, as: .unprivileged)
    let other = try TestNode("web2", database, tree: incidents[1].tree)
    for node in [node, other] { try node.startAndSettle() }
    for incident in incidents { _ = try IncidentTree(ports: 50, days: 1, in: incident.tree) }
    try incidents[0].tree.give(to: .unprivileged)
    try incidents[0].tree.setMode("ports/\(stuck)", 0o555)
    try incidents[0].queue(in: database)
    try database.sql("NOTIFY port_updated; NOTIFY date_updated")

    for node in [node, other] {
      try eventually("\(node.name) is at the end", details: "\(node)") {
        try database.count("cache_clearing_ports") == 0 && database.lag(of: node.name) == 0
      }
    }
    #expect(try incidents[1].remainingPages() == [])
    #expect(try incidents[0].remainingPages() == IncidentTree.portPages(stuck).sorted())
    #expect(
      try database.sql("SELECT node, queue, key FROM fpcache_owed")
        == "web1|cache_clearing_ports|{\(stuck.category),\(stuck.port)}")
    #expect(
      try #require(node.daemon).lines.count { $0.contains("the row stays") } == 1, "\(node)")

    // Killed and started again it still knows.
    try node.stop(SIGKILL)
    try node.startAndSettle()
    try incidents[0].tree.setMode("ports/\(stuck)", 0o775)
    try eventually(timeout: .seconds(20), "it goes by itself", details: "\(node)") {
      try database.count("fpcache_owed") == 0
    }
    #expect(try incidents[0].remainingPages() == [])
  }

  @Test("a row that names nothing is refused by each node, and passed")
  func refused() throws {
    let database = try makeDatabase()
    let nodes = try (1...2).map { try TestNode("web\($0)", database) }
    for node in nodes { try node.startAndSettle() }
    try database.sql(
      """
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES (NULL);
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, '..', 'x');
      NOTIFY port_updated; NOTIFY date_updated
      """)
    for node in nodes {
      try node.daemon?.waitForLog(containing: "cache_clearing_dates: row")
      try node.daemon?.waitForLog(containing: "cache_clearing_ports: row")
      try eventually { try database.lag(of: node.name) == 0 }
    }
    #expect(try database.count("fpcache_owed") == 0)
  }

  @Test("two caches under one name: each time one takes it, it says so and is emptied")
  func rivals() throws {
    let database = try makeDatabase()
    let first = try TestNode("web1", database)
    let second = try TestNode("web1", database)
    try first.startAndSettle()
    try second.tree.write("daily/2020/01/21.daily.head", bytes: 1)
    try second.startAndSettle()
    try second.daemon?.waitForLog(containing: "web1: the name belongs to another cache")
    #expect(try second.tree.files() == [])
    // The first one finds out with the next row, and takes the name back.
    try first.tree.write("daily/2020/01/21.daily.head", bytes: 1)
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b');
      NOTIFY port_updated
      """)
    try first.daemon?.waitForLog(containing: "web1: the name belongs to another cache")
    try eventually("the first is emptied", details: "\(first)") { try first.tree.files() == [] }
  }

  @Test("without the tables it says what to do, loses no row, and goes on when they are there")
  func unprepared() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let node = try TestNode("web1", database)
    try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b')")
    let listener = try node.start(["--settle", "0", "--poll-interval", "1"])
    try listener.waitForLog(containing: "fpcache listen --print-schema")
    #expect(try database.count("cache_clearing_ports") == 1)
    try database.prepareForNodes()
    try listener.waitForLog(containing: "emptying its cache")
    try eventually("the row is moved", details: "\(listener)") {
      try database.count("cache_clearing_ports") == 0
    }
  }

  @Test("a listener without --node beside nodes says what it does to them")
  func beside() throws {
    let database = try makeDatabase()
    let plain = try Daemon.listen(on: TemporaryTree(), database)
    try plain.waitForLog(containing: "drained: ")
    #expect(!plain.lines.contains { $0.contains("without --node") })
    plain.terminate()
    try plain.waitForExit()
    try TestNode("web1", database).startAndSettle()
    let another = try Daemon.listen(on: TemporaryTree(), database)
    try another.waitForLog(containing: "this database has nodes (web1): a listener without --node")
  }

  @Test(
    "a listener that was there before the nodes finds them at a poll, and says so once",
    arguments: [true, false])
  func besideLater(mayRead: Bool) throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    let plain = try Daemon.listen(on: tree, database, ["--poll-interval", "0.2"])
    try plain.waitForLog(containing: "drained: ")
    try database.prepareForNodes()
    if !mayRead {
      try database.sql(
        "REVOKE ALL ON fpcache_node, fpcache_log, fpcache_head, fpcache_owed FROM listening")
    }
    // Tables alone take nothing from anybody.
    func drain() throws {
      for _ in 1...2 {
        let mark = plain.lines.count
        try database.sql(
          """
          INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b');
          NOTIFY port_updated
          """)
        try plain.waitForLog(containing: "drained: 1 row", after: mark)
      }
    }
    try drain()
    #expect(!plain.lines.contains { $0.contains("without --node") }, "\(plain)")
    try database.sql(
      "INSERT INTO fpcache_node (name, token, cursor, must_empty) VALUES ('web1', '', 0, false)")
    let names = mayRead ? " (web1)" : ""
    try plain.waitForLog(
      containing: "this database has nodes\(names): a listener without --node takes rows")
    try drain()
    #expect(plain.lines.count { $0.contains("without --node") } == 1, "\(plain)")
    #expect(!plain.lines.contains { $0.contains("permission denied") }, "\(plain)")

    // From cron it is the same theft.
    let once = try Command.fpcache(
      [
        "listen", "--once", "--settle", "0", "--dsn", database.listenerDSN, "--cache-dir",
        tree.path,
        "--state-dir", tree.path,
      ], in: tree)
    #expect(once.status == 0 && once.stderr.contains("this database has nodes\(names):"), "\(once)")
  }

  @Test("--once with --node moves what waits, clears it, and leaves; -n changes nothing")
  func once() throws {
    let database = try makeDatabase()
    let incident = try IncidentTree(ports: 30, days: 3)
    let node = try TestNode("web1", database, tree: incident.tree)
    let command = [
      "listen", "--once", "--settle", "0", "--node", "web1", "--dsn", database.listenerDSN,
      "--cache-dir", incident.tree.path, "--state-dir", node.state.path,
    ]
    #expect(try Command.fpcache(command, in: incident.tree).status == 0)
    _ = try IncidentTree(ports: 30, days: 3, in: incident.tree)
    try incident.queue(in: database)
    let before = try incident.tree.snapshot()

    let dry = try Command.fpcache(command + ["-n"], in: incident.tree)
    #expect(dry.status == 0 && dry.stdout.hasPrefix("would drain 33 rows"), "\(dry)")
    #expect(try incident.tree.snapshot() == before)
    #expect(try database.count("cache_clearing_ports") == 30)

    let result = try Command.fpcache(command, in: incident.tree)
    #expect(result.status == 0, "\(result)")
    #expect(result.stdout.hasPrefix("33 rows, "), "\(result)")
    #expect(try incident.remainingPages() == [])
    #expect(try database.lag(of: "web1") == 0)
  }

  @Test("SIGHUP leaves a node its name, its place and its cache, and tells of another in the file")
  func reload() throws {
    let database = try makeDatabase()
    let node = try TestNode("web1", database)
    let files = try TemporaryTree()
    func configure(_ name: String?) throws {
      try files.write("fp.ini", text: "[listen]\n" + (name.map { "NODE = \($0)\n" } ?? ""))
    }
    try configure("web1")
    var command = Command(
      try Command.fpcachePath(),
      [
        "listen", "--config", files.fullPath("fp.ini"), "--dsn", database.listenerDSN,
        "--cache-dir", node.tree.path, "--state-dir", node.state.path, "--settle", "0",
      ])
    command.tree = node.tree
    let listener = try Daemon(command)
    try listener.waitForLog(containing: "drained: ")
    let (old, port) = ("daily/2020/01/21.daily.head", PortKey("a", "b"))
    try node.tree.write(old, bytes: 1)
    let registered = try database.sql("SELECT name, token, registered FROM fpcache_node")

    let warning =
      "SIGHUP: NODE changed; restart to apply it; until then the listener runs as node web1"
    for (name, isTold) in [("web1", false), ("web2", true), (nil, true)] as [(String?, Bool)] {
      try configure(name)
      let mark = listener.lines.count
      listener.terminate(SIGHUP)
      try listener.waitForLog(containing: "drained: ", after: mark)
      #expect(
        listener.lines.dropFirst(mark).contains { $0.contains(warning) } == isTold, "\(listener)")
      try node.tree.write(IncidentTree.portPages(port)[0], bytes: 1)
      try database.sql(
        """
        INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b');
        NOTIFY port_updated
        """)
      try eventually("the page goes", details: "\(listener)") {
        try node.tree.files() == [old] && database.lag(of: "web1") == 0
      }
      #expect(
        try database.sql("SELECT name, token, registered FROM fpcache_node") == registered,
        "\(listener)")
    }
  }

  @Test("SIGHUP makes no node of a listener that was started without a name, and says so")
  func reloadWithoutNode() throws {
    let database = try makeDatabase()
    let (tree, files) = (try TemporaryTree(), try TemporaryTree())
    try files.write("fp.ini", text: "[listen]\n")
    let listener = try Daemon.listen(on: tree, database, ["--config", files.fullPath("fp.ini")])
    try listener.waitForLog(containing: "drained: ")
    try files.write("fp.ini", text: "[listen]\nNODE = web1\n")
    listener.terminate(SIGHUP)
    try listener.waitForLog(
      containing: "NODE changed; restart to apply it; until then the listener runs without a name")
    #expect(try database.count("fpcache_node") == 0)
  }

  @Test("a name that is none is refused", arguments: ["", "a b", "x'y", "ü"])
  func names(name: String) throws {
    let result = try Command.fpcache(["listen", "--node", name], in: TemporaryTree())
    #expect(result.status == 64, "\(result)")
    #expect(result.stderr.contains("expected up to 63 letters, digits"), "\(result)")
  }

  @Test("the tables may be made twice, and the printed SQL is the one that is shipped")
  func schema() throws {
    let database = try makeDatabase()
    try database.sql("UPDATE fpcache_head SET last_id = 7, keep_rows = 5")
    try database.prepareForNodes()
    #expect(try database.sql("SELECT last_id, keep_rows FROM fpcache_head") == "7|5")
  }
}
