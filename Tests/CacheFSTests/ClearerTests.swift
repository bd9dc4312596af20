// SPDX-License-Identifier: BSD-2-Clause
//
// Clearing on real trees, family by family: just the pages of the key go, and whatever lies
// beside them stays.

import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import CacheFS

@Suite struct ClearerTests {
  private let layout = Layout.freshPorts

  /// Plants what goes and what stays, clears the keys, and looks.
  private func expect(
    _ keys: CacheKey..., remove going: [String], leave staying: [String],
    branches: [String]? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let tree = try TemporaryTree()
    try tree.plant(going + staying)
    let sizes = going.indices.reduce(0) { $0 + 10 + $1 % 90 }
    let report = ClearReport.sum(try tree.clearer(branches: branches).clear(keys))
    #expect(try tree.fileSet() == Set(staying), sourceLocation: sourceLocation)
    #expect(report.removedPaths == going.sorted(), sourceLocation: sourceLocation)
    #expect(report.filesRemoved == going.count, sourceLocation: sourceLocation)
    #expect(report.bytesRemoved == Int64(sizes), sourceLocation: sourceLocation)
    #expect(report.matched == !going.isEmpty, sourceLocation: sourceLocation)
    #expect(report.failures.isEmpty, sourceLocation: sourceLocation)
  }

  // MARK: Ports

  private static let portPages = [
    "ports/net/a/Detail.Part1.head.PageSize100.PageNum1.html",
    "ports/net/a/Detail.Part2.2020Q1.PageSize100.PageNum1.html",
    "ports/net/a/Detail.PageSize100.PageNum1.html",
    "ports/net/a/Makefile.PageSize100.PageNum1.html",
    "ports/net/a/files/patch-x.PageSize100.PageNum1.html",
    "ports/net/a/junk", "ports/net/a/.hidden", "ports/net/a/*", "ports/net/a/x/y/z/deep",
    "ports/net/a/x/.dot", "ports/net/a/ü\n",
  ]

  private static let otherPages = [
    "ports/net/ab/Detail.PageSize100.PageNum1.html", "ports/net/A/junk", "ports/www/a/junk",
    "ports/net/Makefile.PageSize100.PageNum1.html", "ports/net/a.PageSize100.PageNum1.html",
    "categories/net/net.0.head.PageSize100.PageNum1.html", "packages/net/a.html", "searchlog.txt",
    "news/a",
  ]

  @Test func aPortsFolderGoesWhole() throws {
    try expect(layout.port("net", "a"), remove: Self.portPages, leave: Self.otherPages)
  }

  @Test func subfoldersGoButNotThePortsOwn() throws {
    let tree = try TemporaryTree()
    try tree.plant(Self.portPages)
    try tree.makeDirectory("ports/net/a/empty/nest")
    _ = try tree.clearer().clear(layout.port("net", "a"))
    #expect(try tree.folders() == ["ports", "ports/net", "ports/net/a"])
  }

  @Test func aCategorysPortsGo() throws {
    try expect(
      layout.ports(of: bytes("net")),
      remove: Self.portPages + ["ports/net/ab/x", "ports/net/libsigc++20/y/z"],
      leave: [
        "ports/www/a/x", "ports/net/Makefile.PageSize100.PageNum1.html", "ports/net-p2p/a/x",
        "ports/net/.a/x", "categories/net/x",
      ])
  }

  @Test func aPortOfEveryCategory() throws {
    try expect(
      layout.key("ports", ["port": "a"]), remove: ["ports/net/a/x", "ports/www/a/y/z"],
      leave: ["ports/net/b/x", "ports/Mk/a/x", "ports/a"])
  }

  @Test func namesAreNoGlobs() throws {
    // What the old listener pasted into a glob, and what it would have taken along.
    try expect(
      layout.port("devel", "libsigc++20"), remove: ["ports/devel/libsigc++20/x"],
      leave: ["ports/devel/libsigccc20/x", "ports/devel/libsigc++200/x", "ports/devel/libsigc20/x"])
    try expect(
      layout.port("net", "a.b"), remove: ["ports/net/a.b/x"],
      leave: ["ports/net/axb/x", "ports/net/a.bc/x"])
  }

  // MARK: Branches

  @Test func onlyPagesOfTheBranchesGo() throws {
    try expect(
      layout.port("net", "a"),
      remove: [
        "ports/net/a/Detail.Part1.2020Q1.PageSize100.PageNum1.html",
        "ports/net/a/Detail.Part1.2020Q2.PageSize100.PageNum1.html",
      ],
      leave: [
        "ports/net/a/Detail.Part1.head.PageSize100.PageNum1.html",
        "ports/net/a/Detail.Part1.2020Q3.PageSize100.PageNum1.html",
        // Of no branch, and so not of one of these.
        "ports/net/a/Detail.PageSize100.PageNum1.html", "ports/net/a/2020Q1",
        "ports/net/a/files/x.PageSize1.PageNum1.html",
      ], branches: ["2020Q1", "2020Q2"])
    try expect(
      layout.key("daily", ["year": "2020"]), remove: ["daily/2020/01/21.daily.head"],
      leave: ["daily/2020/01/21.daily.2020Q1"], branches: ["head"])
    try expect(
      layout.port("net", "a"), remove: [], leave: Self.portPages + ["ports/net/a/e/f"],
      branches: ["2019Q4"])
  }

