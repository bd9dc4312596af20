// SPDX-License-Identifier: BSD-2-Clause
//
// What is mounted inside the cache directory: entered at the folders that families begin with, told of
// and left alone at all others unless that was asked for.

import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite(.enabled(if: PrivateMounts.areAllowed, "needs a mount namespace (unshare, mount)"))
struct MountTests {
  private let layout = Layout.freshPorts

  /// Ways to open a folder.
  enum Way: CaseIterable {
    case beneath, byParts

    var kernel: Kernel {
      var kernel = Kernel.real
      kernel.openFolder = self == .beneath ? Kernel.openBeneath : Kernel.openByParts
      return kernel
    }
  }

  private func clearer(
    _ tree: TemporaryTree, _ elsewhere: Mounts, _ way: Way, _ layout: Layout = .freshPorts
  ) throws -> Clearer {
    let root = try Directory(
      root: FilePath(tree.path), mounts: MountPlaces(of: layout, elsewhere: elsewhere),
      kernel: way.kernel)
    return Clearer(root, layout: layout, paths: .kept, threads: 1, kernel: way.kernel)
  }

  @Test("this kernel has openat2")
  func kernelIsNew() { #expect(Kernel.hasOpenat2) }

  @Test("a mount point is a failure, and what lies in it stays", arguments: Way.allCases)
  func refused(_ way: Way) throws {
    let tree = try TemporaryTree()
    try tree.plant(["ports/net/b/page", "news/a"])
    try tree.makeDirectory("ports/net/a")
    try tree.makeDirectory("news/sub")
    try PrivateMounts.run {
      for place in ["ports/net/a", "news/sub"] {
        try PrivateMounts.mountMemory(at: tree.fullPath(place))
        try tree.plant(["\(place)/page"])
      }
      let clearer = try clearer(tree, .refused, way)
      for key in [try layout.port("net", "a"), try layout.ports(of: bytes("net"))] {
        #expect(
          clearer.clear(key).failures == [PathFailure(path: "ports/net/a", error: .improperLink)])
      }
      let news = clearer.clear(try layout.all(of: "news"))
      #expect(news.removedPaths == ["news/a"])
      #expect(news.failures == [PathFailure(path: "news/sub", error: .improperLink)])
      #expect(try tree.files() == ["news/sub/page", "ports/net/a/page"])

      let found = measure(Scanner(clearer.root, layout: layout, threads: 1), StatsQuery())
      #expect(found.total.files == 0)
      #expect(found.failures.map(\.path) == ["news/sub", "ports/net/a"])
      #expect(found.failures.allSatisfy { $0.reason == "another file system is mounted here" })
      let (findings, _) = Verifier(
        Scanner(clearer.root, layout: layout, threads: 1), VerifyQuery()
      ).audit()
      #expect(findings.map(\.code) == [.unreadable, .unreadable])
      #expect(findings.first?.evidence == .error(.improperLink))
    }
  }

  @Test(
    "a file system for each family is entered unasked by all that goes there",
    arguments: Way.allCases)
  func familyByFamily(_ way: Way) throws {
    let tree = try TemporaryTree()
    let families = [
      "categories", "commits", "daily", "general", "html", "news", "packages", "pages", "ports",
      "spooling",
    ]
    for family in families { try tree.makeDirectory(family) }
    try PrivateMounts.run {
      for family in families { try PrivateMounts.mountMemory(at: tree.fullPath(family)) }
      try tree.plant(["ports/net/a/page", "news/a", "daily/2020/01/21.daily.head", "html/b/c"])
      try tree.write("news/news.rss2.0.head.xml", bytes: 0)
      try tree.makeDirectory("ports/net/old")
      try tree.setAge("ports/net/old", .seconds(7200))
      let clearer = try clearer(tree, .refused, way)
      #expect(clearer.unclearableFolders.isEmpty && clearer.missingFolders.isEmpty)
      #expect(clearer.names.values(of: "category", in: "ports") == [bytes("net")])
      let scanner = Scanner(clearer.root, layout: layout, threads: 1)
      let found = measure(scanner, StatsQuery())
      #expect(found.total.files == 5 && found.failures.isEmpty)
      let findings = Verifier(
        scanner, VerifyQuery(codes: [.empty, .emptyDirectory, .unreadable, .notClearable])
      ).audit().findings
      #expect(
        findings.map { "\($0.code.rawValue) \($0.subject)" } == [
          "empty news/news.rss2.0.head.xml", "empty-dir ports/net/old",
        ])
      #expect(clearer.fix(findings).map(\.fix) == [.removed, .removed])
      for key in [
        try layout.port("net", "a"), try layout.all(of: "news"), try layout.year(2020),
        try layout.all(of: "html"),
      ] { #expect(clearer.clear(key).failures.isEmpty) }
      #expect(try tree.files().isEmpty)
    }
  }

