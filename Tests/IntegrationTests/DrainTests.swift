// SPDX-License-Identifier: BSD-2-Clause
//
// The drain on a real PostgreSQL: what waits is served without a NOTIFY, each queue's rows clear
// what they name, and hostile or unclearable rows harm nothing.

import Foundation
import Testing

@testable import TestSupport

@Suite struct DrainTests {
  @Test("the incident: 20,508 ports and 290 days wait, and no NOTIFY is sent")
  func incident() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree()
    try incident.queue(in: database)
    #expect(try database.count("cache_clearing_ports") == 20_508)
    #expect(try database.count("cache_clearing_dates") == 290)
    let before = try incident.tree.snapshot()

    let listener = try Daemon.listen(on: incident.tree, database)
    let line = try listener.waitForLog(containing: "drained: ", timeout: .seconds(60))

    #expect(line.contains("20,798 rows"), "\(line)")
    #expect(line.contains("61,871 files"), "\(line)")
    #expect(try database.count("cache_clearing_ports") == 0)
    #expect(try database.count("cache_clearing_dates") == 0)
    #expect(try incident.remainingPages() == [])
    let after = try incident.tree.snapshot()
    for path in incident.bystanders {
      #expect(after.entries[path] == before.entries[path], "\(path) was touched")
    }
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test("each queue's row clears what it names, and the news with it")
  func everyQueue() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    let gone = [
      "ports/devel/libsigc++20/Detail.Part1.head.PageSize100.PageNum1.html",
      "ports/devel/libsigc++20/Detail.Part2.2020Q1.PageSize100.PageNum1.html",
      "ports/devel/libsigc++20/Detail.PageSize100.PageNum1.html",
      "ports/devel/libsigc++20/note",
      "categories/devel/devel.0.head.PageSize100.PageNum1.html",
      "daily/2020/01/21.daily.head", "daily/2020/01/21.daily.2020Q1",
      "commits/202001211234-abc-example-org/202001211234-abc-example-org.devel.x.n.html",
      "general/sanity_test_failures.PageSize100.PageNum1.html",
      "general/sanity_test_failures.abc.PageSize100.PageNum1.html",
      "ports/Mk/Uses/cargo.mk.PageSize100.PageNum1.html",
      "ports/net/openmpi3/Makefile.PageSize100.PageNum1.html",
      "news/news.rss2.0.head.xml", "news/folder/inner",
    ]
    let kept = [
      "ports/devel/libsigc++/Detail.Part1.head.PageSize100.PageNum1.html",
      "ports/Mk/Uses/cargo.mk2.PageSize100.PageNum1.html",
      "ports/net/openmpi3/distinfo.PageSize100.PageNum1.html",
      "categories/net/net.0.head.PageSize100.PageNum1.html",
      "daily/2020/01/22.daily.head", "news/.keep", "packages/devel/libsigc++20.html",
      "general/other.PageSize100.PageNum1.html", "pages/commits.html", "html/stats.html",
      "spooling/x.tmpABCDEF", "searchlog.txt",
    ]
    for path in gone + kept { try tree.write(path, bytes: 70) }
    _ = try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port)
        VALUES (1, 'devel', 'libsigc++20');
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
      INSERT INTO cache_clearing_commits (commit_to_clear)
        VALUES ('202001211234.ABC@example.org');
      INSERT INTO cache_clearing_files (pathname, date_added)
        VALUES ('/ports/head/Mk/Uses/cargo.mk', now()), ('/ports/head/net/openmpi3/Makefile', now());
      """)

    let result = try Command.fpcache(
      ["listen", "--once", "--settle", "0", "--dsn", database.listenerDSN, "--format", "json"],
      in: tree,
      environment: ["FPCACHE_DIR": tree.path])

    #expect(result.status == 0, "\(result)")
    #expect(
      result.stdout.hasPrefix(
        "{\"version\":1,\"dry_run\":false,\"rows\":5,\"keys\":7,\"files_removed\":14,"),
      "\(result)")
    #expect(try tree.files() == kept.sorted())
    for table in ["ports", "dates", "commits", "files"] {
      #expect(try database.count("cache_clearing_\(table)") == 0, "\(table)")
    }
  }

  @Test(
    "rows that name nothing clearable are refused, those of one reason in one line, and clear nothing"
  )
  func hostileRows() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    try tree.write("ports/www/page/Detail.Part1.head.PageSize100.PageNum1.html", bytes: 1)
    try tree.write("daily/2020/01/21.daily.head", bytes: 1)
    let before = try tree.snapshot()
    let long = String(repeating: "x", count: 300)
    _ = try database.sql(
      """
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES (NULL), ('infinity');
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES
        (1, '../../etc', 'passwd'), (2, 'www', '..'), (3, 'www', 'a/b'), (4, '', ''),
        (5, 'www', '*'), (6, 'www', E'pa\\nge'), (7, 'www', '\(long)'), (8, '*', 'page');
      INSERT INTO cache_clearing_files (pathname, date_added) VALUES
        ('../../etc/passwd', now()), ('/ports/head/../../etc', now()), (NULL, now());
      """)

    let result = try Command.fpcache(
      ["listen", "--once", "--settle", "0", "--dsn", database.listenerDSN, "--format", "json"],
      in: tree,
      environment: ["FPCACHE_DIR": tree.path])

    #expect(result.status == 0, "\(result)")
    #expect(result.stdout.contains("\"rows_refused\":13,"), "\(result)")
    let told = result.stderr.split(separator: "\n").filter { $0.contains("nothing to clear") }
    #expect(told.count < 8 && told.contains { $0.contains(" (and ") }, "\(result)")
    #expect(try tree.snapshot() == before)
    #expect(try database.count("cache_clearing_ports") == 0)
    #expect(try database.count("cache_clearing_dates") == 0)
    #expect(try database.count("cache_clearing_files") == 0)
  }

  @Test("one undeletable page among 1,000 ports: 999 rows go, its own stays")
  func undeletable() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 1000, days: 1)
    try incident.queue(in: database)
    let stuck = incident.ports[500]
    try incident.tree.give(to: .unprivileged)
    try incident.tree.setMode("ports/\(stuck)", 0o555)

    let result = try Command.fpcache(
      ["listen", "--once", "--settle", "0", "--dsn", database.listenerDSN], in: incident.tree,
      environment: ["FPCACHE_DIR": incident.tree.path], as: .unprivileged)

    #expect(result.status == 1, "\(result)")
    #expect(
      try database.sql("SELECT category || '/' || port FROM cache_clearing_ports")
        == "\(stuck)")
    #expect(try incident.remainingPages() == IncidentTree.portPages(stuck).sorted())
    #expect(
      result.stderr.split(separator: "\n").count { $0.contains("the row stays") } == 1,
      "\(result)")
  }

  @Test("while one page cannot be deleted, the listener clears others at once, and it when it can")
  func undeletableForAWhile() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 8, days: 1)
    let stuck = incident.ports[0]
    try incident.tree.give(to: .unprivileged)
    try incident.tree.setMode("ports/\(stuck)", 0o555)
    let listener = try Daemon.listen(on: incident.tree, database, as: .unprivileged)
    try listener.waitForLog(containing: "drained: ")
    func ask(_ port: PortKey) throws {
      try database.sql(
        """
        INSERT INTO cache_clearing_ports (port_id, category, port)
        VALUES (1, '\(port.category)', '\(port.port)'); NOTIFY port_updated;
        """)
    }

    try ask(stuck)
    try listener.waitForLog(containing: "the row stays; will retry")
    for port in incident.ports.dropFirst() {
      try ask(port)
      try eventually("\(port) is cleared", details: "\(listener)") {
        !incident.tree.exists(IncidentTree.portPages(port)[0])
      }
    }
    try eventually { try database.count("cache_clearing_ports") == 1 }
    // Its tries are 1, 2 and 4 s apart.
    Thread.sleep(forTimeInterval: 2)
    try incident.tree.setMode("ports/\(stuck)", 0o775)
    try eventually("its row goes", details: "\(listener)") {
      try database.count("cache_clearing_ports") == 0
    }
    #expect(!incident.tree.exists(IncidentTree.portPages(stuck)[0]))
  }

  @Test("a dry run tells what would go and changes neither tree nor queue")
  func dryRun() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 50, days: 3)
    try incident.queue(in: database)
    try database.sql(
      """
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES (NULL);
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, '..', 'x');
      """)
    let before = try incident.tree.snapshot()
    let arguments = [
      "listen", "--once", "--settle", "0", "--dsn", database.listenerDSN, "--format", "json",
    ]
    let environment: [String: String?] = ["FPCACHE_DIR": incident.tree.path]

    let dry = try Command.fpcache(arguments + ["-n"], in: incident.tree, environment: environment)
    #expect(try incident.tree.snapshot() == before)
    #expect(try database.count("cache_clearing_ports") == 51)
    #expect(dry.stdout.contains("\"rows_refused\":2,"), "\(dry)")
    #expect(dry.stderr.contains("holds NULL; nothing to clear, the row would be deleted"), "\(dry)")
    let real = try Command.fpcache(arguments, in: incident.tree, environment: environment)

    #expect(
      dry.stdout == real.stdout.replacing("\"dry_run\":false", with: "\"dry_run\":true"),
      "\(dry)\n\(real)")
  }

  @Test("a table that the site does not have is told once, and stops nothing")
  func missingTable() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    try tree.write("daily/2020/01/21.daily.head", bytes: 1)
    _ = try database.sql(
      """
      DROP TABLE cache_clearing_ports CASCADE; DROP TABLE cache_clearing_files CASCADE;
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
      """)
    let listener = try Daemon.listen(on: tree, database, ["--poll-interval", "0.1"])
    try listener.waitForLog(containing: "drained: 1 row")
    // Several polls later, the missing tables have still been told of once.
    for day in 1...3 {
      _ = try database.sql(
        "INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2021-01-0\(day)')")
      try eventually { try database.count("cache_clearing_dates") == 0 }
    }
    #expect(listener.lines.count { $0.contains("cache_clearing_ports: no such table") } == 1)
    #expect(listener.lines.count { $0.contains("cache_clearing_files: no such table") } == 1)
    #expect(!tree.exists("daily/2020/01/21.daily.head"))
  }

  @Test(
    "--once cannot do all it is told without a table that is needed: status 1, and one error",
    arguments: [[], ["-n"]])
  func missingTableOnce(_ flags: [String]) throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    try tree.makeDirectory("daily")
    func run() throws -> CommandResult {
      try Command.fpcache(
        ["listen", "--once", "--settle", "0", "--dsn", database.listenerDSN, "--format", "json"]
          + flags, in: tree, environment: ["FPCACHE_DIR": tree.path])
    }
    // Announced by listen_for, and so expected.
    try database.sql("DROP TABLE cache_clearing_files CASCADE")
    let announced = try run()
    #expect(announced.status == 1, "\(announced)")
    #expect(announced.stdout.contains("\"queues_missing\":[\"cache_clearing_files\"]"))
    let errors = announced.stderr.split(separator: "\n").filter { $0.contains("error: ") }
    #expect(
      errors.count == 1 && errors[0].contains("cache_clearing_files: no such table"), "\(announced)"
    )
    // An older schema, which has neither.
    try database.sql("DELETE FROM listen_for WHERE name = 'file_updated'")
    let older = try run()
    #expect(older.status == 0 && !older.stderr.contains("error: "), "\(older)")
    #expect(older.stderr.contains("no event announces it; skipped"), "\(older)")
    // No schema is without this one.
    try database.sql("DROP TABLE cache_clearing_dates CASCADE; DELETE FROM listen_for")
    #expect(try run().status == 1)
  }

  @Test("no database: 69, and the socket that was tried is named")
  func unreachable() throws {
    let tree = try TemporaryTree()
    for command in [["listen", "--once"], ["stats"], ["verify"]] {
      let result = try Command.fpcache(
        command + ["--dsn", "host=\(tree.path) dbname=x user=y password=geheim"], in: tree,
        environment: ["FPCACHE_DIR": tree.path])
      #expect(result.status == 69, "\(result)")
      #expect(result.stderr.contains("\(tree.path)/.s.PGSQL.5432"), "\(result)")
      #expect(!result.stderr.contains("geheim"), "\(result)")
    }
  }
}
