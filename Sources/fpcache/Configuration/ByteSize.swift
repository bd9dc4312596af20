// SPDX-License-Identifier: BSD-2-Clause
//
// Sizes as people write them: 500M, 20G. The units are powers of a thousand, as in fpcache's output.

import ArgumentParser

/// A size given on the command line.
struct ByteSize: Equatable {
  let bytes: Int64

  private static let units: [(suffix: Character, bytes: Int64)] = [
    ("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000),
  ]

  init?(argument: String) {
    let unit = Self.units.first { argument.last == $0.suffix }
    let digits = unit == nil ? argument[...] : argument.dropLast()
    guard digits.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains),
      let number = Int64(digits),
      case (let bytes, false) = number.multipliedReportingOverflow(by: unit?.bytes ?? 1)
    else { return nil }
    self.bytes = bytes
  }

  /// For options: the error says what was expected.
  static func parse(_ text: String) throws -> ByteSize {
    guard let size = ByteSize(argument: text) else {
      throw ValidationError("expected bytes, or a number and k, M, G or T, such as 20G")
    }
    return size
  }
}
