// SPDX-License-Identifier: BSD-2-Clause
//
// Counts the tree: every file classified, sizes and ages added up.
//
// The totals equal those of find(1) and du(1) over the same tree, to the byte. Each number says which command
// it matches (StatsTests compares them).

import Basics

/// What a tree holds.
package struct StatsReport: Sendable {
  /// A tally for each family of the layout, in its order.
  package internal(set) var families: [FileTally]
  /// The files that match no pattern.
  package internal(set) var unknown = FileTally()
  /// The folders of each family. A folder belongs to the first family that can have files below it.
  package internal(set) var familyFolders: [FolderTally]
  /// The folders below which no pattern matches.
  package internal(set) var unknownFolders = FolderTally()
  /// The cache directory itself.
  package internal(set) var root = FolderTally()
  /// Files by age in seconds, at the requested time.
  package internal(set) var ages = Histogram(bounds: Histogram.ageBounds)
  /// Files by apparent size in bytes.
  package internal(set) var sizes = Histogram(bounds: Histogram.sizeBounds)
  /// A tally for each value of the requested field, the largest first.
  package internal(set) var groups: [(value: [UInt8], tally: FileTally)] = []
  /// The groups that are not listed, because there were more than requested.
  package internal(set) var otherGroups: (count: Int, tally: FileTally) = (0, FileTally())
  /// The files that do not have the field.
  package internal(set) var ungrouped = FileTally()
  /// The largest files, if requested. A file with several names has the first of its paths.
  package internal(set) var largest: [(path: CachePath, bytes: Int64)] = []
  /// What could not be read; at most ``StatsReport/keptFailures`` for each thread.
  package internal(set) var failures: [PathFailure] = []
  /// The number of failures to read.
  package internal(set) var failureCount = 0

  /// Each thread of a walk keeps at most this many failures. A tree of another owner fails at every folder,
  /// and more failures tell the operator nothing new.
  static let keptFailures = 10_000

  package static func == (left: Self, right: Self) -> Bool {
    left.families == right.families && left.unknown == right.unknown
      && left.familyFolders == right.familyFolders && left.unknownFolders == right.unknownFolders
      && left.root == right.root && left.ages == right.ages && left.sizes == right.sizes
      && left.groups.elementsEqual(right.groups, by: ==) && left.otherGroups == right.otherGroups
      && left.ungrouped == right.ungrouped && left.largest.elementsEqual(right.largest, by: ==)
      && left.failures == right.failures && left.failureCount == right.failureCount
  }

  /// All files: the number that `find DIR ! -type d` prints. The bytes are those of `du -s --apparent-size`
  /// of coreutils 9.2 or later, which does not count folders.
  package var total: FileTally {
    families.reduce(into: unknown) { $0.add($1) }
  }

  /// All folders, including the cache directory: the number that `find DIR -type d` prints.
  package var totalFolders: FolderTally {
    familyFolders.reduce(into: root) { $0.add($1) } + unknownFolders
  }

  /// Files and folders, added up like `du -s --apparent-size --block-size=1` before coreutils 9.2, and like
  /// BSD's `du -sA` without its rounding.
  package var apparentBytes: Int64 { total.bytes &+ totalFolders.bytes }

  /// Files and folders, added up like `du -s --block-size=1`.
  package var diskBytes: Int64 { total.diskBytes &+ totalFolders.diskBytes }
}

extension StatsReport: Equatable {}

extension StatsReport {
  /// An empty report, for a tree that was not scanned.
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

/// What to count in the tree, and how.
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

/// Receives the progress of a walk from time to time, on any thread.
package protocol ScanObserver: AnyObject, Sendable {
  /// - Parameters:
  ///   - files: how many were seen since this thread's last call.
  ///   - folder: the folder that the walk is in.
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
