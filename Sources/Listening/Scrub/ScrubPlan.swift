// SPDX-License-Identifier: BSD-2-Clause
//
// What to scrub, how often and with which limits, as the configuration sets it.

import CacheFS

/// The configuration of a scrub.
package struct ScrubPlan: Sendable {
  /// What to do with the findings.
  package enum Mode: String, CaseIterable, Sendable {
    case clear
    case report
  }

  package struct Limits: Equatable, Sendable {
    package static let defaultInterval = Duration.seconds(86_400)
    /// As many pages as a forgotten trigger leaves in a day, and fewer than a wrong clock would clear.
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
  /// The families that some row or event names: a stale page of one of them was missed.
  let announced: Set<String>

  /// Nil where there is no query, or scrubs are off.
  package init?(_ queries: [FamilyQuery], _ limits: Limits, of place: QueryPlace) {
    // Only the audit reports pages that no visitor creates again.
    let queries = queries.filter { ChangedPages.mayClear($0.family, place.layout) }
    guard !queries.isEmpty, limits.interval > .zero else { return nil }
    self.queries = queries
    self.limits = limits
    self.place = place
    announced = place.announced
  }
}
