// SPDX-License-Identifier: BSD-2-Clause
//
// The rights that a role needs to drain, checked where no row has shown them: nothing is deleted from a queue without
// rows, whether the role may delete or not.

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
  /// Checks each right on a table: `rights` by name, the table as in a statement. Neither needs an escape: they consist
  /// of letters, digits, `_`, `$`, `.` and double quotes.
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
