// SPDX-License-Identifier: BSD-2-Clause
//
// verify as a script sees it: findings, formats and exit statuses.

import Testing

@testable import TestSupport

@Suite struct AuditCommandTests {
  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for path in [
      "daily/2020/01/21.daily.head", "ports/www/page/Detail.Part1.head.PageSize100.PageNum1.html",
      "ports/MOVED.PageSize100.PageNum1.html", "news/news.rss2.0.head.xml", "html/stats.html",
      "searchlog.txt",
    ] {
      try tree.write(path, bytes: 10)
    }
    return tree
  }

  private func fpcache(_ arguments: [String], _ tree: TemporaryTree) throws -> CommandResult {
    try Command.fpcache(arguments, in: tree, environment: ["FPCACHE_DIR": tree.path])
  }

  @Test("verify finds nothing in a sound tree, and changes nothing")
  func clean() throws {
    let tree = try tree()
    let before = try tree.snapshot()
    let result = try fpcache(["verify", "--no-database"], tree)
    #expect(result.status == 0 && result.stdout == "clean in 6 files\n", "\(result)")
    #expect(try tree.snapshot() == before)
  }

  @Test(
    "verify finds each fault, and says so in every format",
    arguments: [
      ("notes.txt", 5, "unknown", "warning"),
      ("daily/2020/02/30.daily.head", 5, "bad-date", "warning"),
      ("daily/2020/13/01.daily.head", 5, "bad-date", "warning"),
      ("daily/2020/01/22.daily.head", 0, "empty", "critical"),
      ("ports/www/page/core", 5, "unknown", "warning"),
    ])
  func findings(_ path: String, _ bytes: Int, _ code: String, _ severity: String) throws {
    let tree = try tree()
    try tree.write(path, bytes: bytes)
    let json = try fpcache(["verify", "--no-database", "--format", "json"], tree)
    #expect(json.status == 1, "\(json)")
    #expect(
      json.stdout.hasPrefix(
        "{\"version\":1,\"dry_run\":false,\"files\":7,\"counts\":{\"\(code)\":1},\"findings\":"
          + "[{\"code\":\"\(code)\",\"severity\":\"\(severity)\",\"path\":\"\(path)\","), "\(json)")
    let nagios = try fpcache(["verify", "--no-database", "--format", "nagios"], tree)
    #expect(
      nagios.firstLine
        == "FPCACHE \(severity.uppercased()) - \(code)=1 | findings=1;;;0 files=7;;;0 "
        + "critical=\(severity == "critical" ? 1 : 0);;;0 warning=\(severity == "critical" ? 0 : 1);;;0 notice=0;;;0",
      "\(nagios)")
    #expect(nagios.status == (severity == "critical" ? 2 : 1))
    #expect(try fpcache(["verify", "--no-database", "--skip", code], tree).status == 0)
    #expect(try fpcache(["verify", "--no-database", "--only", "symlink"], tree).status == 0)
  }

  @Test("verify --fix removes an empty page and leaves the unknown; -n leaves both")
  func fix() throws {
    let tree = try tree()
    try tree.write("html/empty", bytes: 0)
    try tree.write("junk", bytes: 1)
    let before = try tree.snapshot()
    _ = try fpcache(["verify", "--no-database", "--fix", "-n"], tree)
    #expect(try tree.snapshot() == before)
    let result = try fpcache(["verify", "--no-database", "--fix"], tree)
    #expect(result.status == 1 && result.stdout.contains("html/empty: removed"), "\(result)")
    #expect(!tree.exists("html/empty") && tree.exists("junk"))
  }

  @Test("verify tells of a configured folder that does not exist, and of a backlog")
  func configuredFolder() throws {
    let database = try PostgresServer.shared.makeDatabase()
    _ = try database.sql("INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21')")
    let tree = try TemporaryTree()
    try tree.makeDirectory("cache/news")
    try tree.write(
      "fp.ini", text: "[dirs]\nBASEDIR = \(tree.path)\nNEWS_CACHE_DIR = %(BASEDIR)s/cache/new/*\n")
    let result = try Command.fpcache(
      [
        "verify", "--config", tree.fullPath("fp.ini"), "--dsn", database.listenerDSN,
        "--max-backlog", "0",
      ], in: tree)
    #expect(result.status == 1, "\(result)")
    #expect(result.stdout.contains("missing-dir (critical): 1:"), "\(result)")
    #expect(
      result.stdout.contains(
        "  new: is a configured folder that does not exist; did you mean news?\n"),
      "\(result)")
    #expect(
      result.stdout.contains("cache_clearing_dates: has 1 row waiting; 0 are allowed"), "\(result)")
  }

  @Test(
    "help of every subcommand is there",
    arguments: ["listen", "clear-date", "clear-port", "clear-news", "stats", "verify"])
  func help(command: String) throws {
    let result = try Command.fpcache([command, "--help"])
    #expect(result.status == 0 && result.stdout.contains("EXAMPLES"), "\(result)")
  }
}
