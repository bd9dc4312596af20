// SPDX-License-Identifier: BSD-2-Clause
//
// Counting the tree: every file classified, sizes and ages added up.
//
// The totals are those of find(1) and du(1) over the same tree, to the byte; which is which stands
// with each number (StatsTests compares them).

import Basics

/// What a tree holds.
package struct StatsReport: Sendable {
  /// A tally for each family of the layout, in its order.
  package internal(set) var families: [FileTally]
  /// What matches no pattern.
  package internal(set) var unknown = FileTally()
  /// The folders of each family: a folder belongs to the first family that can have files
  /// below it.
  package internal(set) var familyFolders: [FolderTally]
  /// The folders below which no pattern matches.
  package internal(set) var unknownFolders = FolderTally()
  /// The cache directory itself.
  package internal(set) var root = FolderTally()
  /// Files by age in seconds, at the time asked for.
  package internal(set) var ages = Histogram(bounds: Histogram.ageBounds)
  /// Files by apparent size in bytes.
  package internal(set) var sizes = Histogram(bounds: Histogram.sizeBounds)
  /// A tally for each value of the field asked for, the largest first.
  package internal(set) var groups: [(value: [UInt8], tally: FileTally)] = []
  /// The groups that are not listed, for there were more than asked for.
  package internal(set) var otherGroups: (count: Int, tally: FileTally) = (0, FileTally())
  /// The files that have no such field.
  package internal(set) var ungrouped = FileTally()
  /// The largest files, when asked for; one with several names by the first of its paths.
  package internal(set) var largest: [(path: CachePath, bytes: Int64)] = []
  /// What could not be read; ``StatsReport/keptFailures`` for each thread at most.
  package internal(set) var failures: [PathFailure] = []
  /// How many could not be read.
  package internal(set) var failureCount = 0

  /// So many failures are kept by each thread of a walk: a tree of another owner fails at every
  /// folder, and nobody reads on.
  static let keptFailures = 10_000

  package static func == (left: Self, right: Self) -> Bool {
    left.families == right.families && left.unknown == right.unknown
      && left.familyFolders == right.familyFolders && left.unknownFolders == right.unknownFolders
      && left.root == right.root && left.ages == right.ages && left.sizes == right.sizes
      && left.groups.elementsEqual(right.groups, by: ==) && left.otherGroups == right.otherGroups
      && left.ungrouped == right.ungrouped && left.largest.elementsEqual(right.largest, by: ==)
      && left.failures == right.failures && left.failureCount == right.failureCount
  }

  /// All files: as many as `find DIR ! -type d` prints. The bytes are those of
  /// `du -s --apparent-size` of coreutils 9.2 or later, which counts no folders.
  package var total: FileTally {
    families.reduce(into: unknown) { $0.add($1) }
  }

  /// All folders, the cache directory too: as many as `find DIR -type d` prints.
  package var totalFolders: FolderTally {
    familyFolders.reduce(into: root) { $0.add($1) } + unknownFolders
  }

  /// Files and folders as `du -s --apparent-size --block-size=1` adds them up before coreutils
  /// 9.2, and BSD's `du -sA` if it did not round.
  package var apparentBytes: Int64 { total.bytes &+ totalFolders.bytes }

  /// Files and folders as `du -s --block-size=1` adds them up.
  package var diskBytes: Int64 { total.diskBytes &+ totalFolders.diskBytes }
}

extension StatsReport: Equatable {}

extension StatsReport {
  /// Of a tree that was not looked at.
  package init(_ layout: Layout, _ query: StatsQuery) {
    let families = layout.families.count
    self = StatsCounter.report([StatsCounter(families: families, query, nil)], query)
  }
}

extension FolderTally {
  fileprivate static func + (left: Self, right: Self) -> Self {
    var sum = left
    sum.add(right)
    return sum
  }
}

/// What of the tree is counted, and how.
package struct StatsQuery: Sendable {
  /// A field of the layout.
  package var groupBy: String?
  /// How many groups and files to list; nil lists every group and no file.
  package var top: Int?
  /// Count only files modified before this time, in nanoseconds since the epoch.
  package var modifiedBefore: Int64?
  /// The time from which ages are counted, in nanoseconds since the epoch.
  package var now: Int64

  package init(
    groupBy: String? = nil, top: Int? = nil, modifiedBefore: Int64? = nil,
    now: Int64 = currentTime()
  ) {
    self.groupBy = groupBy
    self.top = top
    self.modifiedBefore = modifiedBefore
    self.now = now
  }
}

/// Told from time to time, by any thread, how far a walk has come.
package protocol ScanObserver: AnyObject, Sendable {
  /// - Parameters:
  ///   - files: how many were seen since this thread told the last time.
  ///   - folder: where it is.
  func scanned(_ files: Int, in folder: ScannedFolder)
}

/// Counts the tree below a cache directory.
package func measure(
  _ scanner: Scanner, _ query: StatsQuery, observer: (any ScanObserver)? = nil
) -> StatsReport {
  let families = scanner.layout.families.count
  let counters = scanner.scan { StatsCounter(families: families, query, observer) }
  return StatsCounter.report(counters, query)
}
