// SPDX-License-Identifier: BSD-2-Clause
//
// The audit against the database: what is asked, what cannot be, what excuses a page and for how
// long, and the clocks.

import Foundation
import Testing

@testable import TestSupport

@Suite struct VerifyDatabaseTests {
  /// A site with a port's page, the category's page and a day, and somebody who listens.
  private struct Site {
    let base = Result { try TemporaryTree() }
    let database: TestDatabase
    let listener: PsqlSession

    init() throws {
      database = try PostgresServer.shared.makeDatabase(shape: .plain)
      listener = try database.session(as: "listening")
      try listener.sql("LISTEN port_updated")
      for page in [Site.port, Site.category, Site.day, Site.news] {
        try tree.write("cache/" + page, bytes: 100)
      }
      try configure("")
    }

    static let port = "ports/net/a/Detail.Part1.head.PageSize1.PageNum1.html"
    static let category = "categories/net/net.0.head.PageSize1.PageNum1.html"
    static let day = "daily/2020/01/21.daily.head"
    static let news = "news/news.atom.head.xml"

    var tree: TemporaryTree { get throws { try base.get() } }

    func configure(_ lines: String) throws {
      try tree.write("f.ini", text: "[dirs]\nBASEDIR = \(tree.path)\n\(lines)\n")
    }

    func age(_ page: String, _ seconds: Int) throws {
      try tree.setAge("cache/" + page, .seconds(seconds))
    }

    func verify(
      _ arguments: [String] = [], as role: String = "listening"
    ) throws -> (document: AuditDocument, result: CommandResult) {
      let result = try Command.fpcache(
        [
          "verify", "--config", tree.fullPath("f.ini"), "--format", "json", "--dsn",
          database.server.dsn(database.name, as: role),
        ] + arguments, in: tree)
      return (try AuditDocument(result), result)
    }

    func found(_ arguments: [String] = []) throws -> [String] {
      try verify(arguments).document.findings.map { "\($0.code) \($0.path)" }
    }

    /// Adds a row for the port to its queue, that long ago.
    func queue(_ seconds: Int) throws {
      try database.sql(
        """
        INSERT INTO cache_clearing_ports (port_id, category, port, date_added)
        VALUES (1, 'net', 'a', localtimestamp - interval '\(seconds) seconds')
        """)
    }
  }

  private static let portsQuery = """
    [verify]
    PORTS = SELECT 'net' AS category, 'a' AS port, now() - interval '10 minutes' AS changed_at
    """

  // MARK: What excuses, and what accuses

  @Test("a row excuses its pages for a minute; then they are pending, the news with them")
  func pending() throws {
    let site = try Site()
    try site.queue(30)
    #expect(try site.found() == [])
    try site.queue(90)
    let pending = [Site.category, Site.news, Site.port].map { "pending \($0)" }
    #expect(try site.found() == pending)
    #expect(try site.found(["--skip", "pending"]) == [])
    // Rows that name nothing hide nothing.
    try site.database.sql(
      """
      INSERT INTO cache_clearing_dates (date_to_clear, date_added)
      VALUES (NULL, localtimestamp - interval '1 hour');
      INSERT INTO cache_clearing_files (pathname, date_added)
      VALUES ('/etc/passwd', localtimestamp - interval '1 hour'), ('/ports/head/../x', NULL);
      """)
    #expect(try site.found() == pending)
  }

