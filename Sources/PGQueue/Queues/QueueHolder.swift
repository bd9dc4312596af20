// SPDX-License-Identifier: BSD-2-Clause
//
// Who keeps the lock of a queue from being had. Every role may see the locks, processes, roles and names of
// programs; prepared transactions too.

/// A transaction that has a queue's rows in hand.
package enum QueueHolder: Equatable, Sendable {
  case session(process: Int32, role: String, application: String)
  /// Held by no session, and by no restart of the server ended.
  case prepared(identifier: String, role: String)

  /// Since when is hidden for a session of another role unless ours has `pg_read_all_stats`.
  ///
  /// A prepared transaction has no process, and keeps the virtual transaction of the session that it was, until
  /// a restart: its number is that of the lock on itself.
  ///
  /// The transaction that has been at it for longest, those first that keep the lock from us; a row that
  /// somebody has locked is the last to be thought of. A partition or heir is locked with its table.
  static let statement = """
    WITH RECURSIVE family(oid) AS (SELECT pg_catalog.to_regclass($1)::pg_catalog.oid UNION \
    SELECT inhrelid FROM pg_catalog.pg_inherits JOIN family ON inhparent \(Builtin.equal) oid) \
    SELECT lock.pid, activity.usename, activity.application_name, prepared.gid, prepared.owner, \
    extract(epoch FROM began), extract(epoch FROM pg_catalog.now()) \(Builtin.minus) extract(epoch FROM began) \
    FROM pg_catalog.pg_locks AS lock JOIN family ON lock.relation \(Builtin.equal) family.oid \
    LEFT JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid \(Builtin.equal) lock.pid \
    LEFT JOIN pg_catalog.pg_locks AS own ON lock.pid IS NULL AND own.pid IS NULL \
    AND own.locktype \(Builtin.equal) 'transactionid' \
    AND own.virtualtransaction \(Builtin.equal) lock.virtualtransaction \
    LEFT JOIN pg_catalog.pg_prepared_xacts AS prepared \
    ON prepared.transaction \(Builtin.equal) own.transactionid \
    CROSS JOIN LATERAL coalesce(activity.xact_start, prepared.prepared) AS began \
    WHERE lock.locktype \(Builtin.equal) 'relation' AND lock.granted \
    AND lock.mode \(Builtin.unequal) 'AccessShareLock' \
    AND (lock.pid IS NULL OR lock.pid \(Builtin.unequal) pg_catalog.pg_backend_pid()) \
    AND lock.database \(Builtin.equal) (SELECT oid FROM pg_catalog.pg_database \
    WHERE datname \(Builtin.equal) pg_catalog.current_database()) \
    ORDER BY lock.mode \(Builtin.equal) 'RowShareLock', began NULLS LAST LIMIT 1
    """
}

/// A queue's holder, and how long its transaction has gone on.
package struct QueueHolding: Equatable, Sendable {
  package let holder: QueueHolder
  /// When the transaction began, or was prepared, in seconds since the epoch by the server's clock; nil where
  /// the role may not see it.
  package let since: Double?
  /// How long ago that was, in seconds.
  package let age: Double?
}

extension Queue {
  /// Who holds the table; nil when that has ended, or cannot be seen.
  /// - Throws: ``DatabaseError``.
  package func holder() throws(DatabaseError) -> QueueHolder? { try holding()?.holder }

  /// The same, and since when.
  /// - Throws: ``DatabaseError``.
  package func holding() throws(DatabaseError) -> QueueHolding? {
    let rows = try connection.query(QueueHolder.statement, [table.reference])
    guard rows.count > 0, let holder = Self.holder(rows) else { return nil }
    return QueueHolding(
      holder: holder, since: rows.text(0, 5).flatMap { Double($0) },
      age: rows.text(0, 6).flatMap { Double($0) })
  }

  private static func holder(_ rows: Rows) -> QueueHolder? {
    if let identifier = rows.text(0, 3) {
      return .prepared(identifier: identifier, role: rows.text(0, 4) ?? "")
    }
    guard let process = rows.text(0, 0).flatMap({ Int32($0) }) else { return nil }
    return .session(
      process: process, role: rows.text(0, 1) ?? "", application: rows.text(0, 2) ?? "")
  }
}
