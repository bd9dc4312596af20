// SPDX-License-Identifier: BSD-2-Clause
//
// A day of the proleptic Gregorian calendar, as PostgreSQL's `date` counts it.

/// A day that exists.
package struct CalendarDate: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let year: Int
  package let month: Int
  package let day: Int

  /// 1970-01-01.
  package static let epoch = CalendarDate(existing: 1970, 1, 1)

  private init(existing year: Int, _ month: Int, _ day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// Nil when there is no such day. Years have four digits: 1 to 9999.
  package init?(year: Int, month: Int, day: Int) {
    guard (1...9999).contains(year), (1...12).contains(month),
      (1...Self.days(inMonth: month, of: year)).contains(day)
    else { return nil }
    self.year = year
    self.month = month
    self.day = day
  }

  /// The day of a time in UTC. Times outside the range give the first or the last day.
  package init(secondsSinceEpoch seconds: Int64) {
    let day = Int((Double(seconds) / 86_400).rounded(.down))
    let number = min(max(day, Self.firstDay), Self.lastDay) - Self.firstDay
    // Years of 365 days, plus one day for each leap year that has passed.
    var year = number / 366 + 1
    while year < 9999, Self.daysBefore(year: year + 1) <= number { year += 1 }
    var rest = number - Self.daysBefore(year: year)
    var month = 1
    while rest >= Self.days(inMonth: month, of: year) {
      rest -= Self.days(inMonth: month, of: year)
      month += 1
    }
    self.init(existing: year, month, rest + 1)
  }

  /// 0001-01-01 and 9999-12-31, in days since the epoch.
  private static let firstDay = -719_162
  private static let lastDay = 2_932_896

  private static func daysBefore(year: Int) -> Int {
    let years = year - 1
    return years * 365 + years / 4 - years / 100 + years / 400
  }

  /// Parses `YYYY-MM-DD` only, as bytes; nil when it is not a date or there is no such day.
  package init?(_ text: some Collection<UInt8>) {
    let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 3, let year = Self.number(parts[0], digits: 4),
      let month = Self.number(parts[1], digits: 2), let day = Self.number(parts[2], digits: 2)
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  /// A number of exactly this many decimal digits; otherwise nil.
  package static func number(_ text: some Collection<UInt8>, digits: Int) -> Int? {
    guard text.count == digits, text.allSatisfy(\.isDigit) else { return nil }
    return text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
  }

  /// The number of days of a month, or 0 when there is no such month.
  package static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    case 1...12: 31
    default: 0
    }
  }

  package static func < (left: Self, right: Self) -> Bool {
    (left.year, left.month, left.day) < (right.year, right.month, right.day)
  }

  /// The day after; nil after 9999-12-31.
  package var next: CalendarDate? {
    CalendarDate(year: year, month: month, day: day + 1)
      ?? CalendarDate(year: year, month: month + 1, day: 1)
      ?? CalendarDate(year: year + 1, month: 1, day: 1)
  }

  /// The day before; nil before 0001-01-01.
  package var previous: CalendarDate? {
    CalendarDate(year: year, month: month, day: day - 1)
      ?? CalendarDate(
        year: year, month: month - 1, day: Self.days(inMonth: month - 1, of: year))
      ?? CalendarDate(year: year - 1, month: 12, day: 31)
  }

  var yearText: [UInt8] { Self.text(year, digits: 4) }
  var monthText: [UInt8] { Self.text(month, digits: 2) }
  var dayText: [UInt8] { Self.text(day, digits: 2) }

  package var description: String {
    String(decoding: yearText + [0x2D] + monthText + [0x2D] + dayText, as: UTF8.self)
  }

  static func text(_ number: Int, digits: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: UInt8(ascii: "0"), count: digits)
    var rest = number
    for index in bytes.indices.reversed() {
      bytes[index] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
    return bytes
  }
}
