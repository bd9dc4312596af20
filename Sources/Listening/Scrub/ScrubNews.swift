// SPDX-License-Identifier: BSD-2-Clause
//
// What a scrub logs.

import Basics
import CacheFS
import Logging

/// Reports what scrubs find; reports once what they cannot compare.
struct ScrubNews {
  private let logger: Logger
  private let isDry: Bool
  /// The logged problem of each family that could not be compared.
  private(set) var problems: [String: String] = [:]
  private var failure: String?

  init(_ dryRun: DryRun, _ logger: Logger) {
    self.logger = logger
    isDry = dryRun == .yes
  }

  mutating func tell(_ outcome: ScrubLook.Outcome, retry: Duration) {
    if let failure = outcome.failure, failure != self.failure {
      logger.warning("scrub: \(failure); trying again in \(retry.text)")
    }
    failure = outcome.failure
    guard failure == nil else { return }
    for (family, reason) in outcome.failures.sorted(by: { $0.key < $1.key })
    where problems[family] != reason {
      logger.warning(
        "\(family): cannot be scrubbed: \(reason); its pages are not compared with the database")
    }
    for family in problems.keys.sorted() where outcome.failures[family] == nil {
      logger.notice("\(family): can be scrubbed again")
    }
    problems = outcome.failures
  }

  /// - Parameter isMissed: whether the family's changes should have been queued.
  func tell(_ work: ScrubWork, isMissed: (String) -> Bool) {
    if work.decision == .refuse { return }
    for family in work.families where family.found > 0 {
      let line = "\(family.words): \(verb(work))"
      if isMissed(family.name) {
        logger.warning("\(line); nothing was queued, look for the trigger")
      } else {
        logger.notice("\(line)")
      }
    }
    let end = work.found == 0 ? "all are up to date" : "\(grouped(work.found)) \(verb(work))"
    logger.notice("scrub: \(counted(work.files, "page")) in \(work.duration.text): \(end)")
  }

  private func verb(_ work: ScrubWork) -> String {
    if work.decision == .report { return "not cleared (SCRUB = report)" }
    return isDry ? "would be cleared" : "cleared"
  }

  func tellRefusal(_ work: ScrubWork, _ most: Int) {
    let families = work.families.filter { $0.found > 0 }
      .map { "\($0.name) \(grouped($0.found))" }.joined(separator: ", ")
    logger.error(
      """
      scrub: \(counted(work.found, "page")) out of date (\(families)), more than SCRUB_MOST allows \
      (\(grouped(most))): none was cleared. Probably a query or a clock is wrong: run fpcache verify --only \
      stale,orphan. If the pages are out of date, run it with --fix, or raise SCRUB_MOST and send SIGHUP
      """)
  }
}

extension ScrubWork.Family {
  /// `ports: 2 pages out of date (a, b)`.
  fileprivate var words: String {
    let more = found > examples.count ? " and \(grouped(found - examples.count)) more" : ""
    let what =
      orphans == 0
      ? (found == 1 ? "older than what it shows" : "older than what they show")
      : stale == 0
        ? "of what the database no longer has"
        : "out of date, \(grouped(orphans)) of them of what the database no longer has"
    return "\(name): \(counted(found, "page")) \(what) (\(examples.joined(separator: ", "))\(more))"
  }
}