  @Test(
    "the folders that a pattern begins with, however many; none below a field, none of no family",
    arguments: Way.allCases)
  func places(_ way: Way) throws {
    let layout = Layout([try Family("pages", "a/b/{word}/c/{page...}"), try Family("x", "a/x.txt")])
    let tree = try TemporaryTree()
    for folder in ["a", "d/e"] { try tree.makeDirectory(folder) }
    try PrivateMounts.run {
      try PrivateMounts.mountMemory(at: tree.fullPath("a"))
      try tree.makeDirectory("a/b")
      try PrivateMounts.mountMemory(at: tree.fullPath("a/b"))
      try tree.makeDirectory("a/b/one")
      try tree.makeDirectory("a/b/two/c")
      for place in ["a/b/one", "a/b/two/c", "d/e"] {
        try PrivateMounts.mountMemory(at: tree.fullPath(place))
      }
      try tree.plant(["a/x.txt", "a/b/one/c/page", "a/b/two/c/page", "a/b/three/c/page"])
      let refused = ["a/b/one", "a/b/two/c"]
      let clearer = try clearer(tree, .refused, way, layout)
      let report = clearer.clear(try layout.all(of: "pages"))
      #expect(report.removedPaths == ["a/b/three/c/page"])
      #expect(report.failures.map(\.path.description).sorted() == refused)
      #expect(clearer.clear(try layout.all(of: "x")).removedPaths == ["a/x.txt"])
      let found = measure(Scanner(clearer.root, layout: layout, threads: 1), StatsQuery())
      #expect(found.failures.map(\.path.description).sorted() == refused + ["d/e"])
    }
  }

  @Test("a mount point is no empty folder that could be removed, and stays without a failure")
  func emptyMountPoint() throws {
    let tree = try TemporaryTree()
    let outside = try TemporaryTree()
    for folder in ["ports/net/a", "ports/net/b", "news/sub"] { try tree.makeDirectory(folder) }
    try PrivateMounts.run {
      try PrivateMounts.mountMemory(at: tree.fullPath("ports/net/a"))
      try PrivateMounts.bind(outside.path, at: tree.fullPath("ports/net/b"))
      try PrivateMounts.mountMemory(at: tree.fullPath("news/sub"))
      try tree.plant(["news/sub/page"])
      for folder in ["ports/net/a", "ports/net/b"] { try tree.setAge(folder, .seconds(7200)) }
      let clearer = try clearer(tree, .crossed, .beneath)
      let scanner = Scanner(clearer.root, layout: layout, threads: 1)
      #expect(Verifier(scanner, VerifyQuery(codes: [.emptyDirectory])).audit().findings.isEmpty)
      // Mounted between the audit and the removal.
      let fixed = clearer.fix([Finding(.emptyDirectory, "ports/net/a")])
      #expect(fixed.map(\.fix) == [.passed])
      let news = clearer.clear(try layout.all(of: "news"))
      #expect(news.removedPaths == ["news/sub/page"] && news.failures.isEmpty)
    }
  }

  @Test("it is entered when that is asked for", arguments: Way.allCases)
  func crossed(_ way: Way) throws {
    let tree = try TemporaryTree()
    try tree.makeDirectory("ports/net/a")
    try PrivateMounts.run {
      try PrivateMounts.mountMemory(at: tree.fullPath("ports/net/a"))
      try tree.plant(["ports/net/a/page", "ports/net/a/x/y"])
      let clearer = try clearer(tree, .crossed, way)
      let found = measure(Scanner(clearer.root, layout: layout, threads: 1), StatsQuery())
      #expect(found.total.files == 2)
      #expect(found.failures.isEmpty)
      let report = clearer.clear(try layout.port("net", "a"))
      #expect(report.removedPaths == ["ports/net/a/page", "ports/net/a/x/y"])
      #expect(report.failures.isEmpty)
    }
  }

  @Test("a folder of the same file system that is mounted there is a mount point, too")
  func boundFolder() throws {
    let tree = try TemporaryTree()
    let outside = try TemporaryTree()
    try outside.plant(["page"])
    try tree.makeDirectory("ports/net/a")
    try PrivateMounts.run {
      try PrivateMounts.bind(outside.path, at: tree.fullPath("ports/net/a"))
      let report = try clearer(tree, .refused, .beneath).clear(layout.port("net", "a"))
      #expect(report.failures.map(\.error) == [.improperLink])
      #expect(outside.exists("page"))
    }
  }

  @Test("a page that something is mounted on is told of and stays")
  func boundPage() throws {
    let tree = try TemporaryTree()
    let outside = try TemporaryTree()
    try outside.plant(["file"])
    try tree.plant(["ports/net/a/page", "ports/net/a/other"])
    try PrivateMounts.run {
      try PrivateMounts.bind(outside.fullPath("file"), at: tree.fullPath("ports/net/a/page"))
      let report = try clearer(tree, .crossed, .beneath).clear(layout.port("net", "a"))
      // Elsewhere the folder's owner may remove it: unlink(2) minds mounts of one's own namespace.
      #expect(report.failures == [PathFailure(path: "ports/net/a/page", error: .resourceBusy)])
      #expect(report.removedPaths == ["ports/net/a/other"])
      #expect(outside.exists("file"))
    }
  }

  @Test("a tree that is mounted read-only: each page is told of, and none is a trap")
  func readOnly() throws {
    let tree = try TemporaryTree()
    try tree.plant(["ports/net/a/page", "news/a"])
    let before = try tree.snapshot()
    try PrivateMounts.run {
      try PrivateMounts.makeReadOnly(tree.path)
      let clearer = try clearer(tree, .refused, .beneath)
      for key in [try layout.port("net", "a"), try layout.all(of: "news")] {
        #expect(clearer.clear(key).failures.map(\.error) == [.readOnlyFileSystem])
      }
      #expect(try tree.snapshot() == before)
    }
  }
}
