// SPDX-License-Identifier: BSD-2-Clause
//
// A monitor on another host: no cache directory, no configuration, and a role that may read some of the
// queues and no more. What it may not read is never well, in no format.

import Foundation
import Testing

@testable import TestSupport

@Suite struct MonitorTests {
  /// A role of its own with these rights, gone with the value.
  private final class Monitor: Sendable {
    let database: TestDatabase
    let role: String

    init(_ database: TestDatabase, named prefix: String = "reporting", _ grants: String...) throws {
      self.database = database
      role = "\(prefix)_\(database.name)"
      try database.sql("CREATE ROLE \(quoted) LOGIN")
      for grant in grants { try database.sql("GRANT \(grant) TO \(quoted)") }
    }

    deinit {
      _ = try? database.sql("DROP OWNED BY \(quoted); DROP ROLE \(quoted)")
    }

    var quoted: String { role.contains("-") ? "\"\(role)\"" : role }

    /// Runs it from a folder in which there is nothing, with a cache directory that is not there.
    func run(_ arguments: String..., cacheDir: String? = nil) throws -> CommandResult {
      try Command.fpcache(
        arguments.flatMap { $0.split(separator: " ").map(String.init) } + [
          "--dsn", database.server.dsn(database.name, as: role),
        ] + (cacheDir.map { ["--cache-dir", $0] } ?? []),
        environment: ["FPCACHE_DIR": "/nonexistent/cache"], as: .unprivileged)
    }
  }

  private static let queues = ["ports", "dates", "commits", "files"].map { "cache_clearing_\($0)" }
  private static let readAll = "SELECT ON listen_for, \(queues.joined(separator: ", "))"
  private static let codes =
    "backlog,no-listener,node-lag,node-lost,unknown-event,missing-table"

  private func row(_ database: TestDatabase, seconds: Int) throws {
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port, date_added)
      VALUES (1, 'net', 'a', localtimestamp - interval '\(seconds) seconds')
      """)
  }

  @Test(
    "who may read all: well, then too many rows, then one that waits for too long; no tree is touched"
  )
  func all() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let monitor = try Monitor(database, Self.readAll, "pg_read_all_stats")
    let listener = try database.session(as: "listening")
    try listener.sql("LISTEN port_updated")
    func verify(_ format: String, _ codes: String = Self.codes) throws -> CommandResult {
      try monitor.run("verify --max-wait 10m --max-backlog 5 --format \(format) --only \(codes)")
    }
    let good = try verify("nagios")
    #expect(
      good.stdout == """
        FPCACHE OK - no findings | findings=0;;;0 files=0;;;0 critical=0;;;0 warning=0;;;0 \
        notice=0;;;0 cache_clearing_ports=0;;5;0 cache_clearing_dates=0;;5;0 \
        cache_clearing_commits=0;;5;0 cache_clearing_files=0;;5;0 \
        cache_clearing_ports_oldest=0s;;600;0 cache_clearing_dates_oldest=0s;;600;0 \
        cache_clearing_commits_oldest=0s;;600;0 cache_clearing_files_oldest=0s;;600;0

