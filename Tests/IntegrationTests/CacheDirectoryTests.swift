// SPDX-License-Identifier: BSD-2-Clause
//
// Which folders are taken for the cache directory, and what is mounted in one.

import Foundation
import Testing

@testable import TestSupport

@Suite struct CacheDirectoryTests {
  private static let page = "news/news.rss2.0.head.xml"
  private static let commands = [
    ["clear-news"], ["clear-date", "2020"], ["clear-port", "net/a"], ["stats", "--no-database"],
    ["verify", "--no-database"], ["listen", "--once"], ["listen"],
  ]

  @Test(
    "78 for a folder of the system's own",
    arguments: ["/", "//", "/usr/../", "/etc", "/usr", "/var", "/proc"])
  func systemFolders(_ folder: String) throws {
    for command in Self.commands {
      let result = try Command.fpcache(command + ["-n", "--cache-dir", folder])
      #expect(result.status == 78, "\(result)")
      #expect(
        result.stderr == "fpcache: cache directory \(shown(folder)) (--cache-dir) is a system "
          + "directory; name the right one with --cache-dir, or use --any-cache-dir to insist\n")
      #expect(result.stdout.isEmpty)
    }
  }

  /// As a path is read back: without what says nothing.
  private func shown(_ folder: String) -> String {
    folder == "//" ? "/" : folder == "/usr/../" ? "/usr/.." : folder
  }

  @Test("78 for a home directory: one's own, and that of any account")
  func homes() throws {
    let tree = try TemporaryTree()
    try tree.write(Self.page, bytes: 10)
    try tree.link("../\(URL(fileURLWithPath: tree.path).lastPathComponent)/link", to: ".")
    for folder in [tree.path, tree.fullPath("link")] {
      let own = try Command.fpcache(
        ["clear-news", "--cache-dir", folder], environment: ["HOME": tree.path])
      #expect(own.status == 78, "\(own)")
      #expect(own.stderr.contains(" is your home directory; "))
    }
    let entry = try #require(getpwuid(getuid())).pointee
    let others = try Command.fpcache(
      ["clear-news", "-n", "--cache-dir", String(cString: entry.pw_dir)])
    #expect(others.status == 78, "\(others)")
    #expect(tree.exists(Self.page))

    let insisting = try Command.fpcache(
      ["clear-news", "--any-cache-dir", "--cache-dir", tree.path],
      environment: ["HOME": tree.path])
    #expect(insisting.status == 0, "\(insisting)")
    #expect(!tree.exists(Self.page))
  }

  @Test("78 for a folder that holds other things; none for an empty one, or one who insists")
  func foreignFolder() throws {
    let tree = try TemporaryTree()
    try tree.write("site/index.html", bytes: 10)
    let before = try tree.snapshot()
    for command in Self.commands {
      let result = try Command.fpcache(command, environment: ["FPCACHE_DIR": tree.path])
      #expect(result.status == 78, "\(result)")
      #expect(
        result.stderr
          == "fpcache: cache directory \(tree.path) ($FPCACHE_DIR) contains other files "
          + "and none of daily, ports, categories, commits, packages, news, general, pages, html, "
          + "spooling, searchlog.txt; name the right one with --cache-dir, or use --any-cache-dir "
          + "to insist\n")
    }
    #expect(try tree.snapshot() == before)
    for command in Self.commands.dropLast(2) {
      let result = try Command.fpcache(command + ["--any-cache-dir", "--cache-dir", tree.path])
      #expect([0, 1].contains(result.status), "\(result)")
    }
    tree.remove("site")
    try tree.makeDirectory("lost+found")
    for command in Self.commands.dropLast(2) {
      let result = try Command.fpcache(command + ["--cache-dir", tree.path])
      #expect(result.status == 0, "\(result)")
    }
  }

  @Test("a link that comes to lead elsewhere is not followed: rows wait, and SIGHUP follows it")
  func turnedLink() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    let page = "daily/2020/01/21.daily.head"
    try tree.write("one/\(page)", bytes: 1)
    try tree.write("two/\(page)", bytes: 1)
    try tree.link("cache", to: "one")
    let listener = try Daemon(
      Command(
        Command.fpcachePath(),
        [
          "listen", "--cache-dir", tree.fullPath("cache"), "--dsn", database.listenerDSN,
          "--settle", "0", "--poll-interval", "0.2", "--state-dir", tree.path,
        ]))
    try listener.waitForLog(containing: "drained: ")
    tree.remove("cache")
    try tree.link("cache", to: "two")
    _ = try database.sql(
      "INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21'); NOTIFY date_updated")
    try listener.waitForLog(
      containing: "cache directory \(tree.fullPath("cache")): "
        + "a symbolic link in its path now leads elsewhere; send SIGHUP to follow it; "
        + "rows stay in their queues until it is back")
    #expect(try database.count("cache_clearing_dates") == 1)
    #expect(tree.exists("one/\(page)") && tree.exists("two/\(page)"))

    listener.terminate(SIGHUP)
    try eventually("the page goes where the link leads by now", details: "\(listener)") {
      try !tree.exists("two/\(page)") && database.count("cache_clearing_dates") == 0
    }
    #expect(tree.exists("one/\(page)"))
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test(
    "a mount point below a family's folder is told of by every command and left alone, unless told otherwise",
    .enabled(if: PrivateMount.isAllowed, "needs a mount namespace (unshare, mount)"))
  func mounts() throws {
    let tree = try TemporaryTree()
    let other = try TemporaryTree()
    try tree.makeDirectory("cache/ports/net/a")
    try tree.write("cache/ports/net/b/Detail.PageSize1.PageNum1.html", bytes: 10)
    try other.write("Detail.PageSize1.PageNum1.html", bytes: 10)
    try other.write("Detail.PageSize1.PageNum2.html", bytes: 0)
    let before = try other.snapshot()
    func run(_ arguments: [String]) throws -> CommandResult {
      try Command(
        Command.fpcachePath(), arguments + ["--cache-dir", tree.fullPath("cache")]
      ).mounting([.bind(other.path, at: tree.fullPath("cache/ports/net/a"))]).run()
    }
    let told = "ports/net/a: another file system is mounted here"
    let remedy =
      "if it belongs to the cache, set CROSS_MOUNTS = yes in [dirs] or give --cross-mounts"

    let stats = try run(["stats", "--no-database", "--format", "json"])
    #expect(stats.status == 1 && stats.stdout.contains(#""total":{"files":1,"#), "\(stats)")
    #expect(stats.stderr == "fpcache: \(told); \(remedy)\n")
    #expect(stats.stdout.contains(#""path":"ports/net/a","error":"EXDEV","#), "\(stats)")

    let verify = try run(["verify", "--no-database", "--fix"])
    #expect(verify.status == 1 && verify.stdout.contains("  \(told)\n"), "\(verify)")

    let clear = try run(["clear-port", "net/a", "net/b"])
    #expect(clear.status == 1, "\(clear)")
    #expect(
      clear.stdout
        == "removed 1 page of 2 ports, 10 bytes; 1 port matched nothing; 1 could not be removed\n")
    #expect(clear.stderr == "fpcache: \(told); \(remedy)\n")
    #expect(try other.snapshot() == before)

    let database = try PostgresServer.shared.makeDatabase()
    _ = try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'a')")
    let listen = ["listen", "--once", "--settle", "0", "--dsn", database.listenerDSN]
    let once = try run(listen)
    #expect(once.status == 1, "\(once)")
    #expect(
      once.stderr.contains(
        "error: cache_clearing_ports: net/a: \(told); \(remedy); the row stays"))
    #expect(try other.snapshot() == before)
    #expect(try database.count("cache_clearing_ports") == 1)

    let fixing = try run(["verify", "--no-database", "--fix", "--cross-mounts"])
    #expect(fixing.status == 0, "\(fixing)")
    #expect(try other.files() == ["Detail.PageSize1.PageNum1.html"])
    let crossing = try run(listen + ["--cross-mounts"])
    #expect(crossing.status == 0, "\(crossing)")
    #expect(try other.files().isEmpty)
    #expect(try database.count("cache_clearing_ports") == 0)
  }
}
