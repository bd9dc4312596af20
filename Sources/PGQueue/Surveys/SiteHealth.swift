// SPDX-License-Identifier: BSD-2-Clause
//
// What an audit asks the database about the listener and the clock: whether anything listens, and the server's time.
// Nothing here changes anything.

import Basics

/// The sessions of this database, as far as they show who listens.
package struct ListenerSessions: Equatable, Sendable {
  /// The number of sessions whose last statement is a LISTEN, as on a listener's connection.
  package let listening: Int
  /// The number of fpcache sessions whose last statement is another one.
  package let deaf: Int
  /// The number of fpcache sessions of roles whose statements we may not see.
  package let hidden: Int
  /// The number of such sessions of other programs.
  package let hiddenOthers: Int
  /// Whether the server shows statements at all (track_activities).
  package let isTracked: Bool
  /// The role that asked.
  package let role: String
  /// The roles of the fpcache listeners, sorted.
  package let listeners: [String]
  /// The statement that lets us see every session's statements.
  package let grant: String

  package init(
    listening: Int = 0, deaf: Int = 0, hidden: Int = 0, hiddenOthers: Int = 0,
    isTracked: Bool = true, role: String, listeners: [String] = []
  ) {
    self.listening = listening
    self.deaf = deaf
    self.hidden = hidden
    self.hiddenOthers = hiddenOthers
    self.isTracked = isTracked
    self.role = role
    self.listeners = listeners
    grant = "GRANT pg_read_all_stats TO \(role);"
  }

  /// - Throws: ``DatabaseError``.
  package static func count(on connection: Connection) throws(DatabaseError) -> ListenerSessions {
    ListenerSessions(try ServerSurvey(on: connection))
  }

  package init(_ server: ServerSurvey) {
    let ours = server.listening.filter(\.isListener)
    self.init(
      listening: server.listening.count { $0.listens == true },
      deaf: ours.count { $0.listens == false },
      hidden: ours.count { $0.listens == nil }, hiddenOthers: server.hidden,
      isTracked: server.isTracked, role: server.role,
      listeners: Set(ours.map(\.role)).sorted())
  }
}

extension Connection {
  /// The server's time, in seconds since the epoch, and how long it took to ask.
  /// - Throws: ``DatabaseError``.
  package func serverTime() throws(DatabaseError) -> (seconds: Double, roundTrip: Duration) {
    let began = ContinuousClock.now
    let rows = try query("SELECT extract(epoch FROM pg_catalog.clock_timestamp())")
    return (rows.text(0, 0).flatMap { Double($0) } ?? 0, began.duration(to: .now))
  }

  /// Prepares the session for an audit: read-only, and it waits at most two seconds for a lock.
  /// - Parameter statementTimeout: after this time the server ends a statement; nil for no limit.
  /// - Throws: ``DatabaseError``.
  package func makeAuditor(statementTimeout: Duration? = nil) throws(DatabaseError) {
    let limit =
      statementTimeout.map { "; SET statement_timeout = \(max(1, $0.milliseconds))" } ?? ""
    try script("SET default_transaction_read_only = on; SET lock_timeout = '2s'\(limit)")
  }
}
