// SPDX-License-Identifier: BSD-2-Clause
//
// The forward reading: key -> folder -> files -> gone. Every command and the listener delete only through
// `clear(_:)`.
//
// Fully bound components are opened by name. At an unbound component, only that folder is listed and matched.
// The cost of a clear therefore does not depend on the size of the cache.

import Basics
import SystemPackage

/// Deletes the pages of keys below one cache directory.
package struct Clearer: Sendable {
  /// How many threads unlink. The journal of ext4 batches concurrent requests, and most threads wait for it
  /// at any time. The drain of 20,798 rows and 61,871 files took 1.76 s with 8 threads, 1.44 s with 16 and
  /// 1.49 s with 32 on two processors (ARCHITECTURE.md, "Threads").
  package static let defaultThreads = 16

  /// How many threads look for pages until one is found. Looking does not wait for a journal, and under the
  /// queue's lock there is usually nothing to find.
  static let lookingThreads = 2

  /// Starting a thread takes about as long as unlinking the pages of a few ports.
  static let keysWorthAThread = 8

  /// This many folders may wait for a thread. A folder beyond that is cleared by the thread that found it.
  private static let waitingFolders = 1024

  package let layout: Layout
  package let dryRun: DryRun
  var root: Directory
  let pathList: PathList
  let branches: Set<[UInt8]>?
  var threads: Int
  let kernel: Kernel
  let watch: ClearWatch?
  /// Which keys have been searched in all of their family.
  private var memory = SweepMemory()
  private(set) var matchers: MatcherPool
  /// In a dry run: the paths that earlier keys would already have removed.
  var ghosts: Ghosts?
  /// Which pages of the keys are removed; nil means all of them.
  var choice: PageChoice?

  /// - Parameters:
  ///   - root: the cache directory, held open for as long as the clearer lives.
  ///   - branches: if given, only pages that name one of these branches are removed.
  ///   - watch: counts what is removed, and may stop the clear.
  package init(
    _ root: Directory, layout: Layout, dryRun: DryRun = .no, paths: PathList = .dropped,
    branches: Set<[UInt8]>? = nil, threads: Int = defaultThreads, kernel: Kernel = .real,
    watch: ClearWatch? = nil
  ) {
    self.root = root
    self.layout = layout
    matchers = MatcherPool(layout)
    self.dryRun = dryRun
    pathList = paths
    self.branches = branches
    // Only one thread at a time may use the ghosts, and a dry run has no journal to wait for.
    self.threads = dryRun == .yes ? 1 : max(1, threads)
    self.kernel = kernel
    self.watch = watch
    ghosts = dryRun == .yes ? Ghosts() : nil
  }

  /// Clears each key and returns a report for each, in their order.
  ///
  /// A file that vanishes meanwhile is not a failure. A file that cannot be removed is one, and stops
  /// nothing. A key that the ``ClearWatch`` stopped has ``ClearReport/isPartial``.
  package func clear(_ keys: [CacheKey]) -> [ClearReport] { clear(keys, whenAbsent: nil) }

  /// The same.
  /// - Parameter note: is told where the folders of keys are missing.
  func clear(
    _ keys: [CacheKey], whenAbsent note: (([AbsentKeys.Missing]) -> Void)?
  ) -> [ClearReport] {
    let sweeps = KeySweep.all(of: keys, layout)
    var reports = perform(
      ClearPlan(keys, sweeps, notesAbsence: note != nil && sweeps.isEmpty), whenAbsent: note)
    // The site says that nothing varies, but the head of a page says otherwise.
    let varied = reports.indices.filter { reports[$0].hasVariants }
    if !varied.isEmpty {
      let sweeps = KeySweep.all(of: keys, layout, anyhow: Set(varied))
      let more = perform(ClearPlan(keys, sweeps, sweepsOnly: true))
      for index in reports.indices { reports[index].add(more[index]) }
    }
    return reports
  }

  private func perform(
    _ asked: ClearPlan, whenAbsent noteAbsence: (([AbsentKeys.Missing]) -> Void)? = nil
  ) -> [ClearReport] {
    var plan = asked
    let note = dryRun == .no ? plan.recall(memory, root, layout) : { _ in }
    // A chunk holds neighbouring keys, which share the folders that a worker keeps open. In a small batch
    // the chunks are small, so that no thread works alone for long at the end.
    let count = plan.order.count
    let chunk = max(1, min(32, count / (threads * 16)))
    let seeds = stride(from: 0, to: count, by: chunk).reversed().map {
      ClearTask.keys($0..<min($0 + chunk, count))
    }
    let ready = plan
    let most =
      isAnyWide(plan.keys) ? threads : min(threads, max(1, count / Self.keysWorthAThread))
    let workers = WorkPool.run(
      seeds, threads: min(Self.lookingThreads, most), most: most,
      worker: ClearWorker(self, ready)
    ) { worker, task, pool in
      worker.perform(task) { pool.offer($0, most: Self.waitingFolders) }
      return worker.removals > 0
    }
    var reports = [ClearReport](repeating: ClearReport(), count: plan.keys.count)
    for worker in workers {
      for (index, report) in worker.reports { reports[index].add(report) }
    }
    note(reports)
    noteAbsence?(workers.flatMap(\.absences))
    matchers.giveBack(workers.map(\.matcher))
    return plan.shared(reports)
  }

  /// Clears one key.
  package func clear(_ key: CacheKey) -> ClearReport { clear([key]).first ?? ClearReport() }

  /// Whether both clearers use the same open directory.
  package func isSameTree(as other: Clearer) -> Bool { root === other.root }

  /// Switches to the directory that is now at the cache directory's path.
  /// - Returns: whether it is another directory than before.
  /// - Throws: the `Errno` of stat(2) or open(2).
  package mutating func followRoot() throws(Errno) -> Bool {
    let there = try root.followed()
    defer { root = there }
    if there !== root { memory.forget() }
    return there !== root
  }

  /// The same clearer, but nothing stops it.
  package func unstoppable() -> Clearer {
    watched(by: nil)
  }

  private func watched(by watch: ClearWatch?) -> Clearer {
    var clearer = Clearer(
      root, layout: layout, dryRun: dryRun, paths: pathList, branches: branches, threads: threads,
      kernel: kernel, watch: watch)
    clearer.memory = memory
    clearer.matchers = matchers
    return clearer
  }

  /// The same clearer, but it begins nothing new after the deadline.
  package func bounded(until deadline: ContinuousClock.Instant) -> Clearer {
    let watch = watch
    return watched(by: ClearWatch { watch?.stopped == true || .now >= deadline })
  }

  /// Whether its ``ClearWatch`` requests the end.
  package var isStopped: Bool { watch?.stopped == true }

  /// The cache directory's path as it was named, escaped for display.
  package var rootText: String { escape(Array(root.rootPath.string.utf8)) }

  /// The cache directory's own path, without links.
  package var realPath: FilePath { root.realPath }

  /// The folders that the layout names but the tree does not have.
  package var missingFolders: [CachePath] { layout.missingFolders(in: root) }

  /// The names in the tree of this clearer.
  package var names: FieldValues { FieldValues(root, layout: layout) }

  private func isAnyWide(_ keys: [CacheKey]) -> Bool { keys.contains(where: layout.isWide) }
}

