// SPDX-License-Identifier: BSD-2-Clause
//
// What to scrub, how often and with which bounds: what the configuration makes of it.

import CacheFS

/// A scrub as the configuration has it.
package struct ScrubPlan: Sendable {
  /// What is done with what is found.
  package enum Mode: String, CaseIterable, Sendable {
    case clear
    case report
  }

  package struct Limits: Equatable, Sendable {
    package static let defaultInterval = Duration.seconds(86_400)
    /// What a forgotten trigger leaves in a day, and less than what a wrong clock would clear.
    package static let defaultMost = 1000

    package var interval = defaultInterval
    package var most = defaultMost
    package var mode = Mode.clear
    /// How long each query may take.
    package var timeout = FamilyQuery.defaultTimeout

    package init() {}
  }

  let queries: [FamilyQuery]
  let limits: Limits
  let place: QueryPlace
  /// The families that some row or event tells of: a page of them that is stale was missed.
  let announced: Set<String>

  /// Nil where there is nothing to ask, or it is not wanted.
  package init?(_ queries: [FamilyQuery], _ limits: Limits, of place: QueryPlace) {
    // Pages that no visitor re-creates are for the audit to tell of.
    let queries = queries.filter { ChangedPages.mayClear($0.family, place.layout) }
    guard !queries.isEmpty, limits.interval > .zero else { return nil }
    self.queries = queries
    self.limits = limits
    self.place = place
    announced = place.announced
  }
}
