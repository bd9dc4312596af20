// The rows of a queue with the time that they have waited, for an audit. Nothing is locked.

/// A row of a queue, and how long it has stood there.
public struct WaitingRow {
  public let row: QueueRow
  /// When it was added, in seconds since the epoch by the server's clock; nil where the table
  /// keeps a time of day only, or no time at all.
  public let added: Double?
  /// How long ago that was, in seconds.
  public let age: Double?
}

extension Queue {
  /// The next rows after a position; nil begins at the start.
  /// - Throws: ``DatabaseError``.
  public func waiting(
    after position: String?, limit: Int
  ) throws(DatabaseError) -> [WaitingRow] {
    do throws(DatabaseError) {
      return try waiting(after: position, limit: limit, added: table.addedExpression)
    } catch {
      // Without the column there is no age to tell, but the rows wait all the same.
      guard case .refused(let reason) = error, reason.isMissingColumn else { throw error }
      return try waiting(after: position, limit: limit, added: "NULL::timestamptz")
    }
  }

  private func waiting(
    after position: String?, limit: Int, added: String
  ) throws(DatabaseError) -> [WaitingRow] {
    let rows = try connection.query(
      table.waitingStatement(added: added), [position, String(limit)])
    return (0..<rows.count).compactMap { index in
      guard let row = QueueRow(rows, index, table) else { return nil }
      let column = table.key.count + 3
      return WaitingRow(
        row: row, added: rows.text(index, column).flatMap { Double($0) },
        age: rows.text(index, column + 1).flatMap { Double($0) })
    }
  }
}

extension QueueTable {
  /// The cast by way of text keeps the expression valid where date_added is a time of day.
  fileprivate var addedExpression: String {
    """
    CASE WHEN pg_typeof(\(added.quoted)) IN ('timestamp'::regtype, 'timestamptz'::regtype) \
    THEN \(added.quoted)::text::timestamptz END
    """
  }

  /// The age is a difference of numbers: one of times fails for an infinite one.
  fileprivate func waitingStatement(added: String) -> String {
    """
    SELECT ctid, xmin, \(order.column)::text, \(boundedKey), \
    extract(epoch FROM \(added)), \
    extract(epoch FROM now()) - extract(epoch FROM \(added)) FROM \(reference) \
    WHERE $1::\(order.type) IS NULL OR \(order.column) > $1::\(order.type) \
    ORDER BY \(place) LIMIT $2::bigint
    """
  }
}
