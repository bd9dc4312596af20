// SPDX-License-Identifier: BSD-2-Clause
//
// What can go wrong between us and PostgreSQL: the kind is kept apart from the wording.

import Basics

/// An error of libpq or of the server. It never holds a password. libpq's messages name only hosts, databases and
/// roles. Parts of a password that libpq took for one of these are hidden.
package enum DatabaseError: Error, Equatable, Sendable {
  /// libpq cannot be loaded, for this reason.
  case noLibrary(String)
  /// No connection could be made.
  case unreachable(String)
  /// The connection is gone, or did not answer in time.
  case lost(String)
  /// The server refused a statement.
  case refused(ServerError)
  /// The connection string cannot be read. libpq's own message may quote it with its password, so the message is not
  /// kept.
  case badConnectionString

  /// Whether a server answered and refused the connection, for another reason than that it is starting or stopping.
  package var isRefusalToConnect: Bool {
    guard case .unreachable(let message) = self else { return false }
    return message.contains("FATAL:") && !message.contains("the database system is")
  }
}

/// What the server said about a statement.
package struct ServerError: Equatable, Sendable {
  /// Five characters (PostgreSQL manual, appendix A).
  package let sqlState: String
  package let message: String
  package let hint: String?

  /// lock_not_available: the lock was not available within lock_timeout.
  package var isLockTimeout: Bool { sqlState == "55P03" }
  /// undefined_table.
  package var isMissingTable: Bool { sqlState == "42P01" }
  /// undefined_column.
  package var isMissingColumn: Bool { sqlState == "42703" }
  /// insufficient_privilege.
  package var isPermissionDenied: Bool { sqlState == "42501" }
  /// undefined_object or insufficient_privilege: there is no plpgsql, or we may not use it. (The missing privilege may
  /// also be one of a table; it is then missing without plpgsql too.)
  var isOfMissingLanguage: Bool { sqlState == "42704" || isPermissionDenied }

  /// unique_violation.
  package var isDuplicate: Bool { sqlState == "23505" }
  /// read_only_sql_transaction.
  package var isReadOnly: Bool { sqlState == "25006" }

  /// lock_not_available, caught by us before the server logs it.
  static let lockTimeout = ServerError(
    sqlState: "55P03", message: "lock_not_available", hint: nil)

  /// insufficient_privilege, in the server's own words.
  package static func permissionDenied(for table: String) -> ServerError {
    ServerError(sqlState: "42501", message: "permission denied for table \(table)", hint: nil)
  }

  /// no_data_found, raised by us: without its one row the log can give no numbers, and a node that deletes rows from a
  /// queue would lose them.
  package static let noHead = ServerError(
    sqlState: "P0002", message: "fpcache_head has no row", hint: nil)

  /// wrong_object_type, raised by us: a row that a foreign server keeps has the place of the foreign table, and no lock
  /// of ours blocks those who write there.
  static let isForeign = ServerError(
    sqlState: "42809", message: "rows of a foreign table cannot be told apart",
    hint: "keep the queue in this database")
}

extension DatabaseError {
  /// What happened, in the words of libpq or the server where there are any, safe to show.
  package var explanation: String {
    switch self {
    case .noLibrary(let reason):
      "cannot load libpq: \(shown(reason)); install PostgreSQL's client library, on Debian the package libpq5"
    case .unreachable(let message): "cannot connect: \(shown(message))"
    case .lost(let message): "connection lost: \(shown(message))"
    case .refused(let reason): reason.explanation
    case .badConnectionString: "the connection string cannot be read"
    }
  }

  /// The same, with options to try where they can help.
  /// - Parameter advice: such as `see --dsn`.
  package func explanation(adding advice: String) -> String {
    if case .noLibrary = self { explanation } else { "\(explanation); \(advice)" }
  }
}

extension ServerError {
  /// What the server said, safe to show.
  package var explanation: String { shown(message) + (hint.map { " (\(shown($0)))" } ?? "") }
}

/// Foreign text: a server may send terminal control sequences, and libpq repeats what it was given.
private func shown(_ message: String) -> String { redacted(escape(Array(message.utf8))) }
