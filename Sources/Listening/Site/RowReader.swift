// SPDX-License-Identifier: BSD-2-Clause
//
// What a queue's row asks to clear, or why it asks for nothing.

import Basics
import CacheFS
import PGQueue

/// Why a row names nothing that can be cleared. No path is ever built from such a row.
package enum RowProblem: Error, Equatable {
  case unknownQueue
  case row(KeyRule.Problem)

  /// What rows have in common that are reported in one line.
  var kind: String {
    switch self {
    case .unknownQueue: "queue"
    case .row(.null): "null"
    case .row(.badDate): "date"
    case .row(.relative): "relative"
    case .row(.badKey(.badValue(_, let field, _))): field
    case .row(.badKey): "key"
    }
  }

  var explanation: String {
    switch self {
    case .unknownQueue: "belongs to a queue that this version does not know"
    case .row(.null): "holds NULL"
    case .row(.badDate(let text)): "\"\(excerpt(text))\" is not a day of the calendar"
    case .row(.relative(let path)): "\"\(excerpt(path))\" is not a path that begins with a slash"
    case .row(.badKey(let error)): error.explanation
    }
  }
}

/// Finds the rule for one row after the other: nearly always the rule of the previous row.
package struct RowReader {
  private let rules: SiteRules
  private var current: QueueRule?

  package init(_ rules: SiteRules) { self.rules = rules }

  /// The pages that the row names.
  /// - Throws: ``RowProblem``.
  package mutating func pages(_ row: QueueRow) throws(RowProblem) -> [CacheKey] {
    if current?.table != row.table { current = rules.queue(row.table) }
    guard let current else { throw .unknownQueue }
    do throws(KeyRule.Problem) { return try current.keys.keys(row.key) } catch { throw .row(error) }
  }
}
