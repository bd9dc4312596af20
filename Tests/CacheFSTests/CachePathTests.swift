// SPDX-License-Identifier: BSD-2-Clause
//
// Bytes as printable text and back: what a terminal, a log or JSON may be shown.

import Testing

@testable import Basics
@testable import CacheFS

@Suite struct CachePathTests {
  @Test(arguments: [
    ("", ""), ("ports/a", "ports/a"), ("a b", "a b"), ("a\\b", "a\\\\b"), ("a\nb", "a\\x0ab"),
    ("\u{1B}[31m", "\\x1b[31m"), ("a\0b", "a\\x00b"), ("\u{7F}", "\\x7f"), ("\"", "\""),
    ("é", "é"), ("漢字", "漢字"), ("😀", "😀"),
    ("\u{85}", "\\xc2\\x85"), ("\u{202E}", "\\xe2\\x80\\xae"), ("\u{200B}", "\\xe2\\x80\\x8b"),
    ("\u{2028}", "\\xe2\\x80\\xa8"), ("\u{E000}", "\\xee\\x80\\x80"),
    ("\u{FEFF}", "\\xef\\xbb\\xbf"), ("\\x41", "\\\\x41"),
    ("\u{A0}", "\\xc2\\xa0"), ("\u{3000}", "\\xe3\\x80\\x80"), ("\u{3164}", "\\xe3\\x85\\xa4"),
    ("\u{FE0F}", "\\xef\\xb8\\x8f"), ("\u{34F}", "\\xcd\\x8f"), ("e\u{301}", "e\u{301}"),
  ])
  func textIsPrintable(_ raw: String, _ escaped: String) {
    #expect(escape(raw.utf8) == escaped)
    #expect(unescape(escaped) == Array(raw.utf8))
    #expect(CachePath(Array(raw.utf8)).description == escaped)
  }

  /// Not UTF-8: torn, overlong, surrogates, beyond the last scalar, stray continuations.
  @Test(
    arguments: [
      ([0xFF], "\\xff"), ([0xC3], "\\xc3"), ([0x80], "\\x80"), ([0x61, 0xC3, 0x62], "a\\xc3b"),
      ([0xC0, 0xAF], "\\xc0\\xaf"), ([0xE0, 0x80, 0xAF], "\\xe0\\x80\\xaf"),
      ([0xED, 0xA0, 0x80], "\\xed\\xa0\\x80"), ([0xF4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"),
      ([0xF0, 0x9F, 0x98], "\\xf0\\x9f\\x98"), ([0xC3, 0xA9, 0xA9], "é\\xa9"),
      ([0xF0, 0x9F, 0x98, 0x80, 0x61], "😀a"),
    ] as [([UInt8], String)])
  func otherBytesAreHexadecimal(_ raw: [UInt8], _ escaped: String) {
    #expect(escape(raw) == escaped)
    #expect(unescape(escaped) == raw)
  }

  @Test(arguments: [
    "\\", "a\\", "\\x", "\\x4", "\\xg0", "\\n", "\\X41", "\\x+f", "\\x-0", "\\x f", "\\xé",
    // Right in form, but escape would have written it in another way.
    "\\x41", "\\xFF", "\\xc3\\xa9", "a\nb", "\u{202E}", "\u{1B}",
  ])
  func whatEscapeNeverMakesIsRefused(_ text: String) {
    #expect(unescape(text) == nil)
  }

  @Test(arguments: [1, 2, 3, 4])
  func randomBytesComeBack(_ seed: UInt64) throws {
    var dice = Dice(seed)
    let seeds: [[UInt8]] = ["é", "😀", "\\", "\\x", "\u{202E}", "\n"].map { Array($0.utf8) }
    for _ in 0..<2_000 {
      var raw: [UInt8] = []
      while raw.count < 24, !dice.once(in: 12) {
        raw += dice.once(in: 2) ? [UInt8.random(in: 0...255, using: &dice)] : dice.pick(seeds)
      }
      let escaped = escape(raw)
      #expect(unescape(escaped) == raw, "\(raw)")
      let isPrintable = escaped.unicodeScalars.allSatisfy {
        $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value)
          && $0.properties.generalCategory != .format
      }
      #expect(isPrintable, "\(raw)")
    }
  }

  @Test func differentBytesHaveDifferentText() {
    // Two bytes of which one is from the places where escapes might run together.
    let edges: [UInt8] = [0x00, 0x0A, 0x30, 0x41, 0x5C, 0x66, 0x78, 0x7F, 0x80, 0xC3, 0xA9, 0xFF]
    var seen: [String: [UInt8]] = [:]
    for first in edges {
      for second in edges {
        for third in edges {
          let raw = [first, second, third]
          let other = seen.updateValue(raw, forKey: escape(raw))
          #expect(other == nil, "\(raw) and \(other ?? [])")
        }
      }
    }
  }

  @Test func pathsSortByBytes() {
    let sorted: [CachePath] = ["", "A", "a", "a/b", "ab", "b"]
    #expect(sorted.shuffled().sorted() == sorted)
    #expect(CachePath([0x7F]) < CachePath([0x80]))
  }
}