/// Whether to remove the page with this status. Every thread calls it right before it removes a page. The path
/// is built only on request.
typealias PageChoice = @Sendable (FileStatus, () -> CachePath) -> Bool

/// The paths that a dry run has counted. Overlapping keys then count a page once, as a real run does.
final class Ghosts: @unchecked Sendable {
  // Safe: a dry run has one thread.
  private var paths: Set<CachePath> = []

  /// Whether the path had not been removed before.
  func remove(_ path: CachePath) -> Bool { paths.insert(path).inserted }
}

/// A piece of work: some keys from the top, or one key in a folder found by listing.
enum ClearTask: Sendable {
  case keys(Range<Int>)
  case folder(key: Int, FoundFolder)
}

/// A folder found by listing. It is opened only when its turn comes: a category has thousands of ports, and a
/// process has a thousand descriptors.
struct FoundFolder: Sendable {
  let name: [UInt8]
  let row: PlacedRow
  let parent: OpenFolder
}

/// A folder being cleared: its descriptor, its row, and its path for reports.
struct OpenFolder: Sendable {
  let directory: Directory
  let row: PlacedRow
  /// The path relative to the cache directory, with a trailing slash.
  let path: [UInt8]
  /// Whether it may have been listed before.
  var turn = ListingTurn.again
}