  @Test func aBranchThatIsAFolderCounts() throws {
    let tree = try TemporaryTree()
    try tree.plant(["by/head/a", "by/head/b/c", "by/2020Q1/a"])
    let layout = try Layout([Family("by", "by/{branch}/{page...}")])
    let clearer = Clearer(
      try tree.open(), layout: layout, branches: [bytes("head")], threads: 1)
    #expect(try clearer.clear(layout.all(of: "by")).filesRemoved == 2)
    #expect(try tree.files() == ["by/2020Q1/a"])
  }

  // MARK: Days

  @Test func daysMonthsAndYears() throws {
    let january = ["daily/2020/01/21.daily.head", "daily/2020/01/22.daily.2020Q1"]
    let junk = [
      "daily/2020/01/21", "daily/2020/01/21.daily.main", "daily/2020/01/x/y",
      "daily/2020/1/21.daily.head", "daily/2020/.21.daily.head",
    ]
    let others = ["daily/2020/02/21.daily.head", "daily/2021/01/21.daily.head"] + junk
    let day = try #require(CalendarDate(year: 2020, month: 1, day: 21))
    try expect(layout.day(day), remove: [january[0]], leave: [january[1]] + others)
    try expect(layout.month(year: 2020, month: 1), remove: january, leave: others)
    try expect(layout.year(2020), remove: january + [others[0]], leave: [others[1]] + junk)
    try expect(layout.all(of: "daily"), remove: january + others[...1], leave: junk)
  }

  // MARK: The other families

  @Test func newsLosesAllButDotfiles() throws {
    try expect(
      layout.all(of: "news"),
      remove: [
        "news/news.rss.head.xml", "news/index-html-head-pagesize100-pagenum1-html", "news/x",
        "news/folder/y", "news/folder/.z", "news/folder/deep/er/x",
      ], leave: ["news/.hidden", "news/.folder/x", "new/x", "news.xml"])
  }

  @Test func newsFoldersGoThemselves() throws {
    let tree = try TemporaryTree()
    try tree.plant(["news/a/b/c", "news/.d/e"])
    try tree.makeDirectory("news/empty/nest")
    _ = try tree.clearer().clear(layout.all(of: "news"))
    #expect(try tree.folders() == ["news", "news/.d"])
  }

  @Test func packagesGoWhole() throws {
    try expect(
      layout.all(of: "packages"),
      remove: ["packages/net/a.html", "packages/x11-fonts/gtk+2.0.html"],
      leave: ["packages/net/a.txt", "packages/x", "packages/Mk/a.html", "packages/net/a/b.html"])
    try expect(
      layout.key("packages", ["category": "net", "port": "a"]), remove: ["packages/net/a.html"],
      leave: ["packages/net/ab.html", "packages/www/a.html"])
  }

  @Test func categoriesAndTheirUsers() throws {
    let nobody = "categories/net/net.0.head.PageSize100.PageNum1.html"
    let somebody = "categories/net/net.7.head.PageSize100.PageNum1.html"
    let other = "categories/www/www.0.head.PageSize100.PageNum1.html"
    try expect(
      layout.category(bytes("net")), remove: [nobody, somebody, "categories/net/junk"],
      leave: [other])
    try expect(
      layout.key("categories", ["user": "0"]), remove: [nobody, other],
      leave: [somebody, "categories/net/junk", "categories/net/e/f"])
  }

  @Test func aFileOfAPort() throws {
    try expect(
      layout.file(path: bytes("net/a/Makefile")),
      remove: [
        "ports/net/a/Makefile.PageSize100.PageNum1.html",
        "ports/net/a/Makefile.PageSize50.PageNum2.html",
      ],
      leave: [
        "ports/net/a/Makefile.x.PageSize100.PageNum1.html", "ports/net/a/Makefile",
        "ports/net/a/files/Makefile.PageSize100.PageNum1.html",
        "ports/net/b/Makefile.PageSize100.PageNum1.html",
        "ports/net/a/Detail.PageSize100.PageNum1.html",
      ])
    try expect(
      layout.file(path: bytes("net/a/files/patch-x")),
      remove: ["ports/net/a/files/patch-x.PageSize100.PageNum1.html"],
      leave: [
        "ports/net/a/patch-x.PageSize100.PageNum1.html", "ports/net/a/files/patch-x",
        "ports/net/a/files/files/patch-x.PageSize100.PageNum1.html",
      ])
  }

