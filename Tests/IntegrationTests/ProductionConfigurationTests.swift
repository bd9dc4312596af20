// SPDX-License-Identifier: BSD-2-Clause
//
// The newest configuration of the old listener, unchanged: what becomes of each of its keys.

import Foundation
import Testing

@testable import TestSupport

@Suite struct ProductionConfigurationTests {
  /// The file, with this machine's places in it.
  private struct Site {
    let tree: TemporaryTree
    let database: TestDatabase

    init() throws {
      tree = try TemporaryTree()
      database = try PostgresServer.shared.makeDatabase()
      try write("")
    }

    /// - Parameter more: lines behind the last section.
    func write(_ more: String) throws {
      let words = database.listenerDSN.split(separator: " ").map { $0.split(separator: "=") }
      let value = { (name: String) in words.first { $0[0] == name }.map { "\($0[1])" } ?? "" }
      try tree.write(
        "fp-listen.ini",
        text: """
          #
          # configuration items
          #
          [database]
          DBNAME          = '\(value("dbname"))'
          DBUSER          = 'listening'
          HOST            = \(value("host"))
          PASSWORD        = ''
          PORT            = \(value("port"))

          [dirs]
          SCRIPTDIR       = '/usr/local/libexec/freshports'

          BASEDIR         = \(tree.path)

          CATEGORY_CACHE_PATH    = %(BASEDIR)s/cache/categories/%%s/*
          COMMIT_CACHE_PATH      = %(BASEDIR)s/cache/commits/%%s/
          SANITY_CACHE_PATH      = %(BASEDIR)s/cache/general/sanity_test_failures.%%s.*
          SANITY_MAIN_CACHE_PATH = %(BASEDIR)s/cache/general/sanity_test_failures.PageSize*
          PORT_CACHE_PATH        = %(BASEDIR)s/cache/ports/%%s/%%s/*
          FILE_CACHE_PATH        = %(BASEDIR)s/cache/ports%%s.PageSize*
          DATE_CACHE_PATH        = %(BASEDIR)s/cache/daily/%%s/%%s/%%s.*
          NEWS_CACHE_DIR         = %(BASEDIR)s/cache/news/

          # the snapshot that is rolled back
          PKG_ZFS_SNAPSHOT       = system/data/freshports-cache-packages/x@empty

          [flags]
          DYNAMICDIR               = %(BASEDIR)s/cache
          WWWENPortsCategoriesFlag = %(DYNAMICDIR)s/signals/www.en.ports.categories
          JOBWAITING               = %(DYNAMICDIR)s/signals/job_waiting
          \(more)
          """, mode: 0o600)
    }

    func run(_ arguments: String...) throws -> CommandResult {
      try Command.fpcache(arguments + ["--config", tree.fullPath("fp-listen.ini")])
    }

    var snapshotPlace: String { tree.fullPath("fp-listen.ini") + ":26" }
  }

  private static let snapshot =
    "PKG_ZFS_SNAPSHOT is not used: fpcache empties the packages family instead, which does the same"

  private static let gone = [
    "ports/net/a/Detail.Part1.head.PageSize100.PageNum1.html",
    "ports/net/a/Makefile.PageSize100.PageNum1.html",
    "categories/net/net.0.head.PageSize100.PageNum1.html", "daily/2020/01/21.daily.head",
    "daily/2020/01/21.daily.2020Q1", "daily/2020/01/21.of-another-form",
    "commits/202001211234-abc-example-org/202001211234-abc-example-org...n.html",
    "general/sanity_test_failures.202001211234.ABC@example.org.PageSize100.PageNum1.html",
    "general/sanity_test_failures.PageSize100.PageNum1.html",
    "ports/MOVED.PageSize100.PageNum1.html",
    "ports/ports/branches/2020Q1/MOVED.PageSize100.PageNum1.html",
    "ports/base/head/sys/kern/kern_exec.c.PageSize100.PageNum1.html",
    "news/news.rss2.0.head.xml",
  ]
  private static let kept = [
    "daily/2020/01/22.daily.head", "ports/net/b/Detail.Part1.head.PageSize100.PageNum1.html",
    "ports/MOVED2.PageSize100.PageNum1.html", "general/other.PageSize100.PageNum1.html",
    "packages/net/a.html", "commits/another-id/another-id...n.html",
  ]

  private static let rows = """
    INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'a');
    INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
    INSERT INTO cache_clearing_commits (commit_to_clear) VALUES ('202001211234.ABC@example.org');
    INSERT INTO cache_clearing_files (pathname, date_added) VALUES
      ('/ports/head/MOVED', now()), ('/ports/branches/2020Q1/MOVED', now()),
      ('/base/head/sys/kern/kern_exec.c', now()), ('/doc/head/book.xml', now());
    """

