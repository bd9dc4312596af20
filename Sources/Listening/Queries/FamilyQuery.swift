// SPDX-License-Identifier: BSD-2-Clause
//
// The site's own query for one page family.

/// The site's own SQL for one family: keys, and when each last changed.
package struct FamilyQuery: Equatable, Sendable {
  /// An aggregate over a million commits takes seconds; a query that takes longer than this is stuck.
  package static let defaultTimeout = Duration.seconds(120)

  package let family: String
  package let sql: String
  /// `FILE:LINE` of the query.
  package let place: String

  package init(family: String, sql: String, place: String) {
    self.family = family
    self.sql = sql
    self.place = place
  }
}
