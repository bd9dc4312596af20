// SPDX-License-Identifier: BSD-2-Clause
//
// Two tables, one rule a row: these texts are read as this, these are refused with exactly this.
// Every row but the deviations named in INI.swift was compared with Python's configparser.

import Testing

@testable import Basics
@testable import fpcache

/// A text and what section `[s]` has then, as `key=value` in the order of `keys(in:)`.
struct ReadableINI: CustomTestStringConvertible {
  let rule: String
  let text: String
  let contents: [String]

  init(_ rule: String, _ text: String, _ contents: String...) {
    self.rule = rule
    self.text = text
    self.contents = contents
  }

  var testDescription: String { rule }

  static let syntax = [
    ReadableINI("'=' delimits", "[s]\na = 1", "a=1"),
    ReadableINI("':' delimits", "[s]\na: 1\nb:2", "a=1", "b=2"),
    ReadableINI("the first delimiter counts", "[s]\na = b:c=d\ne: f=g:h", "a=b:c=d", "e=f=g:h"),
    ReadableINI("a value may be empty", "[s]\na =\nb:", "a=", "b="),
    ReadableINI("a key may have spaces inside", "[s]\nmy key  = 1", "my key=1"),
    ReadableINI("keys are lower-cased", "[s]\nHOST = Pg01\nÄrger = x", "host=Pg01", "ärger=x"),
    ReadableINI("sections are case-sensitive", "[S]\na = 1\n[s]\na = 2", "a=2"),
    ReadableINI("a section may be empty", "[s]"),
    ReadableINI("a section's name keeps its spaces", "[ s ]\na = 1\n[s]\nb = 2", "b=2"),
    ReadableINI("a section's name reaches to the last ']'", "[s]s]\na = 1\n[s]\nb = 2", "b=2"),
    ReadableINI("text behind a header is ignored", "[s] ; mine\na = 1", "a=1"),
    ReadableINI("a header may be indented", "  [s]\n  a = 1", "a=1"),
    ReadableINI("full-line comments", "# x\n[s]\n; y\n  # z = 1\na = 1", "a=1"),
    ReadableINI("a '#' behind a value belongs to it", "[s]\na = 1 # one ; two", "a=1 # one ; two"),
    ReadableINI("a comment may stand before any section", "\n; x\n\n[s]\na = 1", "a=1"),
    ReadableINI("deeper lines continue a value", "[s]\na = 1\n  2\n\t3\nb = 4", "a=1\n2\n3", "b=4"),
    ReadableINI("a continuation may look like a key", "[s]\na = 1\n b = 2", "a=1\nb = 2"),
    ReadableINI("a continuation may look like a header", "[s]\na = 1\n [t]", "a=1\n[t]"),
    ReadableINI("a continuation may follow an empty value", "[s]\na =\n  1", "a=\n1"),
    ReadableINI("no deeper than the key is a new key", "[s]\n  a = 1\n  b = 2\n", "a=1", "b=2"),
    ReadableINI("less deep than the key is a new key", "[s]\n  a = 1\n b = 2\n", "a=1", "b=2"),
    ReadableINI("blank lines within a value stay", "[s]\na = 1\n\n \n  2", "a=1\n\n\n2"),
    ReadableINI("blank lines behind a value go", "[s]\na = 1\n\n \nb = 2\n\n", "a=1", "b=2"),
    ReadableINI("a comment within a value goes", "[s]\na = 1\n  # x\n; y\n  2", "a=1\n2"),
    ReadableINI(
      "[DEFAULT] is behind each section", "[DEFAULT]\na = 1\nb = 2\n[s]\nB = 3", "b=3", "a=1"),
    ReadableINI(
      "[DEFAULT] may come last, and twice",
      "[DEFAULT]\na = 1\n[s]\n[DEFAULT]\nb = 2", "a=1", "b=2"),
    ReadableINI("[default] is a section like others", "[default]\na = 1\n[s]\nb = 2", "b=2"),
    ReadableINI("a BOM is skipped", "\u{FEFF}[s]\na = 1", "a=1"),
    ReadableINI("CRLF ends a line", "[s]\r\na = 1\r\n  2\r\n\r\nb = 3\r\n", "a=1\n2", "b=3"),
    ReadableINI("CR ends a line", "[s]\ra = 1\rb = 2", "a=1", "b=2"),
    ReadableINI("a line separator of Unicode ends none", "[s]\na = 1\u{2028}2", "a=1\u{2028}2"),
    ReadableINI("Unicode's spaces are spaces", "[s]\na\u{3000}=\u{A0}1\u{A0}\n\u{A0}2", "a=1\n2"),
    ReadableINI(
      "a combining mark joins no delimiter",
      "[s]\na=\u{301}1\nb = %%\u{301}", "a=\u{301}1", "b=%\u{301}"),
  ]

