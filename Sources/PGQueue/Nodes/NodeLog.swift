// SPDX-License-Identifier: BSD-2-Clause
//
// The log that many nodes read, each from its own cursor: its statements, on a drain's connection.
//
// The order of the log must be the order in which its rows become visible. Otherwise a node could pass the number of a
// row that it does not see yet, and never come back to it. Each queue has its own lock, so two movers may work at the
// same time. The one row of fpcache_head puts them in order: it gives the numbers. A mover locks it, reads it, and
// holds it until its commit, and the server releases locks only after it has made a commit visible. Three things would
// break this: a sequence, which gives numbers out before the commit; a mover that does not take that lock; and
// REPEATABLE READ, where the statement that reads the head would use a snapshot from before the lock.
//
// No commit here waits for the disk. A crash of the server loses the end of its write-ahead log. A row's arrival in the
// queue, its move and the cursors beyond it stand there in this order, so what is left is a state that once existed.
// But it may be older than what a node remembers, and numbers may be given out again. So a node reads its cursor from
// the table with each batch, and remembers none.

import Basics

/// The rows that a node finds in the log after its cursor.
package struct LogBatch {
  package let rows: [QueueRow]
  /// The cursor before these rows, and the cursor to move to when they are done.
  let cursor: Int64
  package let last: Int64
  /// The node that moves rows from the queues into the log; nil when there is none yet.
  package let mover: String?
  /// Whether the node must empty its cache.
  package let mustEmpty: Bool
}

/// The state of a node in the log.
package enum LogReading {
  /// No node of that name is registered.
  case unregistered
  /// Another cache has been registered under the name since.
  case taken
  /// This many rows are gone that the node has not read.
  case lost(Int64)
  /// The log ends before the cursor: it is not the log that the node has read.
  case another
  /// The log holds rows of this queue with other columns than we know, so it is unknown which pages they name.
  case otherColumns(String)
  case batch(LogBatch)
}

