// SPDX-License-Identifier: BSD-2-Clause
//
// Values that a field accepts and values from which no path may ever be built.

import Testing

@testable import Basics
@testable import CacheFS

@Suite struct FieldKindTests {
  /// What no kind that is one component accepts: parents, separators, NUL, control characters.
  static let hostile: [[UInt8]] = [
    bytes(".."), bytes("."), bytes("/"), bytes("a/b"), bytes("/a"), bytes("a/"), bytes("../a"),
    bytes("a/.."), [0], [0x61, 0], [0, 0x61], [0x61, 0, 0x62],
    [UInt8](repeating: 0x61, count: 256), [UInt8](repeating: 0x61, count: 4096),
    [UInt8](repeating: 0x61, count: 1 << 20),
  ]

  /// What the strict kinds refuse beyond that: names that mean something to a shell, a glob,
  /// SQL or a terminal, and what is no ASCII.
  static let odd: [[UInt8]] =
    [
      "*", "?", "[a]", "a*", "~", "a b", " a", "a ", "a\n", "\n", "\t", "\u{1B}[0m", "\u{7F}", "é",
      "a\\", "a'b", "a\"b", "a;b", "a|b", "$(a)", "`a`", "a%s", "a{b}", "a:b", "a,b", "a=b", "a@b",
      "a#b", "a&b", "a<b", "\u{202E}", "ａ",
    ].map(bytes) + [[0xFF], [0xC3], [0x61, 0x80], [0xC0, 0xAF]]

  static let oneComponent = FieldKind.allCases.filter { !$0.spansComponents }
  static let strict = oneComponent.filter { $0 != .name }

  @Test(arguments: oneComponent)
  func hostileValuesAreRefused(_ kind: FieldKind) {
    // `port?` may be a dot or two: it is never a component by itself.
    for value in Self.hostile where !(kind == .optionalPort && value.allSatisfy { $0 == 0x2E }) {
      #expect(!kind.accepts(value), "\(escape(value.prefix(8)))")
    }
  }

