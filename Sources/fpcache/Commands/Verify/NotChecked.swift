// SPDX-License-Identifier: BSD-2-Clause
//
// What an audit was to look for and could not: never a pass, and said in every format.

import Basics
import CacheFS
import PGQueue

/// Something that was to be looked for and could not be.
struct NotChecked: Equatable {
  /// What it is about: a family, a table.
  let subject: String
  let codes: [FindingCode]
  /// Why not; escaped.
  let reason: String
  /// The statements that would let this role look; nil where that is not what is missing.
  var grant: String?

  /// What is told in its place.
  var heading: String { "\(codes.map(\.rawValue).joined(separator: ", ")) of \(subject)" }

  /// Why it was left out, and what would change that.
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
  /// Whether it is a queue that could not be counted.
  var isBacklog: Bool { codes.contains(.backlog) && subject != Self.option }

  /// The same among the queues that were.
  var backlog: JSON {
    QueueBacklog.json(subject, problem: "\(reason)\(grant.map { "; \($0)" } ?? "")")
  }

  /// The subject of what was asked for by name.
  static let option = "--only"
}

extension [NotChecked] {
  /// How many of them a monitor's line tells.
  private static let told = 5

  /// What was found, and all that was not looked for, in one line.
  func line(behind found: String) -> String {
    var text = found
    for item in prefix(Self.told) {
      text += "\(text.hasSuffix(";") ? "" : ";") \(item.heading): \(item.words)"
    }
    return text + (count > Self.told ? "; and \(grouped(count - Self.told)) more not checked" : "")
  }
}

extension TableRights {
  /// What the statements are that a role lacks, fit to be shown.
  var shownGrant: String? { grant?.escaped }

  /// Why its rows cannot be read.
  var denial: String {
    missing.contains("SELECT") && missing.count == 1
      ? "permission denied for table \(table)" : "permission denied for the schema of \(table)"
  }
}
