// SPDX-License-Identifier: BSD-2-Clause
//
// The backlog of a queue, for monitoring.

/// The rows of one queue table.
package struct QueueBacklog: Equatable, Sendable {
  package let table: QueueTable
  package let rows: Int
  /// Seconds since the oldest row was added; nil when there is no row, or when the table keeps only a time of day,
  /// which gives no age.
  package let oldestAge: Double?

  /// - Parameter oldestAge: seconds; nil when unknown.
  package init(table: QueueTable, rows: Int, oldestAge: Double?) {
    self.table = table
    self.rows = rows
    self.oldestAge = oldestAge
  }

  /// Reads the backlog of one queue.
  /// - Throws: ``DatabaseError``.
  package init(of table: QueueTable, on connection: Connection) throws(DatabaseError) {
    let rows: Rows
    do throws(DatabaseError) {
      rows = try connection.query(table.backlogStatement)
    } catch {
      // Without the column the age is unknown, but the rows wait all the same.
      guard case .refused(let reason) = error, reason.isMissingColumn else { throw error }
      rows = try connection.query(table.countStatement)
    }
    self.init(
      table: table, rows: rows.text(0, 0).flatMap { Int($0) } ?? 0,
      oldestAge: rows.text(0, 1).flatMap { Double($0) })
  }
}

extension QueueTable {
  /// The cast through text keeps the statement valid where date_added is a time of day; an infinite time has no age.
  fileprivate var backlogStatement: String {
    let oldest = "pg_catalog.min(\(added.quoted))"
    return """
      SELECT pg_catalog.count(*), CASE WHEN \(Builtin.isTime(oldest)) THEN extract(epoch FROM \
      pg_catalog.now() \(Builtin.minus) (\(oldest) FILTER (WHERE \(added.quoted)::pg_catalog.text \
      \(Builtin.unequal) ALL ('{infinity,-infinity}'::pg_catalog.text[]))) \
      ::pg_catalog.text::pg_catalog.timestamptz) END FROM \(reference)
      """
  }
}
