// SPDX-License-Identifier: BSD-2-Clause
//
// clear --all: every family that an invalidation may clear, and nothing that no visitor re-creates.

import Testing

@testable import TestSupport

@Suite struct ClearAllTests {
  private static let stays = [
    "general/other.PageSize100.PageNum1.html", "html/stats.html", "news/.hidden",
    "pages/commits.html", "ports/junk", "searchlog.txt", "spooling/news.tmpA1b2C3",
  ]
  private static let goes = [
    "categories/net/net.0.head.PageSize100.PageNum1.html", "commits/x-1/x-1.net.a.n.html",
    "daily/2020/01/21.daily.head", "general/sanity_test_failures.PageSize100.PageNum1.html",
    "news/news.rss2.0.head.xml", "packages/net/a.html", "ports/MOVED.PageSize100.PageNum1.html",
    "ports/net/a/Detail.Part1.head.PageSize100.PageNum1.html",
  ]

  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for path in Self.stays + Self.goes { try tree.write(path, bytes: 100) }
    return tree
  }

  private func clear(_ tree: TemporaryTree, _ arguments: String...) throws -> CommandResult {
    try Command.fpcache(
      ["clear", "--all"] + arguments, in: tree, environment: ["FPCACHE_DIR": tree.path])
  }

  @Test("what goes and what stays; -n says the same and changes nothing")
  func everything() throws {
    let tree = try tree()
    let before = try tree.snapshot()
    let dry = try clear(tree, "-n", "-v", "--format", "json")
    #expect(try tree.snapshot().differences(from: before) == [])
    let real = try clear(tree, "-v", "--format", "json")
    #expect(
      dry.stdout.replacing(#""dry_run":true"#, with: #""dry_run":false"#) == real.stdout)
    let removed = Self.goes.map { #""\#($0)""# }.joined(separator: ",")
    #expect(
      real.stdout
        == #"{"version":1,"dry_run":false,"keys":8,"files_removed":8,"bytes_removed":800,"#
        + #""keys_without_match":0,"failures":[],"removed":[\#(removed)]}"# + "\n", "\(real)")
    #expect(real.status == 0 && real.stderr.isEmpty)
    #expect(try tree.files() == Self.stays)

    let again = try clear(tree, "--require-match")
    #expect(again.status == 3 && again.stdout == "no page of 8 families in the cache\n", "\(again)")
  }

  @Test(
    "a page that cannot go: said, and status 1",
    .enabled(if: PrivateMount.isAllowed, "needs a mount namespace (unshare, mount)"))
  func failure() throws {
    let tree = try tree()
    var command = Command(
      try Command.fpcachePath(), ["clear", "--all", "--cache-dir", tree.path])
    command.tree = tree
    let result = try command.mounting([.readOnly(tree.fullPath("news"))]).run()
    #expect(result.status == 1, "\(result)")
    #expect(
      result.stdout == "removed 7 pages of 8 families, 700 bytes; 1 could not be removed\n")
    #expect(
      result.stderr
        == "fpcache: news/news.rss2.0.head.xml: Read-only file system; mount the cache for writing\n"
    )
  }

  @Test("a layout of the site's own: what its queues and events name, and 78 without any")
  func ownLayout() throws {
    let tree = try TemporaryTree()
    for path in ["a/x", "b/x", "c/x"] { try tree.write("cache/\(path)", bytes: 10) }
    let layout = "[layout]\na = a/{x}\nb = b/{x}\nc = c/{x}\n"
    try tree.write(
      "own.ini", text: layout + "[events]\nchanged = empty b\n[listen]\nEMPTY_AFTER = c\n")
    try tree.write("bare.ini", text: layout)
    func clear(_ file: String) throws -> CommandResult {
      try Command.fpcache(
        ["clear", "--all", "--config", tree.fullPath(file), "--cache-dir", tree.fullPath("cache")],
        in: tree)
    }
    let bare = try clear("bare.ini")
    #expect(
      bare.status == 78 && bare.stderr.contains("does not say what a table or event"), "\(bare)")
    let own = try clear("own.ini")
    #expect(own.stdout == "removed 2 pages of 2 families, 20 bytes\n", "\(own)")
    #expect(try tree.files() == ["bare.ini", "cache/a/x", "own.ini"])
  }
}