  static let interpolation = [
    ReadableINI("a reference to a key", "[s]\na = /x\nb = %(a)s/y/%(a)s", "a=/x", "b=/x/y//x"),
    ReadableINI("a reference forward", "[s]\nb = %(a)s\na = 1", "b=1", "a=1"),
    ReadableINI("a reference in any case", "[s]\nA = 1\nb = %(a)s%(A)s", "a=1", "b=11"),
    ReadableINI("a reference to [DEFAULT]", "[DEFAULT]\na = 1\n[s]\nb = %(a)s", "b=1", "a=1"),
    ReadableINI(
      "[DEFAULT] sees the section", "[DEFAULT]\na = %(b)s\nb = 1\n[s]\nb = 2", "b=2", "a=2"),
    ReadableINI(
      "a reference through another", "[s]\na = 1\nb = %(a)s2\nc = %(b)s3", "a=1", "b=12", "c=123"),
    ReadableINI(
      "'%%' is a percent sign",
      "[s]\na = 100%%\nb = %(a)s %%(a)s %%%%", "a=100%", "b=100% %(a)s %%"),
    ReadableINI(
      "a template", "[s]\na = /x\nb = %(a)s/%%s/%%s.daily.*", "a=/x", "b=/x/%s/%s.daily.*"),
    ReadableINI("a reference over two lines", "[s]\na = 1\nb = %(a)s\n  %(a)s", "a=1", "b=1\n1"),
    ReadableINI("references to nothing", "[s]\na =\nb = <%(a)s%(a)s>", "a=", "b=<>"),
  ]

  static let strayQuotes = [
    ReadableINI("single quotes", "[s]\na = '/x'", "a=/x"),
    ReadableINI("double quotes", "[s]\na = \"/x\"", "a=/x"),
    ReadableINI("nothing but quotes", "[s]\na = ''\nb = \"\"", "a=", "b="),
    ReadableINI("spaces within quotes stay", "[s]\na = ' x '", "a= x "),
    ReadableINI("only the outer pair goes", "[s]\na = '\"x\"'\nb = ''x''", "a=\"x\"", "b='x'"),
    ReadableINI("a quote alone stays", "[s]\na = '\nb = 'x\nc = x\"", "a='", "b='x", "c=x\""),
    ReadableINI("two kinds of quote stay", "[s]\na = 'x\"", "a='x\""),
    ReadableINI("quotes around several lines", "[s]\na = 'x\n  y'\n\n", "a=x\ny"),
    ReadableINI(
      "off before interpolation", "[s]\na = '/x'\nb = '%(a)s/news/*'", "a=/x", "b=/x/news/*"),
    ReadableINI("quotes brought in stay", "[s]\na = '\"x\"'\nb = %(a)s", "a=\"x\"", "b=\"x\""),
  ]
}

/// A text, the key of `[s]` asked for (none when reading alone must fail), and the message.
struct FaultyINI: CustomTestStringConvertible {
  let rule: String
  let text: String
  let asked: String?
  let message: String

  init(_ rule: String, _ text: String, asking asked: String? = nil, _ message: String) {
    self.rule = rule
    self.text = text
    self.asked = asked
    self.message = message
  }

  var testDescription: String { rule }

  private static let notAKey =
    "not a KEY = VALUE line; write one, or indent the line to continue the value above"
  private static let brokenHeader =
    "the section's name or its closing ']' is missing; write [SECTION]"
  private static let outsideSection =
    "the line is outside any section; write a line such as [dirs] above it"
  private static let strayPercent =
    "a single '%'; write '%%' for a percent sign, or '%(KEY)s' for the value of another key"
  private static let brokenReference =
    "a '%(' without a key and ')s'; write '%(KEY)s', or '%%(' for the plain text '%('"
  private static let nul = "the line contains a NUL character; the file must be plain text in UTF-8"

