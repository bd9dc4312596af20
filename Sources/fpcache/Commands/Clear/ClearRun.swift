// SPDX-License-Identifier: BSD-2-Clause
//
// What the clear commands share: keys in batches through the Clearer, and the tally of it.

import Basics
import CacheFS
import Synchronization

/// One key as a person gave it, and the pages that it means.
struct ClearRequest {
  /// So much that a person is asked before it goes.
  enum Extent {
    /// A year of days or more.
    case days
    case category([UInt8])
    /// A whole family, or all that lies in a folder of it.
    case part
  }

  /// As it was given, for messages.
  let text: [UInt8]
  let keys: [CacheKey]
  /// Cleared along with it where it matched a page, but not what was asked for: a port's category.
  var companions: [CacheKey] = []
  /// Whether it may overlap with other requests, so that their order matters.
  let isBroad: Bool
  /// Nil for what is asked about by nobody.
  var extent: Extent?
}

/// What a clear command did.
struct ClearSummary: Equatable {
  /// What the keys of a command are called, in messages.
  enum Subject: Equatable {
    case ports, dates, news
    /// Every family that an invalidation may clear.
    case everything
    case family(String)
    /// The oldest pages of these families.
    case oldest([String])
  }

  var dryRun: Bool
  var subject = Subject.ports
  /// How many keys were cleared to their end.
  var keys = 0
  var keysWithoutMatch = 0
  /// All that went, for whatever reason.
  var cleared = ClearReport()
  /// Of that, pages of companions: of the ports' categories.
  var companionFiles = 0
  /// Of that, pages of the news that went along.
  var newsFiles = 0
  /// After a prune that has counted them: the pages that are left of its families.
  var left: PageTally?
  /// How many of the keys that were taken up stood for a whole category, and how many did not.
  var taken = (categories: 0, others: 0)
  /// As it was given, when it is the only one.
  var onlyKey: [UInt8]?
  /// The signal that stopped it, and how many keys there were to clear.
  var interruption: (signal: CInt, keysGiven: Int)?

  /// - Parameter requireMatch: whether a key that matched nothing is an error.
  func status(requireMatch: Bool) -> ExitStatus {
    if !cleared.failures.isEmpty { return .incomplete }
    return requireMatch && keysWithoutMatch > 0 ? .noMatch : .done
  }

  static func == (left: ClearSummary, right: ClearSummary) -> Bool {
    left.json(listing: true) == right.json(listing: true)
      && left.lines(.plain) == right.lines(.plain)
  }
}

/// How far a clear is, for a line that another thread shows.
final class ClearTally: Sendable {
  let watch = ClearWatch { Interruption.signal != nil }
  private let keys = Atomic<Int>(0)

  var keysCleared: Int { keys.load(ordering: .relaxed) }

  fileprivate func clearedKeys(_ count: Int) { keys.add(count, ordering: .relaxed) }
}

/// Clears requests in batches, in order where they may overlap.
struct ClearRun {
  /// Requests cleared together: enough for every thread, few enough for constant memory.
  private static let batchSize = 1024
  /// How many requests that matched nothing are remembered, to be told of.
  static let remembered = 10

  private let clearer: Clearer
  private let tally: ClearTally
  private(set) var summary: ClearSummary
  /// The first requests that matched nothing.
  private(set) var unmatched: [ClearRequest] = []
  private var batch: [ClearRequest] = []

  init(_ clearer: Clearer, _ subject: ClearSummary.Subject, _ tally: ClearTally) {
    self.clearer = clearer
    self.tally = tally
    summary = ClearSummary(dryRun: clearer.dryRun == .yes, subject: subject)
  }

  /// Whether nothing more is to be begun.
  var isStopped: Bool { tally.watch.stopped }

  mutating func add(_ request: ClearRequest) {
    if summary.onlyKey == nil { summary.onlyKey = request.text }
    if isStopped { return }
    if case .category? = request.extent {
      summary.taken.categories += 1
    } else {
      summary.taken.others += 1
    }
    if request.isBroad { flush() }
    batch.append(request)
    if request.isBroad || batch.count >= Self.batchSize { flush() }
  }

  /// Clears the news, which nobody asked for by name, with a clearer of its own.
  mutating func addNews(_ key: CacheKey, _ clearer: Clearer) {
    flush()
    let report = clearer.clear(key)
    summary.newsFiles += report.filesRemoved
    summary.cleared.add(report)
  }

  /// Takes in what a prune has done, family by family.
  mutating func add(_ outcome: PruneOutcome) {
    for report in outcome.reports {
      summary.cleared.add(report)
      if report.isPartial { continue }
      summary.keys += 1
      if !report.matched { summary.keysWithoutMatch += 1 }
    }
    summary.left = outcome.left
  }

  /// - Parameter keysGiven: how many keys there were to clear, had nobody stopped it.
  mutating func finish(keysGiven: Int) -> ClearSummary {
    flush()
    if keysGiven != 1 { summary.onlyKey = nil }
    if let signal = Interruption.signal, summary.cleared.isPartial || summary.keys < keysGiven {
      summary.interruption = (signal, keysGiven)
    }
    return summary
  }

  private mutating func flush() {
    let requests = batch
    batch.removeAll(keepingCapacity: true)
    var own = KeySet()
    let ownKeys = requests.map { own.add($0.keys) }
    let reports = clearer.clear(own.keys)
    // A name that matches no page was probably mistyped: then its companions stay, too. What could not be
    // looked at may well be there.
    var companions = KeySet()
    let companionKeys = zip(requests, ownKeys).map { request, keys in
      keys.contains { reports[$0].matched || !reports[$0].failures.isEmpty }
        ? companions.add(request.companions) : []
    }
    let companionReports = clearer.clear(companions.keys)
    for (index, request) in requests.enumerated() {
      let found = ownKeys[index].map { reports[$0] }
      let beside = companionKeys[index].map { companionReports[$0] }
      if (found + beside).contains(where: \.isPartial) { continue }
      summary.keys += 1
      if found.contains(where: \.matched) { continue }
      summary.keysWithoutMatch += 1
      let hasFailed = found.contains { !$0.failures.isEmpty }
      if !hasFailed, unmatched.count < Self.remembered { unmatched.append(request) }
    }
    reports.forEach { summary.cleared.add($0) }
    for report in companionReports {
      summary.companionFiles += report.filesRemoved
      summary.cleared.add(report)
    }
    tally.clearedKeys(requests.count)
  }
}
