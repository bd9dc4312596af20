// SPDX-License-Identifier: BSD-2-Clause
//
// Removes the oldest pages of families until a bound holds. It walks with the clearer that removes by key, so
// the same pages and the same rules for links and mounts apply. It reads each page's time again right before
// the removal, so a page that was rewritten meanwhile stays.

import Basics
import Synchronization
import SystemPackage

/// How far back pages are removed.
package struct PrunePlan: Equatable, Sendable {
  /// The youngest age that is removed. Nil when no page is removed; the pages were counted then.
  let through: PageAge?
  /// What the walk found, and what it could not read; nil when no walk was needed.
  package let measured: Measured?

  package struct Measured: Equatable, Sendable {
    /// All pages of the families.
    package let total: PageTally
    /// The pages to be removed.
    package let going: PageTally
    /// A report for each family. Nothing was removed.
    package let reports: [ClearReport]
  }
}

/// What a prune did.
package struct PruneOutcome: Equatable, Sendable {
  /// A report for each family.
  package let reports: [ClearReport]
  /// What remains of the pages that were counted; nil when they were not counted.
  package let left: PageTally?
}

/// Prunes whole families of one cache directory. One bound applies to all of them together.
package final class Pruner: Sendable {
  private let clearer: Clearer
  private let keys: [CacheKey]
  private let order: PruneOrder
  private let limits: AgeCensus.Limits
  /// How many pages the current walk has seen.
  private let seenFiles = Atomic<Int>(0)

  /// - Parameter families: whole families, each once.
  package convenience init(_ clearer: Clearer, _ families: [CacheKey], by order: PruneOrder) {
    self.init(clearer, families, by: order, AgeCensus.Limits())
  }

  init(
    _ clearer: Clearer, _ families: [CacheKey], by order: PruneOrder, _ limits: AgeCensus.Limits
  ) {
    self.clearer = clearer
    keys = families
    self.order = order
    self.limits = limits
  }

  /// How many pages the current walk has seen; other threads call it.
  package var pagesSeen: Int { seenFiles.load(ordering: .relaxed) }

  // MARK: Which go

  /// Finds how far back pages must be removed for a bound.
  /// - Parameter counting: whether to count the pages to be removed even when no walk is needed to find them.
  package func plan(_ bound: PruneBound, counting: Bool = true) -> PrunePlan {
    var span = AgeCensus.firstSpan(now: currentTime(), limits)
    if case .since(let time) = bound {
      span = AgeCensus.span(since: time, limits)
      if !counting, span.first > 0 {
        return PrunePlan(through: PageAge(number: span.first - 1), measured: nil)
      }
    }
    var walks = 1
    while true {
      let (census, reports) = walk(span)
      var step = census.step(for: bound)
      if case .look = step, walks == limits.walks {
        step = census.floor.map { .remove(through: $0, going: census.before) } ?? .nothing
      }
      if reports.contains(where: \.isPartial) { step = .nothing }
      switch step {
      case .look(let next): (span, walks) = (next, walks + 1)
      case .nothing:
        return PrunePlan(
          through: nil, measured: .init(total: census.total, going: PageTally(), reports: reports))
      case .remove(let age, let going):
        return PrunePlan(
          through: age, measured: .init(total: census.total, going: going, reports: reports))
      }
    }
  }

  /// Gives every page to a census.
  private func walk(_ span: AgeSpan) -> (AgeCensus, [ClearReport]) {
    let census = Locked(AgeCensus(span, limits))
    seenFiles.store(0, ordering: .relaxed)
    let reports = clearer.taking(dryRun: .yes) { [self] status, path in
      let age = PageAge(time: order.time(of: status), path: path().bytes)
      census.withLock { $0.add(age, status.size) }
      seenFiles.add(1, ordering: .relaxed)
      return false
    }.clear(keys)
    return (census.withLock { $0 }, reports)
  }

  // MARK: The removal

  /// Removes what the plan says, according to each page's current state.
  package func remove(_ plan: PrunePlan) -> PruneOutcome {
    guard let through = plan.through else {
      return PruneOutcome(reports: plan.measured?.reports ?? [], left: plan.measured?.total)
    }
    let reports = clearer.taking(dryRun: clearer.dryRun) { [order] status, path in
      let time = order.time(of: status)
      if time != through.time { return time < through.time }
      return PageAge(time: time, path: path().bytes) <= through
    }.clear(keys)
    var removed = PageTally()
    for report in reports {
      removed = removed + PageTally(files: report.filesRemoved, bytes: report.bytesRemoved)
    }
    return PruneOutcome(reports: reports, left: plan.measured.map { $0.total - removed })
  }
}

extension Clearer {
  /// The same clearer, but it takes only some pages of its keys. The keys must not overlap.
  fileprivate func taking(dryRun: DryRun, _ choice: @escaping PageChoice) -> Clearer {
    var clearer = Clearer(
      root, layout: layout, dryRun: dryRun, paths: pathList, branches: branches, kernel: kernel,
      watch: watch)
    clearer.choice = choice
    // No page is met twice, so none must be remembered, and a dry run can have several threads too.
    clearer.ghosts = nil
    clearer.threads = max(threads, Clearer.lookingThreads)
    return clearer
  }
}
