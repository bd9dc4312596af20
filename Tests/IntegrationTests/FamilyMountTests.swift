// One file system for each family, as the real site has it: every command and the listener enter them
// without a flag, and nothing else that is mounted.

import Foundation
import Testing

@testable import TestSupport

@Suite(.enabled(if: MountNamespace.isAllowed, "needs root, unshare(1) and mount(8)"))
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
}
