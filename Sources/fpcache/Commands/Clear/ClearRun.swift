// SPDX-License-Identifier: BSD-2-Clause
//
// What the clear commands share: it gives keys to the Clearer in batches, and counts the results.

import Basics
import CacheFS
import Synchronization

/// One key as a person gave it, and the pages that it means.
struct ClearRequest {
  /// How much a big key covers. fpcache asks a person before it removes that much.
  enum Extent {
    /// A year of days or more.
    case days
    case category([UInt8])
    /// A whole family, or everything in a folder of it.
    case part
  }

  /// The key as it was given, for messages.
  let text: [UInt8]
  let keys: [CacheKey]
  /// Keys that are cleared too when this key matched a page, though they were not asked for: a port's category.
  var companions: [CacheKey] = []
  /// Whether it may overlap with other requests, so that their order matters.
  let isBroad: Bool
  /// Nil for a request that needs no question.
  var extent: Extent?
}

/// What a clear command did.
struct ClearSummary: Equatable {
  /// What messages call the keys of a command.
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
  /// How many keys were cleared completely.
  var keys = 0
  var keysWithoutMatch = 0
  /// Everything that was removed, for any reason.
  var cleared = ClearReport()
  /// The part of it that is pages of companions: of the ports' categories.
  var companionFiles = 0
  /// The part of it that is pages of the news family.
  var newsFiles = 0
  /// The pages that remain in the families after a prune that has counted them.
  var left: PageTally?
  /// How many of the keys that were started mean a whole category, and how many do not.
  var taken = (categories: 0, others: 0)
  /// The key as it was given, when it is the only one.
  var onlyKey: [UInt8]?
  /// The signal that stopped the run, and how many keys there were to clear.
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

/// The progress of a clear, for a line that another thread shows.
final class ClearTally: Sendable {
  let watch = ClearWatch { Interruption.signal != nil }
  private let keys = Atomic<Int>(0)

  var keysCleared: Int { keys.load(ordering: .relaxed) }

  fileprivate func clearedKeys(_ count: Int) { keys.add(count, ordering: .relaxed) }
}

/// Clears requests in batches, in order where they may overlap.
struct ClearRun {
  /// How many requests are cleared together: enough for every thread, few enough for constant memory.
  private static let batchSize = 1024
  /// How many requests that matched nothing are remembered, to be reported.
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

  /// Whether the run must start nothing new.
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

  /// Clears the news family, which the operator did not name, with a separate clearer.
  mutating func addNews(_ key: CacheKey, _ clearer: Clearer) {
    flush()
    let report = clearer.clear(key)
    summary.newsFiles += report.filesRemoved
    summary.cleared.add(report)
  }

  /// Adds the results of a prune, family by family.
  mutating func add(_ outcome: PruneOutcome) {
    for report in outcome.reports {
      summary.cleared.add(report)
      if report.isPartial { continue }
      summary.keys += 1
      if !report.matched { summary.keysWithoutMatch += 1 }
    }
    summary.left = outcome.left
  }

  /// - Parameter keysGiven: how many keys there would be to clear without an interruption.
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
    // A name that matches no page is probably mistyped, so its companions stay too. Pages that could not be read may
    // exist.
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
