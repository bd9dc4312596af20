// SPDX-License-Identifier: BSD-2-Clause
//
// Moves rows from a queue into the log of many nodes: in one round trip, so that the queue's lock is held no longer
// than the server needs.

extension NodeLog {
  /// Moves rows of a queue into the log, under the queue's lock. By then, every writer that saw them has committed. So
  /// what is cleared afterwards is also cleared for the writers that added no row.
  /// - Parameter rows: the rows to move, if they are still there; rows that a trigger keeps are not moved.
  /// - Returns: the number of moved rows; nil when a lock was not available, or another node is moving rows.
  /// - Throws: ``DatabaseError``; when the log has no head, no row has left its queue.
  package func move(_ rows: [QueueRow], of table: QueueTable) throws(DatabaseError) -> Int? {
    let conditions = table.conditions(rows.compactMap(\.version))
    guard !conditions.isEmpty else { return 0 }
    let condition = conditions.map { "(\($0))" }.joined(separator: " OR ")
    if connection.catchesErrors {
      do throws(DatabaseError) {
        return try moveQuietly(condition, of: table)
      } catch {
        guard case .refused(let reason) = error, reason.isOfMissingLanguage else { throw error }
        let moved = try moveLoudly(condition, of: table)
        connection.catchesErrors = false
        return moved
      }
    }
    return try moveLoudly(condition, of: table)
  }

  /// A lock that is not available leaves no line in the server's log.
  private func moveQuietly(
    _ condition: String, of table: QueueTable
  ) throws(DatabaseError) -> Int? {
    let block = QuietBlock.script([
      table.lockStatement, "PERFORM FROM fpcache_head FOR UPDATE",
      """
      \(moveStatement(condition, of: table)) SELECT pg_catalog.count(*) INTO fpcache_count FROM added
      """,
      "IF fpcache_count \(Builtin.greater) 0 THEN PERFORM \(Self.notification); END IF",
    ])
    let outcome = try inTransaction(
      "\(table.beginScript(.compile)); \(block); \(QuietBlock.outcomeStatement); \(Self.headStatement)"
    )
    guard let head = outcome.last, let result = outcome.dropLast().last,
      result.text(0, 0) != "on"
    else { return nil }
    guard head.text(0, 0) == "t" else { throw .refused(.noHead) }
    return result.integer(0, 1).map(Int.init) ?? 0
  }

  private func moveLoudly(
    _ condition: String, of table: QueueTable
  ) throws(DatabaseError) -> Int? {
    let outcome: [Rows]
    do throws(DatabaseError) {
      outcome = try inTransaction(
        """
        \(table.beginScript(.compile)); \(table.lockStatement); SELECT FROM fpcache_head FOR UPDATE; \
        \(moveStatement(condition, of: table)) SELECT pg_catalog.count(*), \
        CASE WHEN pg_catalog.count(*) \(Builtin.greater) 0 THEN \(Self.notification) END FROM added; \
        \(Self.headStatement)
        """)
    } catch {
      guard case .refused(let reason) = error, reason.isLockTimeout else { throw error }
      return nil
    }
    guard outcome.last?.text(0, 0) == "t" else { throw .refused(.noHead) }
    return outcome.dropLast().last?.integer(0, 0).map(Int.init) ?? 0
  }

  /// - Returns: the answers, except the answer to the commit.
  private func inTransaction(_ script: String) throws(DatabaseError) -> [Rows] {
    do throws(DatabaseError) {
      return try Array(connection.script("\(script); COMMIT").dropLast())
    } catch {
      guard case .refused = error else { throw error }
      try connection.script("ROLLBACK")
      throw error
    }
  }

  private static let headStatement = "SELECT EXISTS (SELECT FROM fpcache_head)"
  private static let notification = "pg_catalog.pg_notify('\(NodeSchema.channel)', '')"

  /// The beginning of a statement; the caller adds what to select from `added`. It comes after both locks, so its
  /// snapshot is taken after them. It deletes nothing when there is no head to give the rows their numbers. The names
  /// of the node and of the queue consist of characters that need no escape.
  private func moveStatement(_ condition: String, of table: QueueTable) -> String {
    """
    WITH moved AS (DELETE FROM \(table.reference) \
    WHERE EXISTS (SELECT FROM fpcache_head) AND (\(condition)) \
    RETURNING \(table.order.column) AS place, ARRAY[\(table.boundedKey)] AS key), \
    added AS (INSERT INTO fpcache_log (id, queue, key, moved_at) \
    SELECT head.last_id \(Builtin.plus) pg_catalog.row_number() OVER (ORDER BY moved.place), \
    '\(table.nameInLog)', moved.key::pg_catalog.text[], pg_catalog.clock_timestamp() \
    FROM moved CROSS JOIN fpcache_head AS head RETURNING 1), \
    given AS (UPDATE fpcache_head SET \
    last_id = last_id \(Builtin.plus) (SELECT pg_catalog.count(*) FROM moved), \
    mover = '\(node.name)' WHERE EXISTS (SELECT FROM moved))
    """
  }
}