  static let syntax = [
    FaultyINI("a key before any section", "# x\n\na = 1\n[s]", "f.ini:3: " + outsideSection),
    FaultyINI("text before any section", "hello", "f.ini:1: " + outsideSection),
    FaultyINI("no delimiter", "[s]\na = 1\nb", "f.ini:3: " + notAKey),
    FaultyINI("no key", "[s]\n= 1", "f.ini:2: " + notAKey),
    FaultyINI("no key before a colon", "[s]\n\n: 1", "f.ini:3: " + notAKey),
    FaultyINI("a header left open", "[s\na = 1", "f.ini:1: " + brokenHeader),
    FaultyINI("a header left open before a '='", "[s]\n[t = 1", "f.ini:2: " + brokenHeader),
    FaultyINI("a header without a name", "[s]\n[]", "f.ini:2: " + brokenHeader),
    FaultyINI("nothing but a bracket", "[", "f.ini:1: " + brokenHeader),
    FaultyINI(
      "a section twice", "[s]\na = 1\n[t]\n[s]\nb = 1",
      "f.ini:4: section [s] is on line 1 already; put the keys there"),
    FaultyINI(
      "a key twice", "[s]\na = 1\nb = 2\nA = 3",
      "f.ini:4: A: the key is in [s] on line 2 already; keep one of them"),
    FaultyINI(
      "a key twice in [DEFAULT]", "[DEFAULT]\na = 1\n[s]\n[DEFAULT]\na = 2",
      "f.ini:5: a: the key is in [DEFAULT] on line 2 already; keep one of them"),
    FaultyINI("a NUL in a value", "[s]\na = \0", "f.ini:2: " + nul),
    FaultyINI("a NUL in a comment", "[s]\n# \0", "f.ini:2: " + nul),
    FaultyINI("CRLF is one line end", "[s]\r\n\r\nb", "f.ini:3: " + notAKey),
    FaultyINI("the first fault counts", "[s]\nb\n[s]", "f.ini:2: " + notAKey),
    FaultyINI(
      "names are fit for a terminal", "[s\u{1B}]\n[s\u{1B}]",
      "f.ini:2: section [s\\u{1B}] is on line 1 already; put the keys there"),
  ]

  static let interpolation = [
    FaultyINI("a single '%'", "[s]\na = 100%", asking: "a", "f.ini:2: a: " + strayPercent),
    FaultyINI("'%s'", "[s]\nA = /x/%s/*", asking: "a", "f.ini:2: A: " + strayPercent),
    FaultyINI("'%' after '%%'", "[s]\na = %%%", asking: "a", "f.ini:2: a: " + strayPercent),
    FaultyINI(
      "the place is where the fault stands", "[s]\na = %(b)s\nb = 5%", asking: "a",
      "f.ini:3: b: " + strayPercent),
    FaultyINI("')s' missing", "[s]\na = %(b", asking: "a", "f.ini:2: a: " + brokenReference),
    FaultyINI("'s' missing", "[s]\nb = 1\na = %(b)", asking: "a", "f.ini:3: a: " + brokenReference),
    FaultyINI("not 's'", "[s]\nb = 1\na = %(b)d", asking: "a", "f.ini:3: a: " + brokenReference),
    FaultyINI("no name", "[s]\na = %()s", asking: "a", "f.ini:2: a: " + brokenReference),
    FaultyINI(
      "an unknown key", "[s]\na = %(elsewhere)s\nb = 1", asking: "a",
      "f.ini:2: a: '%(elsewhere)s' is not a key of [s] or [DEFAULT]; add that key, or name another"
    ),
    FaultyINI(
      "an unknown key near a known one", "[s]\nBASEDIR = /x\nNEWS = %(BASEDR)s/y", asking: "news",
      "f.ini:3: NEWS: '%(BASEDR)s' is not a key of [s] or [DEFAULT]; did you mean '%(BASEDIR)s'?"),
    FaultyINI(
      "the nearest key is suggested", "[s]\nBASIDAR = 1\nBASEDIR = /x\na = %(basedirs)s",
      asking: "a",
      "f.ini:4: a: '%(basedirs)s' is not a key of [s] or [DEFAULT]; did you mean '%(BASEDIR)s'?"),
    FaultyINI(
      "spaces in a reference count", "[DEFAULT]\nroot = /x\n[s]\na = %( root )s", asking: "a",
      "f.ini:4: a: '%( root )s' is not a key of [s] or [DEFAULT]; did you mean '%(root)s'?"),
    FaultyINI(
      "a key does not suggest itself", "[s]\nnews1 = %(news2)s", asking: "news1",
      "f.ini:2: news1: '%(news2)s' is not a key of [s] or [DEFAULT]; add that key, or name another"
    ),
    FaultyINI(
      "other sections are not looked at", "[t]\nb = 1\n[s]\na = %(b)s", asking: "a",
      "f.ini:4: a: '%(b)s' is not a key of [s] or [DEFAULT]; add that key, or name another"),
    FaultyINI(
      "a key that refers to itself", "[s]\nA = x%(a)s", asking: "a",
      "f.ini:2: A: the references form a circle, A -> A;"
        + " give one of these keys a value without a reference"),
    FaultyINI(
      "a circle of two behind a key", "[s]\na = %(b)s\nb = %(c)s\nc = %(b)s", asking: "a",
      "f.ini:2: a: the references form a circle, a -> b -> c -> b;"
        + " give one of these keys a value without a reference"),
    FaultyINI(
      "eleven levels", chain(of: 11), asking: "k0",
      "f.ini:2: k0: the references are nested more than 10 deep; refer to the last key directly"),
    FaultyINI(
      "a value that doubles ten times", doubling(of: String(repeating: "x", count: 65)),
      asking: "k0",
      "f.ini:2: k0: the references expand to more than 65536 bytes; shorten the values they name"),
    FaultyINI(
      "very many references to nothing",
      "[s]\na = " + String(repeating: "%(b)s", count: 70_000) + "\nb =", asking: "a",
      "f.ini:2: a: the references expand to more than 65536 bytes; shorten the values they name"),
  ]

