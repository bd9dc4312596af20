// SPDX-License-Identifier: BSD-2-Clause
//
// Patterns that compile, patterns that do not and why, and what a pattern of one component
// makes of a name: the cut is unique and takes one pass.

import Testing

@testable import Basics
@testable import CacheFS

@Suite struct PatternTests {
  @Test(
    arguments: [
      ("", .emptyComponent), ("/a", .emptyComponent), ("a/", .emptyComponent),
      ("a//b", .emptyComponent), (".", .dotComponent), ("a/../b", .dotComponent),
      ("..", .dotComponent), ("./a", .dotComponent), ("{year", .unbalancedBrace),
      ("year}", .unbalancedBrace), ("a}{year}", .unbalancedBrace), ("{year}}", .unbalancedBrace),
      ("{a:/b}", .unbalancedBrace), ("{a:nothing}", .unknownKind("nothing")),
      ("{a:}", .unknownKind("")), ("{a:b:c}", .unknownKind("b:c")),
      ("{a:rest}", .unknownKind("rest")), ("{a:name...}", .unknownKind("name")),
      ("{}", .badFieldName("")), ("{...}", .badFieldName("")), ("{:name}", .badFieldName("")),
      ("{a-b}", .badFieldName("a-b")), ("{a b}", .badFieldName("a b")),
      ("{{a}}", .badFieldName("{a")), ("{ä}", .badFieldName("ä")),
      ("{page...}/a", .restNotLast("page")), ("a/{x:visible...}/{y}", .restNotLast("x")),
    ] as [(String, PatternProblem)])
  func problems(_ text: String, _ problem: PatternProblem) {
    #expect(throws: problem) { try Pattern(text) }
  }

  /// A name of such a pattern could be cut in two ways, or the cut could not be found.
  @Test(arguments: [
    ("{category}{port}", "category"), ("{a:name}{b:name}", "a"), ("{number}{day}", "number"),
    ("{a:name}.{b:name}", "b"), ("{category}-{port}", "port"), ("{a:name}.{b:name}.x", "b"),
    ("{a:name}.{day}{number}", "number"), ("{page...}.{b:name}", "b"),
    ("{a:name}-{b}.{c:name}", "b"), ("{a:name}{suffix}", "a"), ("{a}-{b}-{c}", "b"),
    ("{a:name}1{number}", "number"),
  ])
  func ambiguousOnesAreRefused(_ text: String, _ field: String) {
    #expect(throws: PatternProblem.ambiguous(field)) { try Pattern(text) }
  }

  @Test(arguments: [
    "a", "...", "a.b/c", "{year}{month}{day}", "{day}{number}", "{a}.{b:name}", "{a:name}.{b}",
    "{a:name}.{b}.{c}", "{a}.{b}.{c:name}.{d}.{e}", "{page...}.x", "x.{page...}",
    "{number}x{b:number}",
    "{a:name}.{number}",
    ".{a}", "{x:port?}.{files:flag}",
  ])
  func othersCompile(_ text: String) throws {
    #expect(try Pattern(text).description == text)
  }

  @Test func fieldsComeInOrderAndOnce() throws {
    let pattern = try Pattern("{id}/{id}.{category:word?}.{x:port?}.html")
    #expect(pattern.fields.map(\.name) == ["id", "category", "x"])
    #expect(pattern.fields.map(\.kind) == [.messageID, .optionalWord, .optionalPort])
  }

  @Test func aFieldIsOfTheKindThatItsNameSays() throws {
    for kind in FieldKind.allCases where !kind.spansComponents && kind != .optionalPort {
      guard kind != .optionalWord else { continue }
      #expect(try Pattern("{\(kind.rawValue)}").fields.map(\.kind) == [kind])
    }
    #expect(try Pattern("{whatever}").fields.map(\.kind) == [.word])
    #expect(try Pattern("{whatever...}").fields.map(\.kind) == [.rest])
    #expect(try Pattern("{x:tree-path...}").fields.map(\.kind) == [.portsTreePath])
  }

  // MARK: Matching one component

  /// The values found, in the order of the pattern's fields; nil when it does not match.
  private func cut(_ pattern: String, _ name: String) throws -> [String]? {
    let component = try ComponentPattern(tokens: Pattern.tokens(of: pattern[...]))
    var captures: [Capture] = []
    let raw = bytes(name)
    let isMatch = raw.withUnsafeBufferPointer {
      component.match($0, in: 0..<raw.count, &captures)
    }
    guard isMatch else { return nil }
    return component.fields.map { field in
      text(
        captures.first { component.field($0.token) == field }.map { Array(raw[$0.range]) }
          ?? bytes("?"))
    }
  }

