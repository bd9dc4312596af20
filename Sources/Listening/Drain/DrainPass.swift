// SPDX-License-Identifier: BSD-2-Clause
//
// How far a pass over a queue has come, and which keys it need not look at once more.

import CacheFS
import PGQueue

/// How far a pass over a queue has come.
struct DrainPass {
  /// Its number; passes are counted over all queues.
  var number = 0
  /// The place of the last row that was served; nil at the start.
  var position: QueuePlace?
  /// The place up to which pages were cleared while the lock was not to be had.
  var promptedTo: QueuePlace?
  /// The place up to which they were cleared again; nil at the start.
  var rotatedTo: QueuePlace?
  /// Whether it has asked for rows to be deleted.
  var hasRetired = false
  /// Whether it tries the rows that the server keeps, and those that it has kept again.
  var triesKept = false
  var kept: Set<QueuePlace> = []
  /// What was cleared in this pass.
  var recent = RecentKeys()
  var began = ContinuousClock.now
  /// Whether the next batch belongs to another pass.
  var hasEnded = false
}

/// Keys that were looked for a moment ago. A queue of a million rows names each of its keys many times, and
/// what a visitor has re-created since goes under the next batch's lock: the look before that, for the
/// sake of promptness, would find hardly anything.
///
/// By their fingerprints: a key that is taken for another loses no more than its promptness.
struct RecentKeys {
  /// Of more, the first only: these take a megabyte.
  private static let most = 65_536

  private var fingerprints: Set<Int> = []

  /// The places of the keys that are not among them; from now on they are.
  mutating func add(_ keys: [CacheKey]) -> [Int] {
    keys.indices.filter { index in
      let fingerprint = keys[index].fingerprint
      return fingerprints.count < Self.most
        ? fingerprints.insert(fingerprint).inserted : !fingerprints.contains(fingerprint)
    }
  }
}

extension Clearer {
  /// Clears keys but for recent ones, which count as cleared, and returns a report for each.
  func clear(_ keys: [CacheKey], except recent: inout RecentKeys) -> [ClearReport] {
    let fresh = recent.add(keys)
    if fresh.count == keys.count { return clear(keys) }
    var reports = [ClearReport](repeating: ClearReport(), count: keys.count)
    for (index, report) in zip(fresh, clear(fresh.map { keys[$0] })) { reports[index] = report }
    return reports
  }
}
