// SPDX-License-Identifier: BSD-2-Clause
//
// What an audit asks the database about itself: whether somebody listens, and what time it is there.
// Nothing here changes anything.

/// The sessions of this database, as far as they show who listens.
package struct ListenerSessions: Equatable, Sendable {
  /// How many sessions have a LISTEN for their last statement, as a listener's connection has.
  package let listening: Int
  /// How many sessions of fpcache's belong to roles whose statements we may not see.
  package let hidden: Int
  /// How many sessions of other programs do.
  package let hiddenOthers: Int
  /// Whether the server shows statements at all (track_activities).
  package let isTracked: Bool
  /// The role that asked.
  package let role: String
  /// The roles of fpcache's listeners, in their order.
  package let listeners: [String]
  /// The statement that would show us every session's statements.
  package let grant: String

  package init(
    listening: Int = 0, hidden: Int = 0, hiddenOthers: Int = 0, isTracked: Bool = true,
    role: String, listeners: [String] = []
  ) {
    self.listening = listening
    self.hidden = hidden
    self.hiddenOthers = hiddenOthers
    self.isTracked = isTracked
    self.role = role
    self.listeners = listeners
    grant = "GRANT pg_read_all_stats TO \(role);"
  }

  /// - Throws: ``DatabaseError``.
  package static func count(on connection: Connection) throws(DatabaseError) -> ListenerSessions {
    // application_name and the role are shown to everybody, query to the role itself and
    // pg_read_all_stats (PostgreSQL manual, 28.2.3). The server's own processes have no role.
    let name = "(application_name \(Builtin.equal) '\(ApplicationName.listener)')"
    let hidden = "query \(Builtin.equal) '<insufficient privilege>' AND usesysid IS NOT NULL"
    let rows = try connection.query(
      """
      SELECT pg_catalog.count(*) FILTER \
      (WHERE \(ListeningSession.listens)), \
      pg_catalog.count(*) FILTER (WHERE \(hidden) AND \(name)), \
      pg_catalog.count(*) FILTER (WHERE \(hidden) AND NOT \(name)), \
      pg_catalog.current_setting('track_activities'), pg_catalog.quote_ident(current_user) \
      FROM pg_catalog.pg_stat_activity WHERE datname \(Builtin.equal) pg_catalog.current_database() \
      AND pid \(Builtin.unequal) pg_catalog.pg_backend_pid()
      """)
    let roles = try connection.query(
      """
      SELECT DISTINCT usename FROM pg_catalog.pg_stat_activity \
      WHERE datname \(Builtin.equal) pg_catalog.current_database() AND \(name) AND usename IS NOT NULL ORDER BY usename
      """)
    return ListenerSessions(
      listening: rows.text(0, 0).flatMap { Int($0) } ?? 0,
      hidden: rows.text(0, 1).flatMap { Int($0) } ?? 0,
      hiddenOthers: rows.text(0, 2).flatMap { Int($0) } ?? 0,
      isTracked: rows.text(0, 3) == "on", role: rows.text(0, 4) ?? "",
      listeners: (0..<roles.count).compactMap { roles.text($0, 0) })
  }
}

extension Connection {
  /// What time it is for the server, in seconds since the epoch, and how long it took to ask.
  /// - Throws: ``DatabaseError``.
  package func serverTime() throws(DatabaseError) -> (seconds: Double, roundTrip: Duration) {
    let began = ContinuousClock.now
    let rows = try query("SELECT extract(epoch FROM pg_catalog.clock_timestamp())")
    return (rows.text(0, 0).flatMap { Double($0) } ?? 0, began.duration(to: .now))
  }

  /// Has the session change nothing, and wait for nobody's lock for long: an audit's.
  /// - Throws: ``DatabaseError``.
  package func makeAuditor() throws(DatabaseError) {
    try script("SET default_transaction_read_only = on; SET lock_timeout = '2s'")
  }
}
