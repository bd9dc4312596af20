// SPDX-License-Identifier: BSD-2-Clause
//
// The listener's work on the cache: it drains queues, empties families and clears keys again.

import Basics
import CacheFS
import Logging
import PGQueue

/// The listener's side of the cache.
package final class CacheService: ListenerService {
  /// How often a long drain logs its progress.
  private static let progressInterval = Duration.seconds(10)

  private let drain: Drain
  private let debts: Debts
  private let settle: Settle?
  private let reporter: HealthReporter
  private let logger: Logger
  private let reloadSite: () throws(ListeningError) -> ListenerSite
  private var drainBegan: ContinuousClock.Instant?
  private var lastProgress = ContinuousClock.now
  private var notifiedAt: ContinuousClock.Instant?
  /// Whether no drain has completed on this connection yet.
  private var isFresh = true
  private var isDeaf = false
  /// Families that could not be emptied because the cache directory was missing.
  private var unemptied: Set<String> = []
  /// The earliest time to read the settle list again.
  private var settleNotBefore = ContinuousClock.now
  /// The keys of the settle list that have no folder.
  private var absent = AbsentKeys()
  /// How many keys went back on the settle list since their file system went away, or their events could not be written.
  package private(set) var settleAway = 0
  /// Whether there is memory to give back: after a connection was made, and after a drain of many rows.
  private var isSwollen = false
  /// The queues that have had a turn on this connection.
  private var tried: Set<QueueTable> = []
  /// Logs the results of drains.
  private let drains: DrainLog
  /// Whether the log already says that a writer holds a queue.
  private var hasToldOfWriter = false
  /// The looks that the listener makes by itself.
  package let looks: SiteLooks
  private let rowless: RowlessClearer

  package init(
    _ drain: Drain, _ reporter: HealthReporter, owing creditor: Debts.Creditor,
    looks parts: SiteLooks.Parts,
    reload: @escaping () throws(ListeningError) -> ListenerSite
  ) {
    self.drain = drain
    settle = drain.pages.settle
    self.reporter = reporter
    logger = reporter.logger
    debts = Debts(creditor, drain.pages.failures)
    drains = DrainLog(drain.pages.cache.clearer.dryRun, logger)
    rowless = RowlessClearer(drain.pages, debts)
    looks = SiteLooks(parts, rowless, logger)
    drain.pages.requested = parts.recheck.requested
    reloadSite = reload
  }

  private var pages: PageClearer { drain.pages }
  private var cache: CacheWatch { drain.pages.cache }

  /// All that was drained since the start, including the current drain.
  var total: DrainTally {
    var total = reporter.health.total
    total.add(pages.tally)
    return total
  }

  /// A node moves rows only if no other node does; a listener without nodes retires them itself.
  package var isMover: Bool { drain.node.map { $0.node.mover == .this } ?? true }

  /// The keys that are in no row and could not be cleared.
  package var owed: [String] { debts.names(cache.clearer.layout) }

  /// How many keys wait for their second clear.
  var settleWaiting: Int { settle?.waiting ?? 0 }

  // MARK: Drains

  package func serve(
    _ queue: Queue, _ depth: DrainDepth
  ) throws(DatabaseError) -> DrainOutcome {
    looks.note(isDraining: true)
    if drainBegan == nil {
      drainBegan = .now
      lastProgress = .now
    }
    let served = try drain.step(queue, depth)
    // Under steady load a drain may never end; other work runs between its batches.
    if served != .more { looks.note(isDraining: false) }
    tried.insert(queue.table)
    if served == .prompted { noteCleared() }
    if served == .more {
      reporter.enter(.draining)
      reporter.served(pages.tally, isProof: isProof)
      tellProgress(queue.table)
    }
    return served
  }

  /// Whether a drain proves health. It does not while a queue is not drained at all, or while that is not known yet. A
  /// queue that a writer holds is only late; its pages are cleared.
  private var isProof: Bool {
    let queues = drain.node == nil ? pages.rules.tables : [.log]
    return cache.hasRoot && !cache.isMountAway && drain.undrainedQueues.isEmpty
      && tried.isSuperset(of: queues)
  }

  private func tellProgress(_ table: QueueTable) {
    guard lastProgress.duration(to: .now) >= Self.progressInterval, let drainBegan else { return }
    lastProgress = .now
    let time = drainBegan.duration(to: .now)
    logger.notice("draining \(table.name): \(pages.tally.text) in \(time.text) so far")
  }

  /// Empties the families that the events and the rows ask for, once each, and logs the drain.
  package func finish(_ events: Set<SiteEvent>, complete: Bool) {
    let began = drainBegan ?? .now
    if pages.tally.rows > 0 || events.contains(where: { !$0.isErrand }) {
      pages.rules.emptiedAfter.forEach(empty)
    }
    Set(events.flatMap(\.emptied)).sorted().forEach(empty)
    CrashPoint.finished.reach()
    cache.saveMounts()
    let tally = pages.takeTally()
    // As late as those that a writer holds: a restart would not help.
    let isServed = complete || pages.isWithheld
    let time = began.duration(to: .now)
    drainBegan = nil
    noteCleared()
    reporter.refused(drain.undrainedQueues)
    reporter.enter(state)
    reporter.drained(tally, time, complete: isServed, isProof: isProof)
    // While another transaction holds a queue, its pages are cleared again; that is not worth a log line. The rows are,
    // when the hold ends.
    let isNews = complete || !hasToldOfWriter
    let isHeld = !complete && !hasToldOfWriter
    if isFresh || tally.rows > 0 || (tally.files > 0 && isNews) || isHeld {
      let isRoutine = !isFresh && complete && !hasToldOfWriter && time < Self.progressInterval
      drains.note(tally, in: time, isRoutine ? .routine : .news, end: complete ? "" : rest)
    }
    hasToldOfWriter = !complete
    looks.noteDrain(isFresh: isFresh, complete: complete)
    isSwollen = isSwollen || isFresh || tally.rows > BatchSize.least
    isFresh = false
  }

  /// What a drain's line says about the rows that are left.
  private var rest: String {
    pages.isWithheld
      ? "; the events of the rest cannot be written: their pages are cleared now, the rows stay"
      : "; a writer holds the rest: their pages are cleared now, the rows when it ends"
  }

  /// The listener's state between drains.
  private var state: Health.State {
    if !cache.hasRoot { return .noCacheDirectory }
    if cache.isMountAway { return .mountAway }
    if !drain.undrainedQueues.isEmpty { return .refused }
    return isDeaf ? .polling : .listening
  }

  /// The pages of the last notification are cleared.
  private func noteCleared() {
    guard let notifiedAt else { return }
    reporter.update { $0.cleared(after: notifiedAt.duration(to: .now).seconds) }
    self.notifiedAt = nil
  }

  private func empty(_ family: String) {
    guard cache.followRoot() else {
      unemptied.insert(family)
      return
    }
    guard let key = try? cache.clearer.layout.all(of: family) else { return }
    pages.requested?.note([key], cache.clearer.layout)
    rowless.clear(key, .empty)
    settle?.add([key])
  }

  /// How many keys the rechecks have cleared, because the site's queries report a change.
  var rechecked: Int { looks.recheck.keysCleared }

  /// Called before the process ends: the next process must clear what this one still owes.
  func leaveOwed() {
    settle?.putBack(debts.keys)
    settle?.sync()
    pages.failures.flush(all: true)
    _ = drains.flush(all: true)
  }

  // MARK: What time brings

  package func tick(isBusy: Bool) -> Duration? {
    if settleWaiting > 0 || debts.count > 0 || !unemptied.isEmpty
      || cache.isMountAway || looks.hasWork
    {
      let returns = cache.mountReturns
      defer { if cache.mountReturns != returns { debts.hasten() } }
      // Nothing is settled in a directory that does not exist.
      guard cache.followRoot() else {
        return min(.seconds(1), reporter.writeIfDue(isBusy: isBusy) ?? .seconds(1))
      }
    }
    for family in unemptied {
      unemptied.remove(family)
      empty(family)
    }
    let settled = settleAgain()
    let looked = looks.tick()
    let owed = debts.run { keys in _ = clearAgain(keys, areListed: false) }
    let waiting = (retries: drain.retriesWaiting + debts.count, settle: settleWaiting)
    if waiting != (reporter.health.retriesWaiting, reporter.health.settleWaiting) {
      reporter.update {
        $0.retriesWaiting = waiting.retries
        $0.settleWaiting = waiting.settle
      }
    }
    let unopened = pages.events?.openIfDue()
    let events = pages.events?.health
    if events != reporter.health.events { reporter.update { $0.events = events } }
    let held = drain.heldQueues
    if held != reporter.health.held { reporter.update { $0.held = held } }
    let (recheck, scrub) = (looks.recheck.health, looks.scrub.health)
    if (recheck, scrub) != (reporter.health.recheck, reporter.health.scrub) {
      reporter.update { ($0.recheck, $0.scrub) = (recheck, scrub) }
    }
    let pruned = looks.prune.health
    if pruned != reporter.health.prune { reporter.update { $0.prune = pruned } }
    if looks.takeSwelling() { isSwollen = true }
    if isSwollen, !isBusy, waiting.settle == 0 {
      isSwollen = false
      Memory.giveBack()
    }
    let told = pages.failures.flush()
    let until = [
      settled, owed, told, drains.flush(), looked, unopened,
      reporter.writeIfDue(isBusy: isBusy),
    ].compactMap { $0 }.min()
    return cache.isMountAway ? min(until ?? .seconds(1), .seconds(1)) : until
  }

  /// Clears the due keys for the second time. Keys that go back on the list, because there are too many to remember,
  /// must not keep the listener busy.
  private func settleAgain() -> Duration? {
    let now = ContinuousClock.now
    guard settleNotBefore <= now else { return now.duration(to: settleNotBefore) }
    var hasPutBack = false
    let next = settle?.run { keys in hasPutBack = clearAgain(keys, areListed: true) }
    if settleWaiting == 0 { absent = AbsentKeys() }
    if hasPutBack { settleNotBefore = .now + RetryPace.rest(after: now.duration(to: .now)) }
    return next ?? nil
  }

  /// - Parameter areListed: whether the keys come from the settle list, which survives a crash: keys whose file system
  ///   is away go back on it.
  /// - Returns: whether some keys must go back on the list.
  private func clearAgain(_ keys: [CacheKey], areListed: Bool) -> Bool {
    let reports = cache.clearer.clear(keys, skipping: &absent)
    reports.forEach(cache.noteMounts)
    let away = zip(keys, reports).filter { areListed && $1.isMountAway }
    settleAway += away.count
    settle?.putBack(away.map(\.0) + zip(keys, reports).filter { $1.isPartial }.map(\.0))
    let untold = rowless.tell(keys, reports, areListed ? .settle : .retry)
    settleAway += untold
    let rest = zip(keys, reports).filter { !areListed || !$1.isMountAway }
    return rowless.note(rest.map(\.0), rest.map(\.1)) || untold > 0
  }

  package func measure(_ backlog: [QueueBacklog]) -> Set<QueueTable> {
    reporter.update { $0.polled(backlog, now: currentTime()) }
    looks.notePoll(others: drain.node != nil)
    drain.node?.node.isPolled = true
    return Set(backlog.filter { $0.rows == 0 && drain.isDone(with: $0.table) }.map(\.table))
  }

  package func reset() {
    drain.reset()
    looks.note(isDraining: false)
    reporter.lost()
    tried = []
    isFresh = true
    notifiedAt = nil
  }

  package func reload() -> (ConnectionParameters, ListenerMachine.Settings)? {
    reporter.reloading()
    pages.events?.open()
    do throws(ListeningError) {
      let site = try reloadSite()
      debts.follow(from: cache.clearer.layout, to: site.clearer.layout)
      drain.follow(site.clearer, site.rules)
      absent = AbsentKeys()
      looks.follow(site)
      return (site.connection, site.settings)
    } catch {
      logger.error("SIGHUP: \(error.message); keeping the old configuration")
      return nil
    }
  }

  // MARK: News

  package func note(_ news: ListenerNews) {
    switch news {
    case .ready(let channels), .readyAgain(let channels):
      drain.announced = channels.announced
      reporter.update { $0.connectedSince = currentTime() }
      reporter.enter(.draining)
    case .disconnected, .probeUnanswered: reporter.enter(.disconnected)
    case .reconnected: reporter.update { $0.reconnects += 1 }
    case .notified(let count):
      notifiedAt = notifiedAt ?? .now
      reporter.update { $0.notifications += count }
    case .probed: reporter.probed()
    case .deaf:
      isDeaf = true
      reporter.enter(.polling)
    case .hearsAgain: isDeaf = false
    case .statusAsked:
      let text = reporter.health.statusText(total: total, now: currentTime())
      logger.notice("status: \(text)")
    case .stopping:
      reporter.enter(.stopping)
      leaveOwed()
      looks.leave()
    default: break
    }
    if let (level, message) = news.logLine(total) { logger.log(level: level, "\(message)") }
    if news == .stopping { reporter.write() }
  }
}
