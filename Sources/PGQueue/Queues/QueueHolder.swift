// SPDX-License-Identifier: BSD-2-Clause
//
// Finds who holds the lock of a queue. Every role may see locks, processes, roles and program names, and prepared
// transactions too.

/// A transaction that holds a lock on a queue or on its rows.
package enum QueueHolder: Equatable, Sendable {
  case session(process: Int32, role: String, application: String)
  /// No session holds it, and no restart of the server ends it.
  case prepared(identifier: String, role: String)

  /// The start time is hidden for a session of another role, unless our role has `pg_read_all_stats`.
  ///
  /// A prepared transaction has no process. Until a restart it keeps the virtual transaction of its former session. Its
  /// number is that of the lock on itself.
  ///
  /// Selects the oldest transaction. Transactions that keep the lock from us come first, and row locks come last. A
  /// partition or an inheriting table is locked with its table.
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

/// A queue's holder, and the age of its transaction.
package struct QueueHolding: Equatable, Sendable {
  package let holder: QueueHolder
  /// When the transaction began or was prepared, in seconds since the epoch by the server's clock; nil when the role
  /// may not see it.
  package let since: Double?
  /// How long ago that was, in seconds.
  package let age: Double?
}

extension Queue {
  /// Who holds the table; nil when the hold has ended or cannot be seen.
  /// - Throws: ``DatabaseError``.
  package func holder() throws(DatabaseError) -> QueueHolder? { try holding()?.holder }

  /// The same, with the start time.
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