  @Test("each kind of row clears by its key, and no row is refused")
  func rows() throws {
    let site = try Site()
    for page in Self.gone + Self.kept { try site.tree.write("cache/\(page)", bytes: 70) }
    try site.database.sql(Self.rows)
    let result = try site.run("listen", "--once", "--settle", "0", "--format", "json")
    #expect(result.status == 0, "\(result)")
    #expect(result.stdout.contains(#""rows":7,"#), "\(result)")
    #expect(result.stdout.contains(#""rows_refused":0,"#), "\(result)")
    #expect(
      try site.tree.files(below: "cache").map { String($0.dropFirst("cache/".count)) }
        == Self.kept.sorted())
    // What the program does in another way is said once, and nothing else is.
    let lines = result.stderr.split(separator: "\n")
    let ofTheFile = lines.filter { $0.contains("fp-listen.ini") }
    #expect(ofTheFile.count == 1, "\(result)")
    #expect(ofTheFile.first?.hasSuffix("notice: \(site.snapshotPlace): \(Self.snapshot)") == true)
    #expect(!result.stderr.contains("error: "), "\(result)")
  }

  @Test("a thousand files of other trees are a thousand rows served, and no line each")
  func otherTrees() throws {
    let site = try Site()
    try site.tree.makeDirectory("cache/ports")
    try site.database.sql(
      """
      INSERT INTO cache_clearing_files (pathname, date_added)
      SELECT '/base/head/sys/' || i || '.c', now() FROM generate_series(1, 1000) i;
      """)
    let result = try site.run("listen", "--once", "--settle", "0")
    #expect(result.status == 0, "\(result)")
    #expect(result.stdout.contains("1,000 rows"), "\(result)")
    #expect(!result.stdout.contains("refused"), "\(result)")
    #expect(result.stderr.split(separator: "\n").count < 10, "\(result)")
    #expect(try site.database.count("cache_clearing_files") == 0)
  }

  @Test("every page is known, and the audit says what is not obeyed and no more")
  func audit() throws {
    let site = try Site()
    for page in Self.gone + Self.kept where !page.hasSuffix("-form") {
      try site.tree.write("cache/\(page)", bytes: 70)
    }
    let result = try site.run(
      "verify", "--no-database", "--only", "unknown,misplaced,odd-value,unused-key")
    #expect(
      result.stdout == """
        unused-key (notice): 1: is a known key that fpcache does not use
          \(site.snapshotPlace): \(Self.snapshot)
          remedy: nothing to do; remove the key if no other program needs it
        1 finding in \(Self.gone.count + Self.kept.count - 1) files

        """, "\(result)")
    let stats = try site.run("stats", "--no-database", "--group-by", "branch")
    #expect(stats.stdout.contains("2020Q1"), "\(stats)")
    #expect(try site.run("verify", "--no-database", "--format", "nagios").status == 0)
  }

  @Test("a day goes by the key, one of its branches by the form of its pages")
  func day() throws {
    let site = try Site()
    for page in Self.gone where page.hasPrefix("daily") {
      try site.tree.write("cache/\(page)", bytes: 70)
    }
    #expect(try site.run("clear-date", "2020-01-21", "--branch", "2020Q1").status == 0)
    #expect(!site.tree.exists("cache/daily/2020/01/21.daily.2020Q1"))
    #expect(site.tree.exists("cache/daily/2020/01/21.daily.head"))
    #expect(site.tree.exists("cache/daily/2020/01/21.of-another-form"))
    #expect(try site.run("clear-date", "2020-01-21").status == 0)
    #expect(try site.tree.files(below: "cache/daily") == [])
  }

  @Test("at the start and at SIGHUP: what is not obeyed, and a key that is not known")
  func hangup() throws {
    let site = try Site()
    try site.tree.makeDirectory("cache/news")
    let listener = try Daemon(
      Command(
        try Command.fpcachePath(),
        [
          "listen", "--settle", "0", "--config", site.tree.fullPath("fp-listen.ini"),
          "--state-dir", site.tree.path,
        ]))
    try listener.waitForLog(containing: "notice: \(site.snapshotPlace): \(Self.snapshot)")
    try listener.waitForLog(containing: "drained: ")
    try site.write("[listen]\nPOL_INTERVAL = 5\n[verfy]\n[metrics]\nCOLOUR = red")
    listener.terminate(SIGHUP)
    try listener.waitForLog(
      containing: "fp-listen.ini:33: unknown key POL_INTERVAL in [listen]; did you mean "
        + "POLL_INTERVAL?")
    try listener.waitForLog(
      containing: "fp-listen.ini:34: unknown section [verfy]; did you mean [verify]?")
    listener.terminate()
    let result = try listener.waitForExit()
    #expect(result.status == 0, "\(result)")
    #expect(result.stderr.split(separator: "\n").count { $0.contains(Self.snapshot) } == 2)
    #expect(!result.stderr.contains("COLOUR") && !result.stderr.contains("JOBWAITING"))
  }
}
