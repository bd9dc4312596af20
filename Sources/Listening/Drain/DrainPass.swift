// SPDX-License-Identifier: BSD-2-Clause
//
// The progress of a pass over a queue, and the keys that it need not clear again.

import CacheFS
import PGQueue

/// The progress of a pass over a queue.
struct DrainPass {
  /// The pass's number. Passes are counted over all queues.
  var number = 0
  /// The place of the last row that was served; nil at the start.
  var position: QueuePlace?
  /// Pages were cleared up to this place while the lock was not available.
  var promptedTo: QueuePlace?
  /// Pages were cleared again up to this place; nil at the start.
  var rotatedTo: QueuePlace?
  /// Whether the pass has asked the server to delete rows.
  var hasRetired = false
  /// Whether the pass tries the rows that the server keeps; and the rows that the server has kept again.
  var triesKept = false
  var kept: Set<QueuePlace> = []
  /// The keys that were cleared in this pass.
  var recent = RecentKeys()
  /// The keys that have no folder.
  var absent = AbsentKeys()
  var began = ContinuousClock.now
  /// Since when rows cannot be retired; nil where they can.
  var heldSince: ContinuousClock.Instant?
  /// The rows that must wait and whose keys were told.
  var told: Set<QueuePlace> = []
  /// Whether the next batch belongs to another pass.
  var hasEnded = false
  /// The batch behind the present one, which was read meanwhile.
  private var ahead: Ahead?

  init(number: Int = 0) { self.number = number }

  private struct Ahead {
    let rows: [QueueRow]
    let limit: Int
    let position: QueuePlace
  }

  /// Keeps the rows behind a place for the next batch. They may be out of date when their turn comes, as the rows of any
  /// batch may be when their lock is granted: they are cleared again under that lock, and only these versions of them
  /// are deleted.
  mutating func keep(ahead rows: [QueueRow], limit: Int, behind position: QueuePlace) {
    ahead = Ahead(rows: rows, limit: limit, position: position)
  }

  /// The rows that were read ahead, if they come next, and how many there might have been.
  mutating func takeAhead() -> (rows: [QueueRow], limit: Int)? {
    defer { ahead = nil }
    guard let ahead, ahead.position == position else { return nil }
    return (ahead.rows, ahead.limit)
  }

  /// Forgets what depends on the configuration: what rows name, and where keys are on the disk.
  mutating func forgetConfiguration() {
    ahead = nil
    recent = RecentKeys()
    absent = AbsentKeys()
  }
}

/// Keys that were cleared a moment ago. A queue of a million rows names each of its keys many times. A page that a
/// visitor has re-created since is cleared under the next batch's lock. The clear before that lock is only for
/// promptness, and would find hardly anything.
///
/// Keys are kept as fingerprints: a collision only delays the clear until the locked pass.
struct RecentKeys {
  /// Only the first keys, up to this number, are kept: they take a megabyte.
  private static let most = 65_536

  private var fingerprints: Set<Int> = []

  /// Adds keys. Returns the indices of those that were not here before.
  mutating func add(_ keys: [CacheKey]) -> [Int] {
    keys.indices.filter { index in
      let fingerprint = keys[index].fingerprint
      return fingerprints.count < Self.most
        ? fingerprints.insert(fingerprint).inserted : !fingerprints.contains(fingerprint)
    }
  }
}

extension Clearer {
  /// Clears the keys that are not recent. Recent keys count as cleared. Returns a report for each key.
  func clear(
    _ keys: [CacheKey], except recent: inout RecentKeys, skipping absent: inout AbsentKeys
  ) -> [ClearReport] {
    let fresh = recent.add(keys)
    if fresh.count == keys.count { return clear(keys, skipping: &absent) }
    var reports = [ClearReport](repeating: ClearReport(), count: keys.count)
    let part = clear(fresh.map { keys[$0] }, skipping: &absent)
    for (index, report) in zip(fresh, part) { reports[index] = report }
    return reports
  }
}
