// SPDX-License-Identifier: BSD-2-Clause
//
// Who listens, and how much the server still must deliver.
//
// pg_stat_activity shows every process, role and application_name to every role. It shows a session's last statement
// and its age only to the session's own role and to pg_read_all_stats (PostgreSQL manual, 28.2). So every role sees our
// listener, by its application_name, and perhaps not the others.

/// The names that a program gives to the server. ``ServerSurvey`` finds it by them.
package enum ApplicationName {
  /// The listener.
  package static let listener = "fpcache listen"
}

/// A session that listens.
package struct ListeningSession: Equatable, Sendable {
  /// The process id of the server's backend.
  package let process: Int32
  package let role: String
  package let applicationName: String
  /// Seconds since it connected; nil when we may not see it.
  package let age: Double?
  /// Whether its last statement is a LISTEN; nil when we may not see its statements.
  package let listens: Bool?

  package init(
    process: Int32, role: String, applicationName: String, age: Double?, listens: Bool? = true
  ) {
    self.process = process
    self.role = role
    self.applicationName = applicationName
    self.age = age
    self.listens = listens
  }

  /// Whether the last statement of a session in pg_stat_activity is a LISTEN, as it is for a session that only waits.
  /// The server does not say who listens to what.
  static let listens = "query \(Builtin.matches) '(^|;)[[:space:]]*listen[[:space:]]'"

  /// Whether it is our own listener.
  package var isListener: Bool { applicationName == ApplicationName.listener }
}

/// The server's side of notifications.
package struct ServerSurvey: Equatable, Sendable {
  /// The sessions on this database that listen, as far as we may see, and all sessions of our listener.
  package let listening: [ListeningSession]
  /// Sessions of other roles and programs whose statements we may not see.
  package let hidden: Int
  /// How full the notification queue is, from 0 to 1. It holds what not all listeners have taken.
  package let notificationQueueUsage: Double
  /// Whether the server shows at all what sessions do (track_activities).
  package let isTracked: Bool
  /// The role that asked, as an identifier.
  package let role: String

  package init(
    listening: [ListeningSession], hidden: Int, notificationQueueUsage: Double,
    isTracked: Bool = true, role: String = ""
  ) {
    self.listening = listening
    self.hidden = hidden
    self.notificationQueueUsage = notificationQueueUsage
    self.isTracked = isTracked
    self.role = role
  }

  /// - Throws: ``DatabaseError``.
  package init(on connection: Connection) throws(DatabaseError) {
    let results = try connection.script("\(Self.serverStatement); \(Self.sessionsStatement)")
    guard results.count == 2 else { throw .lost("the server gave no answer") }
    let (server, sessions) = (results[0], results[1])
    var listening: [ListeningSession] = []
    var hidden = 0
    var isTracked = server.text(0, 1) == "on"
    for row in 0..<sessions.count {
      let (isOurs, isHidden) = (sessions.text(row, 4) == "t", sessions.text(row, 6) == "t")
      let listens = sessions.text(row, 5) == "t"
      guard isOurs || listens else {
        hidden += 1
        continue
      }
      let isUntracked = sessions.text(row, 7) == "t"
      if isUntracked { isTracked = false }
      listening.append(
        ListeningSession(
          process: sessions.text(row, 0).flatMap { Int32($0) } ?? 0,
          role: sessions.text(row, 1) ?? "", applicationName: sessions.text(row, 2) ?? "",
          age: sessions.text(row, 3).flatMap { Double($0) },
          listens: isHidden || isUntracked ? nil : listens))
    }
    self.init(
      listening: listening, hidden: hidden,
      notificationQueueUsage: server.text(0, 0).flatMap { Double($0) } ?? 0,
      isTracked: isTracked, role: server.text(0, 2) ?? "")
  }

  private static let serverStatement = """
    SELECT pg_catalog.pg_notification_queue_usage(), \
    pg_catalog.current_setting('track_activities'), pg_catalog.quote_ident(current_user)
    """

  /// application_name and the role are visible to every role; query and state only to the role itself and to
  /// pg_read_all_stats. The server's own processes, such as autovacuum's, have no role and do not listen.
  private static let sessionsStatement = """
    SELECT pid, usename, application_name, \
    extract(epoch FROM pg_catalog.now() \(Builtin.minus) backend_start), ours, listens, hidden, \
    coalesce(state \(Builtin.equal) 'disabled', false) \
    FROM (SELECT *, application_name \(Builtin.equal) '\(ApplicationName.listener)' AS ours, \
    \(ListeningSession.listens) AS listens, \
    query \(Builtin.equal) '<insufficient privilege>' AS hidden FROM pg_catalog.pg_stat_activity) AS sessions \
    WHERE datname \(Builtin.equal) pg_catalog.current_database() AND usesysid IS NOT NULL \
    AND pid \(Builtin.unequal) pg_catalog.pg_backend_pid() \
    AND (ours OR listens OR hidden) \
    ORDER BY ours OR listens, pid
    """
}
