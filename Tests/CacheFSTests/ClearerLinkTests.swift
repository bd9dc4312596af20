// SPDX-License-Identifier: BSD-2-Clause
//
// Links are never followed: a link as a page goes and its target stays; a link in a folder's
// place is said, since what lies behind it is not cleared.

import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import CacheFS

@Suite struct ClearerLinkTests {
  private let layout = Layout.freshPorts

  /// A cache with a folder and a file outside it, which nothing may touch.
  private func trees() throws -> (cache: TemporaryTree, outside: TemporaryTree) {
    let outside = try TemporaryTree()
    try outside.plant(["a/Detail.PageSize100.PageNum1.html", "net/a/x", "x/y", "file"])
    return (try TemporaryTree(), outside)
  }

  @Test func aLinkAsAPageGoes() throws {
    let (tree, outside) = try trees()
    let before = try outside.snapshot()
    try tree.link("ports/net/a/page", to: outside.fullPath("file"))
    try tree.link("ports/net/a/folder", to: outside.fullPath("net"))
    try tree.link("ports/net/a/dangling", to: "nowhere")
    try tree.link("ports/net/a/loop", to: "loop")
    try tree.link("ports/net/a/sub/up", to: "..")
    let report = try tree.clearer().clear(layout.port("net", "a"))
    #expect(report.filesRemoved == 5)
    #expect(report.failures.isEmpty)
    #expect(try tree.files().isEmpty)
    #expect(try outside.snapshot() == before)
  }

  @Test("a page that is another name of a file outside goes, and the file keeps all that it has")
  func hardLinks() throws {
    let (tree, outside) = try trees()
    let before = try outside.snapshot()
    try tree.makeDirectory("ports/net/a")
    #expect(
      link(outside.fullPath("file"), tree.fullPath("ports/net/a/page")) == 0, "\(errno)")
    #expect(try tree.clearer().clear(layout.port("net", "a")).filesRemoved == 1)
    #expect(try outside.snapshot().differences(from: before).isEmpty)
  }

  @Test func linksInNewsGo() throws {
    let (tree, outside) = try trees()
    let before = try outside.snapshot()
    try tree.link("news/a", to: outside.path)
    try tree.link("news/sub/b", to: outside.fullPath("file"))
    try tree.link("news/.hidden", to: outside.path)
    let report = try tree.clearer().clear(layout.all(of: "news"))
    #expect(report.removedPaths == ["news/a", "news/sub/b"])
    #expect(try tree.files() == ["news/.hidden"])
    #expect(try outside.snapshot() == before)
  }

  @Test(arguments: ["ports", "ports/net", "ports/net/a"])
  func aLinkInAFoldersPlaceIsAFailure(_ place: String) throws {
    let (tree, outside) = try trees()
    let before = try outside.snapshot()
    let target = ["ports": "", "ports/net": "net", "ports/net/a": "net/a"][place] ?? ""
    try tree.link(place, to: outside.fullPath(target))
    for key in [try layout.port("net", "a"), try layout.ports(of: bytes("net"))] {
      let report = try tree.clearer().clear(key)
      #expect(
        report.failures == [PathFailure(path: CachePath(bytes(place)), error: .notDirectory)])
      #expect(report.filesRemoved == 0)
    }
    #expect(try outside.snapshot() == before)
    #expect(tree.exists(place))
  }

  @Test func aLinkToAFolderOfTheCacheIsNoWayEither() throws {
    let tree = try TemporaryTree()
    try tree.plant(["ports/net/a/x"])
    try tree.link("categories", to: "ports")
    try tree.link("ports/www", to: "net")
    let report = ClearReport.sum(
      try tree.clearer().clear([
        layout.category(bytes("net")), layout.port("www", "a"), layout.all(of: "categories"),
      ]))
    #expect(Set(report.failures.map(\.path)) == ["categories", "ports/www"])
    #expect(tree.exists("ports/net/a/x"))
  }

  @Test func aLinkedYearOrMonthIsAFailure() throws {
    let (tree, outside) = try trees()
    try outside.plant(["01/21.daily.head"])
    let before = try outside.snapshot()
    try tree.plant(["daily/2020/02/21.daily.head"])
    try tree.link("daily/2020/01", to: outside.fullPath("01"))
    try tree.link("daily/2020/x", to: outside.path)
    let report = try tree.clearer().clear(layout.year(2020))
    #expect(report.removedPaths == ["daily/2020/02/21.daily.head"])
    // The link that no row describes is nobody's.
    #expect(report.failures == [PathFailure(path: "daily/2020/01", error: .notDirectory)])
    #expect(try outside.snapshot() == before)
  }

  /// A key that names a page below a folder must not reach through a link in its midst.
  @Test(arguments: [
    ("ports", "page"), ("ports", "file"), ("pages", "page"), ("files", "path"),
  ])
  func aLinkInsideATailIsNotFollowed(_ family: String, _ field: String) throws {
    let (tree, outside) = try trees()
    let page = field == "page" ? "y" : "y.PageSize1.PageNum1.html"
    try outside.plant(["x/\(page)"])
    let before = try outside.snapshot()
    let folder = ["ports": "ports/net/a", "pages": "pages", "files": "ports"][family] ?? ""
    try tree.link("\(folder)/X", to: outside.fullPath("x"))
    var values = [(field: field, value: bytes("X/y"))]
    if family == "ports" {
      values += [(field: "category", value: bytes("net")), (field: "port", value: bytes("a"))]
    }
    let report = try tree.clearer().clear(layout.key(family, values))
    #expect(report.filesRemoved == 0)
    #expect(report.failures.map(\.path) == [CachePath(bytes("\(folder)/X"))])
    #expect(try outside.snapshot() == before)
  }

  @Test func theCacheDirectoryItselfMayBeALink() throws {
    let tree = try TemporaryTree()
    let other = try TemporaryTree()
    try tree.plant(["news/a"])
    try other.link("cache", to: tree.path)
    let root = try Directory(root: FilePath(other.fullPath("cache")))
    let clearer = Clearer(root, layout: layout)
    #expect(try clearer.clear(layout.all(of: "news")).filesRemoved == 1)
  }
}
