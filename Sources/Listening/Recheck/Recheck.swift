// SPDX-License-Identifier: BSD-2-Clause
//
// The invalidation of changes that were not queued: what the site's own queries report as changed is cleared, with or
// without a trigger.
//
// The queries may take minutes, and the drains must not wait for them. They run on their own thread and connection, and
// the listener takes their findings at the next tick.

import Basics
import CacheFS
import Logging
import PGQueue
import SystemPackage

/// Runs the queries at each interval, and remembers the known changes.
package final class Recheck {
  /// How many keys are cleared before the drains run again.
  private static let atOnce = 1000

  private let logger: Logger
  private let run: Looker.Run
  private let file: RecheckFile
  private let record: MissedRecord
  private let verb: String
  private var plan: RecheckPlan?
  /// The cache directory to which the bounds belong.
  private var cache: String
  private var ledgers: [String: ChangeLedger] = [:]
  private let thread = LookThread<RecheckLook.Outcome>()
  /// When the next look is due; nil before the first drain.
  private var due: ContinuousClock.Instant?
  /// No look begins before this time: the server rests until then.
  private var restUntil = ContinuousClock.now
  /// When the current look began, or the last one if none is running.
  private var began = ContinuousClock.now
  /// When the last look began whose keys are all cleared.
  private var lastServed: ContinuousClock.Instant?
  private var work: RecheckWork?
  /// Whether the bounds are not in the file yet.
  private var isUnwritten = false
  private var hasToldOfFile = false
  private var missed = MissedInvalidations()
  private var news: RecheckNews
  private(set) var health = RecheckHealth()
  /// What the queues have asked for; nil where it is not needed.
  private(set) var requested: RequestedKeys?

  /// - Parameter cache: the cache directory, as it is displayed.
  package init(_ file: RecheckFile, _ record: MissedRecord, cache: String, _ looker: Looker) {
    let (dryRun, logger) = (looker.dryRun, looker.logger)
    self.record = record
    run = looker.run
    self.file = file
    self.cache = cache
    self.logger = logger
    verb = dryRun == .no ? "cleared" : "would be cleared"
    news = RecheckNews(logger)
  }

  var isOn: Bool { plan != nil }

  /// Whether the bound of each family is known: then no change that happens meanwhile is missed.
  var coversAll: Bool {
    plan?.queries.allSatisfy { ledgers[$0.family]?.survivingBound != nil } ?? false
  }

  /// Applies the current configuration; nil for no recheck.
  package func follow(_ plan: RecheckPlan?, cache: String) {
    thread.makeObsolete()
    work = nil
    missed.forgetSuspects()
    let old = self.plan?.queries ?? []
    let isOther = cache != self.cache
    self.cache = cache
    self.plan = plan
    requested = plan == nil ? nil : requested ?? RequestedKeys()
    guard let plan else {
      health = RecheckHealth()
      return
    }
    let bounds = old.isEmpty ? file.read(cache: cache) : [:]
    var ledgers: [String: ChangeLedger] = [:]
    for query in plan.queries {
      let isKnown = !isOther && old.contains(query)
      var ledger =
        isKnown
        ? self.ledgers[query.family] ?? ChangeLedger() : ChangeLedger(bound: bounds[query.family])
      if let burst = ledger.burst, burst.keys <= plan.limits.most { ledger.reopenBurst() }
      ledgers[query.family] = ledger
    }
    self.ledgers = ledgers
    if due != nil { due = .now }
    refreshHealth()
  }

  /// The queues come first: a look begins after all of them were drained.
  func noteDrain() { if run == .staying { due = due ?? .now } }

  // MARK: Looks

  /// Begins a look that is due, if none is running.
  func begin() {
    guard let plan, let due, due <= .now, !thread.isUnderWay, work == nil else { return }
    began = .now
    // Many nodes spread their looks. None looks later than the interval, unless a look takes long.
    self.due = .now + plan.limits.interval * Double.random(in: 0.9...1)
    let look = RecheckLook(plan: plan, ledgers: ledgers)
    // Where the system cannot make a thread, the look runs on this one rather than not at all.
    if !thread.begin(wake: plan.place.wake, { look.run($0) }) { thread.lookNow(look.run) }
  }

  /// The same at once, on the caller's thread.
  func lookNow() {
    guard let plan else { return }
    thread.lookNow(RecheckLook(plan: plan, ledgers: ledgers).run)
    take()
  }

  /// Whether all changes before that time are cleared, as far as a recheck finds them.
  func hasLooked(since time: ContinuousClock.Instant) -> Bool {
    guard isOn else { return true }
    return lastServed.map { $0 >= time } ?? false
  }

  /// Looks as soon as the server has rested.
  func hasten() { due = due.map { min($0, max(.now, restUntil)) } }

  /// Whether there is something to do at once.
  var hasWork: Bool { work != nil || thread.hasEnded }

  /// When to call again; nil when nothing is due.
  var next: Duration? {
    if work != nil { return .zero }
    // A look that ends wakes the loop.
    guard plan != nil, !thread.isUnderWay else { return nil }
    return due.map { max(.zero, ContinuousClock.now.duration(to: $0)) }
  }

  /// Takes the findings of a look.
  func take() {
    guard let outcome = thread.take(), let plan else { return }
    restUntil = .now + LookPace.rest(after: outcome.duration)
    due = due.map { max($0, restUntil) }
    CrashPoint.changesFound.reach()
    news.tell(outcome)
    if run == .staying { news.tellSight(outcome, plan.limits.overlap) }
    health.seconds = outcome.duration.seconds
    if !outcome.families.isEmpty { health.at = currentTime() }
    work = RecheckWork(outcome, plan)
    refreshHealth()
  }

  // MARK: What was found

  /// Some of the keys to clear; nil when no keys are left.
  func nextKeys() -> [CacheKey]? { work?.next(Self.atOnce) }

  /// Records the results of clearing them.
  func noteCleared(_ reports: [ClearReport]) {
    work?.files += reports.reduce(0) { $0 + $1.filesRemoved }
  }

  /// The keys are cleared, and on the settle list.
  func finish() {
    guard let work, let plan else { return }
    self.work = nil
    lastServed = began
    for family in work.families {
      let name = family.query.family
      var ledger = ledgers[name] ?? ChangeLedger()
      if family.endsBurst, ledger.burst != nil {
        ledger.endBurst()
        news.tellEnd(name)
      }
      let decision = plan.decision(family)
      ledger.accept(family.look, decision, overlap: plan.overlap)
      ledgers[name] = ledger
      if decision == .refuse { news.tellRefusal(name, family.look.keys, plan.limits.most) }
    }
    health.keys += work.count
    missed.add(work.suspects)
    if let line = work.line(verb: verb) { logger.notice("\(line)") }
    isUnwritten = true
    refreshHealth()
  }

  /// Writes the bounds when nothing is owed: a written bound would forget owed keys.
  func save(isOwing: Bool) {
    guard isUnwritten, !isOwing else { return }
    isUnwritten = false
    do throws(Errno) {
      try file.write(ledgers.compactMapValues(\.survivingBound), cache: cache)
      hasToldOfFile = false
      CrashPoint.boundWritten.reach()
    } catch {
      if !hasToldOfFile {
        logger.warning(
          """
          recheck: \(file.shownName): \(error); after a restart only changes of the last RECHECK_OVERLAP are looked \
          for. Name another folder with --state-dir
          """)
      }
      hasToldOfFile = true
    }
  }

  // MARK: What was missed

  /// Every queue is about to be drained, with or without a notification.
  /// - Parameter others: whether other nodes may drain them.
  func notePoll(others: Bool) {
    missed.notePoll()
    requested?.lacksWaiting = others && !missed.isEmpty
  }

  /// All rows in the queues have been read.
  func judge(_ layout: Layout) {
    guard !missed.isEmpty, let requested, !requested.lacksWaiting else { return }
    let before = missed.counts
    let lines = missed.judge(requested, layout, verb: verb)
    for line in lines { logger.warning("\(line)") }
    for (family, count) in missed.counts where count != before[family] ?? 0 {
      record.add(keys: count - (before[family] ?? 0), of: family)
    }
    if !lines.isEmpty { refreshHealth() }
  }

  /// Reads what was missed and not acknowledged.
  func refreshMissed() { refreshHealth() }

  /// How many keys were cleared since the start.
  var keysCleared: Int { health.keys }

  private func refreshHealth() {
    guard let plan else { return }
    health.families = plan.queries.map { query in
      var family = RecheckHealth.Family(query.family)
      family.missed = record.outstanding[query.family]?.keys ?? 0
      family.missedTotal = missed.counts[query.family] ?? 0
      family.refused = ledgers[query.family]?.burst?.keys ?? 0
      family.problem = news.problems[query.family]
      return family
    }
  }

  func leave() { thread.leave() }
}