  @Test("stale: at once where nothing is queued, not at all while it is on its way, then pending")
  func stale() throws {
    let site = try Site()
    try site.configure(Self.portsQuery)
    #expect(try site.found() == [])
    try site.age(Site.port, 3600)
    #expect(try site.found() == ["stale \(Site.port)"])
    try site.queue(5)
    #expect(try site.found() == [])
    try site.queue(3600)
    #expect(
      try site.found() == [Site.category, Site.news, Site.port].map { "pending \($0)" })
    #expect(try site.found(["--skip", "pending"]) == ["stale \(Site.port)"])
    #expect(try site.found(["--only", "orphan"]) == [])
  }

  @Test(
    "a node's rows of the log excuse and accuse as rows of a queue do; those it has passed do not")
  func staleOnNode() throws {
    let site = try Site()
    try site.configure("[listen]\nNODE = web1\n" + Self.portsQuery)
    try site.age(Site.port, 3600)
    let stale = ["stale \(Site.port)"]
    func found() throws -> [String] { try site.found(["--skip", "node-lag"]) }
    // The tables are not there: nothing excuses, and that is said.
    #expect(try found() == stale)
    try site.database.prepareForNodes()
    #expect(try found() == stale)
    try site.database.sql(
      """
      INSERT INTO fpcache_log VALUES (1, 'cache_clearing_ports', '{net,a}', now() - interval '5 s');
      UPDATE fpcache_head SET last_id = 1;
      INSERT INTO fpcache_node (name, token, cursor, must_empty) VALUES
        ('web1', '', 1, false), ('web2', '', 0, false)
      """)
    #expect(try found() == stale, "another node's lag excuses nothing here")
    try site.database.sql("UPDATE fpcache_node SET cursor = 0")
    #expect(try found() == [])
    let pending = [Site.category, Site.news, Site.port].map { "pending \($0)" }
    try site.database.sql("UPDATE fpcache_log SET moved_at = now() - interval '90 s'")
    #expect(try found() == pending)
    #expect(
      try site.verify(["--only", "pending"]).result.stdout.contains(
        "has waited in fpcache_log since"))

    // What it has passed and could not clear, the log's row gone.
    try site.database.sql(
      """
      INSERT INTO fpcache_owed SELECT 'web1', id, queue, key, moved_at FROM fpcache_log;
      DELETE FROM fpcache_log; UPDATE fpcache_node SET cursor = 1
      """)
    #expect(try found() == pending)
    try site.database.sql("UPDATE fpcache_owed SET moved_at = now() - interval '5 s'")
    #expect(try found() == [])
    try site.database.sql("UPDATE fpcache_owed SET node = 'web2'")
    #expect(try found() == stale)
  }

  @Test("orphan: a port that is no more, and no day without commits")
  func orphans() throws {
    let site = try Site()
    try site.configure(
      """
      [verify]
      PORTS = SELECT 'net' AS category, 'b' AS port, NULL::timestamptz AS changed_at
      DAILY = SELECT '2020' AS year, '01' AS month, '01' AS day, now() AS changed_at
      """)
    // A page written a moment ago may show a port that was added a moment ago.
    #expect(try site.found() == [])
    for page in [Site.port, Site.day] { try site.age(page, 300) }
    #expect(try site.found() == ["orphan \(Site.port)"])
    try site.queue(5)
    #expect(try site.found() == [])
  }

  @Test("the queues of older schemas: a time of day tells no age, and excuses")
  func timesOfDay() throws {
    let site = try Site()
    try site.database.sql(
      """
      ALTER TABLE cache_clearing_dates DROP COLUMN date_added;
      ALTER TABLE cache_clearing_dates ADD COLUMN date_added time DEFAULT localtime;
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
      DROP TABLE cache_clearing_commits, cache_clearing_files;
      DELETE FROM listen_for WHERE script_name IN ('listen_commit', 'listen_file_updated');
      """)
    try site.configure(
      "[verify]\nDAILY = SELECT '2020' AS year, '01' AS month, '21' AS day, now() AS changed_at")
    try site.age(Site.day, 3600)
    #expect(try site.found(["--max-backlog", "5"]) == [])
  }

  // MARK: What cannot be asked

  @Test("tables that may not be read: said, no silent pass, and the rest is done")
  func permissionDenied() throws {
    let site = try Site()
    try site.configure(
      """
      [verify]
      PORTS = SELECT 'net' AS category, message_id AS port, commit_date AS changed_at FROM commit_log
      CATEGORIES = SELECT 'net' AS category, now() - interval '10 minutes' AS changed_at
      """)
    for page in [Site.port, Site.category] { try site.age(page, 3600) }
    let (document, result) = try site.verify()
    #expect(document.findings.map(\.path) == [Site.category])
    #expect(document.notChecked.map(\.subject) == ["ports"])
    #expect(document.notChecked.map(\.codes) == [["stale", "orphan"]])
    #expect(
      document.notChecked.map(\.message) == [
        "not checked: permission denied for table commit_log"
      ])
    #expect(result.status == 1 && result.stderr.isEmpty)
    // Without any other finding it is no pass either.
    let arguments = [
      "verify", "--config", try site.tree.fullPath("f.ini"), "--dsn", site.database.listenerDSN,
      "--only", "orphan,empty",
    ]
    let text = try Command.fpcache(arguments)
    #expect(
      text.stdout == """
        orphan of ports: not checked: permission denied for table commit_log
        nothing found in 4 files, but not all was checked

        """)
    #expect(text.status == 1)
    let nagios = try Command.fpcache(arguments + ["--format", "nagios"])
    #expect(
      nagios.firstLine == """
        FPCACHE UNKNOWN - no findings; orphan of ports: not checked: permission denied for table \
        commit_log | findings=0;;;0 files=4;;;0 critical=0;;;0 warning=0;;;0 notice=0;;;0 cache_clearing_ports=0;;;0 \
        cache_clearing_dates=0;;;0 cache_clearing_commits=0;;;0 cache_clearing_files=0;;;0 \
        cache_clearing_ports_oldest=0s;;;0 cache_clearing_dates_oldest=0s;;;0 \
        cache_clearing_commits_oldest=0s;;;0 cache_clearing_files_oldest=0s;;;0
        """)
    #expect(nagios.status == 3)
  }

  /// A query that is wrong, what is not checked for it, and what is odd about it.
  private struct Wrong: CustomTestStringConvertible, Sendable {
    let query: String
    let reason: String
    var odd: String?
    var testDescription: String { query }

    static let all = [
      Wrong(
        query: "SELECT * FROM no_such_table", reason: "relation \"no_such_table\" does not exist"),
      Wrong(query: "SELEC 1", reason: "syntax error at or near \"1\""),
      Wrong(
        query: "SELECT 'net' AS category, 'a' AS port",
        reason: "the query of FILE:4 has no column changed_at",
        odd: "PORTS has no column changed_at"),
      Wrong(
        query: "SELECT 'x' AS \"col\u{1B}our\", now() AS changed_at",
        reason:
          "the query of FILE:4 has a column col\\x1bour, which is not a field of ports; expected "
          + "some of category, port, page, part, branch, size, number, file, changed_at",
        odd: "PORTS has a column col\\x1bour, which is not a field of ports; expected "
          + "some of category, port, page, part, branch, size, number, file, changed_at"),
      Wrong(
        query: "SELECT 'net' AS category, 'a' AS port, now() AS changed_at LIMIT 0",
        reason: "the query of FILE:4 gives no row"),
      Wrong(
        query: "SELECT pg_sleep(30)::text AS port, now() AS changed_at",
        reason: "canceling statement due to statement timeout"),
      Wrong(
        query: "DELETE FROM cache_clearing_ports",
        reason: "syntax error at or near \"FROM\""),
    ]
  }

  @Test("queries that are wrong: said, and no page is accused", arguments: Wrong.all)
  private func wrongQueries(_ wrong: Wrong) throws {
    let site = try Site()
    try site.configure("[verify]\nPORTS = \(wrong.query)\nTIMEOUT = 1")
    try site.age(Site.port, 3600)
    let (document, result) = try site.verify()
    let file = try site.tree.fullPath("f.ini")
    #expect(
      document.notChecked.map(\.message)
        == ["not checked: " + wrong.reason.replacing("FILE:4", with: "\(file):4")], "\(result)")
    #expect(
      document.findings.map { "\($0.path) \($0.message)" } == wrong.odd.map { ["\(file):4 \($0)"] }
        ?? [])
    #expect(result.status == 1)
  }

  @Test("values that can be no name are told, and the others count")
  func oddRows() throws {
    let site = try Site()
    try site.configure(
      """
      [verify]
      DAILY = SELECT * FROM (VALUES ('2020', '01', '21', now()), ('2020', '1', '2', now()))
        AS t (year, month, day, changed_at)
      """)
    try site.age(Site.day, 3600)
    let (document, _) = try site.verify()
    #expect(document.findings.map(\.code).sorted() == ["odd-value", "stale"])
    #expect(
      document.findings.first { $0.code == "odd-value" }?.message
        == "DAILY gives 1 row with what no month can be, such as \"1\"")
  }

  @Test("what is asked for by name and cannot be looked for is said")
  func askedForByName() throws {
    let tree = try TemporaryTree()
    func notChecked(_ flags: [String]) throws -> [String] {
      let result = try Command.fpcache(
        ["verify", "--cache-dir", tree.path, "--format", "json"] + flags)
      #expect(result.status == (try AuditDocument(result).notChecked.isEmpty ? 0 : 1), "\(result)")
      return try AuditDocument(result).notChecked.map { $0.codes.joined() + " " + $0.message }
    }
    #expect(
      try notChecked(["--no-database", "--only", "expired,stub,stale,empty"]) == [
        "expired not checked: --stale-after is not given",
        "stub not checked: no FAMILY_STUB in [verify] of the configuration",
        "stale not checked: --no-database",
      ])
    #expect(try notChecked(["--no-database"]) == [])
    let database = try PostgresServer.shared.makeDatabase()
    #expect(
      try notChecked(["--dsn", database.listenerDSN, "--only", "stale,backlog"]) == [
        "stale not checked: no query in [verify] of the configuration",
        "backlog not checked: neither --max-backlog nor --max-wait is "
          + "given",
      ])
  }

  @Test("without a database: the tree is audited, and the status tells")
  func noDatabase() throws {
    let site = try Site()
    try site.tree.write("cache/html/empty", bytes: 0)
    let arguments = [
      "verify", "--config", try site.tree.fullPath("f.ini"), "--dsn", "host=/nonexistent",
      "--format",
    ]
    let json = try Command.fpcache(arguments + ["json"])
    #expect(json.status == 69, "\(json)")
    let document = try AuditDocument(json)
    #expect(document.findings.map(\.path) == ["html/empty"] && document.databaseError != nil)
    #expect(json.stderr.contains("fpcache: database not checked: cannot connect: "), "\(json)")
    let nagios = try Command.fpcache(arguments + ["nagios"])
    #expect(nagios.status == 3 && nagios.stdout.hasPrefix("FPCACHE UNKNOWN - cannot connect: "))
    // What needs no database does not ask for it.
    let only = try Command.fpcache(arguments + ["json", "--only", "symlink"])
    #expect(only.status == 0 && only.stderr.isEmpty, "\(only)")
  }

  // MARK: Who listens

  @Test(
    "a listener of another role, whom we may not see: not checked, until its status file speaks")
  func hiddenListener() throws {
    let site = try Site()
    try site.listener.sql("UNLISTEN *")
    #expect(try site.found() == ["no-listener listen_for"])
    let daemon = try Daemon.listen(
      on: TemporaryTree(), site.database, dsn: site.database.dsn)
    try daemon.waitForLog(containing: "listening")
    let (document, _) = try site.verify()
    #expect(document.findings.isEmpty)
    #expect(
      document.notChecked.map(\.message) == [
        "not checked: permission denied for the statements of other roles; "
          + "GRANT pg_read_all_stats TO listening;"
      ])
    try site.tree.write("status.json", text: "{}")
    try site.configure("[listen]\nSTATUS_FILE = \(site.tree.path)/status.json")
    #expect(try site.verify().document.notChecked.isEmpty)
  }

  @Test("a listener that is there and does not drain does not pass for healthy")
  func unhealthyListener() throws {
    let site = try Site()
    try site.tree.write("status.json", text: "{}")
    try site.configure("[listen]\nSTATUS_FILE = \(site.tree.path)/status.json")
    #expect(try site.found() == [])
    try site.tree.setTime("status.json", 1_579_608_000)
    let (document, _) = try site.verify()
    #expect(
      document.findings.map(\.message) == [
        "has a listener that has not reported healthy since 2020-01-21T12:00:00Z "
          + "(\(try site.tree.path)/status.json)"
      ])
  }

  @Test("the real listener is one, in every state it may be in")
  func realListener() throws {
    let site = try Site()
    try site.listener.sql("UNLISTEN *")
    let daemon = try Daemon.listen(on: TemporaryTree(), site.database)
    try daemon.waitForLog(containing: "listening")
    #expect(try site.found() == [])
    try site.database.sql("NOTIFY port_updated")
    #expect(try site.found() == [])
    daemon.terminate()
    try daemon.waitForExit()
    #expect(try site.found() == ["no-listener listen_for"])
  }

  // MARK: The clocks

  /// Another clock_timestamp() in the place of the database's own: a server whose clock is wrong.
  private func shiftClock(of site: Site, by interval: String) throws {
    try site.database.sql(
      """
      SET allow_system_table_mods = on;
      ALTER FUNCTION pg_catalog.clock_timestamp() RENAME TO right_time;
      CREATE FUNCTION pg_catalog.clock_timestamp() RETURNS timestamptz LANGUAGE sql
        AS 'SELECT pg_catalog.right_time() + interval ''\(interval)''';
      """)
  }

  @Test("a server whose clock is wrong accuses nobody", arguments: ["2 hours", "-2 hours"])
  func clocks(_ shift: String) throws {
    let site = try Site()
    try shiftClock(of: site, by: shift)
    // By the server's clock the port was changed an hour before the page was written, or after.
    func changed(_ before: String) throws {
      try site.configure(
        """
        [verify]
        PORTS = SELECT 'net' AS category, 'a' AS port,
          now() + interval '\(shift)' - interval '\(before)' AS changed_at
        """)
    }
    try changed("1 hour")
    let (document, _) = try site.verify()
    #expect(document.findings.isEmpty)
    #expect(document.clockDifferenceSeconds.map { abs(abs($0) - 7200) < 5 } == true)
    try site.age(Site.port, 7200)
    #expect(try site.found() == ["stale \(Site.port)"])
    try changed("3 hours")
    #expect(try site.found() == [])
  }
}
