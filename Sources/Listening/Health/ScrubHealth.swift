// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener reports about its scrubs.

import Basics

/// The result of the last scrub.
package struct ScrubHealth: Equatable {
  /// One page family with a query.
  package struct Family: Equatable {
    package let family: String
    /// Pages that were out of date.
    package var found = 0
    /// The out-of-date pages that were cleared.
    package var cleared = 0
    /// The out-of-date pages that were not cleared, since all families together had more than SCRUB_MOST.
    package var refused = 0
    /// Pages that any scrub has found, that should have been queued, and that are not acknowledged.
    package var missed = 0
    /// Pages cleared since the listener's start.
    package var clearedTotal = 0
    /// Why the family could not be compared; nil where it could.
    package var problem: String?

    package init(_ family: String) { self.family = family }
  }

  /// When the scrub ended, in nanoseconds since the epoch; nil before the first.
  package var at: Int64?
  package var seconds = 0.0
  /// The number of pages that were compared.
  package var pages = 0
  package var families: [Family] = []

  package init() {}

  package var cleared: Int { sum(\.cleared) }
  package var refused: Int { sum(\.refused) }

  private func sum(_ value: (Family) -> Int) -> Int {
    families.reduce(0) { Int(clampedSum(Int64($0), Int64(value($1)))) }
  }
}

extension ScrubHealth {
  var json: JSON {
    .object([
      ("at", at.map { .string(timestamp($0)) } ?? .null), ("duration_seconds", .number(seconds)),
      ("pages", .integer(pages)), ("cleared", .integer(cleared)), ("refused", .integer(refused)),
      (
        "families",
        .array(
          families.map { family in
            .object([
              ("family", .string(family.family)), ("found", .integer(family.found)),
              ("cleared", .integer(family.cleared)), ("refused", .integer(family.refused)),
              ("missed", .integer(family.missed)),
              ("problem", family.problem.map(JSON.string) ?? .null),
            ])
          })
      ),
    ])
  }

  /// Reads the form of the status file.
  init?(_ json: JSON) {
    guard json["pages"] != nil else { return nil }
    at = json["at"]?.string.flatMap(parseTimestamp)
    pages = count(json["pages"])
    families = (json["families"]?.elements ?? []).compactMap { entry in
      guard let name = entry["family"]?.string else { return nil }
      var family = Family(name)
      family.found = count(entry["found"])
      family.cleared = count(entry["cleared"])
      family.refused = count(entry["refused"])
      family.missed = count(entry["missed"])
      family.problem = entry["problem"]?.string
      return family
    }
  }

  /// Adds nothing when there is no scrub.
  func add(to text: inout PrometheusText) {
    guard !families.isEmpty else { return }
    text.add(.scrubbedAt, time: at)
    text.add(.scrubSeconds, seconds)
    text.add(.scrubbedPages, pages)
    func add(_ metric: Metric, _ value: (Family) -> Int) {
      text.add(metric, families.map { Sample(value($0), $0.family) })
    }
    add(.scrubClearedPages, \.clearedTotal)
    add(.scrubRefusedPages, \.refused)
    add(.scrubBroken) { $0.problem == nil ? 0 : 1 }
  }
}
