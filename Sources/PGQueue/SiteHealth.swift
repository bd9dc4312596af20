// What an audit asks the database about itself: whether somebody listens, what the role may do,
// and what time it is there. Nothing here changes anything.

/// A table that the listener needs, as far as this role may use it.
public struct TableRights: Equatable, Sendable {
  public let table: String
  public let exists: Bool
  /// What the role lacks of what the listener needs: `SELECT`, `DELETE`.
  public let missing: [String]

  /// The queues and listen_for, in the order in which they are told.
  /// - Throws: ``DatabaseError``.
  public static func all(
    of queues: [QueueTable], on connection: Connection
  ) throws(DatabaseError) -> [TableRights] {
    var all: [TableRights] = []
    let needs =
      queues.map { ($0.name, $0.reference, ["SELECT", "DELETE"]) }
      + [("listen_for", "listen_for", ["SELECT"])]
    for (table, reference, privileges) in needs {
      all.append(try rights(table, reference, privileges, on: connection))
    }
    return all
  }

  private static func rights(
    _ table: String, _ reference: String, _ privileges: [String], on connection: Connection
  ) throws(DatabaseError) -> TableRights {
    // A table that is not in the role's search path is none for the listener either.
    let columns = privileges.map { ", has_table_privilege(to_regclass($1)::oid, '\($0)')" }
    do throws(DatabaseError) {
      let rows = try connection.query(
        "SELECT to_regclass($1) IS NOT NULL\(columns.joined())", [reference])
      let exists = rows.text(0, 0) == "t"
      let missing = privileges.indices.filter { rows.text(0, $0 + 1) != "t" }
      return TableRights(
        table: table, exists: exists, missing: exists ? missing.map { privileges[$0] } : [])
    } catch {
      // Whoever may not look into a schema is not told whether the table is there.
      guard case .refused(let reason) = error, reason.isPermissionDenied else { throw error }
      return TableRights(table: table, exists: true, missing: ["USAGE of its schema"] + privileges)
    }
  }
}

/// The sessions of this database, as far as they show who listens.
public struct ListenerSessions: Equatable, Sendable {
  /// How many sessions have a LISTEN for their last statement, as a listener's connection has.
  public let listening: Int
  /// How many sessions of fpcache's belong to roles whose statements we may not see.
  public let hidden: Int
  /// Whether the server shows statements at all (track_activities).
  public let isTracked: Bool
  /// The role that asked.
  public let role: String

  /// - Throws: ``DatabaseError``.
  public static func count(on connection: Connection) throws(DatabaseError) -> ListenerSessions {
    // application_name is shown to everybody, query to the role itself and pg_read_all_stats
    // (PostgreSQL manual, 28.2.3).
    let rows = try connection.query(
      """
      SELECT count(*) FILTER (WHERE query ~* '(^|;)[[:space:]]*listen[[:space:]]'), \
      count(*) FILTER (WHERE query = '<insufficient privilege>' \
      AND application_name = '\(ApplicationName.listener)'), \
      current_setting('track_activities'), current_user \
      FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
      """)
    return ListenerSessions(
      listening: rows.text(0, 0).flatMap { Int($0) } ?? 0,
      hidden: rows.text(0, 1).flatMap { Int($0) } ?? 0, isTracked: rows.text(0, 2) == "on",
      role: rows.text(0, 3) ?? "")
  }
}

extension Connection {
  /// What time it is for the server, in seconds since the epoch, and how long it took to ask.
  /// - Throws: ``DatabaseError``.
  public func serverTime() throws(DatabaseError) -> (seconds: Double, roundTrip: Duration) {
    let began = ContinuousClock.now
    let rows = try query("SELECT extract(epoch FROM clock_timestamp())")
    return (rows.text(0, 0).flatMap { Double($0) } ?? 0, began.duration(to: .now))
  }

  /// Has the session change nothing, and wait for nobody's lock for long: an audit's.
  /// - Throws: ``DatabaseError``.
  public func makeAuditor() throws(DatabaseError) {
    try script("SET default_transaction_read_only = on; SET lock_timeout = '2s'")
  }
}
