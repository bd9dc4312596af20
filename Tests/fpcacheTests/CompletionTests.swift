// SPDX-License-Identifier: BSD-2-Clause
//
// What Tab offers for each kind of word, and what is made of a line that is still being typed.

import SystemPackage
import TestSupport
import Testing

@testable import CacheFS
@testable import fpcache

@Suite("What Tab offers") struct CompletionTests {
  private static let hostile = [
    "$(touch x)", "a b", "it's", "new\nline", "`id`", "semi;colon", ".x",
  ]

  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for path in [
      "ports/graphics/gimp/p", "ports/graphics/gimp-app/p", "ports/graphics/py-pygeoapi/p",
      "ports/lang/python37/p", "ports/x11/xterm/p", "ports/x11-wm/i3/p", "ports/Mk/Uses/p",
      "ports/MOVED.PageSize1.PageNum1.html", "ports/graphics/Makefile.PageSize1.PageNum1.html",
      "daily/2019/12/31.daily.head", "daily/2020/01/21.daily.head", "daily/2020/01/21.daily.2020Q1",
      "daily/2020/01/22.daily.head", "daily/2020/02/01.daily.head", "daily/2020/02/30.daily.head",
      "daily/2020/13/01.daily.head", "news/news.rss2.0.head.xml", "news/news.rss2.0.2020Q1.xml",
      "news/index-html-2019Q4-pagesize1-pagenum1-html",
    ] {
      try tree.write(path, bytes: 1)
    }
    for name in Self.hostile {
      try tree.write("ports/graphics/\(name)/p", bytes: 1)
      try tree.write("ports/\(name)/port/p", bytes: 1)
      try tree.write("daily/\(name)/x", bytes: 1)
      try tree.write("news/news.rss2.0.\(name).xml", bytes: 1)
    }
    try tree.link("ports/graphics/link", to: "gimp")
    return tree
  }

  private func offer(_ prefix: String, _ tree: TemporaryTree) throws -> Offer {
    let root = try Directory(root: FilePath(tree.path))
    return Offer(
      prefix: prefix, layout: .freshPorts, names: FieldValues(root, layout: .freshPorts))
  }

  @Test(
    "categories until one is meant, then its ports",
    arguments: [
      ("", ["graphics/", "lang/", "x11/", "x11-wm/"]),
      ("x", ["x11/", "x11-wm/"]), ("x11", ["x11/", "x11-wm/"]), ("x11-", ["x11-wm/i3"]),
      ("x11/", ["x11/xterm"]),
      ("gr", ["graphics/gimp", "graphics/gimp-app", "graphics/py-pygeoapi"]),
      ("graphics/gi", ["graphics/gimp", "graphics/gimp-app"]), ("nowhere/", []), ("zz", []),
      ("../", []), ("graphics/gimp/", []),
    ])
  func ports(_ prefix: String, _ expected: [String]) throws {
    let tree = try tree()
    let ports = try offer(prefix, tree).ports.filter { $0.hasPrefix(prefix) }
    #expect(ports.sorted() == expected.sorted())
    withExtendedLifetime(tree) {}
  }

  @Test(
    "years, months, days, one step at a time; only those that exist",
    arguments: [
      ("", ["2019", "2020", "today", "yesterday"]), ("2", ["2019", "2020"]),
      ("2020", ["2020-01", "2020-02"]), ("2020-0", ["2020-01", "2020-02"]),
      ("2020-01", ["2020-01-21", "2020-01-22"]), ("2020-02-", ["2020-02-01"]),
      ("2019", ["2019-12-31"]), ("t", ["today"]), ("2018", []),
      ("2019-12-31..", ["2019-12-31..2019", "2019-12-31..2020"]),
      ("2019-12-31..2020-01-", ["2019-12-31..2020-01-21", "2019-12-31..2020-01-22"]),
    ])
  func dates(_ prefix: String, _ expected: [String]) throws {
    let tree = try tree()
    let dates = try offer(prefix, tree).dates(today: .epoch)
    #expect(dates.filter { $0.hasPrefix(prefix) } == expected)
    withExtendedLifetime(tree) {}
  }

  @Test("head and the branches of the feeds")
  func branches() throws {
    let tree = try tree()
    #expect(try offer("", tree).branches == ["2019Q4", "2020Q1", "head"])
    withExtendedLifetime(tree) {}
    let none = Offer(prefix: "", layout: .freshPorts, names: nil)
    #expect(none.branches == ["head"])
    #expect(none.ports == [])
  }

  @Test(
    "a list goes on after each comma, with what it does not hold yet",
    arguments: [
      ("", ["ab", "ac", "b"]), ("a", ["ab", "ac"]), ("ab", ["ab", "ab,"]),
      ("ab,", ["ab,ac", "ab,b"]),
      ("b,ab,", ["b,ab,ac"]), ("b,a", ["b,ab", "b,ac"]), ("x,a", ["x,ab", "x,ac"]), ("b,b", []),
    ])
  func lists(_ prefix: String, _ expected: [String]) {
    #expect(Offer.list(of: ["ab", "ac", "b"], prefix) == expected)
  }

  @Test(
    "a family's fields, and a field's values once no other can be meant",
    arguments: [
      (
        ["clear", "ports", ""],
        [
          "category=", "port=", "page=", "part=", "branch=", "size=",
          "number=", "file=",
        ]
      ),
      (
        ["clear", "ports", "ca"],
        [
          "category=graphics", "category=lang", "category=x11",
          "category=x11-wm",
        ]
      ),
      (["clear", "ports", "category=l"], ["category=lang"]),
      (["clear", "ports", "category=graphics", "port=g"], ["port=gimp", "port=gimp-app"]),
      // Bash makes three words of it, and wants the last.
      (["clear", "ports", "category", "=", ""], ["graphics", "lang", "x11", "x11-wm"]),
      (["clear", "ports", "category", "="], ["graphics", "lang", "x11", "x11-wm"]),
      (["clear", "ports", "category", "=", "graphics", "port", "=", "py"], ["py-pygeoapi"]),
      (["clear", "--cache-dir", "/a", "-n", "daily", "year=2019", "mon"], ["month=12"]),
      (["clear", "daily", "month=12", ""], ["year=", "day=", "branch="]),
      (["clear", "nowhere", ""], []), (["clear", "news", "flav"], ["flavor="]),
    ] as [([String], [String])])
  func bindings(_ words: [String], _ expected: [String]) throws {
    let tree = try tree()
    let line = CompletionLine(["fpcache"] + words, words.count, words.last ?? "")
    let offer = try offer(line.prefix, tree)
    #expect(offer.bindings(line) == expected)
    withExtendedLifetime(tree) {}
  }

  @Test(
    "the fields of the family on the line, for --fields",
    arguments: [
      (["clear", "packages", "-", "--fields", ""], ["category", "port"]),
      (["clear", "packages", "-", "--fields", "port,"], ["port,category"]),
      (["clear", "--fields", ""], []),
    ] as [([String], [String])])
  func keyFields(_ words: [String], _ expected: [String]) throws {
    let tree = try tree()
    let line = CompletionLine(["fpcache"] + words, words.count, words.last ?? "")
    #expect(try offer(line.prefix, tree).keyFields(line) == expected)
    withExtendedLifetime(tree) {}
  }

  @Test("what a shell would obey is not offered, though the kind of another layout takes it")
  func hostileValues() throws {
    let tree = try tree()
    let layout = Layout([try Family("any", "ports/graphics/{x:name}/{page...}")])
    let root = try Directory(root: FilePath(tree.path))
    let line = CompletionLine(["fpcache", "clear", "any", "x="], 3, "x=")
    let offer = Offer(prefix: "x=", layout: layout, names: FieldValues(root, layout: layout))
    #expect(
      offer.bindings(line) == ["x=.x", "x=gimp", "x=gimp-app", "x=py-pygeoapi"])
    withExtendedLifetime(tree) {}
  }

  // MARK: The line

  @Test(
    "the value of an option, in each shell's way of handing it over",
    arguments: [
      (["fpcache", "clear-port", "--cache-dir", "/a", ""], "/a"),
      (["fpcache", "clear-port", "--cache-dir=/a", ""], "/a"),
      (["fpcache", "clear-port", "--cache-dir", "=", "/a", ""], "/a"),
      (["fpcache", "clear-port", "--cache-dir", "'/a b'", ""], "/a b"),
      (["fpcache", "clear-port", "--cache-dir", "/a\\ b", ""], "/a b"),
      (["fpcache", "clear-port", "--cache-dir", "\"/a $x\"", ""], "/a $x"),
      (["fpcache", "--cache-dir", "/b", "--cache-dir", "/a"], "/a"),
      (["fpcache", "clear-port", "--cache-dir"], nil), (["fpcache", "--cache-dirs", "/a"], nil),
    ] as [([String], String?)])
  func option(_ words: [String], _ value: String?) {
    #expect(CompletionLine(words, words.count - 1, "").value(of: "--cache-dir") == value)
  }

  @Test("the word that is completed need not be the last one")
  func prefix() {
    #expect(CompletionLine(["f", "c", "gr"], 2, "g").prefix == "g")
    #expect(CompletionLine(["f", "c", "gr", "-n"], 2, "-n").prefix == "gr")
    #expect(CompletionLine(["f", "c", "'gr"], 2, "'gr").prefix == "gr")
    #expect(CompletionLine(["f", "c", "''"], 2, "").prefix == "")
    #expect(CompletionLine([], 0, "").prefix == "")
    #expect(CompletionLine(["f", "--only=em"], 1, "--only=em").prefix == "em")
    #expect(CompletionLine(["f", "--only", "="], 2, "=").prefix == "")
    #expect(CompletionLine(["f"], -1, "f").prefix == "f")
  }
}
