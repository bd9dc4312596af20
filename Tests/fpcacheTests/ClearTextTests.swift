// SPDX-License-Identifier: BSD-2-Clause
//
// The sentence that a clear ends with, word for word, and the sizes and lists in it.

import SystemPackage
import Testing

@testable import Basics
@testable import CacheFS
@testable import fpcache

/// A summary and the sentence that it makes.
struct Sentence: CustomTestStringConvertible {
  var subject = ClearSummary.Subject.ports
  var keys = 1
  var withoutMatch = 0
  var own = 0
  var companions = 0
  var news = 0
  var bytes: Int64 = 0
  var failed = 0
  var key: String? = "graphics/py-pygeoapi"
  var interrupted: Int?
  var taken = (categories: 0, others: 1)
  let text: String
  var testDescription: String { text }

  var summary: ClearSummary {
    var summary = ClearSummary(
      dryRun: false, subject: subject, keys: keys, keysWithoutMatch: withoutMatch)
    summary.cleared.filesRemoved = own + companions + news
    summary.cleared.bytesRemoved = bytes
    summary.cleared.failures = (0..<failed).map { _ in
      PathFailure(path: CachePath(Array("x".utf8)), error: .ioError)
    }
    summary.companionFiles = companions
    summary.newsFiles = news
    summary.onlyKey = key.map { Array($0.utf8) }
    summary.taken = taken
    summary.interruption = interrupted.map { (2, $0) }
    return summary
  }

  static let all = [
    Sentence(
      own: 3, companions: 1, bytes: 71_680,
      text: "removed 3 pages of graphics/py-pygeoapi and 1 category page, 71 KB"),
    Sentence(own: 1, bytes: 70, text: "removed 1 page of graphics/py-pygeoapi, 70 bytes"),
    Sentence(
      own: 3, companions: 1, news: 2, bytes: 1_234_567,
      text: "removed 3 pages of graphics/py-pygeoapi, 1 category page and 2 news pages, 1.2 MB"),
    Sentence(withoutMatch: 1, text: "no page of graphics/py-pygeoapi in the cache"),
    Sentence(
      withoutMatch: 1, companions: 1, bytes: 16_000,
      text: "no page of graphics/py-pygeoapi; removed 1 category page, 16 KB"),
    Sentence(
      keys: 3, withoutMatch: 1, own: 6, companions: 2, bytes: 104_000, key: nil,
      text: "removed 6 pages of 3 ports and 2 category pages, 104 KB; 1 port matched nothing"),
    Sentence(
      keys: 20_508, withoutMatch: 1234, own: 61_000, bytes: 81_000_000, key: nil,
      text: "removed 61,000 pages of 20,508 ports, 81 MB; 1,234 ports matched nothing"),
    Sentence(keys: 2, withoutMatch: 2, key: nil, text: "no page of 2 ports in the cache"),
    Sentence(keys: 0, key: nil, text: "nothing to clear: standard input had no keys"),
    Sentence(
      keys: 0, news: 2, bytes: 80, key: nil,
      text: "no page of 0 ports; removed 2 news pages, 80 bytes"),
    Sentence(
      own: 2, bytes: 5, failed: 1,
      text: "removed 2 pages of graphics/py-pygeoapi, 5 bytes; 1 could not be removed"),
    Sentence(failed: 3, text: "removed nothing; 3 could not be removed"),
    Sentence(
      subject: .dates, own: 2, bytes: 62_000, key: "2020-01-21",
      text: "removed 2 pages of 2020-01-21, 62 KB"),
    Sentence(
      subject: .dates, keys: 2, withoutMatch: 1, own: 2, bytes: 62_000, key: nil,
      text: "removed 2 pages of 2 dates, 62 KB; 1 date matched nothing"),
    Sentence(
      subject: .news, own: 2, bytes: 53_000, key: "news",
      text: "removed 2 pages of the news, 53 KB"),
    Sentence(
      subject: .news, withoutMatch: 1, key: "news", text: "no page of the news in the cache"),
    Sentence(
      keys: 0, own: 300, bytes: 9000, key: "devel/*", interrupted: 1,
      text: "removed 300 pages of devel/*, 9.0 KB; interrupted"),
    Sentence(
      keys: 400, withoutMatch: 20, own: 1204, bytes: 9999, key: nil, interrupted: 20_508,
      text: "removed 1,204 pages of 20,508 ports, 9.9 KB; 20 ports matched nothing; "
        + "interrupted after 400 of 20,508 ports"),
    Sentence(
      keys: 0, key: nil, interrupted: 3,
      text: "no page of 3 ports in the cache; interrupted after 0 of 3 ports"),
    Sentence(
      keys: 2, own: 25_116, bytes: 1_700_000, key: nil, taken: (2, 0),
      text: "removed 25,116 pages of 2 categories, 1.7 MB"),
    Sentence(
      keys: 3, withoutMatch: 1, own: 4, bytes: 4000, key: nil, taken: (2, 1),
      text: "removed 4 pages of 3 keys, 4.0 KB; 1 key matched nothing"),
    Sentence(own: 1, bytes: 1, key: "a\u{1B}/b", text: "removed 1 page of a\\x1b/b, 1 byte"),
  ]
}

