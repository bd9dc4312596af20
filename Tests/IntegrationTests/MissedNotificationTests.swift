// SPDX-License-Identifier: BSD-2-Clause
//
// packages_imported has no queue: what was missed while nobody listened is found by the site's own query, at
// the start and on each new connection, and by --once.

import Foundation
import Testing

@testable import TestSupport

@Suite struct MissedNotificationTests {
  /// Two ports with a page of packages each, and an import three hours ago.
  private struct Site {
    let base = Result { try TemporaryTree() }
    let database: TestDatabase

    static let a = "packages/net/a.html"
    static let b = "packages/www/b.html"
    static let news = "news/news.rss2.0.head.xml"

    init(_ queries: String? = nil) throws {
      database = try PostgresServer.shared.makeDatabase()
      try database.makeFreshPorts()
      try database.sql(
        """
        INSERT INTO categories (name) VALUES ('net'), ('www');
        INSERT INTO element (name) VALUES ('a'), ('b');
        INSERT INTO ports (element_id, category_id) VALUES (1, 1), (2, 2);
        INSERT INTO packages_last_checked VALUES (1, 'latest', now(), now() - interval '3 hours');
        """)
      try tree.write(
        "f.ini",
        text: "[dirs]\nBASEDIR = \(tree.path)\n[listen]\nSETTLE = 0\n"
          + "RECHECK_INTERVAL = 0\nSCRUB_INTERVAL = 0\n[verify]\n"
          + (queries ?? SampleConfiguration.query("PACKAGES")) + "\n")
      try write([Site.a, Site.b], minutesAgo: 120)
    }

    var tree: TemporaryTree { get throws { try base.get() } }

    func write(_ pages: [String], minutesAgo: Int) throws {
      for page in pages {
        try tree.write("cache/" + page, bytes: 100)
        try tree.setAge("cache/" + page, .seconds(minutesAgo * 60))
      }
    }

    func has(_ page: String) throws -> Bool { try tree.exists("cache/" + page) }

    /// An import whose transaction began so long ago, and whose notification nobody hears.
    func packagesImported(minutesAgo: Int) throws {
      try database.sql(
        "UPDATE packages_last_checked SET processed_date = now() - interval '\(minutesAgo) minutes'"
      )
    }

    func once(_ arguments: [String] = []) throws -> CommandResult {
      try Command.fpcache(
        [
          "listen", "--once", "--config", tree.fullPath("f.ini"), "--dsn", database.listenerDSN,
          "--state-dir", tree.path,
        ] + arguments, in: tree)
    }

    func listen() throws -> Daemon {
      try Daemon(
        Command(
          try #require(Command.fpcacheExecutable),
          [
            "listen", "--config", tree.fullPath("f.ini"), "--dsn", database.listenerDSN,
            "--state-dir", tree.path,
          ]))
    }
  }

  private static let cleared =
    "packages: cleared 2 pages that may be older than what the query of "

  // MARK: Missed

  @Test("at the start: pages that are older than the import go, and the log says why")
  func start() throws {
    let site = try Site()
    try site.packagesImported(minutesAgo: 60)
    let listener = try site.listen()
    let line = try listener.waitForLog(containing: Self.cleared)
    #expect(
      line.hasSuffix("/f.ini:8 says: a notification may have been missed"), "\(listener)")
    #expect(try !site.has(Site.a) && !site.has(Site.b))
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test("after a lost connection, and not before")
  func reconnect() throws {
    let site = try Site()
    try site.packagesImported(minutesAgo: 60)
    let listener = try site.listen()
    try listener.waitForLog(containing: Self.cleared)
    // As if what was missed were missed only now.
    let mark = listener.lines.count
    try site.write([Site.a, Site.b], minutesAgo: 120)
    try site.write([Site.news], minutesAgo: 1)
    try site.database.sql("NOTIFY port_updated")
    try eventually("the notification is served", details: "\(listener)") {
      try !site.has(Site.news)
    }
    #expect(try site.has(Site.a) && site.has(Site.b))
    for backend in try site.database.backends() {
      try site.database.sql("SELECT pg_terminate_backend(\(backend))")
    }
    try listener.waitForLog(containing: Self.cleared, after: mark)
    #expect(try !site.has(Site.a) && !site.has(Site.b))
  }

  @Test("by --once, which says what it would do with -n")
  func once() throws {
    let site = try Site()
    try site.packagesImported(minutesAgo: 60)
    let dry = try site.once(["-n"])
    #expect(dry.stderr.contains("packages: would clear 2 pages that may be older"), "\(dry)")
    #expect(try site.has(Site.a) && site.has(Site.b))
    let result = try site.once()
    #expect(result.status == 0 && result.stderr.contains(Self.cleared), "\(result)")
    #expect(try !site.has(Site.a) && !site.has(Site.b))
  }

  // MARK: Not missed

