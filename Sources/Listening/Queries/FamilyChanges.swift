// SPDX-License-Identifier: BSD-2-Clause
//
// Runs one of the site's own queries and reports what is wrong with it: for an audit, and for the listener.

import Basics
import CacheFS
import PGQueue

/// When the pages of one family were last changed, as its query in `[verify]` reports.
package struct FamilyChanges {
  /// Nil when the query is unusable.
  package private(set) var table: ChangeTable?
  /// What is wrong with the query, as a predicate ("gives no row"); nil when the query is usable.
  package private(set) var problem: String?

  /// - Parameters:
  ///   - mostKeys: a query that gives more keys is unusable, and is not read to its end.
  ///   - patience: how long reading all of the rows may take; nil for no limit.
  /// - Throws: ``DatabaseError``.
  package init(
    _ query: FamilyQuery, _ layout: Layout, timeout: Duration, mostKeys: Int = .max,
    patience: Duration? = nil, on connection: Connection
  ) throws(DatabaseError) {
    var table: ChangeTable?
    var problem: String?
    let deadline = patience.map { ContinuousClock.now + $0 }
    var rows = 0
    try ChangeQuery(query.sql, timeout: timeout).run(on: connection) { columns, hasTime in
      (table, problem) = Self.table(query, layout, columns, hasTime)
      return table != nil
    } row: { row in
      rows += 1
      if rows % 4096 == 0, let deadline, let patience, deadline <= .now {
        problem = "gives rows for longer than \(patience.text)"
        return false
      }
      table?.add(row.values, changed: row.changed.map(nanoseconds))
      guard (table?.count ?? 0) > mostKeys else { return true }
      problem = "gives more than \(grouped(mostKeys)) keys"
      return false
    }
    if problem != nil { table = nil }
    self.table = table
    self.problem = problem
  }

  private static func table(
    _ query: FamilyQuery, _ layout: Layout, _ columns: [String], _ hasTime: Bool
  ) -> (ChangeTable?, problem: String?) {
    guard hasTime else { return (nil, "has no column \(ChangeQuery.timeColumn)") }
    do throws(ChangeTable.Problem) {
      return (try ChangeTable(query.family, columns, layout), nil)
    } catch {
      switch error {
      case .unknownFamily: return (nil, "is for a family that the layout does not have")
      case .unknownField(let field, let family):
        let fields = layout.family(named: family)?.fieldNames ?? []
        return (
          nil,
          "has a column \(escape(Array(field.utf8))), which is not a field of \(family); expected "
            + "some of \((fields + [ChangeQuery.timeColumn]).joined(separator: ", "))"
        )
      }
    }
  }
}
