// SPDX-License-Identifier: BSD-2-Clause
//
// What a supervisor sends and hears: systemd's notifications, the signals, and a stop that leaves
// nothing half done.

import Foundation
import Testing

@testable import TestSupport

@Suite struct SupervisionTests {
  @Test("systemd hears of the start, the proof of health, the reload and the stop, in this order")
  func notifications() throws {
    for kind in NotifySocket.Kind.allCases {
      let database = try PostgresServer.shared.makeDatabase()
      let incident = try IncidentTree(ports: 5, days: 1)
      try incident.queue(in: database)
      let manager = try NotifySocket(kind)
      let listener = try Daemon.listen(
        on: incident.tree, database, environment: ["NOTIFY_SOCKET": manager.name])
      try eventually("it is ready", details: "\(manager.messages)\n\(listener)") {
        manager.messages.contains("READY=1")
      }
      #expect(try incident.remainingPages() == [], "ready before the drain")
      try eventually { manager.messages.contains("WATCHDOG=1") }
      try eventually {
        manager.messages.contains { $0.hasPrefix("STATUS=") && $0.contains("6 rows") }
      }
      #expect(manager.messages.count { $0 == "READY=1" } == 1)

      let before = manager.messages.count
      listener.terminate(SIGHUP)
      try eventually("it is ready again", details: "\(manager.messages)\n\(listener)") {
        manager.messages.dropFirst(before).contains("READY=1")
      }
      let reload = try #require(manager.messages.first { $0.hasPrefix("RELOADING=1\n") })
      let stamp = try #require(reload.split(separator: "=").last.flatMap { Int64($0) })
      let now = Int64(monotonicNanoseconds() / 1000)
      #expect(stamp > now - 600_000_000 && stamp <= now, "\(reload)")

      listener.terminate()
      #expect(try listener.waitForExit().status == 0)
      try eventually { manager.messages.last == "STOPPING=1" }
      let order = manager.messages.filter { !$0.hasPrefix("STATUS=") && $0 != "WATCHDOG=1" }
      #expect(order == ["READY=1", reload, "READY=1", "STOPPING=1"])
    }
  }

