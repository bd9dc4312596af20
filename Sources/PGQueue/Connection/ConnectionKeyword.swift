// SPDX-License-Identifier: BSD-2-Clause
//
// The keywords that libpq knows, asked of libpq itself: a newer one brings newer keywords.

import Basics
import CLibpq

/// A keyword of a connection string (PostgreSQL manual, 34.1.2).
package struct ConnectionKeyword: Hashable, Sendable {
  /// In lower case, as libpq writes it.
  package let name: String
  /// Whether its value is to be hidden.
  package let isSecret: Bool

  /// All that this machine's libpq takes.
  package static let all: [ConnectionKeyword] = {
    guard let options = PQconndefaults() else { return [] }
    defer { PQconninfoFree(options) }
    return options.entries.map { option in
      ConnectionKeyword(
        name: String(cString: option.keyword), isSecret: option.isSecret)
    }
  }()

  /// Whether the value of a keyword is to be hidden.
  package static func isSecret(_ name: String) -> Bool {
    all.contains { $0.name == name && $0.isSecret }
  }
}

extension UnsafeMutablePointer<PQconninfoOption> {
  /// The options of libpq's array, which ends with one without a keyword.
  var entries: [PQconninfoOption] {
    var entries: [PQconninfoOption] = []
    var option = self
    while option.pointee.keyword != nil {
      entries.append(option.pointee)
      option += 1
    }
    return entries
  }
}

extension PQconninfoOption {
  /// "*": a password field, whose value is to be hidden (PostgreSQL manual, 34.1).
  var isSecret: Bool { dispchar.map { strchr($0, 0x2A) != nil } ?? false }

  /// The value, unless it is empty.
  var text: String? {
    guard let val, val.pointee != 0 else { return nil }
    return String(cString: val)
  }
}

extension Connection {
  /// The longest wait for a connection: a listener that waits feeds no watchdog.
  static let longestConnectTimeout = 60

  /// The site's `connect_timeout`, from whatever place libpq has it; nil when there is none. libpq
  /// itself regards it only where it blocks (PostgreSQL manual, 34.1).
  static func connectTimeout(of handle: OpaquePointer) -> Duration? {
    guard let options = PQconninfo(handle) else { return nil }
    defer { PQconninfoFree(options) }
    let option = options.entries.first { strcmp($0.keyword, "connect_timeout") == 0 }
    guard let seconds = option?.text.flatMap({ Int($0) }), seconds > 0 else { return nil }
    // libpq takes 1 for 2.
    return .seconds(min(max(2, seconds), longestConnectTimeout))
  }
}
