// SPDX-License-Identifier: BSD-2-Clause
//
// Points in time: nanoseconds since the epoch, and UTC as text.

/// The current time in nanoseconds since the epoch, by the clock that sets file times.
package func currentTime() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// A database time, converted from seconds to nanoseconds. Infinite times and times in the far future or past
/// are clamped.
package func nanoseconds(_ seconds: Double) -> Int64 {
  seconds.isNaN ? 0 : Int64(min(max(seconds, -9e9), 9e9) * 1_000_000_000)
}

/// A time in nanoseconds since the epoch as `2020-01-21T12:34:56Z`.
package func timestamp(_ nanoseconds: Int64) -> String {
  utcTimestamp(Int((Double(nanoseconds) / 1e9).rounded(.down)))
}

/// The same with microseconds, as `2020-01-21T12:34:56.123456Z`.
package func preciseTimestamp(_ nanoseconds: Int64) -> String {
  let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
  let whole = rest < 0 ? seconds - 1 : seconds
  let micros = String((rest < 0 ? rest + 1_000_000_000 : rest) / 1000)
  let digits = String(repeating: "0", count: 6 - micros.utf8.count) + micros
  return utcTimestamp(Int(whole)).dropLast() + ".\(digits)Z"
}

/// A time, by default now, as `2020-01-21T12:34:56Z`.
package func utcTimestamp(_ seconds: time_t = time(nil)) -> String {
  var seconds = seconds
  var parts = tm()
  gmtime_r(&seconds, &parts)
  var text = [CChar](repeating: 0, count: 32)
  let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
  return String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Parses a time that ``utcTimestamp(_:)`` wrote, in nanoseconds since the epoch.
package func parseTimestamp(_ text: String) -> Int64? {
  let digits = Array(text.utf8)
  let marks = Array("0000-00-00T00:00:00Z".utf8)
  func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  guard digits.count == marks.count,
    zip(digits, marks).allSatisfy({ isDigit($1) ? isDigit($0) : $0 == $1 })
  else { return nil }
  func number(_ range: Range<Int>) -> CInt {
    digits[range].reduce(0) { $0 * 10 + CInt($1 - UInt8(ascii: "0")) }
  }
  var parts = tm()
  parts.tm_year = number(0..<4) - 1900
  parts.tm_mon = number(5..<7) - 1
  parts.tm_mday = number(8..<10)
  parts.tm_hour = number(11..<13)
  parts.tm_min = number(14..<16)
  parts.tm_sec = number(17..<19)
  let (time, overflow) = Int64(timegm(&parts)).multipliedReportingOverflow(by: 1_000_000_000)
  return overflow ? nil : time
}
