// What waits in a queue, for those who watch.

/// The rows of one queue table.
public struct QueueBacklog: Equatable, Sendable {
  public let table: QueueTable
  public let rows: Int
  /// Seconds since the oldest row was added; nil when there is none, or when the table keeps a
  /// time of day only, from which no age can be told.
  public let oldestAge: Double?

  /// Every queue that this database has and that we may read.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  public static func all(
    of queues: [QueueTable], on connection: Connection
  ) throws(DatabaseError) -> [QueueBacklog] {
    var all: [QueueBacklog] = []
    for table in queues where table != .log {
      do throws(DatabaseError) {
        let rows = try connection.query(table.backlogStatement)
        all.append(
          QueueBacklog(
            table: table, rows: rows.text(0, 0).flatMap { Int($0) } ?? 0,
            oldestAge: rows.text(0, 1).flatMap { Double($0) }))
      } catch {
        guard case .refused = error else { throw error }
      }
    }
    return all
  }
}

extension QueueTable {
  /// The cast by way of text keeps the statement valid where date_added is a time of day.
  fileprivate var backlogStatement: String {
    """
    SELECT count(*), CASE WHEN pg_typeof(min(\(added.quoted))) IN \
    ('timestamp'::regtype, 'timestamptz'::regtype) \
    THEN extract(epoch FROM now() - min(\(added.quoted))::text::timestamptz) END FROM \(reference)
    """
  }
}
