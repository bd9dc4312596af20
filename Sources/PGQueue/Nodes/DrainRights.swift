// SPDX-License-Identifier: BSD-2-Clause
//
// What a role needs to drain, asked where no row has shown it: from a queue without rows nothing is
// deleted, whether the role may delete or not.

extension Queue {
  /// - Throws: ``DatabaseError``, as if a row had been refused.
  package func requireRights() throws(DatabaseError) {
    try connection.require(["SELECT", "DELETE"].map { (table.name, table.reference, $0) })
  }
}

extension NodeLog {
  /// What etc/fanout.sql grants.
  private static let rights = [
    ("fpcache_log", ["SELECT", "INSERT", "DELETE"]), ("fpcache_head", ["SELECT", "UPDATE"]),
    ("fpcache_node", ["SELECT", "INSERT", "UPDATE"]),
    ("fpcache_owed", ["SELECT", "INSERT", "DELETE"]),
  ]

  /// - Throws: ``DatabaseError``, as if a statement had been refused.
  package func requireRights() throws(DatabaseError) {
    try connection.require(
      Self.rights.flatMap { table, privileges in privileges.map { (table, table, $0) } })
  }
}

extension Connection {
  /// Each right on a table, by its name and as a statement has it. Neither needs an escape: they are
  /// letters, digits, `_`, `$`, `.` and double quotes.
  fileprivate func require(
    _ rights: [(name: String, reference: String, privilege: String)]
  ) throws(DatabaseError) {
    let needs = rights.map { "('\($0.name)', '\($0.reference)', '\($0.privilege)')" }
    let lacking = try query(
      """
      SELECT name FROM (VALUES \(needs.joined(separator: ", "))) AS need (name, reference, privilege) \
      WHERE NOT pg_catalog.has_table_privilege( \
      pg_catalog.to_regclass(reference)::pg_catalog.oid, privilege)
      """)
    guard let table = lacking.text(0, 0) else { return }
    throw .refused(.permissionDenied(for: table))
  }
}
