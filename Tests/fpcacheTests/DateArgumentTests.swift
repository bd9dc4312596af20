// SPDX-License-Identifier: BSD-2-Clause
//
// What clear-date is given: each form, each refusal word for word, and ranges, whose keys must
// name exactly their days.

import Testing

@testable import CacheFS
@testable import fpcache

private let today = CalendarDate(year: 2020, month: 3, day: 1) ?? .epoch

private func day(_ year: Int, _ month: Int, _ day: Int) throws -> CalendarDate {
  try #require(CalendarDate(year: year, month: month, day: day))
}

private func parse(_ text: String) throws(UserError) -> DateArgument {
  try DateArgument(Array(text.utf8), today: today)
}

@Suite("DateArgument") struct DateArgumentTests {
  @Test func forms() throws {
    #expect(try parse("2020-01-21") == .day(day(2020, 1, 21)))
    #expect(try parse("2020-01") == .month(year: 2020, month: 1))
    #expect(try parse("2020") == .year(2020))
    #expect(try parse("2020-01-01..2020-01-31") == .range(day(2020, 1, 1), day(2020, 1, 31)))
    #expect(try parse("2020-01-01..2020-01-01") == .range(day(2020, 1, 1), day(2020, 1, 1)))
    #expect(try parse("2020-01..2020-02") == .range(day(2020, 1, 1), day(2020, 2, 29)))
    #expect(try parse("2019..2020-02-10") == .range(day(2019, 1, 1), day(2020, 2, 10)))
    #expect(try parse("2020-12-31..2021") == .range(day(2020, 12, 31), day(2021, 12, 31)))
    #expect(try parse("today") == .day(today))
    #expect(try parse("yesterday") == .day(day(2020, 2, 29)))
    #expect(try parse("0001-01-01") == .day(day(1, 1, 1)))
    #expect(try parse("9999") == .year(9999))
    #expect(try parse("2000-02-29") == .day(day(2000, 2, 29)))
  }

  private static let noDate = [
    "", " ", "20200121", "2020-13", "2020-00", "21-01-20", "2020-13..2021",
    "2020-1", "202", "20200", "0000", "-2020", "+202", "2020-", "2020-01-", "2020-01-21 ",
    " 2020-01-21", "2020-01-21T00:00:00", "2020-01-01..", "..2020-01-01", "2020..", "..",
    "2020-01-01...2020-01-31", "2020-01-01..2020-02-30", "Today", "TODAY", "tomorrow", "*",
    "2020-*", "..", "../../etc", "NULL", "infinity", "2020-01-21 BC", "２０２０",
  ]

  @Test("what is no date", arguments: noDate)
  func refusesNoDate(_ text: String) {
    #expect(throws: UserError(.usage, Self.message(text, "is not a date"))) { try parse(text) }
  }

