// SPDX-License-Identifier: BSD-2-Clause
//
// Text for people: numbers that fit, tables that give way, bars, and how wide a name is.

import Testing

@testable import fpcache

@Suite("Text for a terminal") struct TextTableTests {
  private func terminal(_ columns: Int, isUnicode: Bool = true) -> Terminal {
    Terminal(columns: columns, isTerminal: true, isUnicode: isUnicode)
  }

  @Test(
    "sizes",
    arguments: [
      (0, "0", "0 B", "0"), (999, "999", "999 B", "999"), (1000, "1,000", "1.0 KB", "1.0K"),
      (9_999, "9,999", "9.9 KB", "9.9K"), (100_000, "100,000", "100 KB", "100K"),
      (999_999, "999,999", "999 KB", "999K"),
      (49_411_072, "49,411,072", "49.4 MB", "49.4M"),
      (.max, "9,223,372,036,854,775,807", "9.2 EB", "9.2E"),
    ] as [(Int64, String, String, String)])
  func sizes(_ bytes: Int64, _ exact: String, _ units: String, _ compact: String) {
    #expect(Detail.exact.size(bytes) == exact)
    #expect(Detail.units.size(bytes) == units)
    #expect(Detail.compact.size(bytes) == compact)
  }

  // MARK: Tables

  private func table(_ detail: Detail, name: String = "x") -> TextTable {
    TextTable(
      columns: [
        TextTable.Column(title: "NAME", isRight: false, isFree: true),
        TextTable.Column(title: "BYTES"), TextTable.Column(title: "FIRST", rank: 1),
        TextTable.Column(title: "SECOND", rank: 2),
      ], rows: [[name, detail.size(49_411_072), "1", "2"]])
  }

  @Test(
    "a table tells less where there is less room",
    arguments: [
      (31, ["NAME       BYTES  FIRST  SECOND", "x     49,411,072      1       2"]),
      (30, ["NAME    BYTES  FIRST  SECOND", "x     49.4 MB      1       2"]),
      (27, ["NAME  BYTES  FIRST  SECOND", "x     49.4M      1       2"]),
      (23, ["NAME BYTES FIRST SECOND", "x    49.4M     1      2"]),
      (22, ["BYTES FIRST SECOND NAME", "49.4M     1      2 x"]),
      (17, ["BYTES FIRST NAME", "49.4M     1 x"]), (11, ["BYTES NAME", "49.4M x"]),
      (1, ["BYTES NAME", "49.4M x"]),
    ])
  func tables(_ columns: Int, _ lines: [String]) {
    #expect(terminal(columns).lines { table($0) } == lines)
  }

  @Test func aLongNameGoesToTheEndAndIsNotCut() {
    let name = String(repeating: "n", count: 100)
    let lines = terminal(60).lines { table($0, name: name) }
    #expect(lines == ["BYTES FIRST SECOND NAME", "49.4M     1      2 \(name)"])
  }

  @Test func wideNamesAlign() {
    let rows = [["\u{6F22}\u{5B57}", "1"], ["e\u{301}", "2"], ["abcd", "3"]]
    let make = { (_: Detail) in
      TextTable(
        columns: [TextTable.Column(title: "N", isRight: false), TextTable.Column(title: "V")],
        rows: rows)
    }
    #expect(
      terminal(60).lines(make)
        == ["N     V", "\u{6F22}\u{5B57}  1", "e\u{301}     2", "abcd  3"])
    // Where there is ASCII only, the bytes are told.
    #expect(
      terminal(60, isUnicode: false).lines(make)[1] == "\\xe6\\xbc\\xa2\\xe5\\xad\\x97  1")
  }

  @Test func wordsAreWrappedAndNotCut() {
    #expect(terminal(60).lines("  first ", words: []) == ["  first "])
    #expect(
      terminal(12).lines("ab ", words: ["cde", "fgh", "ijklmnopqrstuvwxyz", "a"])
        == ["ab cde fgh", "   ijklmnopqrstuvwxyz", "   a"])
  }

  @Test func cutting() {
    #expect(terminal(60).cut("abcdef", to: 6) == "abcdef")
    #expect(terminal(60).cut("abcdefg", to: 6) == "abcde\u{2026}")
    #expect(terminal(60, isUnicode: false).cut("abcdefg", to: 6) == "abcde>")
    #expect(terminal(60).cut("\u{6F22}\u{5B57}\u{6F22}", to: 4) == "\u{6F22}\u{2026}")
  }

  // MARK: Bars

  @Test(
    "bars",
    arguments: [
      (0, "", ""), (1, "\u{258F}", "."), (40, "\u{2588}\u{2588}\u{2588}\u{2588}", "####"),
      (100, String(repeating: "\u{2588}", count: 10), "##########"),
      (45, "\u{2588}\u{2588}\u{2588}\u{2588}\u{258C}", "#####"),
      (99, String(repeating: "\u{2588}", count: 9) + "\u{2589}", "##########"),
    ])
  func bars(_ value: Int, _ blocks: String, _ ascii: String) {
    #expect(terminal(60).bar(value, of: 100, width: 10) == blocks)
    #expect(terminal(60, isUnicode: false).bar(value, of: 100, width: 10) == ascii)
  }

  @Test func aBarIsNeverTooLong() {
    for terminal in [terminal(60), terminal(60, isUnicode: false)] {
      for value in 0...200 {
        #expect(terminal.width(terminal.bar(value, of: 200, width: 7)) <= 7)
        #expect((terminal.bar(value, of: 200, width: 7) == "") == (value == 0))
      }
      #expect(terminal.bar(5, of: 5, width: 0) == "" && terminal.bar(5, of: 0, width: 5) == "")
    }
  }

  // MARK: The terminal

  @Test(
    "COLUMNS goes first, within reason",
    arguments: [
      ("100", 100), ("59", 60), ("1", 60), ("99999999999", 1000), ("0", 80), ("-5", 80), ("x", 80),
      ("", 80),
    ])
  func columns(_ text: String, _ columns: Int) {
    // The tests' own standard output may be a terminal; then that says how wide it is.
    let otherwise = Terminal.standardOutput([:]).columns
    let terminal = Terminal.standardOutput(["COLUMNS": text])
    #expect(terminal.columns == (columns == 80 ? otherwise : columns))
  }

  @Test func whatIsNotASCIIIsToldByteByByte() {
    #expect(asciiOnly("a\\x1b") == "a\\x1b")
    #expect(asciiOnly("\u{DB}31m") == "\\xc3\\x9b31m")
  }
}