  @Test(arguments: [
    ("{a}.{b}", "x.y", ["x", "y"]), ("{a:name}.{b}", "x.y.z", ["x.y", "z"]),
    ("{a}.{b:name}", "x.y.z", ["x", "y.z"]), ("{a:name}.html", ".html.html", [".html"]),
    ("{day}.daily.{branch}", "21.daily.head", ["21", "head"]),
    ("{key:name}.tmp{suffix}", "a.tmpb.tmpC1d2E3", ["a.tmpb", "C1d2E3"]),
    ("{year}{month}{day}", "20200121", ["2020", "01", "21"]),
    ("{id}.{c:word?}.{p:port?}.{f:flag}.html", "i...n.html", ["i", "", "", "n"]),
    ("{id}.{c:word?}.{p:port?}.{f:flag}.html", "i.a.b.c.y.html", ["i", "a", "b.c", "y"]),
    ("{file...}.P{number}", "a/b.P1.P22", ["a/b.P1", "22"]),
    ("{a:name}", "*", ["*"]), ("x", "x", []),
  ])
  func matches(_ pattern: String, _ name: String, _ values: [String]) throws {
    #expect(try cut(pattern, name) == values)
  }

  @Test(arguments: [
    ("{a}.{b}", "x"), ("{a}.{b}", "x."), ("{a}.{b}", ".y"), ("{a}.{b}", "x.y.z"),
    ("{a:name}.html", ".html"), ("{a:name}.html", "x.htm"), ("{a:name}.html", "html"),
    ("{day}.daily.{branch}", "1.daily.head"), ("{day}.daily.{branch}", "021.daily.head"),
    ("{day}.daily.{branch}", "21.daily.main"), ("{day}.daily.{branch}", "21.daily.head "),
    ("{key:name}.tmp{suffix}", ".tmpC1d2E3"), ("{key:name}.tmp{suffix}", "a.tmpC1d2E"),
    ("{year}{month}{day}", "2020012"), ("{year}{month}{day}", "202001211"), ("x", ""), ("x", "xx"),
    ("{x:name}", ".."), ("{a:name}ab{number}", "ab1"), ("abc{a:name}abc", "abcabc"),
    ("abc{a:name}abc", "abc"), ("aa{x:port?}aa", "aaa"),
  ])
  func doesNotMatch(_ pattern: String, _ name: String) throws {
    #expect(try cut(pattern, name) == nil)
  }

  /// Names made to send a backtracking matcher round and round: a match of a megabyte would
  /// never end, here it is over with the first pass.
  @Test func matchingIsLinear() throws {
    let many = String(repeating: ".PageSize1.PageNum1", count: 40_000)
    let shape = "{file...}.PageSize{size:number}.PageNum{n:number}.html"
    #expect(try cut(shape, "x" + many + ".htm") == nil)
    let digits = String(repeating: "1", count: 1_000_000)
    #expect(try cut("{a:number}x{b:number}y{c:name}z{d:number}w", digits) == nil)
    let dots = String(repeating: ".", count: 200)
    #expect(try cut("{a:name}.{b}.{c}.{d}.{e}", dots) == nil)
  }

  /// Each name that a pattern's values make is cut into just these values again.
  @Test(arguments: [
    "{a}.{b:name}", "{a:name}.{b}", "{day}{a:number}", "{a:number}-{b}.{c:name}.{d}+{e}",
    "{id}.{c:word?}.{p:port?}.{f:flag}.html", "{a:name}.tmp{suffix}", "{year}{month}.{branch}.x",
    "{c:category}", "a{b:port?}c",
  ])
  func renderedValuesAreFoundAgain(_ pattern: String) throws {
    var dice = Dice(7)
    let component = try ComponentPattern(tokens: Pattern.tokens(of: pattern[...]))
    for _ in 0..<500 {
      let values = Dictionary(
        uniqueKeysWithValues: component.fields.map { ($0.name, dice.value(of: $0.kind)) })
      let name = try #require(component.render { values[$0.name] })
      var captures: [Capture] = []
      let isMatch = name.withUnsafeBufferPointer {
        component.match($0, in: 0..<name.count, &captures)
      }
      #expect(isMatch, "\(escape(name))")
      for capture in captures {
        let field = try #require(component.field(capture.token))
        #expect(Array(name[capture.range]) == values[field.name], "\(escape(name))")
      }
    }
  }

  @Test func renderingNeedsEveryField() throws {
    let component = try ComponentPattern(tokens: Pattern.tokens(of: "{a}.{b}"))
    #expect(component.render { $0.name == "a" ? [0x61] : nil } == nil)
    #expect(component.literal == nil)
    #expect(try ComponentPattern(tokens: Pattern.tokens(of: "a.b")).literal == bytes("a.b"))
  }
}
