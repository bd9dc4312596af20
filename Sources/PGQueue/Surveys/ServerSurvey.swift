// SPDX-License-Identifier: BSD-2-Clause
//
// Who listens, and how much the server still has to deliver.
//
// pg_stat_activity shows everybody's process, role and application_name to everybody, but a
// session's last statement and its age only to its own role and to pg_read_all_stats
// (PostgreSQL manual, 28.2). So our listener, which goes by its application_name, is seen by every
// role, and others perhaps not.

/// What a program calls itself to the server, and ``ServerSurvey`` finds it by.
package enum ApplicationName {
  /// The listener.
  package static let listener = "fpcache listen"
}

/// A session that listens.
package struct ListeningSession: Equatable, Sendable {
  /// The server's process.
  package let process: Int32
  package let role: String
  package let applicationName: String
  /// Seconds since it connected; nil when we may not know.
  package let age: Double?

  package init(process: Int32, role: String, applicationName: String, age: Double?) {
    self.process = process
    self.role = role
    self.applicationName = applicationName
    self.age = age
  }

  /// Whether a session of pg_stat_activity shows a LISTEN for its last statement, as one that only waits does:
  /// the server does not tell who listens to what.
  static let listens = "query \(Builtin.matches) '(^|;)[[:space:]]*listen[[:space:]]'"

  /// Whether it is our own listener.
  package var isListener: Bool { applicationName == ApplicationName.listener }
}

/// The server's side of notifications.
package struct ServerSurvey: Equatable, Sendable {
  /// The sessions on this database that listen, as far as we may know.
  package let listening: [ListeningSession]
  /// Sessions of other roles, of which we may not know what they do.
  package let hidden: Int
  /// How full the queue of notifications is that not all listeners have taken, from 0 to 1.
  package let notificationQueueUsage: Double

  package init(listening: [ListeningSession], hidden: Int, notificationQueueUsage: Double) {
    self.listening = listening
    self.hidden = hidden
    self.notificationQueueUsage = notificationQueueUsage
  }

  /// - Throws: ``DatabaseError``.
  package init(on connection: Connection) throws(DatabaseError) {
    let usage = try connection.query("SELECT pg_catalog.pg_notification_queue_usage()")
    notificationQueueUsage = usage.text(0, 0).flatMap { Double($0) } ?? 0
    let sessions = try connection.query(Self.sessionsStatement, [ApplicationName.listener])
    var listening: [ListeningSession] = []
    var hidden = 0
    for row in 0..<sessions.count {
      if sessions.text(row, 4) == "t" {
        listening.append(
          ListeningSession(
            process: sessions.text(row, 0).flatMap { Int32($0) } ?? 0,
            role: sessions.text(row, 1) ?? "", applicationName: sessions.text(row, 2) ?? "",
            age: sessions.text(row, 3).flatMap { Double($0) }))
      } else {
        hidden += 1
      }
    }
    self.listening = listening
    self.hidden = hidden
  }

  /// The server's own processes, such as autovacuum's, have no role, and listen to nothing.
  private static let sessionsStatement = """
    SELECT pid, usename, application_name, \
    extract(epoch FROM pg_catalog.now() \(Builtin.minus) backend_start), listens \
    FROM (SELECT *, application_name \(Builtin.equal) $1 OR \(ListeningSession.listens) AS listens, \
    query \(Builtin.equal) '<insufficient privilege>' AS hidden FROM pg_catalog.pg_stat_activity) AS sessions \
    WHERE datname \(Builtin.equal) pg_catalog.current_database() AND usesysid IS NOT NULL \
    AND pid \(Builtin.unequal) pg_catalog.pg_backend_pid() \
    AND (listens OR hidden) \
    ORDER BY listens, pid
    """
}
