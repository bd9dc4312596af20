// SPDX-License-Identifier: BSD-2-Clause
//
// What to look for, how often and with which bounds: what the configuration makes of a recheck.

import Basics
import CacheFS
import PGQueue

/// The site's query for what has changed in one family.
package struct RecheckQuery: Equatable, Sendable {
  package let family: String
  package let sql: String
  /// `FILE:LINE`, where it stands.
  package let place: String

  package init(family: String, sql: String, place: String) {
    self.family = family
    self.sql = sql
    self.place = place
  }
}

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
    package var timeout = Duration.seconds(120)

    package init() {}
  }

  /// Where to ask, and what is known of the pages.
  package typealias Site = (layout: Layout, rules: SiteRules, connection: ConnectionParameters)

  let queries: [RecheckQuery]
  let limits: Limits
  let layout: Layout
  let connection: ConnectionParameters
  let stop: CInt
  /// Opens the cache directory; nil where it is not there.
  let open: @Sendable () -> Directory?
  /// The families that some row or event tells of: a change of any other is nothing that was missed.
  let announced: Set<String>
  /// Those that an event empties as a whole.
  let emptied: Set<String>

  /// Nil where there is nothing to ask, or it is not wanted.
  /// - Parameter stop: readable once the program is to end.
  package init?(
    _ queries: [RecheckQuery], _ limits: Limits, of site: Site, stop: CInt,
    open: @escaping @Sendable () -> Directory?
  ) {
    let layout = site.layout
    self.queries = queries
    guard !queries.isEmpty, limits.interval > .zero else { return nil }
    self.limits = limits
    self.layout = layout
    connection = site.connection
    self.stop = stop
    self.open = open
    announced = Set(site.rules.everything(layout).map(layout.familyName))
    emptied = Set(site.rules.events.flatMap(\.emptied) + site.rules.emptiedAfter)
  }

  /// How long the server has its peace after a look: looks of more than a second take a tenth of the time at most,
  /// however dear the site's queries are.
  static func rest(after look: Duration) -> Duration { look > .seconds(1) ? look * 9 : .zero }

  var overlap: Int64 { nanoseconds(limits.overlap.seconds) }

  func decision(_ family: FamilyLook) -> ChangeLedger.Decision {
    ChangeLedger.decision(
      family.look.keys, most: limits.most, isEmptiedWhole: emptied.contains(family.query.family))
  }
}
