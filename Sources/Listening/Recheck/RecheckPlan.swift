// SPDX-License-Identifier: BSD-2-Clause
//
// What to recheck, how often and with which limits, as the configuration sets it.

import Basics
import CacheFS
import PGQueue

/// The configuration of a recheck.
package struct RecheckPlan: Sendable {
  /// How often to look, how far back where it is unknown which transactions may still commit, and how many keys to
  /// clear at most.
  package struct Limits: Equatable, Sendable {
    package static let defaultInterval = Duration.seconds(60)
    package static let defaultOverlap = Duration.seconds(900)
    /// More than the largest of everyday imports touches, and less than a migration of a large table touches.
    package static let defaultMost = 10_000

    package var interval = defaultInterval
    package var overlap = defaultOverlap
    package var most = defaultMost
    /// How long each query may take.
    package var timeout = FamilyQuery.defaultTimeout

    package init() {}
  }

  let queries: [FamilyQuery]
  let limits: Limits
  let place: QueryPlace
  /// The families that some row or event names: a change of another family was not missed.
  let announced: Set<String>
  /// The families that an event empties as a whole.
  let emptied: Set<String>

  /// Nil where there is no query, or rechecks are off.
  package init?(_ queries: [FamilyQuery], _ limits: Limits, of place: QueryPlace) {
    guard !queries.isEmpty, limits.interval > .zero else { return nil }
    self.queries = queries
    self.limits = limits
    self.place = place
    announced = place.announced
    emptied = Set(place.rules.events.flatMap(\.emptied) + place.rules.emptiedAfter)
  }

  var layout: Layout { place.layout }

  var overlap: Int64 { nanoseconds(limits.overlap.seconds) }

  func decision(_ family: FamilyLook) -> ChangeLedger.Decision {
    ChangeLedger.decision(
      family.look.keys, most: limits.most, isEmptiedWhole: emptied.contains(family.query.family))
  }
}
