// SPDX-License-Identifier: BSD-2-Clause
//
// Whether two families could share a path: tables of pairs, and the promise over generated paths that
// what is told apart is never confused.

import Testing

@testable import CacheFS

@Suite("Families that could share a path") struct LayoutOverlapTests {
  private func family(_ pattern: String, _ shapes: [String] = []) throws -> Family {
    try Family(
      "x", pattern, shapes: shapes, clearing: shapes.isEmpty ? .everything : .knownShapes)
  }

  @Test(
    "are found, with a path that is of both",
    arguments: [
      ("a/{x}.html", "a/{y}.html", "a/a.html"), ("a/{x}", "a/{y}", "a/a"),
      ("a/{page...}", "a/b/{x}.html", "a/b/a.html"), ("a/{page...}", "a/{page...}", "a/a"),
      ("a/b/{page...}", "a/{x}/c", "a/b/c"), ("a/{x}/b", "a/c/{y}", "a/c/b"),
      ("a/{x:number}", "a/{y:word}", "a/1"), ("a.txt", "a.txt", "a.txt"),
      ("a/{branch}.x", "a/{x:word}.x", "a/head.x"), ("a/{year}", "a/{x:number}", "a/1111"),
      ("a/{x:name}", "a/{y}.{z}.html", "a/a.a.html"), ("a/{x:word?}z", "a/z", "a/z"),
    ])
  func found(_ one: String, _ other: String, _ path: String) throws {
    let expected = Family.Overlap.path(CachePath(bytes(path)), isCertain: true)
    #expect(try family(one).overlap(with: family(other)) == expected)
    #expect(try family(other).overlap(with: family(one)) == expected)
  }

  @Test(
    "are told from those that cannot",
    arguments: [
      ("a/{x}.html", "b/{y}.html"), ("a/{x}.html", "a/{y}.xml"), ("a/{x}", "a/{y}/{z}"),
      ("a/{x:number}", "a/z{y}"), ("a/b/{page...}", "a/{x}"), ("a/{branch}.x", "a/trunk.x"),
      ("a/{page:visible...}", "a/.b/{page...}"), ("a/{month}-{day}", "a/{year}"),
      ("a/{category}", "a/B{x}"), ("a/{format}", "a/1{x}"), ("a/{x:flag}", "a/{y:flag}{z:flag}"),
      ("a", "a/{x}"), ("a", "aa"),
    ])
  func apart(_ one: String, _ other: String) throws {
    #expect(try family(one).overlap(with: family(other)) == .none)
    #expect(try family(other).overlap(with: family(one)) == .none)
  }

  @Test("only known shapes count where nothing else is the family's")
  func shapes() throws {
    let pages = try family("a/{page...}", ["{x:number}.html"])
    #expect(try pages.overlap(with: family("a/{y}.xml")) == .none)
    #expect(
      try pages.overlap(with: family("a/{y}.html"))
        == .path("a/1.html", isCertain: true))
  }

  @Test("where a field has to have one value in two places it cannot be told, and is said so")
  func uncertain() throws {
    let twice = try family("a/{x}/b{x}")
    #expect(try twice.overlap(with: family("a/c/bd")) == .path("a/c/bd", isCertain: false))
  }

  @Test("a file that would keep us busy is refused instead")
  func endless() throws {
    func endless(_ last: String) throws -> Family {
      try family("a/{x:name}" + String(repeating: "a", count: 240) + last)
    }
    guard case .path(_, isCertain: false) = try endless("x").overlap(with: endless("y")) else {
      Issue.record("was followed to its end")
      return
    }
  }

  @Test("in both layouts, but for the two of FreshPorts that a rule of its own tells apart")
  func tables() {
    for layout in LayoutPropertyTests.layouts {
      var pairs: [String] = []
      for (index, one) in layout.families.enumerated() {
        for other in layout.families[..<index] where one.overlap(with: other) != .none {
          pairs.append("\(other.name) \(one.name)")
        }
      }
      #expect(pairs == (layout == .freshPorts ? ["ports files"] : []))
    }
  }

  /// Whatever a generated path of one family is, one told apart from it does not match it.
  @Test(arguments: 21...24 as ClosedRange<UInt64>)
  func whatIsToldApartIsNeverConfused(_ seed: UInt64) throws {
    var dice = Dice(seed)
    let folders = ["a", "b", "{x}", "{n:number}", "{b:branch}"]
    let names = [
      "{t}.html", "{t:name}", "{n:number}.{l}.html", "x{f:flag}", "{page...}", "{page:visible...}",
      "{y:year}-{m:month}", "{c:category}", ".{t}", "{t:word?}.html",
    ]
    var certain = 0
    for _ in 0..<400 {
      let pair = try (0..<2).map { _ in
        let middle = dice.once(in: 2) ? dice.pick(folders) + "/" : ""
        return try family("top/" + middle + dice.pick(names))
      }
      let overlap = pair[0].overlap(with: pair[1])
      if case .path(let path, isCertain: true) = overlap {
        certain += 1
        for one in pair {
          var matcher = Matcher(Layout([one]))
          #expect(matcher.classify(path).family == 0, "\(path) \(one.pattern)")
        }
      }
      guard overlap == .none else { continue }
      for made in Layout([pair[0]]).paths(5, &dice) {
        var matcher = Matcher(Layout([pair[1]]))
        #expect(matcher.classify(made.path) == .unknown, "\(made.path) \(pair.map(\.pattern))")
      }
    }
    #expect(certain > 20)
  }
}
