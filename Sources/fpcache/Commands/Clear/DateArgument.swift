// SPDX-License-Identifier: BSD-2-Clause
//
// What clear-date is given: a day, a month, a year, a range, `today` or `yesterday`.

import Basics
import CacheFS

/// Days of the calendar, in as few keys as name them.
enum DateArgument: Equatable {
  case day(CalendarDate)
  case month(year: Int, month: Int)
  case year(Int)
  case range(CalendarDate, CalendarDate)

  /// Reads one argument.
  /// - Throws: ``UserError`` with status 64.
  init(_ text: [UInt8], today: CalendarDate) throws(UserError) {
    switch String(decoding: text, as: UTF8.self) {
    case "today":
      self = .day(today)
      return
    case "yesterday":
      self = .day(today.previous ?? today)
      return
    default: break
    }
    if let ends = Self.range(text) {
      guard ends.0 <= ends.1 else { throw Self.bad(text, "ends before it begins") }
      self = .range(ends.0, ends.1)
    } else if let date = CalendarDate(text) {
      self = .day(date)
    } else if let year = CalendarDate.number(text, digits: 4), year > 0 {
      self = .year(year)
    } else if let month = Self.month(text) {
      self = .month(year: month.0, month: month.1)
    } else {
      throw Self.bad(text, Self.problem(text))
    }
  }

  private static func range(_ text: [UInt8]) -> (CalendarDate, CalendarDate)? {
    // YYYY-MM-DD..YYYY-MM-DD and nothing else.
    guard text.count == 22, text[10...11].allSatisfy({ $0 == UInt8(ascii: ".") }),
      let first = CalendarDate(text[..<10]), let last = CalendarDate(text[12...])
    else { return nil }
    return (first, last)
  }

  private static func month(_ text: [UInt8]) -> (Int, Int)? {
    guard text.count == 7, text[4] == UInt8(ascii: "-"),
      let first = CalendarDate(text + Array("-01".utf8))
    else { return nil }
    return (first.year, first.month)
  }

  /// Tells a day that does not exist from what is no date at all.
  private static func problem(_ text: [UInt8]) -> String {
    let looksLikeDate =
      text.count == 10
      && text.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == 0x2D }
    return looksLikeDate ? "there is no such day" : "is not a date"
  }

  private static func bad(_ text: [UInt8], _ problem: String) -> UserError {
    UserError(
      .usage,
      "\(escape(text)): \(problem); expected 2020-01-21, 2020-01, 2020, "
        + "2020-01-01..2020-01-31, today or yesterday")
  }

  /// The keys of the daily family that name these days and no others.
  /// - Throws: ``KeyError`` when the layout has no such family.
  func keys(_ layout: Layout) throws(KeyError) -> [CacheKey] {
    switch self {
    case .day(let date): return [try layout.day(date)]
    case .month(let year, let month): return [try layout.month(year: year, month: month)]
    case .year(let year): return [try layout.year(year)]
    case .range(let first, let last):
      var keys: [CacheKey] = []
      var date: CalendarDate? = first
      while let day = date, day <= last {
        let (key, next) = try Self.longest(from: day, to: last, layout)
        keys.append(key)
        date = next
      }
      return keys
    }
  }

  /// The year, month or day that begins with `day` and does not go beyond `last`, and the day
  /// after it: a range of centuries is a few keys.
  private static func longest(
    from day: CalendarDate, to last: CalendarDate, _ layout: Layout
  ) throws(KeyError) -> (CacheKey, CalendarDate?) {
    if day.day == 1, day.month == 1,
      let end = CalendarDate(year: day.year, month: 12, day: 31), end <= last
    {
      return (try layout.year(day.year), end.next)
    }
    let length = CalendarDate.days(inMonth: day.month, of: day.year)
    if day.day == 1, let end = CalendarDate(year: day.year, month: day.month, day: length),
      end <= last
    {
      return (try layout.month(year: day.year, month: day.month), end.next)
    }
    return (try layout.day(day), day.next)
  }

  /// Whether it names a single day, which overlaps with no other single day.
  var isSingleDay: Bool { if case .day = self { true } else { false } }

  /// Whether it spans so much that a person is asked first.
  var isYearOrMore: Bool {
    switch self {
    case .day, .month: return false
    case .year: return true
    case .range(let first, let last):
      if first.month == 1, first.day == 1 {
        return last.year > first.year || (last.month == 12 && last.day == 31)
      }
      // A year from 29 February ends with the 28th.
      let anniversary =
        CalendarDate(year: first.year + 1, month: first.month, day: first.day)
        ?? CalendarDate(year: first.year + 1, month: 3, day: 1)
      return anniversary.map { (last.next ?? last) >= $0 } ?? false
    }
  }
}

extension CalendarDate {
  /// The day it is, in the time zone of the process.
  static func today() -> CalendarDate {
    var seconds = time(nil)
    var parts = tm()
    localtime_r(&seconds, &parts)
    return CalendarDate(
      year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday))
      ?? .epoch
  }
}