  /// `k0` refers to `k1` and so on; as many keys as `length` hold a reference, the last one `end`.
  fileprivate static func chain(of length: Int) -> String {
    "[s]\n" + (0..<length).map { "k\($0) = %(k\($0 + 1))s\n" }.joined() + "k\(length) = end"
  }

  fileprivate static func doubling(of text: String) -> String {
    let doublings = (0..<10).map { "k\($0) = %(k\($0 + 1))s%(k\($0 + 1))s\n" }
    return "[s]\n" + doublings.joined() + "k10 = " + text
  }
}

@Suite("INI") struct INITests {
  @Test(
    "is read", arguments: ReadableINI.syntax + ReadableINI.interpolation + ReadableINI.strayQuotes)
  func reads(_ row: ReadableINI) throws {
    let ini = try INI.parse(row.text, file: "f.ini")
    let contents = try ini.keys(in: "s").map { key in
      "\(key)=\(try #require(try ini.value(key, in: "s")).text)"
    }
    #expect(contents == row.contents)
  }

  @Test("is refused", arguments: FaultyINI.syntax)
  func refuses(_ row: FaultyINI) {
    let error = #expect(throws: INIError.self) { try INI.parse(row.text, file: "f.ini") }
    #expect(error?.message == row.message)
  }

  @Test("is refused when its value is asked for", arguments: FaultyINI.interpolation)
  func refusesValue(_ row: FaultyINI) throws {
    let ini = try INI.parse(row.text, file: "f.ini")
    let key = try #require(row.asked)
    let error = #expect(throws: INIError.self) { try ini.value(key, in: "s") }
    #expect(error?.message == row.message)
    #expect(error.map { "\($0)" } == row.message)
  }

  @Test func faultyValueHarmsNoOther() throws {
    let ini = try INI.parse("[s]\na = 5%\nb = 1", file: "f.ini")
    #expect(try ini.value("b", in: "s")?.text == "1")
  }

  @Test func nothingIsThere() throws {
    let ini = try INI.parse("[DEFAULT]\nd = 1\n[s]\na = 2", file: "f.ini")
    #expect(try ini.value("b", in: "s") == nil)
    #expect(try ini.value("d", in: "t") == nil)
    #expect(ini.keys(in: "t").isEmpty)
    #expect(!ini.has(section: "t"))
    #expect(try INI.parse("", file: "f.ini").sections.isEmpty)
  }

  @Test func defaultIsNoSectionOfItsOwn() throws {
    let ini = try INI.parse("[t]\n[DEFAULT]\nd = 1\n[s]\na = 2", file: "f.ini")
    #expect(ini.sections == ["t", "s"])
    #expect(ini.has(section: "s"))
    #expect(!ini.has(section: "DEFAULT"))
    #expect(ini.keys(in: "DEFAULT") == ["d"])
    #expect(try ini.value("D", in: "DEFAULT")?.text == "1")
  }

