// SPDX-License-Identifier: BSD-2-Clause
//
// Ages as they are typed and as they are shown.

import Testing

@testable import Basics
@testable import fpcache

@Suite("Age") struct AgeTests {
  @Test(
    "is read",
    arguments: [
      ("0s", 0), ("45s", 45), ("30m", 1800), ("12h", 43_200), ("90d", 7_776_000),
      ("2w", 1_209_600), ("007d", 604_800), ("999999999999s", 999_999_999_999),
    ])
  func good(_ text: String, _ seconds: Int64) {
    #expect(Age(argument: text)?.seconds == seconds)
  }

  static let refused = [
    "", "d", "5", "5 d", " 5d", "5d ", "-5d", "+5d", "5D", "5y", "5.5d", "1e3s", "0x5d", "५d",
    "1d12h", "1000000000000s", "99999999999999999999d", "9223372036854775807w", "5s\u{301}",
  ]

  @Test("is refused", arguments: refused)
  func bad(_ text: String) {
    #expect(Age(argument: text) == nil)
    let error = #expect(throws: (any Error).self) { try Age.parse(text) }
    #expect(
      error.map { "\($0)" } == "expected a number and s, m, h, d or w, such as 90d")
  }

  @Test("the time so long ago")
  func before() {
    #expect(Age(argument: "2s")?.before(5_000_000_000) == 3_000_000_000)
    #expect(Age(argument: "0s")?.before(7) == 7)
    // Longer than the nanoseconds of 64 bits: nothing is that old.
    #expect(Age(argument: "999999999999s")?.before(0) == .min)
  }

  @Test(
    "is shown in its largest fitting unit",
    arguments: [
      (-1, "in the future"), (0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"),
      (7200, "2 h"), (172_799, "47 h"), (172_800, "2 d"), (86_400_000, "1,000 d"),
    ])
  func shown(_ seconds: Int64, _ text: String) {
    #expect(ageText(seconds) == text)
  }
}
