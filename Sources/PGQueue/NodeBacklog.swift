// How far each node is behind, for those who watch.

/// What a node has not cleared yet.
public struct NodeBacklog: Equatable, Sendable {
  public let name: String
  /// Rows of the log after its cursor.
  public let rows: Int
  /// Seconds since the first of them came into the log; nil when there is none.
  public let age: Double?
  /// Rows that it has passed and could not clear.
  public let owed: Int
  /// Seconds since it was last seen.
  public let seen: Double
  /// Rows that were trimmed before it had seen them: it empties its cache when it comes back.
  public let lost: Int
  /// Whether its cache has to be emptied and has not been.
  public let mustEmpty: Bool
  /// Whether it is the one that moves rows from the queues into the log.
  public let isMover: Bool

  public init(
    name: String, rows: Int, age: Double?, owed: Int, seen: Double, lost: Int, mustEmpty: Bool,
    isMover: Bool
  ) {
    self.name = name
    self.rows = rows
    self.age = age
    self.owed = owed
    self.seen = seen
    self.lost = lost
    self.mustEmpty = mustEmpty
    self.isMover = isMover
  }

  /// Every node, by name; none where the database knows of no nodes.
  /// - Throws: ``DatabaseError``.
  public static func all(on connection: Connection) throws(DatabaseError) -> [NodeBacklog] {
    guard try connection.query("SELECT to_regclass('fpcache_node')").text(0, 0) != nil else {
      return []
    }
    let rows = try connection.query(statement)
    return (0..<rows.count).compactMap { row in
      guard let name = rows.text(row, 0) else { return nil }
      return NodeBacklog(
        name: name, rows: rows.integer(row, 1).map(Int.init) ?? 0,
        age: rows.text(row, 2).flatMap { Double($0) },
        owed: rows.integer(row, 3).map(Int.init) ?? 0,
        seen: rows.text(row, 4).flatMap { Double($0) } ?? 0,
        lost: rows.integer(row, 5).map(Int.init) ?? 0, mustEmpty: rows.text(row, 6) == "t",
        isMover: rows.text(row, 7) == "t")
    }
  }

  private static let statement = """
    SELECT node.name, head.last_id - node.cursor, \
    (SELECT extract(epoch FROM now() - moved_at) FROM fpcache_log \
    WHERE id > node.cursor ORDER BY id LIMIT 1), \
    (SELECT count(*) FROM fpcache_owed WHERE fpcache_owed.node = node.name), \
    extract(epoch FROM now() - node.seen_at), greatest(head.trimmed_to - node.cursor, 0), \
    node.must_empty, node.name = head.mover \
    FROM fpcache_node AS node CROSS JOIN fpcache_head AS head ORDER BY node.name
    """
}
