// SPDX-License-Identifier: BSD-2-Clause
//
// What a role may do with the site's tables, and the GRANT that gives it what it lacks. The server's catalogues show
// every role the rights of every other.

import Basics

/// A role's rights on one table.
package struct TableRights: Equatable, Sendable {
  package let table: String
  package let exists: Bool
  /// The rights that were asked for and that the role lacks: `SELECT`, `DELETE`, ``usage``.
  package let missing: [String]
  /// The statements that grant them, for the table's owner; nil when nothing is missing.
  package let grant: String?

  /// The right that lets a role use the table's schema.
  package static let usage = "USAGE of its schema"

  package init(table: String, exists: Bool, missing: [String] = [], grant: String? = nil) {
    self.table = table
    self.exists = exists
    self.missing = missing
    self.grant = grant
  }

  /// What a role wants to do with a queue.
  package enum Purpose: Sendable {
    /// What a listener does.
    case serve
    case read

    fileprivate var privileges: [String] {
      switch self {
      case .serve: ["SELECT", "DELETE"]
      case .read: ["SELECT"]
      }
    }
  }

  /// The queues and listen_for, in the order in which they are reported.
  /// - Parameter role: the role to check; nil for the current role. A role that does not exist lacks all rights.
  /// - Throws: ``DatabaseError``.
  package static func all(
    of queues: [QueueTable], to purpose: Purpose = .serve, for role: String? = nil,
    on connection: Connection
  ) throws(DatabaseError) -> [TableRights] {
    var all: [TableRights] = []
    for queue in queues {
      all.append(
        try rights(to: purpose.privileges, of: (queue.name, queue.reference), role, connection))
    }
    all.append(try rights(to: ["SELECT"], of: ("listen_for", "listen_for"), role, connection))
    return all
  }

  /// Whether the current role may take rows off one of the queues, as a listener's role must.
  /// - Throws: ``DatabaseError``.
  package static func canServe(
    _ queues: [QueueTable], on connection: Connection
  ) throws(DatabaseError) -> Bool {
    try all(of: queues, on: connection).dropLast().contains {
      $0.exists && !$0.missing.contains("DELETE")
    }
  }

  /// The rights that the current role lacks to read the tables of the nodes, for those tables that exist.
  /// - Throws: ``DatabaseError``.
  package static func ofNodes(on connection: Connection) throws(DatabaseError) -> [TableRights] {
    var all: [TableRights] = []
    for name in ["fpcache_node", "fpcache_head", "fpcache_log", "fpcache_owed"] {
      let rights = try rights(to: ["SELECT"], of: (name, name), nil, connection)
      if rights.exists { all.append(rights) }
    }
    return all
  }

  private static func rights(
    to privileges: [String], of table: (name: String, reference: String), _ role: String?,
    _ connection: Connection
  ) throws(DatabaseError) -> TableRights {
    let columns = privileges.map {
      ", pg_catalog.has_table_privilege(role.oid, found.oid, '\($0)')"
    }
    let rows = try connection.query(statement(columns.joined()), [table.reference, role])
    guard rows.count > 0 else { return TableRights(table: table.name, exists: false) }
    let (place, schema, grantee) = (rows.text(0, 0), rows.text(0, 1), rows.text(0, 2))
    let lacked = privileges.indices.filter { rows.text(0, $0 + 4) != "t" }.map { privileges[$0] }
    let isClosed = rows.text(0, 3) != "t"
    var grants: [String] = []
    if let schema, let grantee, isClosed {
      grants.append("GRANT USAGE ON SCHEMA \(schema) TO \(grantee);")
    }
    if let place, let grantee, !lacked.isEmpty {
      grants.append("GRANT \(lacked.joined(separator: ", ")) ON \(place) TO \(grantee);")
    }
    return TableRights(
      table: table.name, exists: true,
      missing: (isClosed ? [usage] : []) + lacked,
      grant: grants.isEmpty ? nil : grants.joined(separator: " "))
  }

  /// Finds the table by its name as a statement of ours would, or in a schema that we may not use: there to_regclass
  /// would find no table, or fail.
  /// - Parameter columns: the columns to select from `role` and `found`.
  private static func statement(_ columns: String) -> String {
    """
    SELECT found.oid::pg_catalog.regclass::pg_catalog.text, pg_catalog.quote_ident(found.nspname), \
    coalesce(pg_catalog.quote_ident(role.rolname), pg_catalog.quote_ident($2::pg_catalog.text)), \
    pg_catalog.has_schema_privilege(role.oid, found.schema, 'USAGE')\(columns) \
    FROM (SELECT class.oid, nspname, schema.oid AS schema \
    FROM pg_catalog.parse_ident($1) AS parts, pg_catalog.pg_class AS class \
    JOIN pg_catalog.pg_namespace AS schema ON schema.oid \(Builtin.equal) relnamespace \
    WHERE relname \(Builtin.equal) parts[pg_catalog.cardinality(parts)] \
    AND relkind \(Builtin.equal) ANY ('{r,p,v,m,f}'::pg_catalog."char"[]) \
    AND CASE WHEN pg_catalog.cardinality(parts) \(Builtin.greater) 1 THEN nspname \(Builtin.equal) parts[1] \
    ELSE pg_catalog.pg_table_is_visible(class.oid) \
    OR NOT pg_catalog.has_schema_privilege(schema.oid, 'USAGE') END \
    ORDER BY pg_catalog.pg_table_is_visible(class.oid) DESC, nspname LIMIT 1) AS found \
    LEFT JOIN pg_catalog.pg_roles AS role \
    ON rolname \(Builtin.equal) coalesce($2::pg_catalog.text, current_user)
    """
  }
}
