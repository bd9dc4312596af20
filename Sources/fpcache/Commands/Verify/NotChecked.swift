// SPDX-License-Identifier: BSD-2-Clause
//
// What an audit should have checked and could not. It never counts as passed, and every output format reports it.

import Basics
import CacheFS
import PGQueue

/// A check that should have been done and could not be.
struct NotChecked: Equatable {
  /// The subject of the check: a family, a table.
  let subject: String
  let codes: [FindingCode]
  /// Why it was not checked; escaped.
  let reason: String
  /// The statements that would let this role check it; nil where a permission is not what is missing.
  var grant: String?

  /// The heading of the text that replaces the finding.
  var heading: String { "\(codes.map(\.rawValue).joined(separator: ", ")) of \(subject)" }

  /// Why the check was skipped, and what would change that.
  var words: String { "not checked: \(reason)\(grant.map { "; \($0)" } ?? "")" }

  var json: JSON {
    .object(
      [
        ("subject", .string(subject)),
        ("codes", .array(codes.map { .string($0.rawValue) })),
        ("message", .string(words)),
      ] + (grant.map { [("grant", .string($0))] } ?? []))
  }
}

extension NotChecked {
  /// Whether it is about a queue that could not be counted.
  var isBacklog: Bool { codes.contains(.backlog) && subject != Self.option }

  /// This entry in the list of queues that were counted.
  var backlog: JSON {
    QueueBacklog.json(subject, problem: "\(reason)\(grant.map { "; \($0)" } ?? "")")
  }

  /// The subject of a check that the operator asked for by name.
  static let option = "--only"
}

extension [NotChecked] {
  /// How many of them the line for a monitor names.
  private static let told = 5

  /// One line: the findings, and then everything that was not checked.
  func line(behind found: String) -> String {
    var text = found
    for item in prefix(Self.told) {
      text += "\(text.hasSuffix(";") ? "" : ";") \(item.heading): \(item.words)"
    }
    return text + (count > Self.told ? "; and \(grouped(count - Self.told)) more not checked" : "")
  }
}

extension TableRights {
  /// The statements that would give a role its missing permissions, escaped for output.
  var shownGrant: String? { grant?.escaped }

  /// Why the table's rows cannot be read.
  var denial: String {
    missing.contains("SELECT") && missing.count == 1
      ? "permission denied for table \(table)" : "permission denied for the schema of \(table)"
  }
}
