// SPDX-License-Identifier: BSD-2-Clause
//
// What to look for, how often and with which bounds: what the configuration makes of a recheck.

import Basics
import CacheFS
import PGQueue

/// A recheck as the configuration has it.
package struct RecheckPlan: Sendable {
  /// How often, how far back where it is not known what may still commit, and how many keys at most.
  package struct Limits: Equatable, Sendable {
    package static let defaultInterval = Duration.seconds(60)
    package static let defaultOverlap = Duration.seconds(900)
    /// More than the largest of everyday imports touches, and less than a migration of a large table.
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
  /// The families that some row or event tells of: a change of any other is nothing that was missed.
  let announced: Set<String>
  /// Those that an event empties as a whole.
  let emptied: Set<String>

  /// Nil where there is nothing to ask, or it is not wanted.
  package init?(_ queries: [FamilyQuery], _ limits: Limits, of place: QueryPlace) {
    guard !queries.isEmpty, limits.interval > .zero else { return nil }
    self.queries = queries
    self.limits = limits
    self.place = place
    announced = place.announced
    emptied = Set(place.rules.events.flatMap(\.emptied) + place.rules.emptiedAfter)
  }

  var layout: Layout { place.layout }

  /// How long the server has its peace after a look: looks of more than a second take a tenth of the time at most,
  /// however dear the site's queries are.
  static func rest(after look: Duration) -> Duration { look > .seconds(1) ? look * 9 : .zero }

  var overlap: Int64 { nanoseconds(limits.overlap.seconds) }

  func decision(_ family: FamilyLook) -> ChangeLedger.Decision {
    ChangeLedger.decision(
      family.look.keys, most: limits.most, isEmptiedWhole: emptied.contains(family.query.family))
  }
}
