// SPDX-License-Identifier: BSD-2-Clause
//
// The daily comparison of the whole tree with the whole database. Out-of-date pages are cleared, whatever the reason
// that they were not queued, or were queued long ago.
//
// The first look runs on its own thread at idle priority, and waits during a drain. The listener itself does the second
// look and the clear, between drains, after a recheck that began after the first look. So the scrub does not find what
// drains and rechecks clear themselves.

import Basics
import CacheFS
import Logging
import SystemPackage

/// Compares the tree with the database at each interval.
package final class Scrub {
  /// How many pages are cleared before the drains run again.
  private static let atOnce = 100

  private let logger: Logger
  private let run: Looker.Run
  private let file: ScrubFile
  private let record: MissedRecord
  private let dryRun: DryRun
  private var plan: ScrubPlan?
  /// The cache directory to which the last scrub belongs.
  private var cache: String
  private let thread = LookThread<ScrubLook.Outcome>()
  private var gate: LookGate?
  private var isDraining = false
  /// Whether a drain has completed, after which scrubs may begin.
  private var hasDrained = false
  /// When the next scrub is due; nil while one runs, and before the first drain.
  private var due: ContinuousClock.Instant?
  /// Whether the rechecks' bounds were known when the current scrub began. If so, its findings count as missed.
  private var isBounded = false
  private var work: ScrubWork?
  private var news: ScrubNews
  private var hasToldOfFile = false
  private(set) var health = ScrubHealth()

  /// - Parameter cache: the cache directory, as it is displayed.
  package init(_ file: ScrubFile, _ record: MissedRecord, cache: String, _ looker: Looker) {
    self.file = file
    self.record = record
    self.cache = cache
    (run, dryRun, logger) = (looker.run, looker.dryRun, looker.logger)
    news = ScrubNews(looker.dryRun, looker.logger)
  }

  /// Applies the current configuration; nil for no scrub.
  package func follow(_ plan: ScrubPlan?, cache: String) {
    let (old, wasAtWork) = (self.plan, thread.isUnderWay || work != nil)
    gate?.giveUp()
    thread.makeObsolete()
    work = nil
    let isOther = cache != self.cache || old == nil
    (self.plan, self.cache) = (plan, cache)
    guard let plan else {
      health = ScrubHealth()
      due = nil
      return
    }
    if isOther { health = file.read(cache: cache) ?? ScrubHealth() }
    refreshFamilies(plan)
    refreshMissed()
    guard hasDrained else { return }
    let refused = health.refused
    if wasAtWork || (refused > 0 && refused <= plan.limits.most) {
      due = .now
    } else if isOther || old?.limits.interval != plan.limits.interval {
      due = .now + firstWait(plan, isBounded: true)
    }
  }

  /// The plan's families, each with what is known about it.
  private func refreshFamilies(_ plan: ScrubPlan) {
    health.families = plan.queries.map { query in
      health.families.first { $0.family == query.family } ?? ScrubHealth.Family(query.family)
    }
  }

  private func firstWait(_ plan: ScrubPlan, isBounded: Bool) -> Duration {
    ScrubSchedule.wait(
      plan.limits.interval, last: health.at, now: currentTime(), isBounded: isBounded,
      jitter: .random(in: 0...1))
  }

  // MARK: Drains

  /// The walk waits during a drain.
  func note(isDraining: Bool) {
    self.isDraining = isDraining
    gate?.note(isDraining: isDraining)
  }

  /// The queues come first: a scrub begins after all of them were drained.
  /// - Parameter isBounded: whether it is known what was missed before.
  func noteDrain(isBounded: Bool) {
    guard run == .staying, !hasDrained else { return }
    hasDrained = true
    self.isBounded = isBounded
    if let plan { due = .now + firstWait(plan, isBounded: isBounded) }
  }

  /// Whether a scrub has ever run.
  var hasRun: Bool { health.at != nil }

  // MARK: The first look

  /// Begins a scrub that is due, if none is running.
  func begin() {
    guard let plan, let due, due <= .now, !isDraining, !thread.isUnderWay, work == nil else {
      return
    }
    let gate = LookGate(isDraining: false)
    let look = ScrubLook(plan: plan, gate: gate)
    if thread.begin(.idle, wake: plan.place.wake, { look.run($0) }) {
      self.gate = gate
      self.due = nil
    } else {
      // On this thread it would delay the drains.
      self.due = .now + LookPace.waitAfterFailure(plan.limits.interval)
    }
  }

  /// The same at once, on the caller's thread, once in a cache's life: only where the end of the scrub can be recorded.
  func lookNow() {
    guard let plan, file.isWritable || dryRun == .yes else { return }
    isBounded = false
    thread.lookNow(ScrubLook(plan: plan, gate: LookGate(isDraining: false)).run)
    take()
  }

  /// Whether the first look has ended and its findings are not taken yet.
  var hasEnded: Bool { thread.hasEnded }

  /// Takes the findings of the first look.
  func take() {
    guard let outcome = thread.take(), let plan else { return }
    gate = nil
    let retry = LookPace.waitAfterFailure(plan.limits.interval)
    news.tell(outcome, retry: retry)
    guard outcome.failure == nil else {
      due = .now + retry
      return
    }
    work = ScrubWork(outcome, plan)
  }

  // MARK: The second look

  /// When the first look ended; nil where there are no findings.
  var lookedAt: ContinuousClock.Instant? { work?.lookedAt }
  /// Whether there are pages to look at again, so that a recheck must come first.
  var hasFound: Bool { work.map { !$0.isEmpty } ?? false }
  /// Whether it must wait for a drain to end.
  var isWaiting: Bool { isDraining }
  /// Whether to clear the pages.
  var clears: Bool { work?.decision == .clear }

  /// Some of the pages to look at again; nil when no pages are left.
  func nextPages() -> (family: Int, pages: [ChangedPages.Page])? { work?.next(Self.atOnce) }

  /// Records what the second look has confirmed, and the results of clearing it.
  func note(_ pages: [ChangedPages.Page], of family: Int, _ reports: [ClearReport]) {
    work?.note(pages, of: family)
    work?.note(reports)
  }

  /// All pages were looked at again, and are cleared and on the settle list.
  func finish() {
    guard let work, let plan else { return }
    self.work = nil
    due =
      .now
      + ScrubSchedule.wait(
        plan.limits.interval, after: work.duration, jitter: .random(in: 0...1))
    refreshHealth(work, plan)
    let isMissed = { [isBounded] name in isBounded && plan.announced.contains(name) }
    if work.decision == .refuse {
      news.tellRefusal(work, plan.limits.most)
    } else {
      news.tell(work, isMissed: isMissed)
      for family in work.families where family.found > 0 && isMissed(family.name) {
        record.add(pages: family.found, of: family.name)
      }
    }
    isBounded = true
    refreshMissed()
    save()
  }

  /// Reads what was missed and not acknowledged.
  func refreshMissed() {
    for index in health.families.indices {
      health.families[index].missed = record.outstanding[health.families[index].family]?.pages ?? 0
    }
  }

  private func refreshHealth(_ work: ScrubWork, _ plan: ScrubPlan) {
    health.at = currentTime()
    health.seconds = work.duration.seconds
    health.pages = work.files
    health.families = plan.queries.map { query in
      var family = ScrubHealth.Family(query.family)
      let found = work.families.first { $0.name == query.family }?.found ?? 0
      family.found = found
      family.cleared = work.decision == .clear && dryRun == .no ? found : 0
      family.refused = work.decision == .refuse ? found : 0
      family.clearedTotal =
        (health.families.first { $0.family == query.family }?.clearedTotal ?? 0) + family.cleared
      family.problem = news.problems[query.family]
      return family
    }
  }

  private func save() {
    do throws(Errno) {
      try file.write(health, cache: cache)
      hasToldOfFile = false
    } catch {
      if !hasToldOfFile {
        logger.warning(
          "scrub: \(file.shownName): \(error); each restart scrubs again. Name another folder with --state-dir"
        )
      }
      hasToldOfFile = true
    }
  }

  // MARK: Time

  /// When to call again; nil when nothing is due by time.
  var next: Duration? {
    guard work == nil, !thread.isUnderWay, !isDraining, let due else { return nil }
    return max(.zero, ContinuousClock.now.duration(to: due))
  }

  func leave() {
    gate?.giveUp()
    thread.leave()
  }
}
