// How far a pass over a queue has come, and which keys it need not look at once more.

import CacheFS

extension Drain {
  /// How far a pass over a queue has come.
  struct Pass {
    /// The position of the last row that was served; nil at the start.
    var position: String?
    /// The position up to which pages were cleared while the lock was not to be had.
    var promptedTo: String?
    /// The rows that have to wait and were met in this pass.
    var waiting: Set<RowName> = []
    /// What was cleared under the lock in this pass.
    var recent = RecentKeys()
    var began = ContinuousClock.now
    /// Whether the next batch belongs to another pass.
    var hasEnded = false
  }
}

/// Keys whose pages went under the queue's lock a moment ago. A queue of a million rows names each of its
/// keys many times, and what a visitor has re-created since goes under the next batch's lock: the look
/// before that, for the sake of promptness, would find hardly anything.
///
/// By their hashes: a key that is taken for another loses no more than its promptness.
struct RecentKeys {
  /// Of more, the first only: these take a megabyte.
  private static let most = 65_536

  private var hashes: Set<Int> = []

  var isEmpty: Bool { hashes.isEmpty }

  func contains(_ key: CacheKey) -> Bool { hashes.contains(key.hashValue) }

  mutating func add(_ keys: [CacheKey]) {
    for key in keys {
      guard hashes.count < Self.most else { return }
      hashes.insert(key.hashValue)
    }
  }
}

extension Clearer {
  /// Clears keys but for recent ones, which count as cleared, and returns a report for each.
  func clear(_ keys: [CacheKey], except recent: RecentKeys) -> [ClearReport] {
    if recent.isEmpty { return clear(keys) }
    let wanted = keys.indices.filter { !recent.contains(keys[$0]) }
    var reports = [ClearReport](repeating: ClearReport(), count: keys.count)
    for (index, report) in zip(wanted, clear(wanted.map { keys[$0] })) { reports[index] = report }
    return reports
  }
}
