// SPDX-License-Identifier: BSD-2-Clause
//
// A listener that the server refuses what the site needs: connected, alive, and not healthy, for whoever
// asks, until the rights are back.

import Foundation
import Testing

@testable import TestSupport

@Suite struct RefusedHealthTests {
  private let database: TestDatabase
  private let tree: TemporaryTree
  private let files: TemporaryTree
  private let manager: NotifySocket

  init() throws {
    database = try PostgresServer.shared.makeDatabase()
    tree = try TemporaryTree()
    files = try TemporaryTree()
    manager = try NotifySocket(.path)
    try files.write(
      "fp.ini", text: "[listen]\nSTATUS_FILE = \(files.fullPath("status.json"))\n")
  }

  private func start(_ arguments: [String] = [], poll: String = "0.2") throws -> Daemon {
    try Daemon.listen(
      on: tree, database,
      [
        "--settle", "0", "--poll-interval", poll, "--status-file", files.fullPath("status.json"),
        "--metrics-file", files.fullPath("metrics.prom"),
      ] + arguments, environment: ["NOTIFY_SOCKET": manager.name])
  }

  private func status() throws -> [String: Any] {
    guard files.exists("status.json") else { return [:] }
    let text = try files.read("status.json")
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private var isTold: Bool {
    manager.messages.contains { $0 == "READY=1" || $0 == "WATCHDOG=1" }
  }

  /// Waits until the listener has drained and probed, and says that it is refused the queues.
  private func expectRefused(_ queues: [String], _ listener: Daemon) throws {
    let drains = try status()["drains"] as? Int ?? 0
    try eventually("it is refused \(queues)", details: "\(listener)") {
      let status = try status()
      return status["queues_refused"] as? [String] == queues && status["last_probe"] is String
        && status["state"] as? String == "refused" && status["drains"] as? Int ?? 0 > drains + 3
    }
    #expect(!isTold, "\(manager.messages)\n\(listener)")
    #expect(try status()["healthy_at"] is NSNull)
    #expect(manager.messages.contains { $0.hasPrefix("STATUS=refused (\(queues[0]))") })
    try eventually {
      try files.read("metrics.prom").contains("\nfpcache_listener_queues_refused \(queues.count)\n")
    }
  }

  private func expectHealthy(_ listener: Daemon) throws {
    try eventually("it is healthy", details: "\(manager.messages)\n\(listener)") {
      try status()["state"] as? String == "listening" && isTold
        && status()["healthy_at"] is String
    }
    #expect(try status()["queues_refused"] as? [String] == [])
  }

  @Test(
    "a right that lacks on a queue, with rows and without: not ready, not healthy, and well again",
    arguments: [
      ("SELECT ON cache_clearing_dates", true), ("SELECT ON cache_clearing_dates", false),
      ("DELETE ON cache_clearing_dates", true), ("DELETE ON cache_clearing_dates", false),
      // Announced by listen_for, though older schemas lack it.
      ("SELECT, DELETE ON cache_clearing_files", false),
    ])
  func queue(right: String, hasRows: Bool) throws {
    let queue = String(try #require(right.split(separator: " ").last))
    try database.sql("REVOKE \(right) FROM listening")
    if hasRows { try database.sql("INSERT INTO \(queue) (date_to_clear) VALUES ('2020-01-21')") }
    let listener = try start()
    try expectRefused([queue], listener)

    // Whoever asks is told, under whatever role.
    func ask(_ arguments: [String]) throws -> CommandResult {
      try Command.fpcache(
        arguments + [
          "--config", files.fullPath("fp.ini"), "--cache-dir", tree.path, "--dsn", database.dsn,
        ], in: tree)
    }
    let audit = try ask(["verify", "--only", "no-permission,no-listener"])
    let lacked = right.replacing(" ON \(queue)", with: "").replacing(", ", with: " and ")
    #expect(
      audit.stdout.contains("  \(queue): lacks \(lacked) for the listener's role\n"), "\(audit)")
    #expect(audit.stdout.contains(": GRANT \(right) TO listening;\n"), "\(audit)")
    let stats = try ask(["stats"])
    #expect(stats.stdout.contains("the server refuses the listener \(queue)"), "\(stats)")

    try database.sql("GRANT \(right) TO listening")
    try expectHealthy(listener)
    #expect(try database.count(queue) == 0)
    #expect(listener.lines.count { $0.contains("permission denied for table") } == 1, "\(listener)")
    #expect(listener.lines.count { $0.contains("\(queue): can be drained again") } == 1)
  }

  @Test("batches of one queue do not pass for health while another has not been tried")
  func otherBatches() throws {
    try database.sql(
      """
      REVOKE SELECT ON cache_clearing_files FROM listening;
      INSERT INTO cache_clearing_ports (port_id, category, port)
      SELECT n, 'a', 'b' || n FROM generate_series(1, 3000) AS n
      """)
    // Faster polls than the lock's rest would keep a long drain from its end.
    let listener = try start(poll: "1")
    try eventually("the ports are served", details: "\(listener)") {
      try database.count("cache_clearing_ports") == 0
    }
    try expectRefused(["cache_clearing_files"], listener)
  }

  @Test(
    "what a node needs, with its log empty",
    arguments: [
      "SELECT ON fpcache_log", "UPDATE ON fpcache_node", "UPDATE ON fpcache_head",
      "INSERT ON fpcache_owed",
    ])
  func node(right: String) throws {
    try database.prepareForNodes()
    try database.sql("REVOKE \(right) FROM listening")
    let listener = try start(["--node", "web1"])
    try expectRefused(["fpcache_log"], listener)
    #expect(
      listener.lines.contains {
        $0.hasSuffix(
          "; a node's role needs SELECT and DELETE on the queues, and what fpcache listen "
            + "--print-schema grants")
      }, "\(listener)")
    try database.sql("GRANT \(right) TO listening")
    try expectHealthy(listener)
  }

