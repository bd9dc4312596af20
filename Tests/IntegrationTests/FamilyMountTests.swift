// SPDX-License-Identifier: BSD-2-Clause
//
// One file system for each family, as the real site has it: every command and the listener enter them
// without a flag, and nothing else that is mounted.

import Foundation
import Testing

@testable import TestSupport

@Suite(.enabled(if: MountNamespace.isAllowed, "needs root and a mount namespace (unshare, mount)"))
struct FamilyMountTests {
  private static let pages = [
    "categories/net/net.0.head.PageSize100.PageNum1.html", "commits/x-1/x-1.net.a.n.html",
    "daily/2020/01/21.daily.head", "general/sanity_test_failures.PageSize100.PageNum1.html",
    "html/stats.html", "news/news.rss2.0.head.xml", "packages/net/a.html", "pages/commits.html",
    "ports/MOVED.PageSize100.PageNum1.html",
    "ports/net/a/Detail.Part1.head.PageSize100.PageNum1.html",
  ]

  @Test("clear-port, clear-date, clear-news and clear, without a flag and without a word")
  func clears() throws {
    let cache = try MountedCache()
    try cache.plant(Self.pages)
    for arguments in [
      ["clear-port", "net/a"], ["clear-date", "2020-01-21"], ["clear-news"], ["clear", "commits"],
      ["clear", "general"], ["clear", "packages"], ["clear", "files"], ["clear", "pages"],
    ] {
      let dry = try cache.fpcache(arguments + ["-n", "--format", "json"])
      #expect(dry.status == 0 && dry.stderr.isEmpty, "\(dry)")
      let real = try cache.fpcache(arguments + ["--format", "json"])
      #expect(real.status == 0 && real.stderr.isEmpty, "\(real)")
      #expect(!real.stdout.contains(#""files_removed":0"#), "\(real)")
      #expect(
        real.stdout == dry.stdout.replacing(#""dry_run":true"#, with: #""dry_run":false"#))
    }
    #expect(try cache.files() == ["html/stats.html"])
  }

  @Test(
    "stats counts them and verify audits and mends them; a mount elsewhere is told, with its remedy"
  )
  func looks() throws {
    let cache = try MountedCache()
    try cache.plant(Self.pages)
    let stats = try cache.fpcache(["stats", "--no-database", "--format", "json"])
    #expect(stats.status == 0 && stats.stderr.isEmpty, "\(stats)")
    #expect(stats.stdout.contains(#""total":{"files":\#(Self.pages.count),"#), "\(stats)")
    let clean = try cache.fpcache(["verify", "--no-database"])
    #expect(clean.status == 0, "\(clean)")

    try cache.namespace.run(": > \(cache.path)/daily/2020/01/22.daily.head")
    let fixing = try cache.fpcache(["verify", "--no-database", "--fix"])
    #expect(fixing.stdout.contains("  daily/2020/01/22.daily.head: removed\n"), "\(fixing)")
    #expect(try cache.files() == Self.pages)

    try cache.mount("ports/net/b")
    let path = "ports/net/b: another file system is mounted here"
    let remedy =
      "if it belongs to the cache, set CROSS_MOUNTS = yes in [dirs] or give --cross-mounts"
    let text = try cache.fpcache(["verify", "--no-database"])
    #expect(
      text.stdout.hasPrefix(
        """
        unreadable (critical): 1: cannot be read
          \(path)
          remedy for ports/net/b: \(remedy)

        """), "\(text)")
    let json = try cache.fpcache(["verify", "--no-database", "--format", "json"])
    #expect(json.stdout.contains(#""remedy":"\#(remedy)""#), "\(json)")
    let nagios = try cache.fpcache(["verify", "--no-database", "--format", "nagios"])
    #expect(
      nagios.status == 2
        && nagios.stdout.hasPrefix("FPCACHE CRITICAL - unreadable=1; \(remedy) | "), "\(nagios)")
    let clear = try cache.fpcache(["clear-port", "net/b"])
    #expect(clear.status == 1 && clear.stderr == "fpcache: \(path); \(remedy)\n", "\(clear)")

