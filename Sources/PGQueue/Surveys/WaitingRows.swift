// SPDX-License-Identifier: BSD-2-Clause
//
// The rows of a queue, or of the log for one of many nodes, with the time that they have waited, for an
// audit. Nothing is locked.

/// A row of a queue or of the log, and how long it has waited there.
package struct WaitingRow {
  package let row: QueueRow
  /// When it was added, in seconds since the epoch by the server's clock; nil when the table keeps only a time of day,
  /// or no time at all.
  package let added: Double?
  /// How long ago that was, in seconds.
  package let age: Double?
}

/// Where rows wait to be cleared.
package protocol WaitingRows {
  /// Rows are told apart by this table and their positions.
  var table: QueueTable { get }
  /// The next rows after a position; nil begins at the start.
  func waiting(after position: String?, limit: Int) throws(DatabaseError) -> [WaitingRow]
}

extension Queue: WaitingRows {
  /// The next rows after a position; nil begins at the start.
  /// - Throws: ``DatabaseError``.
  package func waiting(
    after position: String?, limit: Int
  ) throws(DatabaseError) -> [WaitingRow] {
    do throws(DatabaseError) {
      return try waiting(after: position, limit: limit, added: table.addedExpression)
    } catch {
      // Without the column the age is unknown, but the rows wait all the same.
      guard case .refused(let reason) = error, reason.isMissingColumn else { throw error }
      return try waiting(after: position, limit: limit, added: "NULL::pg_catalog.timestamptz")
    }
  }

  private func waiting(
    after position: String?, limit: Int, added: String
  ) throws(DatabaseError) -> [WaitingRow] {
    let rows = try connection.query(
      table.waitingStatement(added: added), [position, String(limit)])
    return (0..<rows.count).map { index in
      let row = QueueRow(rows, index, table, positionAt: 0, keyAt: 1)
      let column = table.keyCount + 1
      return WaitingRow(
        row: row, added: rows.text(index, column).flatMap { Double($0) },
        age: rows.text(index, column + 1).flatMap { Double($0) })
    }
  }
}

extension NodeLog: WaitingRows {
  package var table: QueueTable { .log }

  /// The rows that the node has not cleared, after a given row: those after its cursor, and those that it has passed
  /// and could not clear. Empty when the node is not registered.
  /// - Throws: ``DatabaseError``.
  package func waiting(
    after position: String?, limit: Int
  ) throws(DatabaseError) -> [WaitingRow] {
    let rows = try connection.query(
      """
      SELECT id, queue, extract(epoch FROM moved_at), \
      extract(epoch FROM pg_catalog.now()) \(Builtin.minus) extract(epoch FROM moved_at), \(keyColumns) \
      FROM (SELECT id, queue, key, moved_at FROM fpcache_log \
      WHERE id \(Builtin.greater) (SELECT cursor FROM fpcache_node WHERE name \(Builtin.equal) $1) UNION ALL \
      SELECT id, queue, key, moved_at FROM fpcache_owed WHERE node \(Builtin.equal) $1) AS row \
      WHERE id \(Builtin.greater) coalesce($2::bigint, 0) ORDER BY id LIMIT $3::bigint
      """, [node.name, position, String(limit)])
    return (0..<rows.count).compactMap { index in
      logged(rows, index, keyAt: 4).map {
        WaitingRow(
          row: $0, added: rows.text(index, 2).flatMap { Double($0) },
          age: rows.text(index, 3).flatMap { Double($0) })
      }
    }
  }
}

extension QueueTable {
  /// The cast through text keeps the expression valid where date_added is a time of day.
  fileprivate var addedExpression: String {
    """
    CASE WHEN \(Builtin.isTime(added.quoted)) \
    THEN \(added.quoted)::pg_catalog.text::pg_catalog.timestamptz END
    """
  }

  /// The age is a difference of numbers: a difference of times fails for an infinite one.
  fileprivate func waitingStatement(added: String) -> String {
    """
    SELECT \(order.column)::pg_catalog.text, \(boundedKey), extract(epoch FROM \(added)), \
    extract(epoch FROM pg_catalog.now()) \(Builtin.minus) extract(epoch FROM \(added)) \
    FROM \(reference) WHERE \(follows) ORDER BY \(place) LIMIT $2::bigint
    """
  }
}
