// SPDX-License-Identifier: BSD-2-Clause
//
// A site with queues: which changes some row told of, and which are missed invalidations.

import Foundation
import Synchronization
import Testing

@testable import TestSupport

@Suite struct MissedInvalidationTests {
  private struct Site {
    let database: TestDatabase
    let tree: TemporaryTree

    init() throws {
      database = try PostgresServer.shared.makeDatabase()
      try database.makeFreshPorts()
      tree = try TemporaryTree()
      try database.sql(
        """
        CREATE TABLE changes (category text, port text, changed_at timestamptz DEFAULT now());
        GRANT SELECT ON changes TO listening;
        """)
      try tree.write(
        "f.ini",
        text: """
          [dirs]
          BASEDIR = \(tree.path)
          [listen]
          SETTLE = 0.2
          POLL_INTERVAL = 0.3
          RECHECK_INTERVAL = 0.2
          SCRUB_INTERVAL = 0
          STATE_DIR = \(tree.path)
          STATUS_FILE = \(tree.fullPath("status.json"))
          METRICS_FILE = \(tree.fullPath("metrics.prom"))
          [verify]
          PORTS = SELECT * FROM changes

          """)
      for name in ["www/nginx", "lang/python37", "net/rsync"] { try render(name) }
    }

    func page(_ port: String) -> String { "cache/ports/\(port)/Detail.head.html" }
    func render(_ port: String) throws { try tree.write(page(port), bytes: 100) }
    func has(_ port: String) -> Bool { tree.exists(page(port)) }

    func change(_ category: String, _ port: String, isQueued: Bool) throws {
      let queue = """
        INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, '\(category)', '\(port)');
        NOTIFY port_updated;
        """
      try database.sql(
        """
        BEGIN; INSERT INTO changes (category, port) VALUES ('\(category)', '\(port)');
        \(isQueued ? queue : "") COMMIT
        """)
    }

    func listen(_ arguments: [String] = []) throws -> Daemon {
      try Daemon(
        Command(
          try Command.fpcachePath(),
          ["listen", "--config", tree.fullPath("f.ini"), "--dsn", database.listenerDSN]
            + arguments))
    }

    func family() throws -> [String: Any]? {
      let data = Data(try tree.read("status.json").utf8)
      let status = try JSONSerialization.jsonObject(with: data) as? [String: Any]
      let recheck = status?["recheck"] as? [String: Any]
      return (recheck?["families"] as? [[String: Any]])?.first
    }
  }

