// What can go wrong between us and PostgreSQL, kind apart from wording.

/// An error of libpq or of the server. It never holds a password: libpq's messages name hosts,
/// databases and roles only, and what of a password was taken for one of these is hidden.
public enum DatabaseError: Error, Equatable, Sendable {
  /// No connection could be made.
  case unreachable(String)
  /// The connection that was there is gone, or did not answer in time.
  case lost(String)
  /// The server refused a statement.
  case refused(ServerError)
  /// The connection string cannot be read. libpq's own words may quote it, password and all,
  /// so they are not kept.
  case badConnectionString

  /// Whether a server has answered and not let us in, and not because it is just starting or stopping.
  var isRefusalToConnect: Bool {
    guard case .unreachable(let message) = self else { return false }
    return message.contains("FATAL:") && !message.contains("the database system is")
  }
}

/// What the server said of a statement.
public struct ServerError: Equatable, Sendable {
  /// Five characters (PostgreSQL manual, appendix A).
  public let sqlState: String
  public let message: String
  public let hint: String?

  /// lock_not_available: the lock was not to be had within lock_timeout.
  public var isLockTimeout: Bool { sqlState == "55P03" }
  /// undefined_table.
  public var isMissingTable: Bool { sqlState == "42P01" }
  /// undefined_column.
  public var isMissingColumn: Bool { sqlState == "42703" }
  /// insufficient_privilege.
  public var isPermissionDenied: Bool { sqlState == "42501" }
  /// undefined_object or insufficient_privilege: there is no plpgsql, or not for us. (The privilege that is
  /// missing may also be that of a table; then it is missing without plpgsql too.)
  var isOfMissingLanguage: Bool { sqlState == "42704" || isPermissionDenied }

  /// unique_violation.
  public var isDuplicate: Bool { sqlState == "23505" }
  /// read_only_sql_transaction.
  public var isReadOnly: Bool { sqlState == "25006" }

  /// lock_not_available, caught by us before the server has logged it.
  static let lockTimeout = ServerError(
    sqlState: "55P03", message: "lock_not_available", hint: nil)

  /// insufficient_privilege, as the server itself would say it.
  static func permissionDenied(for table: String) -> ServerError {
    ServerError(sqlState: "42501", message: "permission denied for table \(table)", hint: nil)
  }

  /// no_data_found, said by us: without its one row the log can give no numbers, and whoever deletes rows
  /// from a queue would lose them.
  public static let noHead = ServerError(
    sqlState: "P0002", message: "fpcache_head has no row", hint: nil)

  /// wrong_object_type, said by us: of a row that a foreign server keeps, the place is the foreign table's, and
  /// no lock of ours holds off those who write there.
  static let isForeign = ServerError(
    sqlState: "42809", message: "rows of a foreign table cannot be told apart",
    hint: "keep the queue in this database")
}
