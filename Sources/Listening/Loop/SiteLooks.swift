// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener finds with the site's own queries: missed notifications, changes that were not queued, pages that
// are out of date. Each look runs on its own thread. Its findings are cleared here, a part at each tick. A prune runs on
// its own thread, too, and finds and removes by itself.

import Basics
import CacheFS
import Logging
import PGQueue

/// The looks at the site's queries, and the clears that they ask for.
package final class SiteLooks {
  /// The parts that the configuration sets.
  package struct Parts {
    let recheck: Recheck
    let scrub: Scrub
    let prune: RegularPrune
    let record: MissedRecord

    package init(
      _ recheck: Recheck, _ scrub: Scrub, _ prune: RegularPrune, _ record: MissedRecord
    ) {
      (self.recheck, self.scrub, self.prune, self.record) = (recheck, scrub, prune, record)
    }
  }

  /// Looks for missed notifications, once on each connection.
  package let missed: MissedNotifications
  /// Looks for changes that the database reports.
  let recheck: Recheck
  /// Compares the tree with the database.
  let scrub: Scrub
  /// Removes the oldest pages.
  let prune: RegularPrune
  private let record: MissedRecord
  private let clearer: RowlessClearer
  private let logger: Logger
  /// Whether something was cleared since the last call of ``takeSwelling()``.
  private var isSwollen = false

  init(_ parts: Parts, _ clearer: RowlessClearer, _ logger: Logger) {
    (recheck, scrub, prune, record) = (parts.recheck, parts.scrub, parts.prune, parts.record)
    self.clearer = clearer
    self.logger = logger
    missed = MissedNotifications(logger)
  }

  private var cache: CacheWatch { clearer.pages.cache }
  private var settle: Settle? { clearer.pages.settle }

  /// Whether earlier misses are known: then nothing must be compared at once.
  private var isBounded: Bool { recheck.isOn ? recheck.coversAll : scrub.hasRun }

  func follow(_ site: ListenerSite) {
    missed.follow(site.missed)
    recheck.follow(site.recheck, cache: site.clearer.rootText)
    scrub.follow(site.scrub, cache: site.clearer.rootText)
    prune.follow(site.prune)
    clearer.pages.requested = recheck.requested
  }

  // MARK: Drains

  /// The queues come first: nothing waits for the site's queries.
  func noteDrain(isFresh: Bool, complete: Bool) {
    note(isDraining: false)
    if isFresh, !recheck.coversAll { missed.want() }
    missed.begin()
    scrub.noteDrain(isBounded: isBounded)
    prune.noteDrain()
    recheck.noteDrain()
    if complete { recheck.judge(cache.clearer.layout) }
  }

  /// Whether a batch is about to be served; false after the last that can be served at once, and when the connection is
  /// lost.
  func note(isDraining: Bool) {
    scrub.note(isDraining: isDraining)
    prune.note(isDraining: isDraining)
  }

  /// Every queue is about to be drained, with or without a notification.
  /// - Parameter others: whether other nodes may drain them.
  func notePoll(others: Bool) {
    recheck.notePoll(others: others)
    record.refresh()
    recheck.refreshMissed()
    scrub.refreshMissed()
  }

  // MARK: Time

  /// Whether there is something to clear.
  var hasWork: Bool { missed.hasEnded || recheck.hasWork || scrub.hasEnded || scrub.hasFound }

  /// Clears some of the findings, and begins the looks that are due.
  /// - Returns: when to call it again.
  func tick() -> Duration? {
    clearMissed()
    clearChanged()
    let hasMore = scrubSome()
    recheck.begin()
    scrub.begin()
    // Counting the pages used memory.
    if prune.take() { isSwollen = true }
    prune.begin()
    return [recheck.next, hasMore ? .zero : scrub.next, prune.next].compactMap { $0 }.min()
  }

  /// All of it at once, for a run that ends and can wait for the queries.
  ///
  /// It scrubs where it is unknown what was missed, which is once in a cache's life: where cron runs the listener, no
  /// daemon could scrub between its drains. The scrub comes first: the bounds that a recheck writes say that nothing is
  /// missing before them.
  func lookNow() {
    if !recheck.coversAll {
      missed.lookNow()
      clearMissed()
    }
    if !isBounded, !scrub.hasRun {
      scrub.lookNow()
      while scrubSome(isAlone: true) {}
    }
    recheck.lookNow()
    while recheck.hasWork, clearChanged() {}
  }

  func leave() {
    missed.leave()
    recheck.leave()
    scrub.leave()
    prune.leave()
  }

  /// Whether memory was used that can be given back.
  func takeSwelling() -> Bool {
    defer { isSwollen = false }
    return isSwollen
  }

  // MARK: Clears

  /// Clears the pages that missed notifications should have cleared.
  private func clearMissed() {
    for (query, stale) in missed.take().map({ ($0.query, $0.keys) }) {
      stale.keys.forEach { clearer.clear($0, .missed) }
      settle?.add(stale.keys)
      let verb = !cache.isDry ? "cleared" : "would clear"
      logger.notice(
        """
        \(query.family): \(verb) \(counted(stale.pages, "page")) that may be older than what the query of \
        \(query.place) says: a notification may have been missed
        """)
      isSwollen = true
    }
  }

  /// Clears some of the changes that the site's queries report. The bounds advance when all of it is cleared and on the
  /// settle list.
  /// - Returns: false when a stop was requested in between.
  @discardableResult
  private func clearChanged() -> Bool {
    recheck.take()
    guard recheck.hasWork else {
      recheck.save(isOwing: clearer.debts.count > 0)
      return true
    }
    if let keys = recheck.nextKeys() {
      guard let reports = clearer.clear(keys, .recheck) else { return false }
      recheck.noteCleared(reports)
      isSwollen = true
      return true
    }
    settle?.sync()
    CrashPoint.changesSettled.reach()
    recheck.finish()
    recheck.save(isOwing: clearer.debts.count > 0)
    return true
  }

  /// Looks again at some of the pages that a scrub has found, and clears those that are still out of date.
  /// - Parameter isAlone: whether there is no drain and no recheck to wait for.
  /// - Returns: whether there is more to do at once.
  private func scrubSome(isAlone: Bool = false) -> Bool {
    scrub.take()
    guard let lookedAt = scrub.lookedAt else { return false }
    if scrub.hasFound, !isAlone {
      guard recheck.hasLooked(since: lookedAt) else {
        recheck.hasten()
        return false
      }
      if scrub.isWaiting { return false }
    }
    if let (family, pages) = scrub.nextPages() {
      let confirmed = cache.clearer.confirmed(pages)
      guard let reports = scrub.clears ? clearer.clear(confirmed.map(\.key), .scrub) : [] else {
        return false
      }
      scrub.note(confirmed, of: family, reports)
      isSwollen = true
      return true
    }
    settle?.sync()
    scrub.finish()
    // The tables that the pages were compared with used memory.
    isSwollen = true
    return false
  }
}