        """)
    #expect(good.status == 0 && good.stderr.isEmpty, "\(good)")
    #expect(try verify("text").stdout == "clean\n")
    try row(database, seconds: 300)
    #expect(try verify("nagios").status == 0)
    try database.sql("DELETE FROM cache_clearing_ports")
    try row(database, seconds: 700)
    let late = try verify("text")
    #expect(late.status == 1, "\(late)")
    #expect(
      late.stdout.contains(
        "  cache_clearing_ports: has had a row waiting for 11 min; 10 min are allowed\n"),
      "\(late)")
    let nagios = try verify("nagios", "backlog")
    #expect(
      nagios.status == 2 && nagios.stdout.hasPrefix("FPCACHE CRITICAL - backlog=1"), "\(nagios)")
    #expect(nagios.stdout.contains(#/ cache_clearing_ports_oldest=7\d\ds;;600;0 /#), "\(nagios)")
    let json = try verify("json")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json.outputBytes)) as? [String: Any])
    let ages = try #require(object["queue_oldest_seconds"] as? [String: Any])
    #expect(ages["cache_clearing_ports"] as? Double ?? 0 > 699, "\(json)")
    #expect(ages["cache_clearing_dates"] is NSNull, "\(json)")
    // Without a limit nothing changes.
    let without = try monitor.run("verify --max-backlog 5 --only backlog")
    #expect(without.status == 0 && without.stdout == "clean\n", "\(without)")
  }

  @Test("a queue that may not be read is not checked, and the GRANT is said in each format")
  func some() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let monitor = try Monitor(
      database, named: "re-Porting", "SELECT ON listen_for, cache_clearing_dates",
      "SELECT ON cache_clearing_commits, cache_clearing_files")
    let grant = "GRANT SELECT ON cache_clearing_ports TO \(monitor.quoted);"
    func verify(_ format: String) throws -> CommandResult {
      try monitor.run("verify --max-wait 10m --only backlog --format \(format)")
    }
    let text = try verify("text")
    #expect(
      text.stdout == """
        backlog of cache_clearing_ports: not checked: permission denied for table \
        cache_clearing_ports; \(grant)
        nothing found, but not all was checked

