// SPDX-License-Identifier: BSD-2-Clause
//
// The backlog of a queue as JSON: one shape in every document.

import Basics

extension QueueBacklog {
  /// Why a queue has no numbers when this database does not have its table.
  package static let noSuchTable = "this database has no such table"

  package var json: JSON {
    .object([
      ("queue", .string(table.name)), ("rows", .integer(rows)),
      ("oldest_age_seconds", rows > 0 ? oldestAge.map(JSON.number) ?? .null : .null),
      ("problem", .null),
    ])
  }

  /// A queue that could not be counted.
  /// - Parameter problem: the reason, safe to show.
  package static func json(_ queue: String, problem: String) -> JSON {
    .object([
      ("queue", .string(queue)), ("rows", .null), ("oldest_age_seconds", .null),
      ("problem", .string(problem)),
    ])
  }
}
