// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener reports about its rechecks.

import Basics

/// The results of this process's rechecks.
package struct RecheckHealth: Equatable {
  /// One page family with a query.
  package struct Family: Equatable {
    package let family: String
    /// Changed keys that were in no queue and are not acknowledged.
    package var missed = 0
    /// The same since the listener's start, including the acknowledged keys.
    package var missedTotal = 0
    /// Changed keys that were not cleared: more at once than may be cleared automatically.
    package var refused = 0
    /// Why the query cannot be asked; nil where it can.
    package var problem: String?

    package init(_ family: String) { self.family = family }
  }

  /// When the last recheck ended, in nanoseconds since the epoch; nil before the first.
  package var at: Int64?
  package var seconds = 0.0
  /// The number of cleared keys.
  package var keys = 0
  package var families: [Family] = []

  package init() {}
}

extension RecheckHealth {
  var json: JSON {
    .object([
      ("at", at.map { .string(timestamp($0)) } ?? .null), ("duration_seconds", .number(seconds)),
      ("keys", .integer(keys)),
      (
        "families",
        .array(
          families.map { family in
            .object([
              ("family", .string(family.family)), ("missed", .integer(family.missed)),
              ("refused", .integer(family.refused)),
              ("problem", family.problem.map(JSON.string) ?? .null),
            ])
          })
      ),
    ])
  }

  /// Reads the form of the status file.
  init?(_ json: JSON) {
    guard json["keys"] != nil else { return nil }
    at = json["at"]?.string.flatMap(parseTimestamp)
    keys = count(json["keys"])
    families = (json["families"]?.elements ?? []).compactMap { entry in
      guard let name = entry["family"]?.string else { return nil }
      var family = Family(name)
      family.missed = count(entry["missed"])
      family.refused = count(entry["refused"])
      family.problem = entry["problem"]?.string
      return family
    }
  }

  /// Adds nothing when there is no recheck.
  func add(to text: inout PrometheusText) {
    guard !families.isEmpty else { return }
    text.add(.recheckedAt, time: at)
    text.add(.recheckedKeys, keys)
    func add(_ metric: Metric, _ value: (Family) -> Int) {
      text.add(metric, families.map { Sample(value($0), $0.family) })
    }
    add(.missedInvalidations, \.missedTotal)
    add(.recheckRefusedKeys, \.refused)
    add(.recheckBroken) { $0.problem == nil ? 0 : 1 }
  }
}

/// A count of the status file; 0 for any other value.
func count(_ json: JSON?) -> Int { Int(clamping: max(0, json?.wholeNumber ?? 0)) }
