// SPDX-License-Identifier: BSD-2-Clause
//
// The rules of etc/prometheus and the dashboard of etc/grafana: made of their tables, right for promtool, about metrics
// that exist, and answered by a Prometheus that has scraped a real run.

import Foundation
import Testing

@testable import TestSupport

/// Which of the programs are there.
private func haveAll(_ names: String...) -> Bool { names.allSatisfy { findProgram($0) != nil } }

@Suite("Rules and dashboard") struct MonitoringTests {
  private static func tables(_ arguments: String...) throws -> CommandResult {
    var command = Command(
      try #require(findProgram("python3")),
      [Document.root.appendingPathComponent("scripts/monitoring").path] + arguments)
    command.environment = ["PATH": ProcessInfo.processInfo.environment["PATH"]]
    command.timeout = .seconds(600)
    return try command.run()
  }

  @Test("they are what the tables make", .enabled(if: haveAll("python3")))
  func generated() throws {
    let result = try Self.tables("--check")
    #expect(result.status == 0, "\(result)")
  }

  @Test(
    "each alert fires in its cases and in no other", .enabled(if: haveAll("python3", "promtool")))
  func alerts() throws {
    let rules = Document.root.appendingPathComponent("etc/prometheus/fpcache.rules.yml").path
    let check = try Command(try #require(findProgram("promtool")), ["check", "rules", rules]).run()
    #expect(check.status == 0, "\(check)")
    let result = try Self.tables("--test")
    #expect(result.status == 0, "\(result)")
    #expect(result.stdout.contains("rows wait for two days"), "\(result)")
  }

  @Test(
    "each query of the dashboard and each rule is answered from a real run",
    .enabled(if: haveAll("python3", "promtool", "prometheus")))
  func dashboard() throws {
    let run = try ScrapedRun()
    let queries = try Self.tables("--queries").stdout.split(separator: "\n").map(String.init)
    #expect(queries.count > 20)
    // The recorded rules, too: those that alerts are made of.
    let rules = try String(
      contentsOf: Document.root.appendingPathComponent("etc/prometheus/fpcache.rules.yml"),
      encoding: .utf8)
    let records = rules.matches(of: /record: (.+)/).map { String($0.output.1) }
    #expect(records.count > 5)
    var left = queries + records
    var answers: [String] = []
    try eventually(timeout: .seconds(180), "all are answered", details: "\(left)\n\(run)") {
      try run.change()
      try left.removeAll { query in
        guard let answer = try run.answer(query) else { return false }
        answers.append("\(query)\n    \(answer)")
        return true
      }
      return left.isEmpty
    }
    if let path = ProcessInfo.processInfo.environment["FPCACHE_DASHBOARD_ANSWERS"] {
      try answers.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }
  }
}

/// A listener and a survey of a site with nodes and rechecks, and a Prometheus that scrapes both.
private final class ScrapedRun: CustomStringConvertible {
  private let database: TestDatabase
  private let files: TemporaryTree
  private let site: TemporaryTree
  private let listener: Daemon
  private let server: Daemon
  private let prometheus: Daemon
  private let address: String
  private let writer: PsqlSession
  private var changes = 0

  init() throws {
    // A server of its own: the role may see all sessions, which other tests forbid it.
    database = try PostgresServer().makeDatabase()
    files = try TemporaryTree()
    site = try TemporaryTree()
    try database.prepareForNodes()
    try database.sql(
      """
      CREATE TABLE changes (category text, port text, changed_at timestamptz DEFAULT now());
      GRANT SELECT ON changes TO listening;
      GRANT pg_read_all_stats TO listening;
      """)
    try site.write("cache/ports/www/nginx/Detail.head.html", bytes: 1)
    try site.write(
      "f.ini",
      text: """
        [dirs]
        BASEDIR = \(site.path)
        [listen]
        NODE = web1
        SETTLE = 0.2
        POLL_INTERVAL = 0.3
        RECHECK_INTERVAL = 0.3
        STATE_DIR = \(site.path)
        METRICS_FILE = \(files.fullPath("listener"))
        [verify]
        PORTS = SELECT * FROM changes

        """)
    listener = try Daemon(
      Command(
        try Command.fpcachePath(),
        ["listen", "--config", site.fullPath("f.ini"), "--dsn", database.listenerDSN]))
    try listener.waitForLog(containing: "drained: ")
    // A node that nobody runs lags, and the rows of a queue that a writer holds wait.
    try database.sql(
      """
      INSERT INTO fpcache_node (name, token, cursor, must_empty, seen_at)
      VALUES ('web2', 'b', 0, false, now())
      """)
    writer = try database.session()
    try writer.sql("BEGIN; LOCK TABLE cache_clearing_dates IN ROW EXCLUSIVE MODE")
    let python = try #require(findProgram("python3"))
    let port = try Loopback.listen().port
    server = try Daemon(
      Command(
        python,
        ["-m", "http.server", "--bind", "127.0.0.1", "--directory", files.path, "\(port)"]))
    let own = try Loopback.listen().port
    address = "http://127.0.0.1:\(own)"
    try files.write("survey", text: "")
    try files.write("prometheus.yml", text: Self.configuration(port))
    prometheus = try Daemon(
      Command(
        try #require(findProgram("prometheus")),
        [
          "--config.file", files.fullPath("prometheus.yml"), "--storage.tsdb.path",
          files.fullPath("data"), "--web.listen-address", "127.0.0.1:\(own)",
        ]))
    try prometheus.waitForLog(containing: "Server is ready", timeout: .seconds(60))
  }

  private static func configuration(_ port: Int) -> String {
    let rules = Document.root.appendingPathComponent("etc/prometheus/fpcache.rules.yml").path
    let jobs = ["listener", "survey"].map { name in
      """
        - job_name: \(name)
          metrics_path: /\(name)
          static_configs: [{targets: ["127.0.0.1:\(port)"]}]
      """
    }
    return """
      global: {scrape_interval: 1s, evaluation_interval: 1s}
      rule_files: ["\(rules)"]
      scrape_configs:
      \(jobs.joined(separator: "\n"))

      """
  }

  /// A page comes, a row and a notification have it cleared, and a survey is taken while a row of the held queue waits.
  func change() throws {
    changes += 1
    try site.write("cache/ports/www/nginx/Detail.head.html", bytes: 100 + changes)
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'www', 'nginx');
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21') ON CONFLICT DO NOTHING;
      NOTIFY port_updated;
      INSERT INTO changes (category, port) VALUES ('www', 'nginx');
      """)
    let survey = try Command.fpcache(
      [
        "stats", "--format", "prometheus", "--config", site.fullPath("f.ini"), "--dsn",
        database.listenerDSN,
      ])
    guard survey.status == 0 else { throw SupportError("no survey\n\(survey)") }
    try files.write("survey.new", text: survey.stdout)
    guard rename(files.fullPath("survey.new"), files.fullPath("survey")) == 0 else {
      throw SupportError.system("rename", files.fullPath("survey"))
    }
  }

  /// The first value of the answer, with its labels; nil where there is none, or no number.
  func answer(_ query: String) throws -> String? {
    let expression = query.replacing("$__rate_interval", with: "15s")
      .replacing("$instance", with: ".*")
    let result = try Command(
      try #require(findProgram("promtool")), ["query", "instant", address, expression]
    ).run()
    guard result.status == 0 else { throw SupportError("\(result)") }
    return result.stdout.split(separator: "\n").map(String.init).first {
      $0.contains("=>") && !$0.contains("NaN")
    }
  }

  var description: String { "\(listener)\n\(server)\n\(prometheus)" }
}