    let file = cache.tree.fullPath("fpcache.ini")
    try cache.tree.write("fpcache.ini", text: "[dirs]\nCROSS_MOUNTS = yes\n")
    let allowed = try cache.fpcache(["verify", "--no-database", "--config", file])
    #expect(allowed.status == 0, "\(allowed)")
  }

  // MARK: The listener

  private func listener(
    _ cache: MountedCache, _ database: TestDatabase, _ arguments: [String] = []
  ) throws -> Daemon {
    try Daemon(cache.command(self.arguments(cache, database) + arguments))
  }

  private func arguments(_ cache: MountedCache, _ database: TestDatabase) throws -> [String] {
    try cache.tree.makeDirectory("state")
    return [
      "listen", "--dsn", database.listenerDSN, "--settle", "0", "--poll-interval", "0.2",
      "--state-dir", cache.tree.fullPath("state"),
    ]
  }

  private static let changes = """
    INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'a');
    INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
    INSERT INTO cache_clearing_commits (commit_to_clear) VALUES ('x-1');
    INSERT INTO cache_clearing_files (pathname) VALUES ('/ports/head/MOVED');
    NOTIFY port_updated; NOTIFY packages_imported;
    """
  private static let queues = ["ports", "dates", "commits", "files"].map { "cache_clearing_\($0)" }

  @Test("a day's work of listen, and of listen --once, without a word of any mount")
  func day() throws {
    let cache = try MountedCache()
    let database = try PostgresServer.shared.makeDatabase()
    let listener = try listener(cache, database)
    try listener.waitForLog(containing: "drained: ")
    try cache.plant(Self.pages)
    _ = try database.sql(Self.changes)
    try eventually("every family is cleared", details: "\(listener)") {
      try cache.files() == ["html/stats.html", "pages/commits.html"]
        && Self.queues.allSatisfy { try database.count($0) == 0 }
    }
    #expect(!listener.lines.contains { $0.contains("error") || $0.contains("mount") })
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)

    try cache.plant(Self.pages)
    _ = try database.sql(Self.changes)
    let once = try cache.fpcache(arguments(cache, database) + ["--once"])
    #expect(once.status == 0 && !once.stderr.contains("error"), "\(once)")
    #expect(
      try cache.files() == ["html/stats.html", "packages/net/a.html", "pages/commits.html"])
    #expect(try Self.queues.allSatisfy { try database.count($0) == 0 })
  }

  @Test("a scrub looks into each, and one that is away is no reason to clear or to complain")
  func scrub() throws {
    let cache = try MountedCache()
    let database = try PostgresServer.shared.makeDatabase()
    let file = cache.tree.fullPath("f.ini")
    try cache.tree.write(
      "f.ini",
      text: """
        [listen]
        RECHECK_INTERVAL = 0
        SCRUB_INTERVAL = 0.5
        [verify]
        PORTS = SELECT 'net' AS category, 'a' AS port, now() - interval '1 day' AS changed_at
        COMMITS = SELECT 'x-1' AS id, now() - interval '3 days' AS changed_at
        PACKAGES = SELECT 'net' AS category, 'b' AS port, now() AS changed_at
        NEWS = SELECT now() - interval '1 day' AS changed_at

        """)
    func age() throws {
      try cache.plant(Self.pages)
      try cache.namespace.run(
        "find \(cache.path) -type f -exec touch -d '2 days ago' {} +")
    }
    try age()
    // Those of ports/net/a and news are older than the change, packages/net/a is no more.
    let gone = Self.pages.filter { page in
      ["ports/net/", "news/", "packages/"].contains { page.hasPrefix($0) }
    }
    let listener = try listener(cache, database, ["--config", file])
    try eventually("the pages go", details: "\(listener)") {
      try cache.files() == Self.pages.filter { !gone.contains($0) }
    }
    try cache.unmount("news")
    try age()
    try eventually("those go whose file system is there", details: "\(listener)") {
      try !cache.files().contains { $0.hasPrefix("ports/net/") }
    }
    #expect(!listener.lines.contains { $0.contains("error") }, "\(listener)")
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test(
    "a mount that goes away while it runs: rows stay, one line says so, and one that it is back")
  func away() throws {
    let cache = try MountedCache()
    let database = try PostgresServer.shared.makeDatabase()
    let listener = try listener(cache, database)
    try listener.waitForLog(containing: "drained: ")
    try cache.plant(Self.pages)
    try cache.unmount("ports")
    let values = (0..<30).map { "(\($0), 'net', 'p\($0)')" }.joined(separator: ", ")
    _ = try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES \(values);" + Self.changes)
    let line = "ports: its file system is not mounted; rows stay in their queues until it is back"
    try listener.waitForLog(containing: line)
    try eventually("all else is served", details: "\(listener)") {
      try ["dates", "commits"].allSatisfy { try database.count("cache_clearing_\($0)") == 0 }
        && cache.files() == ["html/stats.html", "pages/commits.html"]
    }
    #expect(try database.count("cache_clearing_ports") == 31)
    #expect(try database.count("cache_clearing_files") == 1)

    try cache.remount("ports")
    try listener.waitForLog(containing: "notice: ports: its file system is mounted again; resuming")
    try eventually("the rows are served", details: "\(listener)") {
      try cache.files() == ["html/stats.html", "pages/commits.html"]
        && Self.queues.allSatisfy { try database.count($0) == 0 }
    }
    #expect(listener.lines.count { $0.contains("error: ") } == 1, "\(listener)")
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test("away at the start: known from the state directory, by --once too; forgotten with its file")
  func awayAtStart() throws {
    let cache = try MountedCache()
    let database = try PostgresServer.shared.makeDatabase()
    let arguments = try arguments(cache, database) + ["--once"]
    #expect(try cache.fpcache(arguments).status == 0)
    try cache.plant(Self.pages)
    try cache.unmount("daily")
    _ = try database.sql(Self.changes)
    let away = try cache.fpcache(arguments)
    #expect(away.status == 1, "\(away)")
    #expect(away.stderr.contains("error: daily: its file system is not mounted; "), "\(away)")
    #expect(try database.count("cache_clearing_dates") == 1)
    #expect(try database.count("cache_clearing_ports") == 0)
    // Meant to be a plain folder now.
    cache.tree.remove("state/mounts")
    let plain = try cache.fpcache(arguments)
    #expect(plain.status == 0, "\(plain)")
    #expect(try database.count("cache_clearing_dates") == 0)
  }

  @Test("what waits for its second clear stays on the list while its mount is away")
  func settle() throws {
    let cache = try MountedCache()
    let database = try PostgresServer.shared.makeDatabase()
    let listener = try listener(cache, database, ["--settle", "1"])
    try listener.waitForLog(containing: "drained: ")
    _ = try database.sql(
      "INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21'); NOTIFY date_updated")
    try eventually { try database.count("cache_clearing_dates") == 0 }
    // Rendered of the old data, and written after the clear.
    try cache.plant(["daily/2020/01/21.daily.head"])
    try cache.unmount("daily")
    try listener.waitForLog(containing: "daily: its file system is not mounted; ")
    listener.terminate(SIGKILL)
    _ = try listener.waitForExit()

    let second = try self.listener(cache, database, ["--settle", "1"])
    try second.waitForLog(containing: "daily: its file system is not mounted; ")
    try cache.remount("daily")
    try eventually("it is cleared the second time", details: "\(second)") {
      try cache.files().isEmpty
    }
    second.terminate()
    #expect(try second.waitForExit().status == 0)
  }

  // MARK: A page that is copied into place

  @Test(
    "rename across file systems, as PHP does it: open, write, unlink, and no half page at rest",
    .enabled(if: findProgram("php") != nil, "php is not installed"))
  func copiedByPHP() throws {
    let php = try #require(findProgram("php"), "php is not there")
    let cache = try MountedCache()
    let page = "\(cache.path)/news/news.rss2.0.head.xml"
    let code = """
      $from = '\(cache.path)/spooling/news.tmpA1b2C3';
      for ($i = 0; $i < 300; $i++) {
        file_put_contents($from, str_repeat('x', 100000) . 'END');
        @rename($from, '\(page)');
      }
      """
    let writer = try Daemon(cache.namespace.wrap(Command(php, ["-r", code])))
    repeat {
      #expect(try cache.fpcache(["clear-news"]).status == 0)
      let audit = try cache.fpcache(["verify", "--no-database", "--only", "empty", "--fix"])
      #expect(audit.status == 0 && audit.stdout.hasPrefix("clean"), "\(audit)")
    } while writer.isRunning
    let left = try cache.namespace.run("[ ! -e \(page) ] || tail -c 3 \(page)")
    #expect(["", "END"].contains(left))
    #expect(try cache.fpcache(["clear-news"]).status == 0)
    #expect(try cache.files().filter { $0.hasPrefix("news") } == [])
  }
}