  @Test("a node that may not move rows leaves that to others, and is well when one of them does")
  func otherMover() throws {
    try database.prepareForNodes()
    try database.sql(
      """
      REVOKE DELETE ON cache_clearing_ports FROM listening;
      UPDATE fpcache_head SET mover = 'web0';
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b')
      """)
    let listener = try start(["--node", "web1"])
    try eventually("it finds a row that nobody moves", details: "\(listener)") {
      try status()["queues_refused"] as? [String] == ["cache_clearing_ports"]
    }
    #expect(try database.sql("SELECT mover FROM fpcache_head") == "web0")
    // Now the other node moves it, and more: this one hears of the log and looks at no queue.
    try database.sql(
      """
      BEGIN; DELETE FROM cache_clearing_ports;
      INSERT INTO fpcache_log SELECT last_id + 1, 'cache_clearing_ports', '{a,b}', now()
      FROM fpcache_head; UPDATE fpcache_head SET last_id = last_id + 1;
      NOTIFY fpcache_log; COMMIT
      """)
    try expectHealthy(listener)
    #expect(listener.lines.count { $0.contains("permission denied for table") } == 1, "\(listener)")
    #expect(listener.lines.count { $0.contains(": can be drained again") } == 1, "\(listener)")
  }

  @Test("a queue that an older site lacks or grants nobody is no fault while nothing announces it")
  func notAnnounced() throws {
    try database.sql(
      """
      DELETE FROM listen_for WHERE script_name IN ('listen_commit', 'listen_file_updated');
      DROP TABLE cache_clearing_commits; REVOKE ALL ON cache_clearing_files FROM listening
      """)
    try expectHealthy(try start())
  }

  @Test("a writer that holds a queue makes its rows late and nobody ill")
  func held() throws {
    let listener = try start()
    try expectHealthy(listener)
    let writer = try database.session()
    try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (0, 'own', 'own')")
    try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b')")
    try listener.waitForLog(containing: "a writer holds the rest")
    #expect(try status()["state"] as? String == "listening")
    #expect(try status()["queues_refused"] as? [String] == [])
    try writer.sql("COMMIT")
  }
}