  @Test func valueKnowsItsPlace() throws {
    let text = "[DEFAULT]\nb = 1\n\n[s]\r\n# x\r\na = 1\n  2"
    let ini = try INI.parse(text, file: "/etc/f.ini")
    #expect(
      try ini.value("A", in: "s") == INIValue(text: "1\n2", line: 6, file: "/etc/f.ini"))
    #expect(try ini.value("b", in: "s") == INIValue(text: "1", line: 2, file: "/etc/f.ini"))
  }

  @Test func errorTellsKindFromPlace() throws {
    let ini = try INI.parse("[s]\nBASE = /x\nNews = %(bace)s", file: "f.ini")
    let problem = INIError.Problem.unknownReference("bace", section: "s", nearest: "BASE")
    #expect(throws: INIError(file: "f.ini", line: 3, key: "News", problem: problem)) {
      try ini.value("news", in: "s")
    }
  }

  @Test func tenLevelsAreAllowed() throws {
    let ini = try INI.parse(FaultyINI.chain(of: 10), file: "f.ini")
    #expect(try ini.value("k0", in: "s")?.text == "end")
  }

  @Test func limitIsOnReferencesAlone() throws {
    let long = String(repeating: "%%", count: 100_000)
    let ini = try INI.parse("[s]\na = \(long)", file: "f.ini")
    #expect(try ini.value("a", in: "s")?.text.utf8.count == 100_000)
    let doubled = try INI.parse(FaultyINI.doubling(of: "x"), file: "f.ini")
    #expect(try doubled.value("k0", in: "s")?.text.utf8.count == 1024)
  }

  /// The file of the site as section 4 of its description gives it.
  @Test func siteFile() throws {
    let text = """
      [database]
      HOST = pg01.example.org
      DBNAME = freshports.org
      DBUSER = listening
      PASSWORD = secret
      [dirs]
      BASEDIR = /var/db/freshports
      PORT_CACHE_PATH     = %(BASEDIR)s/cache/ports/%%s/%%s/*
      CATEGORY_CACHE_PATH = %(BASEDIR)s/cache/categories/%%s/*
      DATE_CACHE_PATH     = %(BASEDIR)s/cache/daily/%%s/%%s/%%s.daily.*
      NEWS_CACHE_DIR      = %(BASEDIR)s/cache/news
      COMMIT_CACHE_PATH   = %(BASEDIR)s/cache/commits/%%s/

      """
    let ini = try INI.parse(text, file: "fp-listen.ini")
    #expect(ini.sections == ["database", "dirs"])
    let values = try ini.sections.flatMap { section in
      try ini.keys(in: section).map { key in
        let value = try #require(try ini.value(key, in: section))
        return "\(value.line) \(key) \(value.text)"
      }
    }
    #expect(
      values == [
        "2 host pg01.example.org", "3 dbname freshports.org", "4 dbuser listening",
        "5 password secret", "7 basedir /var/db/freshports",
        "8 port_cache_path /var/db/freshports/cache/ports/%s/%s/*",
        "9 category_cache_path /var/db/freshports/cache/categories/%s/*",
        "10 date_cache_path /var/db/freshports/cache/daily/%s/%s/%s.daily.*",
        "11 news_cache_dir /var/db/freshports/cache/news",
        "12 commit_cache_path /var/db/freshports/cache/commits/%s/",
      ])
  }

  /// Pieces with a meaning, strung together at random: whatever comes of it, nothing may trap.
  @Test func survivesAnything() {
    let pieces = [
      "[s]", "[DEFAULT]", "[", "]", "\n", "\n", "\n  ", "\r", "\r\n", "\t", "=", ":", "%", "%%",
      "%(", ")s", "%(a)s", "%(B)s", "a", "b = ", "\nc: ", "#", ";", "'", "\"", "\0", "\u{FEFF}",
      "\u{301}", "\u{A0}", "é", "\u{1F6A2}",
    ]
    var generator = Xorshift(state: 0x5EED)
    var read = 0
    for _ in 0..<3000 {
      let length = Int.random(in: 0...20, using: &generator)
      let tail = (0..<length).compactMap { _ in pieces.randomElement(using: &generator) }
      let text = "[s]\na = 1\n" + tail.joined()
      guard let ini = try? INI.parse(text, file: "f.ini") else { continue }
      read += 1
      for section in ini.sections {
        for key in ini.keys(in: section) { _ = try? ini.value(key, in: section) }
      }
    }
    #expect(read > 500)
  }

  /// Marsaglia's xorshift64, so that a failure comes again.
  private struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
  }
}