/// The statements of a node.
package struct NodeLog {
  let node: Node
  let connection: Connection
  private let tables: [QueueTable]
  /// The columns of a row's key: as many as the widest queue has.
  let keyColumns: String
  /// The number of these columns.
  private let keyWidth: Int

  /// - Parameter tables: the queues whose rows are in the log.
  package init(_ node: Node, on queue: Queue, tables: [QueueTable]) {
    self.node = node
    self.tables = tables
    connection = queue.connection
    keyWidth = tables.reduce(1) { max($0, $1.keyCount) }
    keyColumns = (1...keyWidth).map { "row.key[\($0)]" }.joined(separator: ", ")
  }

  /// The nodes that are registered in this database; nil when there are none.
  ///
  /// A role that may not read the table still learns whether it has rows, as far as the server's statistics say. The
  /// result is then an empty list of names. Such a role does not try to read the table: a listener asks at each poll,
  /// and each refusal is a line in the server's log.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  package static func names(on connection: Connection) throws(DatabaseError) -> [String]? {
    do throws(DatabaseError) {
      let table = try connection.query(
        """
        SELECT pg_catalog.has_table_privilege(node, 'SELECT'), \
        pg_catalog.pg_stat_get_live_tuples(node) \(Builtin.greater) 0 \
        FROM CAST(pg_catalog.to_regclass('fpcache_node') AS pg_catalog.oid) AS node \
        WHERE node IS NOT NULL
        """)
      guard table.count > 0 else { return nil }
      guard table.text(0, 0) == "t" else { return table.text(0, 1) == "t" ? [] : nil }
      let rows = try connection.query("SELECT name FROM fpcache_node ORDER BY name")
      return rows.count == 0 ? nil : (0..<rows.count).compactMap { rows.text($0, 0) }
    } catch {
      guard case .refused = error else { throw error }
      return nil
    }
  }

  /// Whether the database has been prepared for nodes.
  /// - Throws: ``DatabaseError``.
  static func isThere(on connection: Connection) throws(DatabaseError) -> Bool {
    try connection.query("SELECT pg_catalog.to_regclass('fpcache_node')").text(0, 0) != nil
  }

  // MARK: Coming and going

  /// Registers the node at the end of the log, and marks its cache to be emptied.
  ///
  /// The mark is set before anything is emptied, so that the log is kept for the node meanwhile.
  /// - Throws: ``DatabaseError``.
  package func register(as token: String) throws(DatabaseError) {
    let registered = try connection.query(
      """
      INSERT INTO fpcache_node (name, token, cursor) SELECT $1, $2, last_id FROM fpcache_head \
      ON CONFLICT (name) DO UPDATE SET token = excluded.token, cursor = excluded.cursor, \
      must_empty = true, registered = pg_catalog.now(), seen_at = pg_catalog.now() \
      RETURNING \(Self.waitForDisk)
      """, [node.name, token])
    guard registered.count == 1 else { throw .refused(.noHead) }
  }

  /// The token of the cache that owns the cursor; nil when no node of that name is registered.
  /// - Throws: ``DatabaseError``.
  package func token() throws(DatabaseError) -> String? {
    let rows = try connection.query(
      "SELECT token FROM fpcache_node WHERE name \(Builtin.equal) $1", [node.name])
    return rows.count > 0 ? rows.text(0, 0) : nil
  }

  /// Replaces a token. If several callers come with the same old one, only one succeeds: the row's lock makes the
  /// others look again.
  /// - Returns: whether the old one was still there.
  /// - Throws: ``DatabaseError``.
  package func renew(_ old: String, as token: String) throws(DatabaseError) -> Bool {
    try connection.query(
      """
      UPDATE fpcache_node SET token = $3, seen_at = pg_catalog.now() WHERE \(Self.isOurs) \
      RETURNING \(Self.waitForDisk)
      """, [node.name, old, token]
    ).count == 1
  }

  /// The state directory forgets the old token afterwards, so the server must keep the new one.
  private static let waitForDisk = "pg_catalog.set_config('synchronous_commit', 'local', true)"

  /// The condition for this node's row of fpcache_node: $1 is the name, $2 is the token.
  static let isOurs = "name \(Builtin.equal) $1 AND token \(Builtin.equal) $2"

  /// Notes that the cache has been emptied.
  /// - Throws: ``DatabaseError``.
  package func noteEmptied() throws(DatabaseError) {
    try connection.query(
      """
      UPDATE fpcache_node SET must_empty = false, seen_at = pg_catalog.now() WHERE \(Self.isOurs)
      """, [node.name, node.token])
  }

  // MARK: Reading

  /// Reads what comes after the node's cursor, cursor and rows in one snapshot. The log's numbers have no gaps, so a
  /// missing row is one that the node would never see.
  ///
  /// - Parameter position: where to continue if the cursor was not moved, as in a dry run.
  /// - Throws: ``DatabaseError``.
  package func read(after position: Int64?, limit: Int) throws(DatabaseError) -> LogReading {
    let rows = try connection.query(
      """
      SELECT row.id, row.queue, node.cursor, node.token \(Builtin.equal) $2, \
      node.must_empty, least(head.trimmed_to, head.last_id), head.mover, head.last_id, \(keyColumns) \
      FROM (VALUES (true)) AS one LEFT JOIN fpcache_head AS head ON true \
      LEFT JOIN fpcache_node AS node ON node.name \(Builtin.equal) $1 LEFT JOIN LATERAL \
      (SELECT id, queue, key FROM fpcache_log \
      WHERE id \(Builtin.greater) greatest(node.cursor, $3::bigint) AND id \(Builtin.atMost) head.last_id \
      ORDER BY id LIMIT $4::bigint) AS row ON true ORDER BY row.id
      """, [node.name, node.token, position.map(String.init), String(limit)])
    guard rows.count > 0, let last = rows.integer(0, 7) else { throw .refused(.noHead) }
    guard let cursor = rows.integer(0, 2) else { return .unregistered }
    guard rows.text(0, 3) == "t" else { return .taken }
    if let trimmed = rows.integer(0, 5), cursor < trimmed {
      // Other roles may write both, so the values cannot be trusted.
      let (gone, isMore) = trimmed.subtractingReportingOverflow(cursor)
      return .lost(isMore ? .max : gone)
    }
    if cursor > last { return .another }
    let start = max(cursor, position ?? cursor)
    let gone = missing(rows, after: start, upTo: last, limit)
    if gone > 0 { return .lost(gone) }
    if let table = otherColumns(rows) { return .otherColumns(table.name) }
    return .batch(
      LogBatch(
        rows: logged(rows, keyAt: 8), cursor: cursor,
        last: rows.integer(rows.count - 1, 0) ?? start,
        mover: rows.text(0, 6), mustEmpty: rows.text(0, 4) == "t"))
  }

  /// How many rows are missing from the log.
  private func missing(
    _ rows: Rows, after start: Int64, upTo last: Int64, _ limit: Int
  ) -> Int64 {
    // A log without rows gives one row of NULLs.
    let found = rows.text(0, 0) == nil ? 0 : rows.count
    let end = found < limit ? last : rows.integer(found - 1, 0) ?? last
    let (span, isMore) = end.subtractingReportingOverflow(start)
    return isMore ? .max : max(0, span - Int64(found))
  }

  /// The queue that has a row with other columns; nil when there is none.
  private func otherColumns(_ rows: Rows) -> QueueTable? {
    var known: String?
    for number in 0..<rows.count {
      guard let name = rows.text(number, 1), name != known else { continue }
      known = name
      let table = name.prefix { $0 != "(" }
      if !tables.contains(where: { $0.nameInLog == name }),
        let other = tables.first(where: { $0.name == table })
      {
        return other
      }
    }
    return nil
  }

  /// Moves the cursor behind a batch, and keeps those of its rows that could not be cleared. If the log has been
  /// trimmed meanwhile, these rows are not there to be kept: the cursor stays where it is, and is lost.
  /// - Returns: false in that case, or when another listener of this name has moved the cursor.
  /// - Throws: ``DatabaseError``.
  package func advance(
    behind batch: LogBatch, owing rows: [QueueRow]
  ) throws(DatabaseError) -> Bool {
    // The usual batch owes nothing: half the statement takes half the server's time, and every node sends it.
    guard !rows.isEmpty else {
      return try connection.query(
        "\(Self.advance) RETURNING 1",
        [node.name, node.token, String(batch.cursor), String(batch.last)]
      ).count == 1
    }
    let advance = try connection.query(
      """
      WITH moved AS (\(Self.advance) \
      AND (SELECT trimmed_to FROM fpcache_head) \(Builtin.atMost) $3::bigint RETURNING name), \
      owed AS (INSERT INTO fpcache_owed (node, id, queue, key, moved_at) \
      SELECT moved.name, row.id, row.queue, row.key, row.moved_at FROM fpcache_log AS row CROSS JOIN moved \
      WHERE row.id \(Builtin.equal) ANY ($5::bigint[]) ON CONFLICT DO NOTHING) \
      SELECT pg_catalog.count(*) FROM moved
      """,
      [
        node.name, node.token, String(batch.cursor), String(batch.last),
        "{\(rows.map(\.position).joined(separator: ","))}",
      ])
    return advance.integer(0, 0) == 1
  }

  /// Moves the cursor from $3 to $4.
  private static let advance = """
    UPDATE fpcache_node SET cursor = $4::bigint, seen_at = pg_catalog.now() \
    WHERE \(isOurs) AND cursor \(Builtin.equal) $3::bigint
    """

  // MARK: What could not be cleared

  /// The rows that the node has passed and could not clear, after a given row; nil begins at the start.
  /// - Throws: ``DatabaseError``.
  package func owed(after position: String?, limit: Int) throws(DatabaseError) -> [QueueRow] {
    let rows = try connection.query(
      """
      SELECT id, queue, \(keyColumns) FROM fpcache_owed AS row \
      WHERE node \(Builtin.equal) $1 AND id \(Builtin.greater) coalesce($2::bigint, 0::bigint) ORDER BY id LIMIT $3::bigint
      """, [node.name, position, String(limit)])
    return logged(rows, keyAt: 2)
  }

  /// Rows of the log or of the owed rows. Their first columns are `id` and `queue`.
  private func logged(_ rows: Rows, keyAt keyColumn: Int) -> [QueueRow] {
    (0..<rows.count).compactMap { logged(rows, $0, keyAt: keyColumn) }
  }

  /// One of these rows; nil when there is none.
  func logged(_ rows: Rows, _ number: Int, keyAt keyColumn: Int) -> QueueRow? {
    guard rows.text(number, 0) != nil, let name = rows.text(number, 1) else { return nil }
    let table = tables.first { $0.nameInLog == name } ?? QueueTable.unknown(name)
    return QueueRow(rows, number, table, positionAt: 0, keyAt: keyColumn)
  }

  /// Removes owed rows that are now cleared.
  /// - Throws: ``DatabaseError``.
  package func forgive(_ rows: [QueueRow]) throws(DatabaseError) {
    guard !rows.isEmpty else { return }
    try connection.query(
      "DELETE FROM fpcache_owed WHERE node \(Builtin.equal) $1 AND id \(Builtin.equal) ANY ($2::bigint[])",
      [node.name, "{\(rows.map(\.position).joined(separator: ","))}"])
  }

  // MARK: Moving

  /// Makes this node the mover, unless the mover is now another one than expected. Notifies the other nodes.
  /// - Throws: ``DatabaseError``.
  package func claim(from mover: String) throws(DatabaseError) -> Bool {
    let claimed = try connection.query(
      """
      WITH claimed AS (UPDATE fpcache_head SET mover = $1 WHERE mover \(Builtin.equal) $2 RETURNING 1) \
      SELECT pg_catalog.pg_notify('\(NodeSchema.channel)', '') FROM claimed
      """, [node.name, mover])
    return claimed.count == 1
  }

  /// Deletes the rows that every node has cleared, and the rows beyond the age or the number that the log must keep.
  /// The mark is set first, so that a node that still needs a row knows that it is gone before it goes.
  /// - Returns: whether there is more to delete.
  /// - Throws: ``DatabaseError``.
  package func trim() throws(DatabaseError) -> Bool {
    // A node behind the mark is already lost, and no longer holds up anything. A mark beyond the end would delete rows
    // that are still to come: the bounds may be older than the constraints on them.
    try connection.query(
      """
      UPDATE fpcache_head AS head SET trimmed_to = bound.id FROM (SELECT least( \
      inner_head.last_id, greatest( \
      (SELECT coalesce(pg_catalog.min(cursor), inner_head.last_id) FROM fpcache_node \
      WHERE cursor \(Builtin.atLeast) inner_head.trimmed_to), \
      inner_head.last_id \(Builtin.minus) greatest(inner_head.keep_rows, 0), \
      (SELECT coalesce(pg_catalog.min(id) \(Builtin.minus) 1, inner_head.last_id) \
      FROM (SELECT id FROM fpcache_log WHERE moved_at \(Builtin.atLeast) (pg_catalog.now() \
      \(Builtin.minus) least(greatest(inner_head.keep_age, '0'), '\(NodeSchema.longestAge)')) \
      ORDER BY id LIMIT 1) AS young))) AS id \
      FROM fpcache_head AS inner_head) AS bound WHERE head.trimmed_to \(Builtin.less) bound.id \
      OR head.trimmed_to \(Builtin.greater) head.last_id
      """)
    let gone = try connection.query(
      """
      DELETE FROM fpcache_log WHERE id \(Builtin.equal) ANY (SELECT id FROM fpcache_log \
      WHERE id \(Builtin.atMost) (SELECT trimmed_to FROM fpcache_head) \
      ORDER BY id LIMIT \(Self.trimmedAtOnce))
      """)
    return gone.changed >= Self.trimmedAtOnce
  }

  /// A trimming statement takes some milliseconds, in which this node clears nothing.
  private static let trimmedAtOnce = 10_000
}

extension Rows {
  /// A number at a row and column.
  func integer(_ row: Int, _ column: Int) -> Int64? {
    text(row, column).flatMap { Int64($0) }
  }
}
