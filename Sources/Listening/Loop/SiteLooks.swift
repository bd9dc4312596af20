// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener finds out by itself, from the site's own queries: notifications that were missed, changes that
// nobody queued, pages that are out of date. Each looks on a thread of its own; what it found is cleared here, a part
// at each tick.

import Basics
import CacheFS
import Logging
import PGQueue

/// The looks at the site's queries, and the clears that they ask for.
package final class SiteLooks {
  /// What the configuration makes.
  package struct Parts {
    let recheck: Recheck
    let scrub: Scrub
    let record: MissedRecord

    package init(_ recheck: Recheck, _ scrub: Scrub, _ record: MissedRecord) {
      (self.recheck, self.scrub, self.record) = (recheck, scrub, record)
    }
  }

  /// Looks for notifications that were missed, once on each connection.
  package let missed: MissedNotifications
  /// Looks for what the database says has changed.
  let recheck: Recheck
  /// Compares the tree with the database.
  let scrub: Scrub
  private let record: MissedRecord
  private let clearer: RowlessClearer
  private let logger: Logger
  /// Whether something was cleared since the last call of ``takeSwelling()``.
  private var isSwollen = false

  init(_ parts: Parts, _ clearer: RowlessClearer, _ logger: Logger) {
    (recheck, scrub, record) = (parts.recheck, parts.scrub, parts.record)
    self.clearer = clearer
    self.logger = logger
    missed = MissedNotifications(logger)
  }

  private var cache: CacheWatch { clearer.pages.cache }
  private var settle: Settle? { clearer.pages.settle }

  /// Whether it is known what was missed before: then nothing has to be compared at once.
  private var isBounded: Bool { recheck.isOn ? recheck.coversAll : scrub.hasRun }

  func follow(_ site: ListenerSite) {
    missed.follow(site.missed)
    recheck.follow(site.recheck, cache: site.clearer.rootText)
    scrub.follow(site.scrub, cache: site.clearer.rootText)
    clearer.pages.requested = recheck.requested
  }

  // MARK: Drains

  /// The queues come first: nobody waits for the site's queries.
  func noteDrain(isFresh: Bool, complete: Bool) {
    scrub.note(isDraining: false)
    if isFresh, !recheck.coversAll { missed.want() }
    missed.begin()
    scrub.noteDrain(isBounded: isBounded)
    recheck.noteDrain()
    if complete { recheck.judge(cache.clearer.layout) }
  }

  /// A batch is about to be served.
  func noteDraining() { scrub.note(isDraining: true) }

  /// It was the last that there is to serve at once.
  func noteServed() { scrub.note(isDraining: false) }

  /// The connection is lost, and the drain with it.
  func noteLost() { scrub.note(isDraining: false) }

  /// Every queue is about to be drained, asked for or not.
  /// - Parameter others: whether other nodes may drain them.
  func notePoll(others: Bool) {
    recheck.notePoll(others: others)
    record.refresh()
    recheck.refreshMissed()
    scrub.refreshMissed()
  }

  // MARK: Time

  /// Whether there is something to be cleared.
  var hasWork: Bool { missed.hasEnded || recheck.hasWork || scrub.hasEnded || scrub.hasFound }

  /// Clears some of what was found, and begins what is due.
  /// - Returns: when to come back.
  func tick() -> Duration? {
    clearMissed()
    clearChanged()
    let hasMore = scrubSome()
    recheck.begin()
    scrub.begin()
    return [recheck.next, hasMore ? .zero : scrub.next].compactMap { $0 }.min()
  }

  /// All of it here and now, for a run that does not stay and can wait for the queries.
  ///
  /// It scrubs where nobody knows what was missed, which is once in a cache's life: where listeners run by cron there
  /// is none that could do it beside its drains. The scrub comes first: the bounds that a recheck writes say that
  /// nothing is missing before them.
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
  }

  /// Whether memory was needed that may be given back.
  func takeSwelling() -> Bool {
    defer { isSwollen = false }
    return isSwollen
  }

  // MARK: Clears

  /// Clears what notifications would have that were missed.
  private func clearMissed() {
    for (query, stale) in missed.take().map({ ($0.query, $0.keys) }) {
      stale.keys.forEach(clearer.clear)
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

  /// Clears some of what the site's queries say has changed. The bounds move on once all of it is cleared and on
  /// the settle list.
  /// - Returns: false when a stop has come in between.
  @discardableResult
  private func clearChanged() -> Bool {
    recheck.take()
    guard recheck.hasWork else {
      recheck.save(isOwing: clearer.debts.count > 0)
      return true
    }
    if let keys = recheck.nextKeys() {
      guard let reports = clearer.clear(keys) else { return false }
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

  /// Looks again at some of what a scrub has found, and clears what is still so.
  /// - Parameter isAlone: whether no drain and no recheck is to be waited for.
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
      guard let reports = scrub.clears ? clearer.clear(confirmed.map(\.key)) : [] else {
        return false
      }
      scrub.note(confirmed, of: family, reports)
      isSwollen = true
      return true
    }
    settle?.sync()
    scrub.finish()
    // The tables that the pages were compared with.
    isSwollen = true
    return false
  }
}
