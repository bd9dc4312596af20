// The queue tables, and the statements of the drain protocol for each.

/// A table into which the site's triggers put what to clear.
public struct QueueTable: Hashable, Sendable {
  public let name: String
  /// The columns that name the pages, as SQL expressions that give text.
  let key: [String]
  /// What the batches go by: a column that grows, and its type.
  let order: (column: String, type: String)

  public static let ports = QueueTable(
    "cache_clearing_ports", key: ["category", "port"], order: ("id", "bigint"))
  /// to_char gives the same text under every DateStyle, and NULL for an infinite date.
  public static let dates = QueueTable(
    "cache_clearing_dates", key: ["to_char(date_to_clear, 'YYYY-MM-DD')"],
    order: ("id", "bigint"))
  public static let commits = QueueTable(
    "cache_clearing_commits", key: ["commit_to_clear"], order: ("commit_to_clear", "text"))
  public static let files = QueueTable(
    "cache_clearing_files", key: ["pathname"], order: ("id", "bigint"))

  /// Every queue, in the order in which they are drained.
  public static let all = [ports, dates, commits, files]

  init(_ name: String, key: [String], order: (column: String, type: String)) {
    self.name = name
    self.key = key
    self.order = order
  }

  public static func == (left: Self, right: Self) -> Bool { left.name == right.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// The next rows after a place in the order. The column is named with its table: ORDER BY
  /// alone would take the output column of that name, which is text and sorts 10 before 9.
  var batchStatement: String {
    """
    SELECT ctid, \(order.column)::text, \(key.joined(separator: ", ")) FROM \(name) \
    WHERE $1::\(order.type) IS NULL OR \(order.column) > $1::\(order.type) \
    ORDER BY \(name).\(order.column) LIMIT $2::bigint
    """
  }

  /// Begins the transaction that retires rows. READ COMMITTED is said aloud, since the protocol
  /// holds only if the batch's snapshot is taken after the lock: a role's
  /// default_transaction_isolation must not change that.
  ///
  /// The lock must not outlive us: where the network freezes just then, the server would keep it,
  /// and every writer waiting for it, until its own keepalives give us up, after two hours unless
  /// somebody has changed that.
  var lockScript: String {
    """
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '50ms'; \
    SET LOCAL idle_in_transaction_session_timeout = '10s'; LOCK TABLE \(name) IN SHARE ROW EXCLUSIVE MODE
    """
  }

  /// Deletes rows by their place in the table, which nobody can change while we hold the lock;
  /// cache_clearing_dates has no key to delete by.
  func deleteScript(_ rows: [QueueRow.Place]) -> String {
    let places = rows.map { "\"\($0.text)\"" }.joined(separator: ",")
    return "DELETE FROM \(name) WHERE ctid = ANY ('{\(places)}'::tid[]); COMMIT"
  }

  var countStatement: String { "SELECT count(*) FROM \(name)" }
}

/// One row of a queue.
public struct QueueRow: Sendable {
  /// Where the row stands in its table: two numbers, so that no text of the server's goes back
  /// into a statement.
  struct Place: Sendable {
    let block: UInt32
    let offset: UInt16

    /// From `(block,offset)`.
    init?(_ text: String) {
      let parts = text.dropFirst().dropLast().split(separator: ",")
      guard parts.count == 2, let block = UInt32(parts[0]), let offset = UInt16(parts[1]) else {
        return nil
      }
      self.block = block
      self.offset = offset
    }

    var text: String { "(\(block),\(offset))" }
  }

  let place: Place
  /// The row's place in the queue's order.
  public let position: String
  /// The key's columns; nil for NULL.
  public let key: [[UInt8]?]
}

/// The statements of a drain, on a connection of its own.
public struct Queue {
  public let table: QueueTable
  private let connection: Connection

  public init(_ table: QueueTable, on connection: Connection) {
    self.table = table
    self.connection = connection
  }

  /// The next rows after a position; nil begins at the start.
  /// - Throws: ``DatabaseError``.
  public func batch(after position: String?, limit: Int) throws(DatabaseError) -> [QueueRow] {
    let rows = try connection.query(table.batchStatement, [position, String(limit)])
    return (0..<rows.count).compactMap { row in
      guard let place = rows.text(row, 0).flatMap(QueueRow.Place.init),
        let position = rows.text(row, 1)
      else { return nil }
      return QueueRow(
        place: place, position: position,
        key: table.key.indices.map { rows[row, $0 + 2] })
    }
  }

  /// Begins a transaction and waits at most 50 ms for every writer that has seen our rows.
  /// - Returns: false when the lock was not to be had; the transaction is over then.
  /// - Throws: ``DatabaseError``.
  public func lock() throws(DatabaseError) -> Bool {
    do {
      try connection.script(table.lockScript)
      return true
    } catch {
      guard case .refused(let reason) = error else { throw error }
      try rollback()
      if reason.isLockTimeout { return false }
      throw error
    }
  }

  /// Deletes rows and commits.
  /// - Returns: how many went.
  /// - Throws: ``DatabaseError``.
  public func retire(_ rows: [QueueRow]) throws(DatabaseError) -> Int {
    if rows.isEmpty {
      try connection.script("COMMIT")
      return 0
    }
    return try connection.script(table.deleteScript(rows.map(\.place))).first?.changed ?? 0
  }

  /// - Throws: ``DatabaseError``.
  public func rollback() throws(DatabaseError) { try connection.script("ROLLBACK") }

  /// How many rows wait; nil when this database has no such table.
  /// - Throws: ``DatabaseError``.
  public func count() throws(DatabaseError) -> Int? {
    do {
      return try connection.query(table.countStatement).text(0, 0).flatMap { Int($0) }
    } catch {
      if case .refused(let reason) = error, reason.isMissingTable { return nil }
      throw error
    }
  }
}
