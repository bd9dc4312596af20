// SPDX-License-Identifier: BSD-2-Clause
//
// Removing the oldest pages of families until a bound holds. It walks by the clearer that removes by key, so that the same
// pages are meant, by the same rules for links and mounts; and it asks each page's time again right before the page
// goes, so that one which was written anew meanwhile stays.

import Basics
import Synchronization
import SystemPackage

/// How far back pages go.
package struct PrunePlan: Equatable, Sendable {
  /// The youngest age that goes; nil where none does, and then they were counted.
  let through: PageAge?
  /// What the walk found, and could not read; nil where no walk was needed.
  package let measured: Measured?

  package struct Measured: Equatable, Sendable {
    /// All pages of the families.
    package let total: PageTally
    /// Those that go.
    package let going: PageTally
    /// A report for each family, in which nothing was removed.
    package let reports: [ClearReport]
  }
}

/// What a prune did.
package struct PruneOutcome: Equatable, Sendable {
  /// A report for each family.
  package let reports: [ClearReport]
  /// What is left of all of them, of what was there when they were counted; nil where they were not.
  package let left: PageTally?
}

/// Prunes whole families of one cache directory. A bound is for all of them together.
package final class Pruner: Sendable {
  private let clearer: Clearer
  private let keys: [CacheKey]
  private let order: PruneOrder
  private let limits: AgeCensus.Limits
  /// How many pages the walk in hand has seen.
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

  /// How many pages the walk in hand has seen; asked by other threads.
  package var pagesSeen: Int { seenFiles.load(ordering: .relaxed) }

  // MARK: Which go

  /// Looks how far back pages go for a bound.
  /// - Parameter counting: whether what goes is counted even where no walk is needed to know which it is.
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
    let box = CensusBox(AgeCensus(span, limits))
    seenFiles.store(0, ordering: .relaxed)
    let reports = clearer.taking(dryRun: .yes) { [self] status, path in
      let age = PageAge(time: order.time(of: status), path: path().bytes)
      box.census.withLock { $0.add(age, status.size) }
      seenFiles.add(1, ordering: .relaxed)
      return false
    }.clear(keys)
    return (box.census.withLock { $0 }, reports)
  }

  private final class CensusBox: Sendable {
    let census: Mutex<AgeCensus>

    init(_ census: AgeCensus) { self.census = Mutex(census) }
  }

  // MARK: The removal

  /// Removes what the plan says, as it is by now.
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
  /// The same clearer, which takes only some of the pages of its keys. No two of these may overlap.
  fileprivate func taking(dryRun: DryRun, _ choice: @escaping PageChoice) -> Clearer {
    var clearer = Clearer(
      root, layout: layout, dryRun: dryRun, paths: pathList, branches: branches, kernel: kernel,
      watch: watch)
    clearer.choice = choice
    // No page is met twice, so none needs to be remembered, and a dry run has several threads, too.
    clearer.ghosts = nil
    clearer.threads = max(threads, Clearer.lookingThreads)
    return clearer
  }
}
