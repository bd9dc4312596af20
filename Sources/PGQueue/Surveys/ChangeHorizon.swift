// SPDX-License-Identifier: BSD-2-Clause
//
// Which transactions may still commit. As a rule, their changes are dated when they began, and are not visible before
// they end.

import Basics

/// What the server says about open transactions, read before a query in the query's own transaction.
package struct ChangeHorizon: Equatable, Sendable {
  /// When the query's transaction began, by the server's clock. Times are in nanoseconds since the epoch.
  package let now: Int64
  /// When the oldest open transaction of another session of this database began, as far as we may see.
  package let oldest: Int64?
  /// Whether we may see it for all sessions. On a standby we may not: what is replayed there began elsewhere.
  package let isComplete: Bool
  /// The prepared transactions (two-phase commit), by their numbers. The server does not say when they began:
  /// `prepared` in pg_prepared_xacts is a later time.
  package let prepared: Set<String>

  package init(now: Int64, oldest: Int64?, isComplete: Bool, prepared: Set<String> = []) {
    self.now = now
    self.oldest = oldest
    self.isComplete = isComplete
    self.prepared = prepared
  }

  /// A session whose details are hidden from us has no backend_type; a session without a user belongs to the server
  /// itself.
  private static let activity = """
    SELECT extract(epoch FROM pg_catalog.now())::pg_catalog.text,
      extract(epoch FROM pg_catalog.min(xact_start))::pg_catalog.text,
      NOT pg_catalog.pg_is_in_recovery() AND pg_catalog.count(CASE WHEN usesysid IS NOT NULL
        AND (backend_type IS NULL OR state \(Builtin.equal) 'disabled'::pg_catalog.text) THEN 1 END)
        \(Builtin.equal) 0::pg_catalog.int8
    FROM pg_catalog.pg_stat_activity
    WHERE datname \(Builtin.equal) pg_catalog.current_database()
      AND pid \(Builtin.unequal) pg_catalog.pg_backend_pid()
    """

  private static let preparedOnes = """
    SELECT transaction::pg_catalog.text FROM pg_catalog.pg_prepared_xacts
    WHERE database \(Builtin.equal) pg_catalog.current_database()
    """

  /// Reads it. A transaction that is prepared between the two statements appears in both.
  /// - Throws: ``DatabaseError``.
  static func read(on connection: Connection) throws(DatabaseError) -> ChangeHorizon {
    let rows = try connection.query(activity)
    let prepared = try connection.query(preparedOnes)
    func time(_ column: Int) -> Int64? {
      rows.text(0, column).flatMap { Double($0) }.map(nanoseconds)
    }
    return ChangeHorizon(
      now: time(0) ?? 0, oldest: time(1), isComplete: rows.text(0, 2) == "t",
      prepared: Set((0..<prepared.count).compactMap { prepared.text($0, 0) }))
  }
}
