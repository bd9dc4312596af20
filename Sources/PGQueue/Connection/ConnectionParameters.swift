// SPDX-License-Identifier: BSD-2-Clause
//
// Where to connect to, in libpq's terms.

import CLibpq

/// Where to connect to: libpq's keywords, in its own order of precedence.
package struct ConnectionParameters: Equatable, Sendable {
  /// Keyword and value pairs (PostgreSQL manual, 34.1.2). `dbname` may be a whole connection string or URI. Later
  /// keywords override it.
  package var keywords: [(String, String)]

  package init(_ keywords: [(String, String)]) { self.keywords = keywords }

  package static func == (left: Self, right: Self) -> Bool {
    left.keywords.elementsEqual(right.keywords, by: ==)
  }

  /// The same parameters with another application name, unless the site has set one.
  package func named(_ applicationName: String) -> ConnectionParameters {
    ConnectionParameters(
      keywords.map { $0.0 == "fallback_application_name" ? ($0.0, applicationName) : $0 })
  }

  /// Checks a connection string or URI without connecting. Where libpq cannot be loaded, nothing is checked: a
  /// connection then fails for that reason, and a command that needs none runs.
  /// - Throws: ``DatabaseError/badConnectionString``.
  package static func check(_ text: String) throws(DatabaseError) {
    guard Libpq.problem == nil else { return }
    guard let options = PQconninfoParse(text, nil) else { throw .badConnectionString }
    PQconninfoFree(options)
  }

  /// Whether libpq treats a database name as a connection string (fe-connect.c, recognized_connection_string).
  package static func isConnectionString(_ name: String) -> Bool {
    name.utf8.contains(UInt8(ascii: "=")) || uriSchemes.contains(where: name.hasPrefix)
  }

  /// What a connection URI begins with (PostgreSQL manual, 34.1.1.2).
  static let uriSchemes = ["postgresql://", "postgres://"]
}

extension ConnectionParameters {
  /// The values of secret keywords in a connection string or URI. libpq decides which keywords are secret. Where it
  /// cannot be loaded, the whole text counts as a secret.
  package static func secrets(in text: String) -> [String] {
    // libpq refuses any other text, and it need not be loaded for that.
    guard isConnectionString(text) else { return [] }
    guard Libpq.problem == nil else { return [text] }
    guard let options = PQconninfoParse(text, nil) else { return [] }
    defer { PQconninfoFree(options) }
    return options.entries.filter(\.isSecret).compactMap(\.text)
  }
}
