// SPDX-License-Identifier: BSD-2-Clause
//
// Looking up a field's values: one folder of the tree, by the layout, and nothing but good names.

import TestSupport
import Testing

@testable import CacheFS

@Suite("Names in the tree") struct FieldValuesTests {
  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    try tree.plant([
      "ports/graphics/gimp/Makefile.PageSize1.PageNum1.html", "ports/graphics/a b/x",
      "ports/graphics/.hidden/x", "ports/graphics/$(id)/x", "ports/lang/python37/x",
      "ports/Mk/Uses/x", "ports/graphics/plain-file", "packages/graphics/gimp.html",
      "packages/graphics/gd.html", "packages/graphics/gd.txt", "daily/2020/01/21.daily.head",
      "daily/2020/01/21.daily.2020Q1", "daily/2020/01/22.daily.nonsense", "news/news.atom.head.xml",
      "news/news.atom.2020Q1.xml", "news/sub/news.atom.2021Q1.xml",
    ])
    try tree.link("ports/graphics/link", to: "gimp")
    return tree
  }

  private func values(
    _ field: String, _ family: String, _ given: KeyValuePairs<String, String> = [:],
    in tree: TemporaryTree? = nil, layout: Layout = .freshPorts
  ) throws -> [String] {
    let tree = try tree ?? self.tree()
    let names = FieldValues(try tree.open(), layout: layout)
    defer { withExtendedLifetime(tree) {} }
    return names.values(
      of: field, in: family, given: given.map { (field: $0.key, value: bytes($0.value)) }
    ).map(text).sorted()
  }

  @Test("folders' names and fields of files, each of its kind")
  func values() throws {
    #expect(try values("category", "ports") == ["graphics", "lang"])
    #expect(try values("port", "ports", ["category": "graphics"]) == ["gimp"])
    #expect(try values("port", "packages", ["category": "graphics"]) == ["gd", "gimp"])
    #expect(try values("year", "daily") == ["2020"])
    #expect(try values("day", "daily", ["year": "2020", "month": "01"]) == ["21"])
    #expect(try values("branch", "daily", ["year": "2020", "month": "01"]) == ["2020Q1", "head"])
    #expect(
      try values("branch", "daily", ["year": "2020", "month": "01", "day": "22"]) == [])
    #expect(try values("branch", "news") == ["2020Q1", "head"])
  }

  @Test("nothing where the question or the folder is none")
  func nothing() throws {
    #expect(try values("port", "ports") == [])
    #expect(try values("port", "nonsense") == [])
    #expect(try values("nonsense", "ports") == [])
    #expect(try values("port", "ports", ["category": ".."]) == [])
    #expect(try values("port", "ports", ["category": "nowhere"]) == [])
    #expect(try values("port", "ports", ["nonsense": "x"]) == [])
    #expect(try values("page", "searchlog") == [])
  }

  @Test("a site's own pattern is followed")
  func otherLayout() throws {
    let tree = try TemporaryTree()
    try tree.plant(["p/graphics.gimp/x", "p/graphics.gd/x", "p/lang.go/x"])
    let layout = try Layout.freshPorts.replacing(
      "ports", with: "p/{category:word}.{port}/{page...}")
    #expect(try values("category", "ports", in: tree, layout: layout) == ["graphics", "lang"])
    #expect(
      try values("port", "ports", ["category": "graphics"], in: tree, layout: layout)
        == ["gd", "gimp"])
  }

  @Test("whether a key's folder is there; a link is none")
  func folders() throws {
    let tree = try tree()
    try tree.makeDirectory("ports/lang/empty")
    let names = FieldValues(try tree.open(), layout: .freshPorts)
    #expect(names.hasFolder(of: try Layout.freshPorts.port("graphics", "gimp")))
    #expect(names.hasFolder(of: try Layout.freshPorts.port("lang", "empty")))
    #expect(!names.hasFolder(of: try Layout.freshPorts.port("graphics", "link")))
    #expect(!names.hasFolder(of: try Layout.freshPorts.port("graphics", "plain-file")))
    #expect(!names.hasFolder(of: try Layout.freshPorts.port("lang", "gimp")))
    #expect(!names.hasFolder(of: try Layout.freshPorts.ports(of: bytes("lang"))))
  }

  @Test(
    "a folder that may not be read holds nothing",
    .enabled(if: Rights.canBeDropped, "root cannot be given up here"))
  func unreadable() throws {
    let tree = try tree()
    try tree.setMode("ports/graphics", 0)
    defer { try? tree.setMode("ports/graphics", 0o755) }
    try tree.setMode("", 0o755)
    let found = try Rights.withoutRoot {
      try values("port", "ports", ["category": "graphics"], in: tree)
    }
    #expect(found == [])
  }
}