  @Test("what a row told of is no news; what none told of is cleared, counted and told once")
  func missed() throws {
    let site = try Site()
    let listener = try site.listen()
    try listener.waitForLog(containing: "drained: ")
    // Only what changed since it listens can be judged.
    try site.change("net", "rsync", isQueued: true)
    try eventually("the queue is served", details: "\(listener)") { !site.has("net/rsync") }
    try site.change("www", "nginx", isQueued: false)
    try eventually("the recheck serves", details: "\(listener)") { !site.has("www/nginx") }
    let line = try listener.waitForLog(containing: "nothing was queued")
    #expect(
      line.hasSuffix(
        "ports: 1 key changed and nothing was queued (www/nginx): cleared; look for the trigger"))
    try eventually("the status file tells", details: "\(listener)") {
      try site.family()?["missed"] as? Int == 1
    }
    #expect(
      try site.tree.read("metrics.prom")
        .contains("\nfpcache_listener_missed_invalidations_total{family=\"ports\"} 1\n"))
    let stats = try Command.fpcache(
      [
        "stats", "--config", site.tree.fullPath("f.ini"), "--dsn", site.database.listenerDSN,
      ], in: site.tree)
    #expect(stats.stdout.contains("1 missed (ports 1)"), "\(stats)")
    let verify = try Command.fpcache(
      [
        "verify", "--only", "missed", "--config", site.tree.fullPath("f.ini"), "--dsn",
        site.database.listenerDSN,
      ], in: site.tree)
    #expect(verify.status == 1 && verify.stdout.contains("missed"), "\(verify)")
    #expect(
      verify.stdout.contains(
        "ports: has 1 changed key that no queue announced, not acknowledged yet"), "\(verify)")
    try site.change("lang", "python37", isQueued: true)
    try eventually("the queue is served", details: "\(listener)") { !site.has("lang/python37") }
    let mark = listener.lines.count
    try site.change("www", "nginx", isQueued: false)
    try listener.waitForLog(containing: "nothing was queued", after: mark)
    #expect(listener.lines.count { $0.contains("nothing was queued") } == 2, "\(listener)")
    let accused = listener.lines.filter { $0.contains("nothing was queued") }
    #expect(!accused.contains { $0.contains("rsync") || $0.contains("python37") })
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
    try acknowledge(site)
  }

  @Test("with nodes: a row that another node holds for longer than some polls was queued")
  func nodes() throws {
    let site = try Site()
    try site.database.prepareForNodes()
    let listener = try site.listen(["--node", "this"])
    try listener.waitForLog(containing: "emptied its cache")
    // Another node moves the rows from now on, says so all the time, and does not.
    try site.database.sql(
      "INSERT INTO fpcache_node (name, token, cursor, must_empty, seen_at) "
        + "SELECT 'other', 'x', last_id, false, now() FROM fpcache_head; "
        + "UPDATE fpcache_head SET mover = 'other'")
    let isOver = Atomic<Bool>(false)
    let mover = try site.database.session()
    let voice = Thread {
      while !isOver.load(ordering: .relaxed), (try? mover.sql("NOTIFY fpcache_log")) != nil {
        usleep(50_000)
      }
    }
    voice.start()
    defer {
      isOver.store(true, ordering: .relaxed)
      while !voice.isFinished { usleep(1000) }
    }
    for name in ["www/nginx", "lang/python37"] { try site.render(name) }
    // What the clocks may differ by: until then, what emptied the cache passes for what asked for a key.
    usleep(5_500_000)
    try site.change("www", "nginx", isQueued: true)
    try site.change("lang", "python37", isQueued: false)
    let line = try listener.waitForLog(containing: "nothing was queued", timeout: .seconds(30))
    #expect(line.contains("ports: 1 key changed and nothing was queued (lang/python37)"), "\(line)")
    #expect(try site.database.count("cache_clearing_ports") == 1, "it was held")
  }

  /// A restart forgets nothing; who acknowledges is asked no more; what comes after that is news again.
  private func acknowledge(_ site: Site) throws {
    func verify(_ arguments: [String] = []) throws -> CommandResult {
      try Command.fpcache(
        [
          "verify", "--only", "missed", "--config", site.tree.fullPath("f.ini"), "--dsn",
          site.database.listenerDSN,
        ] + arguments, in: site.tree)
    }
    let listener = try site.listen()
    try listener.waitForLog(containing: "drained: ")
    let found = try verify()
    #expect(found.status == 1 && found.stdout.contains("has 2 changed keys"), "\(found)")
    // Whoever mends all else has not seen it.
    let fix = try Command.fpcache(
      [
        "verify", "--fix", "--config", site.tree.fullPath("f.ini"), "--dsn",
        site.database.listenerDSN,
      ],
      in: site.tree)
    #expect(fix.stdout.contains("missed (warning): 1"), "\(fix)")
    let dry = try verify(["--fix", "-n"])
    #expect(dry.status == 0 && dry.stdout.contains("not acknowledged yet"), "\(dry)")
    #expect(try verify().status == 1)
    let done = try verify(["--fix"])
    #expect(
      done.status == 0 && done.stdout.contains("not acknowledged yet"), "\(done)")
    #expect(try verify().status == 0)
    try eventually("the listener takes it up", details: "\(listener)") {
      try site.family()?["missed"] as? Int == 0
    }
    try site.render("www/nginx")
    try site.change("www", "nginx", isQueued: false)
    try listener.waitForLog(containing: "nothing was queued")
    try eventually("it is found again") {
      try verify().stdout.contains("has 1 changed key that no queue announced")
    }
    // What cannot be read tells nobody that all is well.
    try site.tree.write("missed", text: "")
    chmod(site.tree.fullPath("missed"), 0)
    if geteuid() != 0 { #expect(try verify().stdout.contains("not checked")) }
  }
}
