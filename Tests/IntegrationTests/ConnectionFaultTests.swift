// SPDX-License-Identifier: BSD-2-Clause
//
// Connections that end, freeze or go deaf, idle and in the middle of a drain: nothing is lost, and
// the log has one line for the loss and one for the recovery, not one for each try.

import FoundationEssentials
import Testing

@testable import TestSupport

@Suite struct ConnectionFaultTests {
  private static let lost = "will retry until it answers"
  private static let back = "database: reconnected after"

  /// The listener's backends in the order in which it made them: the one that listens first.
  private func backends(_ database: TestDatabase) throws -> [String] {
    try database.sql(
      """
      SELECT pid FROM pg_stat_activity WHERE datname = '\(database.name)'
        AND usename = 'listening' ORDER BY backend_start
      """
    ).split(separator: "\n").map(String.init)
  }

  /// One loss and one recovery since the mark.
  private func expectOneEach(_ listener: Daemon, after mark: Int) {
    let lines = listener.lines.dropFirst(mark)
    #expect(lines.count { $0.contains(Self.lost) } == 1, "\(listener)")
    #expect(lines.count { $0.contains(Self.back) } == 1, "\(listener)")
  }

  /// A change is announced and served.
  private func expectServed(_ listener: Daemon, _ tree: TemporaryTree, _ database: TestDatabase)
    throws
  {
    try tree.write("daily/2020/01/21.daily.head", bytes: 1)
    _ = try database.sql(
      """
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21')
        ON CONFLICT DO NOTHING;
      NOTIFY date_updated;
      """)
    try eventually("the day's page and row go", details: "\(listener)") {
      try !tree.exists("daily/2020/01/21.daily.head") && database.count("cache_clearing_dates") == 0
    }
  }

  @Test("either connection terminated while idle", arguments: [0, 1])
  func terminatedIdle(which: Int) throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    let listener = try Daemon.listen(on: tree, database)
    try listener.waitForLog(containing: "drained: ")
    let mark = listener.lines.count

    _ = try database.sql("SELECT pg_terminate_backend(\(try backends(database)[which]))")