        """)
    #expect(text.status == 1)
    let nagios = try verify("nagios")
    #expect(nagios.status == 3, "\(nagios)")
    #expect(
      nagios.stdout.hasPrefix(
        "FPCACHE UNKNOWN - no findings; backlog of cache_clearing_ports: not checked: permission "
          + "denied for table cache_clearing_ports; \(grant) | "), "\(nagios)")
    let json = try JSONSerialization.jsonObject(with: Data(verify("json").outputBytes))
    let left = (json as? [String: Any])?["not_checked"] as? [[String: Any]]
    #expect(left?.map { $0["grant"] as? String } == [grant])
    // A fault that is found outweighs what could not be looked for.
    try database.sql(
      """
      INSERT INTO cache_clearing_dates (date_to_clear, date_added)
      VALUES ('2020-01-21', localtimestamp - interval '1 hour')
      """)
    let worse = try verify("nagios")
    #expect(worse.status == 2 && worse.stdout.contains(grant), "\(worse)")
    // As it is told, it is granted.
    try database.sql(grant)
    #expect(try verify("text").stdout.contains("not checked") == false)
  }

  @Test("a role without any right: each table by its name, not one of them missing")
  func none() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let monitor = try Monitor(database)
    let result = try monitor.run(
      "verify --format nagios --max-wait 10m --only backlog,unknown-event,missing-table")
    #expect(result.status == 3, "\(result)")
    for table in Self.queues + ["listen_for"] {
      #expect(result.stdout.contains("GRANT SELECT ON \(table) TO \(monitor.role);"), "\(result)")
    }
    #expect(!result.stdout.contains("no such table"), "\(result)")
    // Nor is one whose schema is closed: there the server says that it does not exist.
    try database.sql(
      "REVOKE USAGE ON SCHEMA public FROM PUBLIC; GRANT \(Self.readAll) TO \(monitor.role)")
    let closed = try monitor.run("verify --max-wait 10m --only backlog,missing-table")
    #expect(closed.status == 1 && !closed.stdout.contains("missing-table"), "\(closed)")
    #expect(
      closed.stdout.contains(
        "backlog of cache_clearing_ports: not checked: permission denied for the schema of "
          + "cache_clearing_ports; GRANT USAGE ON SCHEMA public TO \(monitor.role);\n"), "\(closed)"
    )
    try database.sql("GRANT USAGE ON SCHEMA public TO \(monitor.role)")
    #expect(try monitor.run("verify --max-wait 10m --only backlog,missing-table").status == 0)
  }

  @Test("a table that is not there is told apart from one that may not be read")
  func missing() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let monitor = try Monitor(database, Self.readAll)
    try database.sql("DROP TABLE cache_clearing_ports, cache_clearing_commits")
    let found = try monitor.run("verify --format nagios --only missing-table")
    #expect(found.status == 1 && found.stdout.contains("missing-table=2 "), "\(found)")
    let asked = try monitor.run("verify --format nagios --max-wait 10m --only backlog")
    #expect(asked.status == 3, "\(asked)")
    #expect(
      asked.stdout.contains(
        "backlog of cache_clearing_ports: not checked: this database has no such table; "),
      "\(asked)")
    // An older schema lacks commits by right, which only listen_for can say.
    try database.sql("DELETE FROM listen_for WHERE script_name = 'listen_commit'")
    let old = try monitor.run("verify --only missing-table")
    #expect(!old.stdout.contains("cache_clearing_commits"), "\(old)")
    try database.sql("REVOKE SELECT ON listen_for FROM \(monitor.role)")
    let unknown = try monitor.run("verify --only missing-table")
    #expect(
      unknown.stdout.contains(
        "missing-table of cache_clearing_commits: not checked: this database has no such table, and "
          + "whether its event is in listen_for cannot be read; "
          + "GRANT SELECT ON listen_for TO \(monitor.role);\n"), "\(unknown)")
  }

  @Test("who listens: told as far as the role may see, and not guessed beyond")
  func listeners() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let monitor = try Monitor(database, Self.readAll)
    func verify() throws -> CommandResult {
      try monitor.run("verify --format nagios --only no-listener")
    }
    // No session that could be one: so there is none.
    #expect(try verify().stdout.hasPrefix("FPCACHE CRITICAL - no-listener=1 "))
    let other = try database.session(as: "listening")
    let unseen = try verify()
    #expect(unseen.status == 3, "\(unseen)")
    #expect(
      unseen.stdout.hasPrefix(
        "FPCACHE UNKNOWN - no findings; no-listener of pg_stat_activity: not checked: permission "
          + "denied for the statements of other roles; GRANT pg_read_all_stats TO \(monitor.role); | "
      ), "\(unseen)")
    try database.sql("GRANT pg_read_all_stats TO \(monitor.role)")
    #expect(try verify().status == 2)
    try other.sql("LISTEN port_updated")
    #expect(try verify().status == 0)
  }

  @Test("the listener's rights are those of the listener, not of the monitor")
  func permissions() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let monitor = try Monitor(database, Self.readAll)
    func verify(_ flags: String = "") throws -> CommandResult {
      try monitor.run("verify --format nagios --only no-permission \(flags)")
    }
    let untold = try verify()
    #expect(untold.status == 3, "\(untold)")
    #expect(
      untold.stdout.contains(
        "the listener's role is unknown, and \(monitor.role) has no DELETE permission on any "
          + "queue; run this as the listener's role"), "\(untold)")
    // The site's file says which it is.
    let tree = try TemporaryTree()
    try tree.write("f.ini", text: "[database]\nDBUSER = listening\n", mode: 0o644)
    let file = "--config \(tree.fullPath("f.ini"))"
    #expect(try verify(file).status == 0)
    try database.sql("REVOKE DELETE ON cache_clearing_files FROM listening")
    let named = try verify(file)
    #expect(named.status == 2 && named.stdout.contains("no-permission=1"), "\(named)")
    // So does a listener that runs.
    let daemon = try Daemon.listen(on: TemporaryTree(), database)
    try daemon.waitForLog(containing: "listening")
    let seen = try monitor.run("verify --format json --only no-permission")
    #expect(
      try AuditDocument(seen).findings.map(\.remedy) == [
        "GRANT DELETE ON cache_clearing_files TO listening;"
      ])
  }

  @Test("a queue whose rows do not say since when they wait is not guessed at")
  func timesOfDay() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let monitor = try Monitor(database, Self.readAll)
    try database.sql(
      """
      ALTER TABLE cache_clearing_dates DROP COLUMN date_added;
      ALTER TABLE cache_clearing_dates ADD COLUMN date_added time DEFAULT '00:00';
      """)
    let verify = { try monitor.run("verify --format nagios --only backlog --max-wait 1s") }
    #expect(try verify().status == 0)
    try database.sql("INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21')")
    let result = try verify()
    #expect(result.status == 3, "\(result)")
    #expect(
      result.stdout.contains(
        "backlog of cache_clearing_dates: not checked: 1 row waiting, and none has a date"),
      "\(result)")
    #expect(!result.stdout.contains("cache_clearing_dates_oldest"), "\(result)")
    try database.sql(
      """
      ALTER TABLE cache_clearing_dates DROP COLUMN date_added;
      ALTER TABLE cache_clearing_dates ADD COLUMN date_added timestamp DEFAULT '-infinity';
      """)
    #expect(try verify().status == 3, "an infinite date is no age")
  }

  @Test(
    "no database: unknown; a cache directory that is not there matters only to the tree's codes")
  func unreachable() throws {
    let nagios = try Command.fpcache(
      ["verify", "--format", "nagios", "--only", "backlog", "--dsn", "host=/nonexistent"])
    #expect(nagios.status == 3 && nagios.stdout.hasPrefix("FPCACHE UNKNOWN - cannot connect: "))
    let text = try Command.fpcache(
      ["verify", "--only", "backlog", "--max-wait", "10m", "--dsn", "host=/nonexistent"])
    #expect(text.status == 69, "\(text)")
    #expect(text.stdout == "nothing found, but not all was checked\n", "\(text)")
    let database = try PostgresServer.shared.makeDatabase()
    let monitor = try Monitor(database, Self.readAll)
    let given = try monitor.run(
      "verify --only backlog --max-backlog 5", cacheDir: "/nonexistent/cache")
    #expect(given.status == 0, "\(given)")
    let tree = try monitor.run("verify --only backlog,empty --max-backlog 5")
    #expect(tree.status == 66, "\(tree)")
  }

  // MARK: stats --queues

  @Test("stats --queues: no tree, no cache directory, in every format")
  func queues() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let monitor = try Monitor(
      database, "SELECT ON listen_for, cache_clearing_ports, cache_clearing_dates",
      "SELECT ON cache_clearing_commits")
    try row(database, seconds: 300)
    let grant = "GRANT SELECT ON cache_clearing_files TO \(monitor.role);"
    let text = try monitor.run("stats --queues")
    #expect(text.status == 1, "\(text)")
    #expect(text.stdout.contains(#/^queues at 2[-0-9]*T[0-9:]*Z\n\nQUEUE /#), "\(text)")
    #expect(!text.stdout.contains("FAMILY") && text.stdout.contains("net/a"), "\(text)")
    #expect(
      text.stderr == "fpcache: cache_clearing_files: permission denied for table "
        + "cache_clearing_files; \(grant)\n")
    let json = try monitor.run("stats --queues --format json")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json.outputBytes)) as? [String: Any])
    #expect(
      Set(object.keys) == [
        "version", "at", "queues", "backlog", "channels", "nodes", "listening", "sessions_hidden",
        "notification_queue_usage", "database_error", "not_checked", "verdict",
      ])
    #expect((object["not_checked"] as? [[String: Any]])?.first?["grant"] as? String == grant)
    let metrics = try monitor.run("stats --queues --format prometheus")
    #expect(try prometheusComplaints(metrics.stdout) == [])
    #expect(!metrics.stdout.contains("fpcache_tree_"), "\(metrics)")
    #expect(
      metrics.stdout.contains("\nfpcache_database_unreadable_tables 1\n")
        && !metrics.stdout.contains("queue=\"cache_clearing_files\""), "\(metrics)")
    try database.sql(grant)
    #expect(try monitor.run("stats --queues").status == 0)
    let none = try Command.fpcache(["stats", "--queues", "--dsn", "host=/nonexistent"])
    #expect(none.status == 69, "\(none)")
    let both = try Command.fpcache(["stats", "--queues", "--top", "5"])
    #expect(
      both.status == 64 && both.stderr.contains("--queues and --top cannot be used together"),
      "\(both)")
  }
}
