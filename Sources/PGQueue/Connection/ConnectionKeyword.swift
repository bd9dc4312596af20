// SPDX-License-Identifier: BSD-2-Clause
//
// The keywords that libpq knows. libpq itself is asked about all but the oldest, since newer versions bring newer
// keywords.

import Basics
import CLibpq

/// A keyword of a connection string (PostgreSQL manual, 34.1.2).
package struct ConnectionKeyword: Hashable, Sendable {
  /// In lower case, as libpq writes it.
  package let name: String
  /// Whether its value must be hidden.
  package let isSecret: Bool

  /// All keywords that this machine's libpq accepts; without libpq, those of every version.
  package static let all: [ConnectionKeyword] = {
    guard let options = PQconndefaults() else { return ofEveryVersion }
    defer { PQconninfoFree(options) }
    return options.entries.map { option in
      ConnectionKeyword(
        name: String(cString: option.keyword), isSecret: option.isSecret)
    }
  }()

  /// Keywords that every libpq accepts from PostgreSQL 12 on, however it was built (fe-connect.c, PQconninfoOptions).
  static let ofEveryVersion =
    [
      "host", "hostaddr", "port", "dbname", "user", "passfile", "service", "connect_timeout",
      "options", "client_encoding", "application_name", "fallback_application_name", "keepalives",
      "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "sslmode",
      "sslcert", "sslkey", "sslrootcert", "sslcrl", "replication", "target_session_attrs",
    ].map { ConnectionKeyword(name: $0, isSecret: false) }
    + [ConnectionKeyword(name: "password", isSecret: true)]

  /// libpq's keywords, among them all that have one of these names. libpq is not loaded for the usual ones.
  package static func known(among names: [String]) -> [ConnectionKeyword] {
    let isUsual = names.allSatisfy { name in ofEveryVersion.contains { $0.name == name } }
    return isUsual ? ofEveryVersion : all
  }

  /// Whether the value of a keyword must be hidden.
  package static func isSecret(_ name: String) -> Bool {
    known(among: [name]).contains { $0.name == name && $0.isSecret }
  }
}

extension UnsafeMutablePointer<PQconninfoOption> {
  /// The options of libpq's array. The array ends with an option without a keyword.
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
  /// "*" marks a password field, whose value must be hidden (PostgreSQL manual, 34.1).
  var isSecret: Bool { dispchar.map { strchr($0, 0x2A) != nil } ?? false }

  /// The value, unless it is empty.
  var text: String? {
    guard let val, val.pointee != 0 else { return nil }
    return String(cString: val)
  }
}

extension Connection {
  /// The longest wait for a connection. A listener that waits does not feed the watchdog.
  static let longestConnectTimeout = 60

  /// The site's `connect_timeout`, wherever libpq found it; nil when there is none. libpq itself applies it only where
  /// it blocks (PostgreSQL manual, 34.1).
  static func connectTimeout(of handle: OpaquePointer) -> Duration? {
    guard let options = PQconninfo(handle) else { return nil }
    defer { PQconninfoFree(options) }
    let option = options.entries.first { strcmp($0.keyword, "connect_timeout") == 0 }
    guard let seconds = option?.text.flatMap({ Int($0) }), seconds > 0 else { return nil }
    // libpq treats 1 as 2.
    return .seconds(min(max(2, seconds), longestConnectTimeout))
  }
}
