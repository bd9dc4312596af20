// SPDX-License-Identifier: BSD-2-Clause
//
// How far each node is behind, for monitoring.

/// What a node has not cleared yet.
package struct NodeBacklog: Equatable, Sendable {
  package let name: String
  /// Rows of the log after its cursor.
  package let rows: Int
  /// Seconds since the first row that is left came into the log; nil when no row is left.
  package let age: Double?
  /// Rows that the node has passed and could not clear.
  package let owed: Int
  /// Seconds since the node was last seen.
  package let seen: Double
  /// Rows that were trimmed before the node had read them: it empties its cache when it comes back.
  package let lost: Int
  /// Seconds since the node was registered, while its cache has not been emptied; nil once it has.
  package let emptying: Double?
  /// Whether this node moves rows from the queues into the log.
  package let isMover: Bool

  package init(
    name: String, rows: Int = 0, age: Double? = nil, owed: Int = 0, seen: Double = 0, lost: Int = 0,
    emptying: Double? = nil, isMover: Bool = false
  ) {
    self.name = name
    self.rows = rows
    self.age = age
    self.owed = owed
    self.seen = seen
    self.lost = lost
    self.emptying = emptying
    self.isMover = isMover
  }

  /// Every node, by name; empty when the database is not prepared for nodes.
  /// - Throws: ``DatabaseError``.
  package static func all(on connection: Connection) throws(DatabaseError) -> [NodeBacklog] {
    guard try NodeLog.isThere(on: connection) else { return [] }
    let rows = try connection.query(statement)
    if rows.count == 0, try connection.query("SELECT FROM fpcache_head").count == 0 {
      throw .refused(.noHead)
    }
    return (0..<rows.count).compactMap { row in
      guard let name = rows.text(row, 0) else { return nil }
      return NodeBacklog(
        name: name, rows: rows.integer(row, 1).map(Int.init) ?? 0,
        age: rows.text(row, 2).flatMap { Double($0) },
        owed: rows.integer(row, 3).map(Int.init) ?? 0,
        seen: rows.text(row, 4).flatMap { Double($0) } ?? 0,
        lost: rows.integer(row, 5).map(Int.init) ?? 0,
        emptying: rows.text(row, 6).flatMap { Double($0) }, isMover: rows.text(row, 7) == "t")
    }
  }

  /// A cursor beyond the end of the log is lost, like a cursor before its beginning.
  private static let statement = """
    SELECT node.name, greatest(head.last_id \(Builtin.minus) node.cursor, 0), \
    (SELECT extract(epoch FROM pg_catalog.now() \(Builtin.minus) moved_at) FROM fpcache_log \
    WHERE id \(Builtin.greater) node.cursor ORDER BY id LIMIT 1), \
    (SELECT pg_catalog.count(*) FROM fpcache_owed WHERE fpcache_owed.node \(Builtin.equal) node.name), \
    extract(epoch FROM pg_catalog.now() \(Builtin.minus) node.seen_at), \
    greatest(least(head.trimmed_to, head.last_id) \(Builtin.minus) node.cursor, \
    node.cursor \(Builtin.minus) head.last_id, 0), \
    CASE WHEN node.must_empty \
    THEN extract(epoch FROM pg_catalog.now() \(Builtin.minus) node.registered) END, \
    node.name \(Builtin.equal) head.mover \
    FROM fpcache_node AS node CROSS JOIN fpcache_head AS head ORDER BY node.name
    """
}
