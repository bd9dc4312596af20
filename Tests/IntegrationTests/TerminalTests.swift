// SPDX-License-Identifier: BSD-2-Clause
//
// The clear commands as a person at a terminal meets them: the question before a big purge, colour,
// names that were mistyped, Ctrl-C.

import Basics
import Foundation
import Testing
import fpcache

@testable import TestSupport

@Suite struct TerminalTests {
  private static let part = "Detail.Part1.head.PageSize100.PageNum1.html"

  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for port in ["graphics/gimp", "graphics/gd", "print/R-cran-knitr", "lang/python37"] {
      try tree.write("ports/\(port)/\(Self.part)", bytes: 1000)
      let category = port.prefix { $0 != "/" }
      try tree.write(
        "categories/\(category)/\(category).0.head.PageSize100.PageNum1.html", bytes: 500)
    }
    for day in ["2019/12/31", "2020/01/21", "2020/02/01"] {
      try tree.write("daily/\(day).daily.head", bytes: 100)
    }
    try tree.write("news/news.rss2.0.head.xml", bytes: 40)
    return tree
  }

  // MARK: The question

  /// Arguments, the question, and how the whole reads if it is answered with yes.
  struct Big: CustomTestStringConvertible {
    let arguments: [String]
    let question: String
    let result: String
    var testDescription: String { arguments.joined(separator: " ") }

    static let all = [
      Big(
        arguments: ["clear-date", "2020"],
        question: "Clear all daily pages of 2020 (2 pages, 200 bytes)? [y/N] ",
        result: "removed 2 pages of 2020, 200 bytes"),
      Big(
        arguments: ["clear-date", "2019-03-01..2020-02-29"],
        question: "Clear all daily pages of 2019-03-01..2020-02-29 (3 pages, 300 bytes)? [y/N] ",
        result: "removed 3 pages of 2019-03-01..2020-02-29, 300 bytes"),
      Big(
        arguments: ["clear-port", "graphics/*"],
        question: "Clear all 2 ports of graphics (3 pages, 2.5 KB)? [y/N] ",
        result: "removed 2 pages of graphics/* and 1 category page, 2.5 KB"),
      Big(
        arguments: ["clear-port", "--no-category", "graphics/*", "lang/python37", "print/*"],
        question: "Clear all 2 ports of graphics and all 1 port of print (4 pages, 4.0 KB)? [y/N] ",
        result: "removed 4 pages of 3 keys, 4.0 KB"),
      Big(
        arguments: ["clear-date", "2016", "2017", "2018", "2019", "2020-01", "2021"],
        question: "Clear all daily pages of 2016, all daily pages of 2017, all daily pages of 2018 "
          + "and 2 more (2 pages, 200 bytes)? [y/N] ",
        result: "removed 2 pages of 6 dates, 200 bytes; 4 dates matched nothing"),
      Big(
        arguments: ["clear", "--all"],
        question: "Clear all of ports, all of categories, all of daily, all of commits, all of "
          + "general report=sanity_test_failures, all of files, all of packages and all of news "
          + "(11 pages, 5.8 KB)? [y/N] ",
        result: "removed 11 pages of 8 families, 5.8 KB; 4 families matched nothing"),
    ]
  }

  @Test("a big purge is asked about once, and yes goes on", arguments: Big.all)
  func yes(_ row: Big) throws {
    let session = try TerminalSession.fpcache(row.arguments, in: try tree())
    try session.terminal.wait(for: "[y/N] ")
    try session.terminal.type("Yes\n")
    let (status, output) = try session.end()
    #expect(status == 0)
    #expect(output == "\(row.question)Yes\r\n\(row.result)\r\n")
  }

  @Test("any other answer changes nothing", arguments: ["n\n", "\n", "yess\n", "\u{4}", "year\n"])
  func no(_ answer: String) throws {
    let tree = try tree()
    let before = try tree.snapshot()
    let session = try TerminalSession.fpcache(["clear-port", "graphics/*"], in: tree)
    try session.terminal.wait(for: "[y/N] ")
    try session.terminal.type(answer)
    let (status, output) = try session.end()
    #expect(status == 1)
    let echo = answer == "\u{4}" ? "" : answer.dropLast()
    #expect(
      output
        == "Clear all 2 ports of graphics (3 pages, 2.5 KB)? [y/N] \(echo)\r\nfpcache: nothing was changed\r\n"
    )
    #expect(try tree.snapshot().differences(from: before) == [])
  }

  @Test("Ctrl-C at the question ends it there")
  func interruptedQuestion() throws {
    let tree = try tree()
    let before = try tree.snapshot()
    let session = try TerminalSession.fpcache(["clear-date", "2020"], in: tree)
    try session.terminal.wait(for: "[y/N] ")
    try session.terminal.type("\u{3}")
    #expect(try session.end().status == 130)
    #expect(try tree.snapshot().differences(from: before) == [])
  }

  @Test(
    "not asked about: less than a year, --yes, -n",
    arguments: [
      (["clear-date", "2020-01"], "removed 1 page of 2020-01, 100 bytes"),
      (
        ["clear-date", "2019-03-01..2020-02-28"],
        "removed 3 pages of 2019-03-01..2020-02-28, 300 bytes"
      ),
      (["clear-date", "--yes", "2020"], "removed 2 pages of 2020, 200 bytes"),
      (["clear-port", "-y", "print/*"], "removed 1 page of print/* and 1 category page, 1.5 KB"),
      (
        ["clear-port", "-n", "graphics/*", "--no-category"],
        "would remove 2 pages of graphics/*, 2.0 KB"
      ),
      (["clear-news"], "removed 1 page of the news, 40 bytes"),
    ])
  func unasked(_ arguments: [String], _ result: String) throws {
    let (status, output) = try TerminalSession.fpcache(arguments, in: try tree()).end()
    #expect(status == 0)
    #expect(output == result + "\r\n")
  }

  @Test("a script is not asked, whatever it clears")
  func script() throws {
    let tree = try tree()
    let result = try Command.fpcache(
      ["clear-date", "2020"], in: tree, environment: ["FPCACHE_DIR": tree.path], input: "n\n")
    #expect(result.stdout == "removed 2 pages of 2020, 200 bytes\n", "\(result)")
    #expect(result.stderr.isEmpty && result.status == 0, "\(result)")
  }

  @Test("keys may be typed, and the question answered after their end")
  func typedKeys() throws {
    let session = try TerminalSession.fpcache(["clear-port", "-"], in: try tree())
    try session.terminal.type("print/*\nlang/python37\n\u{4}")
    try session.terminal.wait(for: "Clear all 1 port of print (4 pages, 3.0 KB)? [y/N] ")
    try session.terminal.type("y\n")
    let (status, output) = try session.end()
    #expect(status == 0)
    #expect(
      output.hasSuffix("y\r\nremoved 2 pages of 2 keys and 2 category pages, 3.0 KB\r\n"))
  }

  // MARK: Colour

  private static let red = "\u{1B}[31m"
  private static let yellow = "\u{1B}[33m"
  private static let plain = "\u{1B}[0m"

  @Test(
    "colour at a terminal that has it, unless it is not wanted",
    arguments: [
      (["TERM": "xterm"], [], true), (["TERM": "dumb"], [], false), ([:], [], false),
      (["TERM": "xterm", "NO_COLOR": "1"], [], false),
      (["TERM": "xterm", "NO_COLOR": ""], [], true),
      (["TERM": "xterm", "NO_COLOR": "1"], ["--color", "always"], true),
      (["TERM": "xterm"], ["--color", "never"], false), ([:], ["--color", "always"], true),
    ] as [([String: String], [String], Bool)])
  func color(_ environment: [String: String], _ flags: [String], _ isColored: Bool) throws {
    let session = try TerminalSession.fpcache(
      ["clear-port", "--no-category", "graphics/gd", "graphics/gmip"] + flags, in: try tree(),
      environment: environment.mapValues { $0 })
    let (yellow, plain) = isColored ? (Self.yellow, Self.plain) : ("", "")
    #expect(
      try session.end().output
        == "removed 1 page of 2 ports, 1.0 KB; \(yellow)1 port matched nothing\(plain)\r\n"
        + "fpcache: nothing matched graphics/gmip; did you mean graphics/gimp?\r\n")
  }

  @Test("what is no terminal gets colour only if told to")
  func colorElsewhere() throws {
    let tree = try tree()
    let plain = try Command.fpcache(
      ["clear-port", "a/b/c"], in: tree, environment: ["TERM": "xterm", "FPCACHE_DIR": tree.path])
    #expect(plain.stderr.hasPrefix("fpcache: a/b/c: "), "\(plain)")
    let colored = try Command.fpcache(
      ["clear-port", "a/b/c", "--color", "always"], in: tree,
      environment: ["FPCACHE_DIR": tree.path])
    #expect(colored.stderr.hasPrefix("\(Self.red)fpcache:\(Self.plain) a/b/c: "), "\(colored)")
  }

  // MARK: Names that were mistyped

  @Test(
    "a port that is not there suggests those that are",
    arguments: [
      (["graphics/gmip"], "nothing matched graphics/gmip; did you mean graphics/gimp?"),
      (["graphcis/gimp"], "nothing matched graphcis/gimp; did you mean graphics/gimp?"),
      (["lang/gimp"], "nothing matched lang/gimp; did you mean graphics/gimp?"),
      (["print/knitr"], "nothing matched print/knitr; did you mean print/R-cran-knitr?"),
      (["graphics/GIMP"], "nothing matched graphics/GIMP; did you mean graphics/gimp?"),
      (["grafics/*"], "nothing matched grafics/*; did you mean graphics/*?"),
      (["graphics/g"], "nothing matched graphics/g; did you mean graphics/gd?"),
      (["lang/python3"], "nothing matched lang/python3; did you mean lang/python37?"),
    ])
  func suggestions(_ keys: [String], _ message: String) throws {
    let tree = try tree()
    let environment = ["FPCACHE_DIR": tree.path]
    let result = try Command.fpcache(
      ["clear-port", "--no-category"] + keys, in: tree, environment: environment)
    #expect(result.stdout == "no page of \(keys[0]) in the cache\n", "\(result)")
    #expect(result.stderr == "fpcache: \(message)\n", "\(result)")
    #expect(result.status == 0)
    for flags in [["-q"], ["--format", "json"]] {
      let silent = try Command.fpcache(
        ["clear-port"] + flags + keys, in: tree, environment: environment)
      #expect(silent.stderr.isEmpty, "\(silent)")
    }
  }

  @Test(
    "nothing like it, or a port that merely has no page: nothing to suggest",
    arguments: ["graphics/blender", "sysutils/tmux", "lang/empty", "lang/*"])
  func noSuggestion(_ key: String) throws {
    let tree = try tree()
    tree.remove("ports/lang/python37")
    try tree.makeDirectory("ports/lang/empty")
    try tree.write("ports/lang/empty2/\(Self.part)", bytes: 1)
    tree.remove("ports/lang/empty2/\(Self.part)")
    let result = try Command.fpcache(
      ["clear-port", "--no-category", key], in: tree, environment: ["FPCACHE_DIR": tree.path])
    #expect(result.stdout == "no page of \(key) in the cache\n", "\(result)")
    #expect(result.stderr.isEmpty, "\(result)")
  }

  // MARK: Ctrl-C

  @Test("Ctrl-C finishes the folders in hand and says what was done", arguments: [SIGINT, SIGTERM])
  func interrupted(_ signal: Int32) throws {
    // The program is held between its first page and its last; should it be done too soon, it is
    // tried again.
    for _ in 0..<5 {
      let tree = try TemporaryTree()
      let pages = (0..<12_000).map {
        "ports/devel/p\($0 / 3)/Makefile.PageSize1.PageNum\($0 % 3).html"
      }
      for page in pages { try tree.write(page, bytes: 1) }
      let session = try TerminalSession.fpcache(
        ["clear-port", "--yes", "devel/*"], in: tree, environment: ["TERM": "xterm"])
      let sample = stride(from: 0, to: pages.count, by: 600).map { pages[$0] }
      try eventually("it has begun") { !sample.allSatisfy(tree.exists) }
      session.signal(SIGSTOP)
      guard try tree.files().count > 300 else { continue }
      if signal == SIGINT { try session.terminal.type("\u{3}") } else { session.signal(signal) }
      session.signal(SIGCONT)
      let (status, output) = try session.end()
      #expect(status == 128 + signal)
      let left = Dictionary(grouping: try tree.files()) { $0.split(separator: "/")[2] }
      #expect(!left.isEmpty && left.values.allSatisfy { $0.count == 3 }, "\(left)")
      let removed = pages.count - left.count * 3
      // Whatever the terminal has echoed is taken back.
      #expect(
        output.hasSuffix(
          "\r\u{1B}[Kremoved \(grouped(removed)) pages of devel/*, \(sizeText(Int64(removed))); "
            + "\(Self.yellow)interrupted\(Self.plain)\r\n"), "\(output)")
      return
    }
    Issue.record("always done before it could be interrupted")
  }
}