    try listener.waitForLog(containing: Self.lost, after: mark)
    try listener.waitForLog(containing: Self.back, after: mark)
    try expectServed(listener, tree, database)
    expectOneEach(listener, after: mark)
    // The channels are the same as before: no news.
    #expect(!listener.lines.dropFirst(mark).contains { $0.contains("ready: ") }, "\(listener)")
  }

  @Test("either connection terminated between the pages and their rows", arguments: [0, 1])
  func terminatedInMidDrain(which: Int) throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 20, days: 2)
    try incident.queue(in: database)
    let writer = try database.session()
    try writer.sql(
      """
      BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (0, 'own', 'own');
      NOTIFY port_updated
      """)
    let listener = try Daemon.listen(on: incident.tree, database)
    try listener.waitForLog(containing: "a writer holds the rest")
    try incident.tree.write(IncidentTree.portPages(incident.ports[3])[0], bytes: 1)
    let mark = listener.lines.count

    _ = try database.sql("SELECT pg_terminate_backend(\(try backends(database)[which]))")
    try listener.waitForLog(containing: Self.back, after: mark)
    #expect(try database.count("cache_clearing_ports") == 20)
    try writer.sql("COMMIT")

    try eventually("rows and pages are gone", details: "\(listener)") {
      try database.count("cache_clearing_ports") == 0 && incident.remainingPages() == []
    }
    expectOneEach(listener, after: mark)
  }

  @Test(
    "the server restarted in the middle of some thousand rows",
    arguments: [PostgresServer.StopMode.fast, .immediate])
  func restartInMidDrain(mode: PostgresServer.StopMode) throws {
    let server = try PostgresServer()
    let database = try server.makeDatabase()
    let incident = try IncidentTree(ports: 4000, days: 10)
    try incident.queue(in: database)
    _ = try database.sql("CHECKPOINT")
    let listener = try Daemon.listen(on: incident.tree, database)
    try eventually("the first rows are gone", details: "\(listener)") {
      try database.count("cache_clearing_ports") < 4000
    }

    try server.stop(mode)
    try listener.waitForLog(containing: Self.lost)
    try server.start()

    try listener.waitForLog(containing: Self.back, timeout: .seconds(30))
    try eventually("rows and pages are gone", details: "\(listener)") {
      try database.count("cache_clearing_ports") == 0
        && database.count("cache_clearing_dates") == 0 && incident.remainingPages() == []
    }
    #expect(incident.missingBystanders() == [])
    expectOneEach(listener, after: 0)
  }

  @Test("no server at the start: it is waited for, and told of once")
  func serverComesLater() throws {
    let server = try PostgresServer()
    let database = try server.makeDatabase()
    let tree = try TemporaryTree()
    try server.stop()
    let listener = try Daemon.listen(on: tree, database)
    try listener.waitForLog(containing: Self.lost)
    try server.start()
    try listener.waitForLog(containing: "ready: ")
    try expectServed(listener, tree, database)
    expectOneEach(listener, after: 0)
  }

  @Test("what is notified between connect and LISTEN is served")
  func betweenConnectAndListen() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    try tree.write("daily/2020/01/21.daily.head", bytes: 1)
    let holder = try database.session()
    try holder.sql("BEGIN; LOCK TABLE listen_for")
    let listener = try Daemon.listen(on: tree, database)
    try eventually("it waits for listen_for", details: "\(listener)") {
      try database.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(database.name)' "
          + "AND usename = 'listening' AND wait_event_type = 'Lock'") == "1"
    }
    _ = try database.sql(
      "INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21'); NOTIFY date_updated")
    try holder.sql("COMMIT")
    try eventually("page and row are gone", details: "\(listener)") {
      try !tree.exists("daily/2020/01/21.daily.head") && database.count("cache_clearing_dates") == 0
    }
  }

  @Test(
    "a network that freezes without a word is found out, and used again when it thaws")
  func frozen() throws {
    let server = try PostgresServer(listening: .loopback)
    let database = try server.makeDatabase()
    let proxy = try TCPProxy(to: server.port)
    let tree = try TemporaryTree()
    let listener = try Daemon.listen(
      on: tree, database,
      dsn: database.loopbackDSN().replacing("port=\(server.port)", with: "port=\(proxy.port)"))
    try listener.waitForLog(containing: "drained: ")
    try expectServed(listener, tree, database)
    let mark = listener.lines.count

    proxy.freeze()
    // 10 s of silence and 5 s for an answer; libpq or the probe, whichever is first, finds it. The poll, after 60 s,
    // must not.
    try eventually(timeout: .seconds(45), "it is found out", details: "\(listener)") {
      listener.lines.dropFirst(mark).contains { $0.contains("database: ") }
    }
    try tree.write("daily/2021/02/03.daily.head", bytes: 1)
    _ = try database.sql(
      "INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2021-02-03'); NOTIFY date_updated")
    proxy.thaw()

    try listener.waitForLog(containing: Self.back, timeout: .seconds(30), after: mark)
    try eventually("what changed meanwhile is served", details: "\(listener)") {
      !tree.exists("daily/2021/02/03.daily.head")
    }
    try expectServed(listener, tree, database)
    let lines = listener.lines.dropFirst(mark).filter { $0.contains("database: ") }
    #expect(lines.count == 2, "\(listener)")
  }

  @Test(
    "frozen while it holds the lock: the server takes the lock back, and writers go on")
  func frozenWithLock() throws {
    let server = try PostgresServer(listening: .loopback)
    let database = try server.makeDatabase()
    let proxy = try TCPProxy(to: server.port)
    let tree = try TemporaryTree()
    let listener = try Daemon.listen(
      on: tree, database,
      dsn: database.loopbackDSN().replacing("port=\(server.port)", with: "port=\(proxy.port)")
        + " sslmode=disable gssencmode=disable")
    try listener.waitForLog(containing: "drained: ")
    proxy.freeze(after: "LOCK TABLE cache_clearing_dates")
    _ = try database.sql(
      "INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21'); NOTIFY date_updated")
    try eventually("the lock is held", details: "\(listener)") {
      try database.sql(
        "SELECT count(*) FROM pg_locks WHERE mode = 'ShareRowExclusiveLock' AND granted") == "1"
    }

    let writer = try database.session()
    try writer.sql("INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2021-02-03')")

    proxy.thaw()
    try eventually(timeout: .seconds(40), "all is served", details: "\(listener)") {
      try database.count("cache_clearing_dates") == 0
    }
  }

  @Test("a server that no longer lets it in: its reason is told once, and when it is back")
  func notAdmitted() throws {
    let server = try PostgresServer()
    let database = try server.makeDatabase()
    let tree = try TemporaryTree()
    let listener = try Daemon.listen(on: tree, database)
    try listener.waitForLog(containing: "drained: ")
    try database.sql(
      "ALTER ROLE listening NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'listening'"
    )
    let refusal = "role \"listening\" is not permitted to log in; still trying"
    try listener.waitForLog(containing: refusal)
    // Several tries later.
    try eventually("it was refused several times") {
      server.log.components(separatedBy: "is not permitted to log in").count > 4
    }
    try database.sql("ALTER ROLE listening LOGIN")
    try listener.waitForLog(containing: Self.back)
    #expect(listener.lines.count { $0.contains(refusal) } == 1, "\(listener)")
    #expect(
      listener.lines.contains {
        $0.hasSuffix(
          "database: connection lost: terminating connection due to administrator command; will retry until it "
            + "answers")
      }, "\(listener)")
  }

  @Test(
    "UNLISTEN behind its back is found out, and it listens again")
  func unlisten() throws {
    let server = try PostgresServer(listening: .loopback)
    let database = try server.makeDatabase()
    let proxy = try TCPProxy(to: server.port)
    let tree = try TemporaryTree()
    let status = try TemporaryTree()
    let listener = try Daemon.listen(
      on: tree, database, ["--status-file", status.fullPath("status.json")],
      dsn: database.loopbackDSN().replacing("port=\(server.port)", with: "port=\(proxy.port)")
        + " sslmode=disable gssencmode=disable")
    try listener.waitForLog(containing: "drained: ")
    try eventually("the first probe is over", details: "\(listener)") {
      try !status.read("status.json").contains("\"last_probe\":null")
    }
    let mark = listener.lines.count

    // A simple query as its own client would send it; both connections are idle.
    let statement = Array("UNLISTEN *\0".utf8)
    let length = UInt32(statement.count + 4)
    try proxy.inject(
      [UInt8(ascii: "Q")] + withUnsafeBytes(of: length.bigEndian) { Array($0) } + statement)

    try listener.waitForLog(
      containing: "our own notification did not come back", timeout: .seconds(20), after: mark)
    try listener.waitForLog(containing: Self.back, after: mark)
    try expectServed(listener, tree, database)
  }

  @Test(
    "through a pooler in transaction mode: told once in plain words, and served by polling",
    .enabled(if: PgBouncer.isInstalled, "pgbouncer is not installed"))
  func pooler() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let bouncer = try PgBouncer(before: database.server)
    let tree = try TemporaryTree()
    let listener = try Daemon.listen(
      on: tree, database, ["--poll-interval", "0.5"], dsn: bouncer.dsn(database))
    try expectServed(listener, tree, database)

    let line = try listener.waitForLog(
      containing: "notifications do not arrive", timeout: .seconds(20))
    #expect(line.contains("pooler") && line.contains("draining every 0.500 s"), "\(line)")
    for _ in 0..<3 { try expectServed(listener, tree, database) }
    #expect(try database.count("cache_clearing_dates") == 0)
    #expect(
      listener.lines.count { $0.contains("notifications do not arrive") } == 1, "\(listener)")
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }
}