  @Test func aFileOutsideThePorts() throws {
    try expect(
      layout.file(path: bytes("Mk/Uses/cargo.mk")),
      remove: ["ports/Mk/Uses/cargo.mk.PageSize100.PageNum1.html"],
      leave: [
        "ports/Mk/Uses/cargo.mk", "ports/Mk/cargo.mk.PageSize100.PageNum1.html",
        "ports/Mk/Uses/xcargo.mk.PageSize100.PageNum1.html",
        "ports/Mk/Uses/cargo/mk.PageSize100.PageNum1.html",
      ])
    try expect(
      layout.file(path: bytes("MOVED")), remove: ["ports/MOVED.PageSize100.PageNum1.html"],
      leave: ["ports/MOVED", "ports/net/MOVED.PageSize100.PageNum1.html", "ports/net/a/x"])
    try expect(
      layout.file(path: bytes("net/Makefile")),
      remove: ["ports/net/Makefile.PageSize100.PageNum1.html"],
      leave: ["ports/net/a/Makefile.PageSize100.PageNum1.html", "ports/net/Makefile/x"])
  }

  @Test func onePageByItsName() throws {
    let key = try layout.key("ports", ["category": "net", "port": "a", "page": "x/y"])
    try expect(key, remove: ["ports/net/a/x/y"], leave: ["ports/net/a/y", "ports/net/a/x/z"])
    try expect(
      layout.key("pages", ["page": "a"]), remove: ["pages/a"], leave: ["pages/ab", "pages/b/a"])
  }

  @Test func aCommitAndItsReport() throws {
    try expect(
      layout.commit(messageID: bytes("2020.X@free_bsd")), layout.sanityTestFailures(),
      remove: [
        "commits/2020-x-free-bsd/2020-x-free-bsd.net.a.n.html", "commits/2020-x-free-bsd/junk",
        "general/sanity_test_failures.PageSize100.PageNum1.html",
        "general/sanity_test_failures.abc.PageSize100.PageNum1.html",
        "general/sanity_test_failures.x",
      ],
      leave: [
        "commits/2020-x-free-bsdx/a", "general/sanity_test_failures",
        "general/sanity_test_failure.PageSize100.PageNum1.html",
        "general/other.PageSize100.PageNum1.html",
      ])
  }

  // MARK: Keys that meet nothing

  @Test func keysWithoutMatch() throws {
    let tree = try TemporaryTree()
    let keys = [
      try layout.port("net", "a"), try layout.all(of: "news"), try layout.year(2020),
      try layout.file(path: bytes("Mk/a/b")), try layout.key("pages", ["page": "a"]),
    ]
    #expect(try tree.clearer().clear(keys) == keys.map { _ in ClearReport() })
    try tree.makeDirectory("ports/net/a")
    try tree.makeDirectory("news")
    #expect(try tree.clearer().clear(keys) == keys.map { _ in ClearReport() })
  }

  @Test func reportsComeInTheOrderOfTheKeys() throws {
    let tree = try TemporaryTree()
    try tree.plant(["ports/net/b/x", "ports/net/b/y", "news/z"])
    let keys = [
      try layout.port("net", "a"), try layout.port("net", "b"), try layout.all(of: "news"),
    ]
    for (threads, going) in [(1, [0, 2, 1]), (8, [0, 0, 0])] {
      let reports = try tree.clearer(threads: threads).clear(keys)
      #expect(reports.map(\.filesRemoved) == going)
      #expect(reports.map(\.matched) == going.map { $0 > 0 })
    }
    #expect(try tree.clearer().clear([]).isEmpty)
  }

  @Test func aPlainFileInAFoldersPlaceHoldsNothing() throws {
    let tree = try TemporaryTree()
    try tree.plant(["ports/net", "news", "categories/www"])
    let keys = [
      try layout.port("net", "a"), try layout.all(of: "news"), try layout.category(bytes("www")),
      try layout.ports(of: bytes("net")),
    ]
    #expect(try tree.clearer().clear(keys) == keys.map { _ in ClearReport() })
    #expect(try tree.files().count == 3)
  }

  @Test func pathsAreKeptOnlyWhenAskedFor() throws {
    let tree = try TemporaryTree()
    try tree.plant(["news/a"])
    let report = try Clearer(try tree.open(), layout: layout).clear(layout.all(of: "news"))
    #expect(report.removed.isEmpty && report.filesRemoved == 1)
  }

  /// Where a rename crosses file systems, PHP copies in place.
  @Test func aClearInTheMiddleOfACopyLeavesNoHalfPage() throws {
    let tree = try TemporaryTree()
    try tree.makeDirectory("news")
    let page = tree.fullPath("news/news.rss2.0.head.xml")
    let writer = open(page, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    defer { close(writer) }
    #expect(write(writer, "half", 4) == 4)
    let news = try Layout.freshPorts.all(of: "news")
    #expect(try tree.clearer().clear(news).removedPaths == ["news/news.rss2.0.head.xml"])
    // The rest goes into what has no name any more.
    #expect(write(writer, "rest", 4) == 4)
    #expect(try tree.files() == [])
  }
}
