// SPDX-License-Identifier: BSD-2-Clause
//
// Days that exist and days that do not, and the calendar walked from its first day to its last.

import Testing

@testable import CacheFS

@Suite struct CalendarDateTests {
  @Test(arguments: [
    "0001-01-01", "1970-01-01", "1999-12-31", "2000-02-29", "2020-02-29", "2024-02-29",
    "2020-04-30", "9999-12-31",
  ])
  func existingDaysAreRead(_ text: String) throws {
    let date = try #require(CalendarDate(text.utf8))
    #expect(date.description == text)
    #expect(date.yearText + [0x2D] + date.monthText + [0x2D] + date.dayText == Array(text.utf8))
  }

  @Test(arguments: [
    "", "-", "--", "2020", "2020-01", "2020-1-1", "2020-01-1", "020-01-01", "02020-01-01",
    "2020-01-01-", "-2020-01-01", "2020-01-01 ", " 2020-01-01", "2020/01/01", "20200101",
    "2020-00-01", "2020-13-01", "2020-01-00", "2020-01-32", "2020-04-31", "2020-06-31",
    "2020-09-31", "2020-11-31", "2019-02-29", "1900-02-29", "2100-02-29", "2020-02-30",
    "0000-01-01", "+020-01-01", "2020-+1-01", "2020-01-+1", "202a-01-01", "２０２０-01-01",
    "2020-01-01\n", "2020-01-01\0", "2020-01--1", "infinity", "99999999999999999999-01-01",
  ])
  func othersAreNot(_ text: String) {
    #expect(CalendarDate(text.utf8) == nil)
  }

  @Test(arguments: [
    (0, 1, 1), (10_000, 1, 1), (2020, 0, 1), (2020, 13, 1), (2020, 1, 0), (2020, 1, 32),
    (-1, 1, 1), (2019, 2, 29), (Int.max, 1, 1), (2020, Int.min, 1), (2020, 1, Int.max),
  ])
  func numbersOutOfRangeMakeNone(_ year: Int, _ month: Int, _ day: Int) {
    #expect(CalendarDate(year: year, month: month, day: day) == nil)
  }

  @Test func lengthsOfMonths() {
    let lengths = (1...12).map { CalendarDate.days(inMonth: $0, of: 2021) }
    #expect(lengths == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    let leap = [1600, 2000, 2004, 2020, 2400]
    let common = [1700, 1800, 1900, 2001, 2019, 2100]
    #expect(leap.allSatisfy { CalendarDate.days(inMonth: 2, of: $0) == 29 })
    #expect(common.allSatisfy { CalendarDate.days(inMonth: 2, of: $0) == 28 })
    #expect(
      [Int.min, -1, 0, 13, Int.max].allSatisfy { CalendarDate.days(inMonth: $0, of: 1) == 0 })
  }

  @Test func everyDayFollowsTheOneBefore() throws {
    var date = try #require(CalendarDate(year: 1, month: 1, day: 1))
    #expect(date.previous == nil)
    var count = 1
    while let next = date.next {
      guard next.previous == date, date < next, !(next < date) else {
        Issue.record("\(date) and \(next)")
        return
      }
      date = next
      count += 1
    }
    #expect(date.description == "9999-12-31")
    // 9,999 years of the Gregorian calendar: 365 days each and 2,424 leap days.
    #expect(count == 9999 * 365 + 2424)
  }

  @Test func theEpoch() {
    #expect(CalendarDate.epoch.description == "1970-01-01")
    #expect(CalendarDate.epoch.previous?.description == "1969-12-31")
  }

  @Test func numbersHaveExactlySoManyDigits() {
    #expect(CalendarDate.number(bytes("0042"), digits: 4) == 42)
    for wrong in ["042", "00042", "", "+042", "0x42", " 042", "00 2"] {
      #expect(CalendarDate.number(bytes(wrong), digits: 4) == nil, "\(wrong)")
    }
  }
}
