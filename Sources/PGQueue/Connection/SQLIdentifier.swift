// SPDX-License-Identifier: BSD-2-Clause
//
// Names of tables and columns that a person has written: checked, and quoted wherever they go into SQL.

/// A name in PostgreSQL: of a column, or of a table, with or without its schema.
///
/// It is taken as it is spelled, including case. Other characters that the server would accept between quotes are
/// refused, so that safety does not depend on the quotes alone.
package struct SQLIdentifier: Hashable, Sendable, CustomStringConvertible {
  package let description: String
  /// Ready for a statement: each part in double quotes.
  let quoted: String

  /// The longest part, in bytes (NAMEDATALEN less its NUL): the server would cut a longer one short.
  static let longestPart = 63

  /// What a name may be, for the message about an invalid one.
  package static let expectation =
    "ASCII letters, digits, _ and $, not starting with a digit, at most \(longestPart) bytes"

  /// A column's name; nil for an invalid one.
  package init?(column name: String) {
    guard Self.isPart(name.utf8[...]) else { return nil }
    description = name
    quoted = Self.quote(name.utf8[...])
  }

  /// A table's name, `schema.table` or `table`; nil for an invalid one.
  package init?(table name: String) {
    let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy(Self.isPart) else { return nil }
    description = name
    quoted = parts.map(Self.quote).joined(separator: ".")
  }

  /// The schema before a table's name; nil when there is none.
  var schema: SQLIdentifier? {
    description.firstIndex(of: ".").flatMap { SQLIdentifier(column: String(description[..<$0])) }
  }

  /// The name without its schema.
  var lastPart: String {
    description.firstIndex(of: ".").map { String(description[$0...].dropFirst()) } ?? description
  }

  /// The name of a column that this program knows.
  init(known name: StaticString) {
    description = "\(name)"
    quoted = Self.quote(description.utf8[...])
  }

  private static func isPart(_ part: Substring.UTF8View) -> Bool {
    guard let first = part.first, part.count <= longestPart else { return false }
    return !isDigit(first)
      && part.allSatisfy { byte in
        isDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
          || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func quote(_ part: Substring.UTF8View) -> String { "\"\(Substring(part))\"" }
}
