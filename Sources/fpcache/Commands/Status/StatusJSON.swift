// SPDX-License-Identifier: BSD-2-Clause
//
// `status` as JSON (docs/json.md).

import Basics
import Listening
import PGQueue

extension StatusReport {
  func json(_ judgment: Judgment) -> JSON {
    var members: [(String, JSON)] = [
      ("version", .integer(1)), ("at", .string(timestamp(at))),
      ("state", .string(judgment.state.rawValue)),
      ("exit_status", .integer(Int(judgment.severity.rawValue))),
      ("since", judgment.since.map { .string(timestamp($0)) } ?? .null),
      (
        "verdict",
        .array(
          judgment.symptoms.map {
            .object([
              ("severity", .string($0.verdictSeverity.rawValue)), ("text", .string($0.text)),
            ])
          })
      ),
    ]
    members += database.json(rules)
    if let json = statusFile.json(age) { members.append(("status_file", json)) }
    return .object(members)
  }
}

extension Judgment.Symptom {
  /// The severity as the verdict of `stats` shows it.
  fileprivate var verdictSeverity: Verdict.Severity {
    switch severity {
    case .ok: .good
    case .unknown: .waiting
    case .warning, .critical: .bad
    }
  }
}
