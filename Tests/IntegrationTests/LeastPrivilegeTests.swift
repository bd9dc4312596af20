// SPDX-License-Identifier: BSD-2-Clause
//
// All that fpcache does, done by an ordinary account that may write the folders of the cache, read its
// configuration, and nothing else: the pages are not its own, nor may it read them.

import Foundation
import Testing

@testable import TestSupport

@Suite struct LeastPrivilegeTests {
  private static let pages = [
    "ports/net/a/Detail.PageSize1.PageNum1.html", "ports/net/b/Detail.PageSize1.PageNum1.html",
    "categories/net/net.0.head.PageSize1.PageNum1.html", "daily/2020/01/21.daily.head",
    "daily/2020/01/22.daily.head", "news/news.rss2.0.head.xml",
  ]

  /// A cache of the web server's, who lets our group write its folders; ours alone is `state`.
  private func site(_ database: TestDatabase) throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for page in Self.pages { try tree.write("cache/\(page)", bytes: 10, mode: 0o600) }
    for family in ["commits", "packages", "general", "pages", "html", "spooling"] {
      try tree.makeDirectory("cache/\(family)")
    }
    try tree.write("cache/news/news.rss2.0.2020Q1.xml", bytes: 0, mode: 0o600)
    try tree.write(
      "fp.ini",
      text: """
        [dirs]
        BASEDIR = \(tree.path)
        [listen]
        SETTLE = 0.1
        STATE_DIR = \(tree.fullPath("state"))
        STATUS_FILE = \(tree.fullPath("state/status.json"))
        METRICS_FILE = \(tree.fullPath("state/metrics.prom"))
        """, mode: 0o640)
    try tree.makeDirectory("state", mode: 0o700)
    if let stand = Account.stand {
      for folder in try ["cache"] + tree.folders(below: "cache") {
        try tree.setMode(folder, 0o775)
        #expect(chown(tree.fullPath(folder), 0, stand.gid) == 0)
      }
      #expect(chown(tree.fullPath("fp.ini"), 0, stand.gid) == 0)
      #expect(chown(tree.path, 0, 0) == 0 && chmod(tree.path, 0o755) == 0)
      try Account.unprivileged.take(tree.fullPath("state"))
    }
    return tree
  }

  private func run(
    _ tree: TemporaryTree, _ database: TestDatabase, _ arguments: [String]
  ) throws -> CommandResult {
    try Command.fpcache(
      arguments + ["--config", tree.fullPath("fp.ini")]
        + (arguments[0].hasPrefix("clear") ? [] : ["--dsn", database.listenerDSN]),
      environment: ["FPCACHE_CONFIG": nil], as: .unprivileged)
  }

  @Test("every command does its work")
  func commands() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try site(database)
    let stats = try run(tree, database, ["stats", "--format", "json"])
    #expect(stats.status == 0, "\(stats)")
    #expect(stats.stdout.contains(#""total":{"files":7,"#), "\(stats)")
    let skipped = "no-listener,stub"
    let audit = try run(tree, database, ["verify", "--fix", "--skip", skipped])
    #expect(audit.status == 0 && audit.stdout.contains("empty (critical): 1"), "\(audit)")
    let clean = try run(tree, database, ["verify", "--skip", skipped])
    #expect(clean.status == 0, "\(clean)")
    for arguments in [["clear-date", "2020-01-21"], ["clear-port", "net/a"], ["clear-news"]] {
      let result = try run(tree, database, arguments)
      #expect(result.status == 0 && result.stderr.isEmpty, "\(result)")
    }
    #expect(
      try tree.files(below: "cache") == [
        "cache/daily/2020/01/22.daily.head",
        "cache/ports/net/b/Detail.PageSize1.PageNum1.html",
      ])
    _ = try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'b');
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-22');
      """)
    let once = try run(tree, database, ["listen", "--once"])
    #expect(once.status == 0, "\(once)")
    #expect(!once.stderr.contains("warning") && !once.stderr.contains("error"), "\(once)")
    #expect(try tree.files(below: "cache").isEmpty)
    #expect(try database.count("cache_clearing_ports") == 0)
  }
}
