// SPDX-License-Identifier: BSD-2-Clause
//
// The rights that a role needs to drain, checked where no row has shown them: nothing is deleted from a queue without
// rows, whether the role may delete or not.

extension Queue {
  /// Those of some tables that the role may not drain. One question for all of them takes one round trip.
  /// - Throws: ``DatabaseError``.
  package func tablesWithoutRights(
    of tables: [QueueTable]
  ) throws(DatabaseError) -> Set<QueueTable> {
    let lacking = try connection.lacking(
      tables.flatMap { table in
        ["SELECT", "DELETE"].map { (table.name, table.reference, $0) }
      })
    return Set(tables.filter { lacking.contains($0.name) })
  }

  /// - Throws: ``DatabaseError``, as if a row had been refused.
  package func requireRights() throws(DatabaseError) {
    if try tablesWithoutRights(of: [table]).isEmpty { return }
    throw .refused(.permissionDenied(for: table.name))
  }
}

extension NodeLog {
  /// What etc/fanout.sql grants.
  private static let rights = [
    ("fpcache_log", ["SELECT", "INSERT", "DELETE"]), ("fpcache_head", ["SELECT", "UPDATE"]),
    ("fpcache_node", ["SELECT", "INSERT", "UPDATE"]),
    ("fpcache_owed", ["SELECT", "INSERT", "DELETE"]),
  ]

  private static let needs = rights.flatMap { table, privileges in
    privileges.map { (table, table, $0) }
  }

  /// What would be refused to the node; nil when it has all rights.
  /// - Throws: ``DatabaseError``.
  package func lackingRight() throws(DatabaseError) -> ServerError? {
    Self.refusal(try connection.lacking(Self.needs))
  }

  /// Notes that the node is running, even without work, and looks at its rights in the same round trip.
  /// - Returns: what would be refused to the node; nil when it has all rights.
  /// - Throws: ``DatabaseError``.
  package func noteSeen() throws(DatabaseError) -> ServerError? {
    Self.refusal(
      try connection.lacking(
        Self.needs,
        beside: """
          WITH seen AS (UPDATE fpcache_node SET seen_at = pg_catalog.now() WHERE \(Self.isOurs))
          """, [node.name, node.token]))
  }

  private static func refusal(_ lacking: [String]) -> ServerError? {
    lacking.first.map { .permissionDenied(for: $0) }
  }
}

extension Connection {
  /// The tables on which a right is missing: `rights` by name, the table as in a statement. Neither needs an escape: they
  /// consist of letters, digits, `_`, `$`, `.` and double quotes.
  /// - Parameters:
  ///   - with: what the statement does besides: a WITH clause, and its parameters.
  fileprivate func lacking(
    _ rights: [(name: String, reference: String, privilege: String)], beside with: String = "",
    _ parameters: [String] = []
  ) throws(DatabaseError) -> [String] {
    let needs = rights.map { "('\($0.name)', '\($0.reference)', '\($0.privilege)')" }
    let lacking = try query(
      """
      \(with) SELECT name FROM (VALUES \(needs.joined(separator: ", "))) AS need (name, reference, privilege) \
      WHERE NOT pg_catalog.has_table_privilege( \
      pg_catalog.to_regclass(reference)::pg_catalog.oid, privilege)
      """, parameters)
    return (0..<lacking.count).compactMap { lacking.text($0, 0) }
  }
}
