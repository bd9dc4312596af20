// SPDX-License-Identifier: BSD-2-Clause
//
// The table of the FreshPorts cache: a test of the table itself, and two tables of paths: these
// are of this family and have these fields, these are nobody's.

import Testing

@testable import CacheFS

@Suite struct LayoutTests {
  private let layout = Layout.freshPorts

  // MARK: The table

  @Test func idsAreUnique() {
    let names = layout.families.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(
      names == [
        "daily", "ports", "files", "categories", "commits", "packages", "news", "general", "pages",
        "html", "spooling", "searchlog",
      ])
  }

  @Test func onlyTheSearchLogIsNeverCleared() {
    #expect(layout.families.filter { $0.clearing == .never }.map(\.name) == ["searchlog"])
    #expect(
      layout.families.filter { $0.clearing == .knownShapes }.map(\.name) == [
        "files", "spooling",
      ])
  }

  @Test(arguments: Layout.freshPorts.families)
  func everyRowCompilesFromItsText(_ family: Family) throws {
    let again = try Family(
      family.name, family.pattern.description, shapes: family.shapes.map(\.description),
      clearing: family.clearing, isRecreated: family.isRecreated)
    #expect(again == family)
    #expect(Set(family.shapes.map(\.description)).count == family.shapes.count)
  }

  @Test(arguments: [
    ("daily", "year month day branch"),
    ("ports", "category port page part branch size number file"),
    ("files", "page path size number"), ("categories", "category page user branch size number"),
    ("commits", "id page category port files"), ("packages", "category port"),
    ("news", "page format branch flavor watchlist size number user"),
    ("general", "report page size number commit"), ("pages", "page"), ("html", "page"),
    ("spooling", "page key suffix"), ("searchlog", ""),
  ])
  func fieldsOfEachFamily(_ name: String, _ fields: String) throws {
    let family = try #require(layout.family(named: name))
    #expect(family.fieldNames == fields.split(separator: " ").map(String.init))
  }

  /// Every field of the table is found in some path of the site; none is there for nothing.
  @Test func everyFieldIsUsed() {
    var matcher = Matcher(layout)
    var unused = Set(
      layout.families.flatMap { family in family.fieldNames.map { "\(family.name) \($0)" } })
    for row in LayoutTable.known {
      let family = matcher.classify(CachePath(bytes(row.path))).family
      guard let name = family.map({ layout.families[$0].name }) else { continue }
      for field in matcher.fields(of: CachePath(bytes(row.path))).keys {
        unused.remove("\(name) \(field)")
      }
    }
    #expect(unused.isEmpty)
    #expect(Set(layout.fieldNames) == Set(layout.families.flatMap(\.fieldNames)))
    #expect(Set(layout.fieldNames).count == layout.fieldNames.count)
  }

  @Test func everyShapeIsMatchedByARow() throws {
    var unused = Set(layout.families.flatMap { $0.shapes.map(\.description) })
    for row in LayoutTable.known {
      let family = try #require(layout.family(named: row.family))
      for shape in family.shapes {
        let single = Layout([
          try Family(
            family.name, family.pattern.description, shapes: [shape.description],
            clearing: family.clearing)
        ])
        var matcher = Matcher(single)
        if matcher.classify(CachePath(bytes(row.path))).hasKnownShape {
          unused.remove(shape.description)
        }
      }
    }
    #expect(unused.isEmpty)
  }

  // MARK: The paths

  @Test(arguments: LayoutTable.known)
  func isOfTheFamily(_ row: LayoutTable.Row) throws {
    var matcher = Matcher(layout)
    let path = CachePath(bytes(row.path))
    let classification = matcher.classify(path)
    let family = try #require(classification.family)
    #expect(layout.families[family].name == row.family)
    #expect(classification.hasKnownShape == row.hasKnownShape)
    // `page` is the whole of a free tail: the fields inside tell more.
    let fields = matcher.fields(of: path).filter { $0.key != "page" }.mapValues(text)
    #expect(fields == row.fields)
  }

  @Test(arguments: LayoutTable.known)
  func isOfNoOther(_ row: LayoutTable.Row) {
    let owners = layout.families.filter { family in
      var matcher = Matcher(Layout([family]))
      return matcher.classify(CachePath(bytes(row.path))).family != nil
    }
    #expect(owners.map(\.name) == [row.family])
  }

  @Test(arguments: LayoutTable.unknown)
  func isNobodys(_ path: String) {
    var matcher = Matcher(layout)
    #expect(matcher.classify(CachePath(bytes(path))) == .unknown)
    #expect(matcher.fields(of: CachePath(bytes(path))).isEmpty)
  }

  @Test func pagesAreTheWholeTail() {
    var matcher = Matcher(layout)
    let pages: [(CachePath, String)] = [
      ("ports/net/a/files/x", "files/x"), ("news/sub/.x", "sub/.x"), ("pages/a/b", "a/b"),
      ("general/a.b.c", "b.c"), ("commits/a/b", "b"),
    ]
    for (path, page) in pages { #expect(matcher.fields(of: path)["page"] == bytes(page)) }
  }

  // MARK: Another pattern for a family

  @Test func replacingMovesOneFamily() throws {
    let moved = try layout.replacing("ports", with: "cache/p/{category}/{port}/{page...}")
    var matcher = Matcher(moved)
    let path: CachePath = "cache/p/net/a/Detail.PageSize100.PageNum1.html"
    #expect(matcher.classify(path) == Classification(family: 1, hasKnownShape: true))
    #expect(matcher.fields(of: path)["size"] == bytes("100"))
    #expect(matcher.classify("ports/net/a/Detail.PageSize100.PageNum1.html") == .unknown)
    #expect(
      moved.families.filter { $0.name != "ports" } == layout.families.filter { $0.name != "ports" })
  }

  @Test func aStarAtTheEndKeepsTheBranch() throws {
    let daily = try layout.replacing("daily", with: "d/{year}/{month}/{day}.daily.{page:name}")
    var matcher = Matcher(daily)
    #expect(matcher.fields(of: "d/2020/01/21.daily.head")["branch"] == bytes("head"))
    #expect(matcher.classify("d/2020/01/21.daily.head").hasKnownShape)
    #expect(matcher.classify("d/2020/01/21.daily.old") == .unknown)
    #expect(
      daily.clearedPattern(of: "daily")?.description == "d/{year}/{month}/{day}.daily.{page:name}")
  }

  @Test func aGlobIsReadForwardByTheFieldsThatItKnows() throws {
    let ports = try layout.replacing("ports", with: "ports/{category}/{port}/Detail.{page:name}")
    var matcher = Matcher(ports)
    let file: CachePath = "ports/net/a/Makefile.PageSize100.PageNum1.html"
    #expect(matcher.classify(file).hasKnownShape)
    // A port goes by the glob; the history of a file in its folder does not.
    #expect(try ports.port("net", "a") != layout.port("net", "a"))
    #expect(
      try ports.file(path: bytes("net/a/Makefile")) == layout.file(path: bytes("net/a/Makefile")))
    #expect(try ports.key(text: ports.text(of: ports.port("net", "a"))) == ports.port("net", "a"))
    #expect(layout.key(try ports.port("net", "a"), of: ports) == (try layout.port("net", "a")))
  }

  @Test func aStarInTheMiddleIsStillThePage() throws {
    let daily = try layout.replacing("daily", with: "d/{year}/{month}/{page:name}.{day}")
    var matcher = Matcher(daily)
    #expect(matcher.classify("d/2020/01/head.21") == Classification(family: 0, hasKnownShape: true))
    #expect(matcher.fields(of: "d/2020/01/head.21")["branch"] == bytes("head"))
  }

  @Test func withoutAStarThereAreNoShapes() throws {
    let ports = try layout.replacing("ports", with: "p/{category}/{port}.html")
    #expect(ports.family(named: "ports")?.shapes.isEmpty == true)
    #expect(throws: KeyError.unknownField("file", family: "ports")) {
      try ports.file(path: bytes("net/a/Makefile"))
    }
  }

  @Test func replacingByWhatDoesNotCompileIsRefused() {
    #expect(throws: PatternProblem.emptyComponent) { try layout.replacing("news", with: "a//b") }
    #expect(throws: PatternProblem.ambiguous("port")) {
      try layout.replacing("ports", with: "{category}-{port}/{page...}")
    }
  }

  @Test func replacingAnUnknownFamilyChangesNothing() throws {
    #expect(try layout.replacing("nothing", with: "a/{page...}") == layout)
  }
}
