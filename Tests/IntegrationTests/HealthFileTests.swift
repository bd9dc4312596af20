// SPDX-License-Identifier: BSD-2-Clause
//
// The files that monitors read: the status as JSON, replaced whole and dated by the last proof of
// health, and the metrics, which Prometheus' own checker accepts.

import Foundation
import Testing

@testable import TestSupport

@Suite struct HealthFileTests {
  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("the status file is whole JSON at every moment and tells of what was drained")
  func status() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 4, days: 1)
    try incident.queue(in: database)
    let files = try TemporaryTree()
    let listener = try Daemon.listen(
      on: incident.tree, database, ["--status-file", files.fullPath("status.json")])
    try eventually("health is proved", details: "\(listener)") {
      // Every reading on the way has to be whole.
      try files.exists("status.json")
        && object(files.read("status.json"))["healthy_at"] is String
    }
    let status = try object(files.read("status.json"))
    #expect(
      Set(status.keys) == [
        "version", "pid", "state", "since", "started", "healthy_at", "last_drain",
        "drain_under_way", "last_probe", "total", "drains", "notifications", "reconnects",
        "retries_waiting", "settle_waiting", "queues_held", "queues_refused", "recheck",
        "scrub", "prune", "events", "last_error", "backlog", "backlog_at",
      ])
    #expect(status["version"] as? Int == 1)
    #expect(status["pid"] as? Int32 == listener.pid)
    #expect(status["state"] as? String == "listening")
    #expect(status["last_error"] is NSNull)
    let total = try #require(status["total"] as? [String: Any])
    #expect(total["rows"] as? Int == 5)
    #expect(total["files_removed"] as? Int == incident.stalePages.count)
    #expect(try files.files() == ["status.json"], "nothing is left beside it")

    let proof = try #require(status["healthy_at"] as? String)
    let date = try #require(ISO8601DateFormatter().date(from: proof))
    var information = stat()
    #expect(stat(files.fullPath("status.json"), &information) == 0)
    #expect(information.st_mtim.tv_sec == Int(date.timeIntervalSince1970))
    #expect(information.st_mode & 0o777 == 0o644)

    let inode = information.st_ino
    // Held open, so that its number cannot be given to the next one.
    let old = try Descriptor.open(files.fullPath("status.json"), O_RDONLY)
    _ = try database.sql("NOTIFY vuxml")
    try eventually("it is replaced", details: "\(listener)") {
      _ = stat(files.fullPath("status.json"), &information)
      return try information.st_ino != inode
        && object(files.read("status.json"))["notifications"] as? Int == 1
    }
    withExtendedLifetime(old) {}
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
    #expect(try object(files.read("status.json"))["state"] as? String == "stopping")
  }

  @Test("without a database nothing proves health: the file says so and is dated 1970")
  func disconnected() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    let listener = try Daemon.listen(
      on: tree, database, ["--status-file", tree.fullPath("status.json")],
      dsn: "host=\(tree.path) dbname=x user=y password=geheim")
    try eventually("it says so", details: "\(listener)") {
      try object(tree.read("status.json"))["state"] as? String == "disconnected"
    }
    let status = try object(tree.read("status.json"))
    #expect(status["healthy_at"] is NSNull && status["last_drain"] is NSNull)
    let error = try #require(status["last_error"] as? [String: Any])
    #expect((error["message"] as? String)?.contains(".s.PGSQL.5432") == true)
    #expect(try !tree.read("status.json").contains("geheim"))
    var information = stat()
    #expect(stat(tree.fullPath("status.json"), &information) == 0)
    #expect(information.st_mtim.tv_sec == 0)
  }

  @Test("a status file that cannot be written is told of once and stops nothing")
  func unwritable() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    let listener = try Daemon.listen(
      on: tree, database, ["--status-file", tree.fullPath("missing/status.json")])
    try listener.waitForLog(
      containing: "status file \(tree.path)/missing/status.json: No such file or directory; "
        + "will retry at each write; create its folder or name another")
    for day in 1...2 {
      let page = "daily/2020/01/0\(day).daily.head"
      try tree.write(page, bytes: 1)
      _ = try database.sql(
        """
        INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-0\(day)');
        NOTIFY date_updated;
        """)
      try eventually("the page goes", details: "\(listener)") { !tree.exists(page) }
    }
    #expect(listener.lines.count { $0.contains("status file ") } == 1, "\(listener)")
    try tree.makeDirectory("missing")
    try listener.waitForLog(containing: "missing/status.json: written again")
  }

  @Test("metrics and stats are text that Prometheus reads, and their counts are right")
  func prometheus() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 4, days: 1)
    try incident.queue(in: database)
    let files = try TemporaryTree()
    let stats = try Command.fpcache(
      ["stats", "--format", "prometheus", "--dsn", database.listenerDSN], in: incident.tree,
      environment: ["FPCACHE_DIR": incident.tree.path])
    #expect(stats.status == 0, "\(stats)")
    #expect(try prometheusComplaints(stats.stdout) == [])
    #expect(stats.stdout.contains("fpcache_queue_rows{queue=\"cache_clearing_ports\"} 4\n"))
    #expect(stats.stdout.contains("fpcache_tree_files{family=\"ports\"} 12\n"))

    let listener = try Daemon.listen(
      on: incident.tree, database,
      ["--metrics-file", files.fullPath("fpcache.prom"), "--poll-interval", "0.2"])
    _ = try listener.waitForLog(containing: "drained: 5 rows")
    _ = try database.sql("NOTIFY vuxml")
    let wanted = [
      "fpcache_listener_rows_retired_total 5", "fpcache_listener_notifications_total 1",
      "fpcache_listener_reconnects_total 0", "fpcache_listener_state{state=\"listening\"} 1",
      "fpcache_listener_queue_rows{queue=\"cache_clearing_ports\"} 0",
      "fpcache_listener_notify_to_cleared_seconds_count 1",
      "fpcache_listener_healthy_timestamp_seconds 1",
    ]
    try eventually("the counts are there", details: "\(listener)") {
      let text = try files.read("fpcache.prom")
      return wanted.allSatisfy { text.contains("\n" + $0) }
    }
    #expect(try prometheusComplaints(files.read("fpcache.prom")) == [])
  }
}