  /// CLOCK_MONOTONIC in nanoseconds.
  private func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  @Test("not ready and not healthy while a writer keeps the first drain from its end")
  func notReadyBeforeDrain() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 2, days: 0)
    try incident.queue(in: database)
    let manager = try NotifySocket(.path)
    let writer = try database.session()
    try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (0, 'own', 'own')")
    let listener = try Daemon.listen(
      on: incident.tree, database, environment: ["NOTIFY_SOCKET": manager.name])
    try listener.waitForLog(containing: "a writer holds the rest")
    #expect(!manager.messages.contains("READY=1"))
    try writer.sql("COMMIT")
    try eventually("it is ready", details: "\(manager.messages)\n\(listener)") {
      manager.messages.contains("READY=1")
    }
    #expect(try database.count("cache_clearing_ports") == 0)
  }

  @Test(
    "stopped in the middle of some thousand rows: status 0 within 5 s, nothing half done",
    arguments: [SIGTERM, SIGINT])
  func stopInMidDrain(signal: Int32) throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 5000, days: 0)
    try incident.queue(in: database)
    let state = try TemporaryTree()
    let listener = try Daemon.listen(on: incident.tree, database, stateDirectory: state.path)
    try eventually("the first rows are gone", details: "\(listener)") {
      try database.count("cache_clearing_ports") < 5000
    }

    listener.terminate(signal)
    #expect(try listener.waitForExit().status == 0, "\(listener)")
    #expect(listener.lines.last?.contains("stopping: ") == true, "\(listener)")
    let rows = Set(
      try database.sql("SELECT category || '/' || port FROM cache_clearing_ports")
        .split(separator: "\n").map(String.init))
    let remaining = Set(try incident.remainingPages())
    for port in incident.ports where !rows.contains("\(port)") {
      #expect(remaining.isDisjoint(with: IncidentTree.portPages(port)), "\(port) has no row")
    }
    #expect(try state.read("settle").hasSuffix("\n"))

    let next = try Daemon.listen(
      on: incident.tree, database, ["--settle", "0.1"], stateDirectory: state.path)
    try eventually(timeout: .seconds(30), "the next one does the rest", details: "\(next)") {
      try database.count("cache_clearing_ports") == 0 && incident.remainingPages() == []
        && state.read("settle").isEmpty
    }
  }

  @Test("stopped while the database cannot be reached: status 0 within 5 s")
  func stopWhileDisconnected() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    let (silent, port) = try Loopback.listen()
    // Refused at once, and connected but never answered.
    for dsn in ["host=\(tree.path) dbname=x", "host=127.0.0.1 port=\(port) dbname=x user=x"] {
      let status = try TemporaryTree()
      let listener = try Daemon.listen(
        on: tree, database, ["--status-file", status.fullPath("status.json")], dsn: dsn)
      try eventually { status.exists("status.json") }
      listener.terminate()
      #expect(try listener.waitForExit().status == 0, "\(listener)")
    }
    withExtendedLifetime(silent) {}
  }

  @Test("SIGHUP takes up new channels and another configuration; a broken one changes nothing")
  func reload() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let (first, second) = (try TemporaryTree(), try TemporaryTree())
    let files = try TemporaryTree()
    let page = "cache/news/news.rss2.0.head.xml"
    func configure(_ tree: TemporaryTree) throws {
      try files.write("fp-listen.ini", text: "[dirs]\nBASEDIR = \(tree.path)\n")
    }
    func expectServed(_ listener: Daemon, _ tree: TemporaryTree, _ channel: String) throws {
      try tree.write(page, bytes: 1)
      _ = try database.sql("NOTIFY \(channel)")
      try eventually("the news goes", details: "\(listener)") { !tree.exists(page) }
    }
    try first.makeDirectory("cache")
    try second.makeDirectory("cache")
    try configure(first)
    var command = Command(
      try Command.fpcachePath(),
      [
        "listen", "--config", files.fullPath("fp-listen.ini"), "--dsn", database.listenerDSN,
        "--state-dir", files.path,
      ])
    command.tree = files
    let listener = try Daemon(command)
    try listener.waitForLog(containing: "ready: listening on 9 channels")
    try expectServed(listener, first, "vuxml")

    _ = try database.sql(
      "INSERT INTO listen_for (name, script_name) VALUES ('extra', 'listen_vuxml')")
    try configure(second)
    listener.terminate(SIGHUP)
    try listener.waitForLog(containing: "ready: listening on 10 channels")
    try expectServed(listener, second, "extra")

    for broken in ["[dirs\n", "[dirs]\nBASEDIR = \(files.path)/nowhere\n"] {
      let mark = listener.lines.count
      try files.write("fp-listen.ini", text: broken)
      listener.terminate(SIGHUP)
      try listener.waitForLog(containing: "keeping the old configuration", after: mark)
      try listener.waitForLog(containing: "ready: listening on 10 channels", after: mark)
      try expectServed(listener, second, "extra")
    }
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test("SIGHUP says what it cannot take up, as long as it is so")
  func restartNeeded() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    try tree.makeDirectory("cache")
    func configure(_ listen: String) throws {
      try tree.write("f.ini", text: "[dirs]\nBASEDIR = \(tree.path)\n[listen]\n\(listen)")
    }
    try configure("STATUS_FILE = \(tree.path)/a")
    var command = Command(
      try Command.fpcachePath(),
      [
        "listen", "--config", tree.fullPath("f.ini"), "--dsn", database.listenerDSN,
        "--state-dir", tree.path,
      ])
    command.tree = tree
    let listener = try Daemon(command)
    try listener.waitForLog(containing: "ready: ")
    func reload(_ listen: String) throws -> [String] {
      let mark = listener.lines.count
      try configure(listen)
      listener.terminate(SIGHUP)
      try listener.waitForLog(containing: "ready: ", after: mark)
      return listener.lines.dropFirst(mark).filter { $0.contains("restart") }
    }
    let same = "STATUS_FILE = \(tree.path)/a\nPOLL_INTERVAL = 30"
    // The option goes before the file's STATE_DIR.
    #expect(try reload(same + "\nSTATE_DIR = /elsewhere") == [])
    let other = "STATUS_FILE = \(tree.path)/b\nMETRICS_FILE = \(tree.path)/m\n[syslog]\nIDENT = x"
    for _ in 1...2 {
      let told = try reload(other)
      #expect(told.count == 1, "\(listener)")
      #expect(
        told.first?.hasSuffix(
          "warning: SIGHUP: STATUS_FILE, METRICS_FILE, IDENT changed; restart "
            + "to apply") == true, "\(listener)")
    }
    #expect(!tree.exists("b") && !tree.exists("m"))
    #expect(try reload(same) == [])
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test("SIGUSR1 logs one status line with the counts so far")
  func statusLine() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 7, days: 0)
    try incident.queue(in: database)
    let listener = try Daemon.listen(on: incident.tree, database)
    try listener.waitForLog(containing: "drained: 7 rows")
    listener.terminate(SIGUSR1)
    let line = try listener.waitForLog(containing: "status: listening; connected since ")
    #expect(line.contains("since the start: 7 rows") && listener.isRunning, "\(line)")
    #expect(listener.lines.count { $0.contains("status: ") } == 1)
  }
}
