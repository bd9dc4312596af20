// SPDX-License-Identifier: BSD-2-Clause
//
// Names made of hashes: MD5 against RFC 1321's own vectors and against md5sum(1), patterns of keys, and
// the paths that keys have.

import Foundation
import TestSupport
import Testing

@testable import CacheFS

@Suite struct HashedNameTests {
  /// RFC 1321, appendix A.5.
  static let hashes: [(String, String)] = [
    ("", "d41d8cd98f00b204e9800998ecf8427e"),
    ("a", "0cc175b9c0f1b6a831c399e269772661"),
    ("abc", "900150983cd24fb0d6963f7d28e17f72"),
    ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
    (
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
      "d174ab98d277d9f5a5611c2c9f419d9f"
    ),
    (
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
      "57edf4a22be3c955ac49da2e2107b67a"
    ),
  ]

  @Test("MD5 is that of RFC 1321", arguments: hashes) func vectors(_ input: String, _ hash: String)
  {
    #expect(text(MD5.hex(bytes(input))) == hash)
  }

  @Test("MD5 is that of md5sum, at each length around a block's end") func againstMD5Sum() throws {
    let tree = try TemporaryTree()
    var dice = Dice(1)
    let lengths = Array(0...130) + [1000, 8192]
    let inputs = lengths.map { length in (0..<length).map { _ in UInt8(dice.below(256)) } }
    for (length, input) in zip(lengths, inputs) { try tree.write("\(length)", content: input) }
    let sums = try Command("/usr/bin/md5sum", lengths.map { tree.fullPath("\($0)") }).run().stdout
    let expected = sums.split(separator: "\n").map { String($0.prefix(32)) }
    #expect(inputs.map { text(MD5.hex($0)) } == expected)
  }

  static let patterns: [(pattern: String, matching: [String], others: [String])] = [
    ("a*", ["a", "ab", "a/b/c", "a*"], ["", "b", "ba"]),
    ("*", ["", "a", "https://x/y?z"], []),
    ("*b", ["b", "ab", "bb"], ["", "ba"]),
    ("a*b", ["ab", "a/b", "abb", "aab"], ["a", "b", "aba", "ba"]),
    ("aa*aa", ["aaaa", "aaaaa"], ["aaa", "aa"]),
    ("a*b*c", ["abc", "a1b2c", "abbc", "abcbc"], ["ac", "acb", "abcd", "bac"]),
    ("*/a/*/b*", ["h/a/x/b", "h/a//b1"], ["h/a/b", "a/x/b"]),
    ("a**b", ["ab", "acb"], ["a"]),
    ("https://h/a?*", ["https://h/a?q=1"], ["https://h/a", "https://h/ab"]),
  ]

  @Test("a star is any run of bytes", arguments: patterns)
  func glob(_ row: (pattern: String, matching: [String], others: [String])) throws {
    let glob = try #require(KeyGlob(bytes(row.pattern)))
    func matches(_ key: String) -> Bool {
      bytes(key).withUnsafeBufferPointer { glob.matches($0) }
    }
    for key in row.matching { #expect(matches(key), "\(row.pattern) \(key)") }
    for key in row.others { #expect(!matches(key), "\(row.pattern) \(key)") }
    #expect(KeyGlob(bytes("a?[b]")) == nil)
  }

  /// The plain way: every star tries every length.
  private func slowly(_ pattern: ArraySlice<UInt8>, _ key: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return key.isEmpty }
    if first == KeyGlob.star {
      return (key.startIndex...key.endIndex).contains { slowly(pattern.dropFirst(), key[$0...]) }
    }
    return key.first == first && slowly(pattern.dropFirst(), key.dropFirst())
  }

  @Test("as the plain way says", arguments: 1...4 as ClosedRange<UInt64>) func globs(_ seed: UInt64)
  {
    var dice = Dice(seed)
    for _ in 0..<2_000 {
      let pattern = (0..<(1 + dice.below(6))).map { _ in dice.pick(bytes("ab*")) }
      let key = (0..<dice.below(9)).map { _ in dice.pick(bytes("ab")) }
      guard let glob = KeyGlob(pattern) else { continue }
      let found = key.withUnsafeBufferPointer { glob.matches($0) }
      #expect(found == slowly(pattern[...], key[...]), "\(text(pattern)) \(text(key))")
      for length in 0...key.count where found {
        #expect(key[..<length].withUnsafeBufferPointer { glob.mayMatch($0) })
      }
    }
  }

  @Test("the path of a key is that of proxy_cache_path") func path() throws {
    // nginx's own example: levels=1:2 and b7f54b2df7773722d382f4809d65029c give c/29/.
    for (levels, folders) in [([1, 2], "c/29/"), ([2], "9c/"), ([], ""), ([2, 2, 1], "9c/02/5/")] {
      let hashed = try HashedTree(key: "key", levels: levels, hasVariants: false)
      let layout = Layout([try Family("p", below: "a/b", hashed)])
      let pattern = try #require(layout.families.first).pattern
      var matcher = Matcher(layout)
      let path = CachePath(bytes("a/b/\(folders)b7f54b2df7773722d382f4809d65029c"))
      #expect(matcher.classify(path).hasKnownShape, "\(pattern) \(path)")
      let key = bytes("k\(levels.count)")
      let place = hashed.place(ofKey: key)
      let names = pattern.components.compactMap { component in
        component.render { field in place.first { $0.field == field.name }?.value }
      }
      let hash = text(MD5.hex(key))
      #expect(names.count == levels.count + 3)
      #expect(names.last.map(text) == hash)
      #expect(names[2..<(names.count - 1)].map(\.count) == levels)
      let digits = names[2..<(names.count - 1)].reversed().flatMap { $0 }
      #expect(hash.hasSuffix(text(digits)))
    }
    #expect(throws: PatternProblem.misplacedHash("k")) {
      try HashedTree(key: "k", levels: [1, 3], hasVariants: true)
    }
  }
}
