// SPDX-License-Identifier: BSD-2-Clause
//
// Ages as people write and read them: 90d, 12h, 30m, 45s.

import ArgumentParser
import CacheFS

/// An age given on the command line.
struct Age: Equatable, ExpressibleByArgument {
  let seconds: Int64

  private static let units: [(suffix: Character, seconds: Int64)] = [
    ("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1),
  ]

  init?(argument: String) {
    guard let last = argument.last,
      let unit = Self.units.first(where: { $0.suffix == last }),
      argument.utf8.dropLast().allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains),
      let number = Int64(argument.dropLast()),
      case (let seconds, let overflow) = number.multipliedReportingOverflow(by: unit.seconds),
      !overflow, seconds < 1_000_000_000_000
    else { return nil }
    self.seconds = seconds
  }

  /// The age, or the nearest value that fits.
  var nanoseconds: Int64 {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max : product
  }

  /// The time that lies this age before `now`. Both are nanoseconds since the epoch.
  func before(_ now: Int64) -> Int64 { nanoseconds == .max ? .min : now - nanoseconds }

  /// For options: the error says what was expected.
  static func parse(_ text: String) throws -> Age {
    guard let age = Age(argument: text) else { throw ValidationError("expected \(expectation)") }
    return age
  }

  private static let expectation = "a number and s, m, h, d or w, such as 90d"
}

/// Which time gives the age of a page.
enum AgeWord: String, WordArgument {
  case mtime, atime

  var order: PruneOrder { self == .mtime ? .mtime : .atime }
}