  @Test("nothing goes where nothing was imported since, and nothing is said")
  func noChange() throws {
    let site = try Site()
    let result = try site.once()
    #expect(result.status == 0 && !result.stderr.contains("packages"), "\(result)")
    #expect(try site.has(Site.a) && site.has(Site.b))
  }

  @Test("a page that was written soon after the import began may not show it; one of later does")
  func margin() throws {
    let site = try Site()
    try site.write([Site.a], minutesAgo: 25)
    try site.write([Site.b], minutesAgo: 10)
    try site.packagesImported(minutesAgo: 30)
    let result = try site.once()
    #expect(result.stderr.contains("packages: cleared 1 page that may be older"), "\(result)")
    #expect(try !site.has(Site.a) && site.has(Site.b))
  }

  @Test("where the query tells keys apart, only the pages of those go that have changed")
  func byKey() throws {
    let site = try Site(
      """
      PACKAGES = SELECT * FROM (VALUES ('net', 'a', now() - interval '1 hour'),
        ('www', 'b', now() - interval '1 day'), ('www', 'c', NULL)) AS p (category, port, changed_at)
      """)
    #expect(try site.once().status == 0)
    #expect(try !site.has(Site.a) && site.has(Site.b))
  }

  // MARK: What cannot be told

  /// A query that cannot be used, and what is said of it.
  private struct Useless: CustomTestStringConvertible, Sendable {
    var query: String?
    var sql = ""
    let reason: String
    var testDescription: String { reason }

    static let all = [
      Useless(
        sql: "REVOKE SELECT ON packages_last_checked FROM listening",
        reason: "permission denied for table packages_last_checked; GRANT SELECT ON "
          + "packages_last_checked TO listening"),
      Useless(
        sql: "ALTER TABLE packages_last_checked DROP COLUMN processed_date",
        reason: "column \"processed_date\" does not exist"),
      Useless(
        query: "PACKAGES = SELECT now() AS changed", reason: "/f.ini:8 has no column changed_at"),
      Useless(
        query: "PACKAGES = SELECT now() AS changed_at FROM pg_sleep(60)\nTIMEOUT = 1",
        reason: "canceling statement due to statement timeout"),
    ]
  }

  @Test("a query that cannot be used: one warning, and the rows are served", arguments: Useless.all)
  private func useless(_ useless: Useless) throws {
    let site = try Site(useless.query)
    try site.database.sql(useless.sql)
    try site.write(["daily/2020/01/21.daily.head"], minutesAgo: 1)
    try site.database.sql("INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21')")
    let result = try site.once()
    let warnings = result.stderr.split(separator: "\n").filter { $0.contains("warning: packages") }
    #expect(warnings.count == 1, "\(result)")
    #expect(
      warnings.first?.contains("packages: cannot tell whether a notification was missed: ") == true)
    #expect(warnings.first?.contains(useless.reason) == true, "\(result)")
    #expect(result.status == 0)
    #expect(try site.has(Site.a) && !site.has("daily/2020/01/21.daily.head"))
  }

  @Test("a query that takes long holds up no drain, and no stop")
  func slowQuery() throws {
    let site = try Site("PACKAGES = SELECT now() AS changed_at FROM pg_sleep(600)\nTIMEOUT = 900")
    let listener = try site.listen()
    func isAsking() throws -> Bool {
      try site.database.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fpcache listen (queries)' "
          + "AND state = 'active' AND datname = current_database()") == "1"
    }
    try eventually("the query runs", details: "\(listener)") { try isAsking() }
    try site.write(["daily/2020/01/21.daily.head"], minutesAgo: 1)
    try site.database.sql(
      "INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21'); NOTIFY date_updated")
    try eventually("the page goes", details: "\(listener)") {
      try !site.has("daily/2020/01/21.daily.head")
    }
    #expect(try isAsking())
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test("what cannot be told is told once, not on each connection")
  func toldOnce() throws {
    let site = try Site()
    try site.database.sql("REVOKE SELECT ON packages_last_checked FROM listening")
    let listener = try site.listen()
    let warning = "cannot tell whether a notification was missed"
    try listener.waitForLog(containing: warning)
    for _ in 0..<2 {
      let mark = listener.lines.count
      for backend in try site.database.backends() {
        try site.database.sql("SELECT pg_terminate_backend(\(backend))")
      }
      try listener.waitForLog(containing: "drained: ", after: mark)
    }
    try site.database.sql(
      "GRANT SELECT ON packages_last_checked TO listening")
    try site.packagesImported(minutesAgo: 60)
    for backend in try site.database.backends() {
      try site.database.sql("SELECT pg_terminate_backend(\(backend))")
    }
    try listener.waitForLog(containing: Self.cleared)
    #expect(listener.lines.count { $0.contains(warning) } == 1, "\(listener)")
  }
}