  @Test(
    "a date in another order or with other signs is told how it is written here",
    arguments: [
      "21-01-2020", "21.01.2020", "2020/01/21", "21/1/2020", "2020-1-21", "2020.01.21",
    ])
  func corrects(_ text: String) {
    #expect(throws: UserError(.usage, "\(text): is not a date; did you mean 2020-01-21?")) {
      try parse(text)
    }
  }

  @Test(
    "days that do not exist",
    arguments: [
      "2020-02-30", "2019-02-29", "1900-02-29", "2020-04-31", "2020-00-10", "2020-13-01",
      "2020-01-00", "2020-01-32", "0000-01-01",
    ])
  func refusesNoSuchDay(_ text: String) {
    #expect(throws: UserError(.usage, Self.message(text, "no such day"))) {
      try parse(text)
    }
  }

  @Test func refusesRangeBackwards() {
    for text in ["2020-01-02..2020-01-01", "2020-02..2020-01", "2021..2020", "2020-03..2020-02-29"]
    {
      #expect(throws: UserError(.usage, Self.message(text, "ends before it begins"))) {
        try parse(text)
      }
    }
  }

  @Test("bytes that are no text are shown, not printed")
  func refusesBytes() {
    #expect(
      throws: UserError(.usage, Self.message("2020\\x00\\x1b\\xff", "is not a date"))
    ) { try DateArgument(Array("2020".utf8) + [0, 0x1B, 0xFF], today: today) }
  }

  private static func message(_ text: String, _ problem: String) -> String {
    "\(text): \(problem); expected 2020-01-21, 2020-01, 2020, 2020-01-01..2020-01-31, "
      + "today or yesterday"
  }

  @Test func daysBeforeAndAfterTheCalendar() throws {
    let first = try day(1, 1, 1)
    #expect(try DateArgument(Array("yesterday".utf8), today: first) == .day(first))
    let last = try parse("9999-12-30..9999-12-31")
    #expect(try last.keys(.freshPorts).count == 2)
  }

  @Test func onlyADayIsNarrow() throws {
    #expect(try parse("2020-01-21").isSingleDay)
    #expect(try parse("today").isSingleDay)
    for text in ["2020", "2020-01", "2020-01-01..2020-01-01"] {
      #expect(try !parse(text).isSingleDay)
    }
  }

  // MARK: Keys

  @Test(
    "a range is few keys",
    arguments: [
      ("2020-01-01..2020-12-31", 1), ("2020-01-01..2021-01-01", 2), ("2019-12-31..2021-01-01", 3),
      ("2020-02-01..2020-02-29", 1), ("2020-02-01..2020-02-28", 28), ("2020-01-02..2020-01-31", 30),
      ("0001-01-01..9999-12-31", 9999), ("2020-01-31..2020-03-01", 3),
    ])
  func fewKeys(_ text: String, _ count: Int) throws {
    #expect(try parse(text).keys(.freshPorts).count == count)
  }

  /// Every range of some years whose ends a generator picks, against counting the days.
  @Test("a range's keys name its days, each once, and no other")
  func rangesAreExact() throws {
    let calendar = try Calendar(from: day(2018, 12, 1), to: day(2021, 2, 28))
    var generator = SplitMix(state: 20_508)
    for _ in 0..<400 {
      let ends = (0..<2).map { _ in calendar.days.indices.randomElement(using: &generator) ?? 0 }
        .sorted()
      let text = "\(calendar.days[ends[0]])..\(calendar.days[ends[1]])"
      let keys = try parse(text).keys(.freshPorts)
      let named = keys.flatMap { calendar.named[$0] ?? [] }
      #expect(named == Array(ends[0]...ends[1]), "\(text)")
    }
  }

  @Test("months and years name their days")
  func monthsAndYears() throws {
    let calendar = try Calendar(from: day(2019, 12, 31), to: day(2021, 1, 1))
    let february = try parse("2020-02").keys(.freshPorts).flatMap { calendar.named[$0] ?? [] }
    #expect(february.count == 29)
    #expect(calendar.days[try #require(february.first)] == (try day(2020, 2, 1)))
    #expect(calendar.days[try #require(february.last)] == (try day(2020, 2, 29)))
    let year = try parse("2020").keys(.freshPorts).flatMap { calendar.named[$0] ?? [] }
    #expect(year == Array(1...366))
  }

  @Test func withoutDailyFamilyThereIsNoKey() {
    #expect(throws: KeyError.unknownFamily("daily")) {
      try parse("2020-01-01..2020-01-02").keys(Layout([]))
    }
  }
}

/// Days in a row, and which of them each possible key names.
private struct Calendar {
  let days: [CalendarDate]
  private(set) var named: [CacheKey: [Int]] = [:]

  init(from first: CalendarDate, to last: CalendarDate) throws {
    var days: [CalendarDate] = []
    var day = first
    while day <= last {
      days.append(day)
      day = try #require(day.next)
    }
    self.days = days
    for (index, day) in days.enumerated() {
      let layout = Layout.freshPorts
      named[try layout.day(day), default: []].append(index)
      named[try layout.month(year: day.year, month: day.month), default: []].append(index)
      named[try layout.year(day.year), default: []].append(index)
    }
  }
}

/// Steele's SplitMix64, so that a failure comes again.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
