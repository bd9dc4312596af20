// SPDX-License-Identifier: BSD-2-Clause
//
// What a recheck logs. Each message is logged once, until it changes.

import Basics
import CacheFS
import Logging
import PGQueue

/// Reports unusable queries and bursts.
struct RecheckNews {
  private let logger: Logger
  /// The logged problem of each family that could not be compared.
  private(set) var problems: [String: String] = [:]
  private var oddities: [String: String] = [:]
  private var failure: String?
  private var hasToldOfSight = false

  init(_ logger: Logger) { self.logger = logger }

  mutating func tell(_ outcome: RecheckLook.Outcome) {
    if let failure = outcome.failure, failure != self.failure {
      logger.warning("recheck: database: \(failure); will retry at the next interval")
    }
    failure = outcome.failure
    for (family, reason) in outcome.failures.sorted(by: { $0.key < $1.key })
    where problems[family] != reason {
      logger.warning(
        "\(family): cannot be rechecked: \(reason); changes without a queued row are not cleared")
    }
    // Where the connection was lost, nothing new is known about the other families.
    if outcome.failure == nil {
      for family in problems.keys.sorted() where outcome.failures[family] == nil {
        logger.notice("\(family): can be rechecked again")
      }
      problems = outcome.failures
    }
    for look in outcome.families {
      let (family, place) = (look.query.family, look.query.place)
      if let oddity = look.oddity, oddities[family] == nil {
        logger.warning("\(family): the query of \(place) \(oddity)")
      }
      oddities[family] = look.oddity
    }
  }

  /// Logs once that the transactions of other roles are hidden, which makes the looks ask further back.
  mutating func tellSight(_ outcome: RecheckLook.Outcome, _ overlap: Duration) {
    guard !hasToldOfSight, outcome.families.contains(where: { !$0.look.horizon.isComplete }) else {
      return
    }
    hasToldOfSight = true
    logger.notice(
      """
      recheck: no permission to see open transactions; a change by one that lasts longer than RECHECK_OVERLAP \
      (\(overlap.text)) can be missed. GRANT pg_read_all_stats TO the listener's role
      """)
  }

  func tellRefusal(_ family: String, _ keys: Int, _ most: Int) {
    logger.error(
      """
      \(family): \(counted(keys, "key")) changed at once, more than RECHECK_MOST allows (\(grouped(most))): \
      cleared none of them. Run fpcache clear \(family), or raise RECHECK_MOST and send SIGHUP
      """)
  }

  func tellEnd(_ family: String) {
    logger.notice(
      "\(family): no page is left from before the large change; nothing is waiting")
  }
}
