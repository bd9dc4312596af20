// SPDX-License-Identifier: BSD-2-Clause
//
// What a row's values name by a rule: keys in order, or why none.

import Testing

@testable import CacheFS

@Suite("The rules of queues") struct KeyRuleTests {
  private let layout = Layout.wiki

  private func texts(
    _ parts: [KeyRule.Part], _ values: [String?]
  ) throws -> [String] {
    try KeyRule(parts, width: values.count, layout).keys(values.map { $0.map(bytes) })
      .map { layout.text(of: $0).replacing("\t", with: " ") }
  }

  @Test func columnsConstantsAndDates() throws {
    let parts: [KeyRule.Part] = [
      .family("articles", [.init("title", .value(1)), .init("namespace", .value(0))]),
      .family("history", [.init("namespace", .constant(bytes("Main")))]),
      .family(
        "daily", [.init("year", .year(2)), .init("month", .month(2)), .init("day", .day(2))]),
      .family("sitemap", []),
    ]
    #expect(
      try texts(parts, ["Help", "A b", "2020-01-21"]) == [
        "articles title=A b namespace=Help", "history namespace=Main",
        "daily year=2020 month=01 day=21", "sitemap",
      ])
  }

  @Test("texts and columns joined are one value, which its field must accept")
  func joined() throws {
    let source = KeyRule.Source.joined([
      .value(0), .constant(bytes(".")), .value(1), .constant(bytes(")")),
    ])
    let parts = [KeyRule.Part.family("articles", [.init("title", source)])]
    #expect(try texts(parts, ["A", "b"]) == ["articles title=A.b)"])
    #expect(throws: KeyRule.Problem.null) { try texts(parts, ["A", nil]) }
    let bad = KeyError.badValue(bytes("A/.b)"), field: "title", kind: .name)
    #expect(throws: KeyRule.Problem.badKey(bad)) { try texts(parts, ["A/", "b"]) }
    // The text is not the key of any row.
    #expect(KeyRule(parts, width: 2, layout).everything(layout).map(layout.text) == ["articles"])
  }

  @Test func whatNamesNothing() {
    let title = [KeyRule.Part.family("articles", [.init("title", .value(0))])]
    for value in ["a/b", "..", "", "a\0b", String(repeating: "x", count: 256)] {
      #expect(
        throws: KeyRule.Problem.badKey(.badValue(bytes(value), field: "title", kind: .name))
      ) { try texts(title, [value]) }
    }
    #expect(throws: KeyRule.Problem.null) { try texts(title, [nil]) }
    // A value that no family asks for counts too: nobody knows what the row was to say.
    #expect(throws: KeyRule.Problem.null) { try texts(title, ["a", nil]) }
    #expect(throws: KeyRule.Problem.null) { try KeyRule(title, width: 1, layout).keys([]) }
    let day = [KeyRule.Part.family("daily", [.init("year", .year(0))])]
    #expect(throws: KeyRule.Problem.badDate(bytes("2020-02-30"))) {
      try texts(day, ["2020-02-30"])
    }
  }

  @Test func whatTheLayoutLacksIsToldOfEachRow() throws {
    let parts = [KeyRule.Part.family("ports", [.init("category", .value(0))])]
    let rule = KeyRule(parts, width: 1, layout)
    #expect(throws: KeyRule.Problem.badKey(.unknownFamily("ports"))) { try rule.keys([bytes("x")]) }
    #expect(rule.everything(layout).isEmpty)
  }

  @Test func everythingBindsWhatIsTheSameForAllRows() {
    let commits = KeyRule(KeyRule.Part.FreshPorts.commits, width: 1, .freshPorts)
    #expect(
      commits.everything(.freshPorts).map(Layout.freshPorts.text)
        == ["commits", "general\treport=sanity_test_failures"])
    let files = KeyRule(KeyRule.Part.FreshPorts.files, width: 1, .freshPorts)
    #expect(files.everything(.freshPorts).map(Layout.freshPorts.text) == ["ports", "files"])
  }

  @Test(
    "paths of other trees and of branches name what the old listener cleared for them",
    arguments: [
      ("/ports/head/MOVED", "files path=MOVED"),
      ("/ports/head/net/a/Makefile", "ports category=net port=a file=Makefile"),
      ("/ports/branches/2020Q1/MOVED", "files path=ports/branches/2020Q1/MOVED"),
      (
        "/base/head/sys/kern/kern_exec.c", "ports category=base port=head file=sys/kern/kern_exec.c"
      ),
      ("/doc/head/book.xml", "ports category=doc port=head file=book.xml"),
      ("/MOVED", "files path=MOVED"),
    ])
  func otherTrees(_ path: String, _ key: String) throws {
    let rule = KeyRule(KeyRule.Part.FreshPorts.files, width: 1, .freshPorts)
    let texts = try rule.keys([bytes(path)]).map { Layout.freshPorts.text(of: $0) }
    #expect(texts.map { $0.replacing("\t", with: " ") } == [key])
  }

  @Test(arguments: ["MOVED", "", "ports/head/MOVED"])
  func aPathWithoutASlashIsNone(_ path: String) {
    let rule = KeyRule(KeyRule.Part.FreshPorts.files, width: 1, .freshPorts)
    #expect(throws: KeyRule.Problem.relative(bytes(path))) { try rule.keys([bytes(path)]) }
  }

  @Test("where files lie apart from ports, all of them do")
  func filesElsewhere() throws {
    let moved = try Layout.freshPorts.replacing("files", with: "history/{page...}")
    let rule = KeyRule(KeyRule.Part.FreshPorts.files, width: 1, moved)
    let texts = try rule.keys([bytes("/ports/head/net/a/Makefile")]).map { moved.text(of: $0) }
    #expect(texts == ["files\tpath=net/a/Makefile"])
  }

  @Test(arguments: [
    ("articles", [] as [String], true), ("articles", ["namespace=Main"], true),
    ("articles", ["title=A"], true), ("articles", ["namespace=Main", "title=A"], false),
    ("articles", ["namespace=Main", "lang=en"], false), ("history", ["namespace=Main"], true),
    ("history", ["namespace=Main", "title=A"], false), ("daily", ["year=2020"], true),
    ("daily", ["year=2020", "month=01"], false), ("news", [], true), ("sitemap", [], true),
    ("news", ["page=a"], false),
  ])
  func big(_ family: String, _ bindings: [String], _ isBig: Bool) throws {
    let key = try layout.key(text: ([family] + bindings).joined(separator: "\t"))
    #expect(layout.isBig(key) == isBig)
  }

  @Test func aKeyGoesOverToAnotherLayoutByName() throws {
    let key = try layout.key("sitemap", [:])
    let less = Layout(layout.families.filter { $0.name != "articles" })
    #expect(less.key(key, of: layout).map(less.text) == "sitemap")
    #expect(Layout.freshPorts.key(key, of: layout) == nil)
    #expect(layout.key(key, of: layout) == key)
    let article = try layout.key("articles", ["title": "A"])
    #expect(less.key(article, of: layout) == nil)
  }
}
