// SPDX-License-Identifier: BSD-2-Clause
//
// A node that shares the queues with others.

/// A node: its name, and the token that tells its cache from others.
package struct Node: Equatable, Sendable {
  package let name: String
  package var token: String

  /// The longest name, in bytes.
  package static let longestName = 63

  /// Nil for a name with other characters than ASCII letters, digits, `.`, `_` and `-`.
  package init?(name: String, token: String) {
    guard Self.isName(name) else { return nil }
    self.name = name
    self.token = token
  }

  /// What a name may be, for the message about an invalid one.
  package static let expectation =
    "expected up to \(longestName) letters, digits, dots, dashes and underscores"

  package static func isName(_ name: String) -> Bool {
    (1...longestName).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}
