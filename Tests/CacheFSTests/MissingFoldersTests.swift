// SPDX-License-Identifier: BSD-2-Clause
//
// The folder that a configuration names and the tree lacks, and the one that may be meant.

import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite struct MissingFoldersTests {
  @Test(arguments: [
    ("new/{page:visible...}", ["news", "html"], "new", "news"),
    ("nws/{page:visible...}", ["news", "old"], "nws", "news"),
    ("News/{page:visible...}", ["news"], "News", "news"),
    ("new/{page:visible...}", ["html", "old"], "new", nil),
    ("feeds/{page:visible...}", ["news"], "feeds", nil),
    // What belongs to another family is not meant.
    ("page/{page:visible...}", ["pages", "html"], "page", nil),
    ("a/feed/{page:visible...}", ["a/feeds"], "a/feed", "a/feeds"),
    ("b/feed/{page:visible...}", ["a/feed"], "b/feed", "a"),
  ])
  func nearMatches(
    _ pattern: String, _ folders: [String], _ missing: String, _ near: String?
  ) throws {
    let layout = try Layout.freshPorts.replacing("news", with: pattern)
    let tree = try TemporaryTree()
    for folder in folders { try tree.makeDirectory(folder) }
    let query = VerifyQuery(codes: [.missingDirectory])
    let scanner = Scanner(try tree.open(), layout: layout, threads: 1)
    let evidence = near.map { Finding.Evidence.nearby(bytes($0)) } ?? .none
    #expect(
      Verifier(scanner, query).audit().findings == [
        Finding(.missingDirectory, CachePath(bytes(missing)), evidence)
      ])
  }

  @Test(
    arguments: [
      ("", "", 0), ("a", "", 1), ("", "ab", 2), ("new", "news", 1), ("news", "new", 1),
      ("kitten", "sitting", 3), ("ab", "ba", 1), ("same", "SAME", 0), ("abcdef", "xyz", nil),
    ] as [(String, String, Int?)])
  func distances(_ left: String, _ right: String, _ distance: Int?) {
    #expect(editDistance(bytes(left), bytes(right), atMost: 3) == distance)
  }

  @Test func nearestOfSeveral() {
    func nearest(_ name: String, _ candidates: [String]) -> String? {
      Basics.nearest(to: bytes(name), among: candidates.map(bytes)).map { text($0) }
    }
    #expect(
      nearest("new", ["html", "news", "now"]) == "news" && nearest("News", ["news"]) == "news")
    #expect(nearest("basedri", ["basedir", "port"]) == "basedir")
    #expect(nearest("x", []) == nil && nearest("abc", ["xyz"]) == nil)
    #expect(nearest(String(repeating: "a", count: 65), [String(repeating: "a", count: 64)]) == nil)
  }
}
