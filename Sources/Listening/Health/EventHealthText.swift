// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener reports about its events, for the status file and the metrics file.

import Basics

extension EventHealth {
  package var json: JSON {
    .object([
      ("written", .integer(written)), ("failures", .integer(failures)),
      ("problem", problem.map { .string(withoutControls($0)) } ?? .null),
    ])
  }

  /// Reads the form of the status file.
  init?(_ json: JSON) {
    guard json["written"] != nil else { return nil }
    written = count(json["written"])
    failures = count(json["failures"])
    problem = json["problem"]?.string
  }

  func add(to text: inout PrometheusText) {
    text.add(.eventsWritten, written)
    text.add(.eventFailures, failures)
    text.add(.eventsBlocked, problem == nil ? 0 : 1)
  }
}