  @Test(arguments: strict)
  func oddValuesAreRefused(_ kind: FieldKind) {
    for value in Self.odd { #expect(!kind.accepts(value), "\(escape(value))") }
  }

  @Test(arguments: oneComponent)
  func onlyTheOptionalMayBeEmpty(_ kind: FieldKind) {
    #expect(kind.accepts([]) == (kind == .optionalWord || kind == .optionalPort))
  }

  @Test(arguments: FieldKind.allCases)
  func eachByteOfAValueIsOneOfTheKind(_ kind: FieldKind) {
    // A matcher takes a run of `contains` and asks `accepts`; so the two must agree.
    for byte in UInt8.min...UInt8.max where kind.accepts([byte]) {
      #expect(kind.contains(byte), "\(byte)")
    }
    #expect(!kind.contains(0))
    if !kind.spansComponents { #expect(!kind.contains(UInt8(ascii: "/"))) }
  }

  @Test(
    arguments: [
      (.year, ["2020", "0000", "9999"], ["202", "20200", "202a", "+202", "-202", " 202", "٢٠٢٠"]),
      (.month, ["01", "12", "99"], ["1", "012", "a1", "+1", " 1"]),
      (.day, ["01", "31", "99"], ["1", "031", "1a", "-1"]),
      (
        .branch, ["head", "2020Q1", "2020Q4", "1999Q3"],
        ["Head", "heads", "hea", "2020Q0", "2020Q5", "2020q1", "020Q1", "2020Q", "2020Q11", "main"]
      ),
      (
        .category, ["graphics", "x11-fonts", "net-p2p", "9base", "c++", "a.b", "a_b", "a..b"],
        ["Graphics", "Mk", "gRaphics", "-a", "+a", ".a", "_a", "...", "é"]
      ),
      (
        .port,
        [
          "py-pygeoapi", "R-cran-knitr", "libsigc++20", "python37", "p5-Tie-IxHash", "-a", "+", "_",
          "0ad", "gtk+2.0", "a..b", "a...", "X",
        ],
        [".a", "...", ".hidden"]
      ),
      (
        .number, ["0", "1", "100", "00", "18446744073709551616"],
        ["-1", "+1", "1.0", "1e3", "x", " 1"]
      ),
      (.flag, ["n", "y"], ["N", "Y", "yn", "nn", "0"]),
      (.messageID, ["202001-a-b", "-", "a", "0", "--"], ["A", "a_b", "a.b", "a+b", "a@b"]),
      (.word, ["rss2_0", "A-b_9", "-"], ["a.b", "a+b", "rss2.0"]),
      (.optionalWord, ["", "x11-fonts", "a+b", "A_b"], ["a.b", ".", ".."]),
      (.optionalPort, ["", "libsigc++20", "a.b", ".a"], ["a@b"]),
      (
        .format, ["atom", "rss2.0", "rss0.91", "opml", "R2"],
        ["2.0", "rss.", ".0", "rss2.0.1", "rss2.x", "123.atom", "a.rss2.0", "rss_2"]
      ),
      (
        .cutKey,
        [
          String(repeating: "a-0", count: 21), String(repeating: "a", count: 60) + ".tm",
          String(repeating: "a", count: 62) + ".",
        ],
        [
          String(repeating: "a", count: 62), String(repeating: "a", count: 64),
          String(repeating: "A", count: 63), String(repeating: "a", count: 59) + ".tmp",
          String(repeating: "a", count: 60) + ".t.", String(repeating: "a", count: 61) + ".m",
        ]
      ),
      (.temporarySuffix, ["A1b2C3", "000000"], ["A1b2C", "A1b2C3d", "A1b2C_", "A1-2C3"]),
      (
        .name, ["a", ".a", "...", "*", "[a]", "a b", "\n", "é", "-rf", "..a", "a.."],
        []
      ),
      (
        .rest,
        ["a", "a/b", ".a", "a/.b/c", "...", "*/?", "a/" + String(repeating: "b", count: 255)],
        [
          "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/../b", "a/./b", "a\0b",
          "a/" + String(repeating: "b", count: 256), String(repeating: "b/", count: 2_048) + "b",
        ]
      ),
      (.visibleRest, ["a", "a/.b"], ["", ".a", ".a/b", "..", "/a", "a/../b"]),
      (
        .portsTreePath,
        [
          "MOVED", "Mk/Uses/cargo.mk", "net/Makefile", "Mk/a/b/c", "net/.a/b", "-a/b/c", "a",
          "Keywords/a/b",
        ],
        [
          "net/openmpi3/Makefile", "net/openmpi3/files/patch", "net/X/y", "", "/a", "a//b",
          "a/../b",
        ]
      ),
    ] as [(FieldKind, [String], [String])])
  func tables(_ kind: FieldKind, _ accepted: [String], _ refused: [String]) {
    for value in accepted { #expect(kind.accepts(text: value), "\(value.prefix(40))") }
    for value in refused { #expect(!kind.accepts(text: value), "\(value.prefix(40))") }
  }

  @Test(arguments: [
    FieldKind.category, .port, .number, .messageID, .word, .optionalWord, .optionalPort, .name,
  ])
  func longestName(_ kind: FieldKind) {
    let digits = [UInt8](repeating: UInt8(ascii: "7"), count: 256)
    #expect(kind.accepts(digits.dropLast()))
    #expect(!kind.accepts(digits))
  }

  @Test(arguments: [FieldKind.rest, .visibleRest, .portsTreePath])
  func longestPath(_ kind: FieldKind) {
    let path = Array(String(repeating: "Ab/", count: 1_366).utf8)
    #expect(path.count == 4_098)
    #expect(kind.accepts(path.prefix(4_094) + bytes("c")))
    #expect(!kind.accepts(path.prefix(4_095) + bytes("c")))
  }

  @Test func slicesAreJudgedLikeWholes() {
    let whole = bytes("xx2020Q1xx")
    #expect(FieldKind.branch.accepts(whole[2..<8]))
    #expect(!FieldKind.branch.accepts(whole[1..<8]))
    #expect(FieldKind.category.accepts(bytes("-a")[1...]))
    #expect(FieldKind.portsTreePath.accepts(bytes("net/a/b")[4...]))
  }

  @Test func everyKindSaysWhatItExpects() {
    let expectations = FieldKind.allCases.map(\.expectation)
    #expect(expectations.allSatisfy { !$0.isEmpty })
    #expect(Set(FieldKind.allCases.map(\.rawValue)).count == FieldKind.allCases.count)
  }
}
