// SPDX-License-Identifier: BSD-2-Clause
//
// The argument of clear-date: a day, a month, a year, a range, `today` or `yesterday`.

import Basics
import CacheFS

/// Days of the calendar, in as few keys as can name them.
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
      guard ends.first <= ends.last else {
        throw Self.bad(text, "ends before it begins")
      }
      self = .range(ends.first, ends.last)
    } else if let part = Self.part(text) {
      self = part
    } else {
      throw Self.bad(text, Self.problem(text))
    }
  }

  /// A day, a month or a year.
  private static func part(_ text: some Collection<UInt8>) -> DateArgument? {
    let text = Array(text)
    if let date = CalendarDate(text) { return .day(date) }
    if let year = CalendarDate.number(text, digits: 4), year > 0 { return .year(year) }
    guard text.count == 7, text[4] == UInt8(ascii: "-"),
      let first = CalendarDate(text + Array("-01".utf8))
    else { return nil }
    return .month(year: first.year, month: first.month)
  }

  /// From the first day of one part to the last day of another, as in `2020-01..2020-03`; nil for text that is not a
  /// range.
  private static func range(_ text: [UInt8]) -> (first: CalendarDate, last: CalendarDate)? {
    guard let dots = text.firstRange(of: Array("..".utf8)),
      let first = part(text[..<dots.lowerBound])?.firstDay,
      let last = part(text[dots.upperBound...])?.lastDay
    else { return nil }
    return (first, last)
  }

  private var firstDay: CalendarDate? {
    switch self {
    case .day(let date), .range(let date, _): date
    case .month(let year, let month): CalendarDate(year: year, month: month, day: 1)
    case .year(let year): CalendarDate(year: year, month: 1, day: 1)
    }
  }

  private var lastDay: CalendarDate? {
    switch self {
    case .day(let date), .range(_, let date): date
    case .month(let year, let month):
      CalendarDate(
        year: year, month: month, day: CalendarDate.days(inMonth: month, of: year))
    case .year(let year): CalendarDate(year: year, month: 12, day: 31)
    }
  }

  /// The error message: it distinguishes a day that does not exist, a date in another notation, and text that is not a
  /// date.
  private static func problem(_ text: [UInt8]) -> String {
    var parts = text.split(omittingEmptySubsequences: false) { "-./".utf8.contains($0) }
      .map { $0.count == 1 ? [UInt8(ascii: "0")] + $0 : Array($0) }
    if parts.last?.count == 4 { parts.reverse() }
    if let date = CalendarDate(Array(parts.joined(separator: "-".utf8))) {
      return "is not a date; did you mean \(date)?"
    }
    let looksLikeDate =
      text.count == 10
      && text.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == 0x2D }
    return looksLikeDate ? "no such day" : "is not a date"
  }

  private static func bad(_ text: [UInt8], _ problem: String) -> UserError {
    let forms =
      problem.hasSuffix("?")
      ? "" : "; expected 2020-01-21, 2020-01, 2020, 2020-01-01..2020-01-31, today or yesterday"
    return UserError(.usage, "\(escape(text)): \(problem)\(forms)")
  }

  /// The keys of the daily family that name exactly these days.
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

  /// The longest year, month or day that begins with `day` and does not end after `last`, and the day after it. A
  /// range of centuries needs only a few keys.
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

  /// Whether it names a single day. Two different single days do not overlap.
  var isSingleDay: Bool { if case .day = self { true } else { false } }

  /// Whether it covers so much that fpcache asks a person first.
  var isYearOrMore: Bool {
    switch self {
    case .day, .month: return false
    case .year: return true
    case .range(let first, let last):
      if first.month == 1, first.day == 1 {
        return last.year > first.year || (last.month == 12 && last.day == 31)
      }
      // A year that begins on 29 February ends on the 28th.
      let anniversary =
        CalendarDate(year: first.year + 1, month: first.month, day: first.day)
        ?? CalendarDate(year: first.year + 1, month: 3, day: 1)
      return anniversary.map { (last.next ?? last) >= $0 } ?? false
    }
  }
}

extension CalendarDate {
  /// The current day, in the time zone of the process.
  static func today() -> CalendarDate {
    var seconds = time(nil)
    var parts = tm()
    localtime_r(&seconds, &parts)
    return CalendarDate(
      year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday))
      ?? .epoch
  }
}
