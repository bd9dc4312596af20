// SPDX-License-Identifier: BSD-2-Clause
//
// The section [database]: libpq's keywords under their own names, in upper or lower case, and the site's DBUSER for
// libpq's user.

import Basics
import PGQueue

/// Reads [database] of a configuration file.
struct DatabaseSection {
  static let name = "database"
  static let userAlias = "DBUSER"
  /// The keys that the site's file has always had, in the order in which libpq is given them.
  private static let usual = ["host", "port", "dbname", "user", "password"]

  /// Keywords and values for libpq; empty values are left to libpq.
  let keywords: [(String, String)]

  /// Keywords that fpcache sets itself, and why.
  static let own = [
    "client_encoding": "text is read as the bytes that the database holds",
    "application_name": "the listener is found by the name that it gives itself",
    "fallback_application_name": "the listener is found by the name that it gives itself",
  ]

  /// Every key of the section that is read.
  static func keys(for ini: INI) -> [String] {
    [userAlias] + known(in: ini).map { $0.name.uppercased() }
  }

  /// libpq's keywords, among them all that this file has.
  private static func known(in ini: INI) -> [ConnectionKeyword] {
    ConnectionKeyword.known(among: ini.keys(in: name).filter { $0 != userAlias.lowercased() })
  }

  /// - Throws: ``UserError`` with status 78.
  init(_ ini: INI) throws(UserError) {
    try Self.refuse(ini)
    let others = Self.known(in: ini).map(\.name).filter { !Self.usual.contains($0) }
    var keywords: [(String, String)] = []
    for keyword in Self.usual + others where Self.own[keyword] == nil {
      guard let value = try Self.value(keyword, ini), !value.text.isEmpty else { continue }
      if keyword == "dbname" { try Self.checkName(value) }
      keywords.append((keyword, value.text))
    }
    self.keywords = keywords
  }

  /// Refuses settings that would prevent fpcache from working.
  private static func refuse(_ ini: INI) throws(UserError) {
    if let value = try value("replication", ini), !value.text.isEmpty {
      throw value.problem(
        "REPLICATION", "a replication connection cannot listen; remove the key")
    }
    let own = ini.ownKeys(in: name)
    let places = ["USER", userAlias].compactMap { key in
      own.first { $0.spelling.uppercased() == key }
    }
    if let first = places.map(\.line).min(), let last = places.max(by: { $0.line < $1.line }),
      places.count == 2
    {
      throw UserError(
        .configuration,
        "\(ini.file):\(last.line): \(last.spelling.uppercased()): the user is on line \(first) "
          + "already; keep one of them")
    }
  }

  private static func value(_ keyword: String, _ ini: INI) throws(UserError) -> INIValue? {
    do throws(INIError) {
      let keys = keyword == "user" ? [userAlias, keyword] : [keyword]
      // The section's own keys go before those that it has from [DEFAULT].
      let key = keys.first { key in
        ini.ownKeys(in: name).contains { $0.spelling.lowercased() == key.lowercased() }
      }
      if let key { return try ini.value(key, in: name) }
      for key in keys { if let value = try ini.value(key, in: name) { return value } }
      return nil
    } catch {
      // A reference that names no key may be part of a password, and no message may quote that.
      guard isSecret(keyword) else { throw UserError(.configuration, error.message) }
      let hidden = INIError(
        file: error.file, line: error.line, key: error.key, problem: .strayPercent)
      throw UserError(.configuration, hidden.message)
    }
  }

  /// Whether there is a password, as a keyword or in the database's name.
  var holdsPassword: Bool {
    keywords.contains { keyword, value in
      ConnectionKeyword.isSecret(keyword)
        || (keyword == "dbname" && !ConnectionParameters.secrets(in: value).isEmpty)
    }
  }

  /// If the name is a connection string, libpq must be able to read it: libpq's error message would quote it.
  private static func checkName(_ value: INIValue) throws(UserError) {
    guard ConnectionParameters.isConnectionString(value.text) else { return }
    do throws(DatabaseError) {
      try ConnectionParameters.check(value.text)
    } catch {
      throw value.problem(
        "DBNAME",
        "is not a libpq connection string or URI; write a database's name, or quote "
          + "the values and percent-encode / ? # @ : in a URI's password")
    }
  }

  /// Whether a value may hold a password; the name of the database may be a whole connection string.
  private static func isSecret(_ keyword: String) -> Bool {
    keyword == "dbname" || ConnectionKeyword.isSecret(keyword)
  }
}