@Suite("What a clear says at its end") struct ClearTextTests {
  @Test("a sentence for people", arguments: Sentence.all)
  func sentence(_ row: Sentence) {
    #expect(row.summary.lines(.plain) == [row.text])
    var dry = row.summary
    dry.dryRun = true
    let would = row.text.replacing("removed ", with: "would remove ")
    #expect(dry.lines(.plain) == [would])
  }

  @Test("-n says what a real run would remove")
  func dryRun() {
    var summary = Sentence(own: 3, bytes: 71_000, text: "").summary
    summary.dryRun = true
    #expect(
      summary.lines(.plain)
        == ["would remove 3 pages of graphics/py-pygeoapi, 71 KB"])
  }

  @Test("-v lists each path first, sorted")
  func paths() {
    var summary = Sentence(own: 2, bytes: 2, text: "").summary
    summary.cleared.removed = ["b", "a\n"].map { CachePath(Array($0.utf8)) }
    #expect(
      summary.lines(.plain) == ["a\\x0a", "b", "removed 2 pages of graphics/py-pygeoapi, 2 bytes"])
  }

  @Test("colour stands where something is amiss, and nowhere else")
  func colors() {
    let colored = Palette(isColored: true)
    let fine = Sentence(own: 3, bytes: 71_000, text: "").summary
    #expect(fine.lines(colored) == fine.lines(.plain))
    let amiss = Sentence(keys: 2, withoutMatch: 1, own: 3, failed: 1, key: nil, text: "").summary
    #expect(
      amiss.lines(colored) == [
        "removed 3 pages of 2 ports, 0 bytes; \u{1B}[33m1 port matched nothing\u{1B}[0m; "
          + "\u{1B}[31m1 could not be removed\u{1B}[0m"
      ])
  }

  @Test(
    "sizes",
    arguments: [
      (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 KB"), (1099, "1.0 KB"),
      (9999, "9.9 KB"), (10_000, "10 KB"), (71_680, "71 KB"), (999_999, "999 KB"),
      (1_000_000, "1.0 MB"), (81_000_000, "81 MB"), (1_500_000_000, "1.5 GB"),
      (2_000_000_000_000, "2.0 TB"), (1_234_000_000_000_000, "1,234 TB"),
      (Int64.max, "9,223,372 TB"),
    ] as [(Int64, String)])
  func sizes(_ bytes: Int64, _ text: String) {
    #expect(sizeText(bytes) == text)
  }

  @Test func lists() {
    #expect(listed([], "and") == "")
    #expect(listed(["a"], "and") == "a")
    #expect(listed(["a", "b"], "or") == "a or b")
    #expect(listed(["a", "b", "c"], "or") == "a, b or c")
  }

  @Test(
    "a year or more is a big purge",
    arguments: [
      ("2020-01-21", false), ("2020-01", false), ("2020", true), ("2020-01-01..2020-12-30", false),
      ("2020-01-01..2020-12-31", true), ("2019-03-01..2020-02-28", false),
      ("2019-03-01..2020-02-29", true), ("2020-02-29..2021-02-27", false),
      ("2020-02-29..2021-02-28", true), ("9999-01-01..9999-12-31", true),
      ("9998-06-01..9999-05-31", true), ("today", false),
    ])
  func extent(_ text: String, _ isBig: Bool) throws {
    #expect(try DateArgument(Array(text.utf8), today: .epoch).isYearOrMore == isBig)
  }
}
