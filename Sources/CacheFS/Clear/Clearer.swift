// SPDX-License-Identifier: BSD-2-Clause
//
// The forward reading: key -> folder -> files -> gone. Every command and the listener delete
// through `clear(_:)` and through nothing else.
//
// Fully bound components are opened by name; at an unbound one that one folder is listed and
// matched, so the cost of a clear does not depend on the size of the cache.

import Basics
import SystemPackage

/// Deletes the pages of keys below one cache directory.
package struct Clearer: Sendable {
  /// How many threads unlink. The journal of ext4 batches what several threads ask for at once, and
  /// most of them wait for it at any time: the drain of 20,798 rows and 61,871 files took 1.76 s
  /// with 8 threads, 1.44 s with 16 and 1.49 s with 32 on two processors (ARCHITECTURE.md, "Threads").
  package static let defaultThreads = 16

  /// How many threads look for pages before one is found: looking waits for no journal, and under
  /// the queue's lock there is mostly nothing to find.
  static let lookingThreads = 2

  /// Starting a thread takes about as long as unlinking the pages of a few ports.
  static let keysWorthAThread = 8

  /// So many folders wait for a thread; a folder that finds no room is cleared by whoever has found it.
  private static let waitingFolders = 1024

  package let layout: Layout
  package let dryRun: DryRun
  var root: Directory
  let pathList: PathList
  let branches: Set<[UInt8]>?
  var threads: Int
  let kernel: Kernel
  let watch: ClearWatch?
  /// Which keys have been looked for in all of their family.
  private var memory = SweepMemory()
  /// In a dry run, what earlier keys would have removed already.
  var ghosts: Ghosts?
  /// Which pages of the keys go; nil for all of them.
  var choice: PageChoice?

  /// - Parameters:
  ///   - root: the cache directory, held open for as long as the clearer lives.
  ///   - branches: when given, only pages that name one of these branches go.
  ///   - watch: counts what is removed, and may stop the clear.
  package init(
    _ root: Directory, layout: Layout, dryRun: DryRun = .no, paths: PathList = .dropped,
    branches: Set<[UInt8]>? = nil, threads: Int = defaultThreads, kernel: Kernel = .real,
    watch: ClearWatch? = nil
  ) {
    self.root = root
    self.layout = layout
    self.dryRun = dryRun
    pathList = paths
    self.branches = branches
    // One thread at a time may ask the ghosts, and a dry run has no journal to wait for.
    self.threads = dryRun == .yes ? 1 : max(1, threads)
    self.kernel = kernel
    self.watch = watch
    ghosts = dryRun == .yes ? Ghosts() : nil
  }

  /// Clears each key and returns a report for each, in their order.
  ///
  /// Files that vanish under way are not failures; what cannot be removed is, and stops nothing.
  /// What its ``ClearWatch`` stopped has ``ClearReport/isPartial``.
  package func clear(_ keys: [CacheKey]) -> [ClearReport] {
    var reports = perform(ClearPlan(keys, KeySweep.all(of: keys, layout)))
    // The site says that nothing varies, and a page said otherwise.
    let varied = reports.indices.filter { reports[$0].hasVariants }
    if !varied.isEmpty {
      let sweeps = KeySweep.all(of: keys, layout, anyhow: Set(varied))
      let more = perform(ClearPlan(keys, sweeps, sweepsOnly: true))
      for index in reports.indices { reports[index].add(more[index]) }
    }
    return reports
  }

  private func perform(_ asked: ClearPlan) -> [ClearReport] {
    var plan = asked
    let note = dryRun == .no ? plan.recall(memory, root, layout) : { _ in }
    // Chunks of neighbours share the folders above them, which a worker keeps open. In a small batch they
    // are small, so that at its end no thread is long at work alone.
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
    return plan.shared(reports)
  }

  /// Clears one key.
  package func clear(_ key: CacheKey) -> ClearReport { clear([key]).first ?? ClearReport() }

  /// Whether both clear below the same open directory.
  package func isSameTree(as other: Clearer) -> Bool { root === other.root }

  /// Goes to the directory that stands at the cache directory's path by now.
  /// - Returns: whether that is another one than before.
  /// - Throws: the `Errno` of stat(2) or open(2).
  package mutating func followRoot() throws(Errno) -> Bool {
    let there = try root.followed()
    defer { root = there }
    if there !== root { memory.forget() }
    return there !== root
  }

  /// The same clearer, which nothing stops.
  package func unstoppable() -> Clearer {
    watched(by: nil)
  }

  private func watched(by watch: ClearWatch?) -> Clearer {
    var clearer = Clearer(
      root, layout: layout, dryRun: dryRun, paths: pathList, branches: branches, threads: threads,
      kernel: kernel, watch: watch)
    clearer.memory = memory
    return clearer
  }

  /// The same clearer, which begins nothing new from a time on.
  package func bounded(until deadline: ContinuousClock.Instant) -> Clearer {
    let watch = watch
    return watched(by: ClearWatch { watch?.stopped == true || .now >= deadline })
  }

  /// Whether its ``ClearWatch`` wants it to end.
  package var isStopped: Bool { watch?.stopped == true }

  /// The cache directory's path as it was named, fit to be shown.
  package var rootText: String { escape(Array(root.rootPath.string.utf8)) }

  /// The cache directory's own path, without links.
  package var realPath: FilePath { root.realPath }

  /// The folders that the layout names and the tree lacks.
  package var missingFolders: [CachePath] { layout.missingFolders(in: root) }

  /// The names in the tree that is cleared.
  package var names: FieldValues { FieldValues(root, layout: layout) }

  private func isAnyWide(_ keys: [CacheKey]) -> Bool { keys.contains(where: layout.isWide) }
}

/// Whether a page goes of which this is the status: asked by every thread, right before the page is removed. The path
/// is put together for who asks for it.
typealias PageChoice = @Sendable (FileStatus, () -> CachePath) -> Bool

/// The paths that a dry run has counted, so that keys that overlap count a page once, as the
/// real run does.
final class Ghosts: @unchecked Sendable {
  // Safe: a dry run has one thread.
  private var paths: Set<CachePath> = []

  /// Whether the path was still there.
  func remove(_ path: CachePath) -> Bool { paths.insert(path).inserted }
}

/// A piece of work: some keys from the top, or one key in a folder found by listing.
enum ClearTask: Sendable {
  case keys(Range<Int>)
  case folder(key: Int, FoundFolder)
}

/// A folder found by listing. It is opened when its turn comes: a category has thousands of
/// ports, and a process a thousand descriptors.
struct FoundFolder: Sendable {
  let name: [UInt8]
  let row: PlacedRow
  let parent: OpenFolder
}

/// A folder being cleared: its descriptor, its row, and its path for reports.
struct OpenFolder: Sendable {
  let directory: Directory
  let row: PlacedRow
  /// Relative to the cache directory, with a slash behind it.
  let path: [UInt8]
  /// Whether it may have been listed before.
  var turn = ListingTurn.again
}
