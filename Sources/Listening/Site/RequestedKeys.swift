// SPDX-License-Identifier: BSD-2-Clause
//
// What queues have asked to be cleared, and when: a change that they told of is no news to whoever finds it in
// the database.

import Basics
import CacheFS

/// When each key was last asked for, for as long as there is room.
package final class RequestedKeys {
  /// Some 50 bytes each.
  private static let defaultMost = 131_072

  private let most: Int
  private var times: [Int: Int64] = [:]
  /// From when on each is known. Times are in nanoseconds since the epoch.
  private(set) var since: Int64
  /// Whether somebody is about to judge by them who does not drain the queues: what waits there has to be noted first.
  /// Another node may hold it for longer than a poll.
  var lacksWaiting = false

  /// - Parameter now: when they begin to be noted.
  package init(now: Int64 = currentTime(), most: Int = defaultMost) {
    since = now
    self.most = max(2, most)
  }

  func note(_ keys: [CacheKey], _ layout: Layout, now: Int64 = currentTime()) {
    for key in keys { times[layout.coverFingerprint(of: key)] = now }
    if times.count > most { forgetOlderHalf() }
  }

  private func forgetOlderHalf() {
    let sorted = times.values.sorted()
    let middle = sorted[sorted.count / 2]
    times = times.filter { $0.value > middle }
    since = max(since, clampedSum(middle, 1))
  }

  /// Whether the key was asked for at that time or later, itself or as a part of what was; nil where it is
  /// not known any more.
  /// - Parameter slack: how much earlier it may have been, since clocks differ.
  func isRequested(
    _ key: CacheKey, since time: Int64, slack: Int64 = 0, _ layout: Layout
  ) -> Bool? {
    let earliest = clampedDifference(time, slack)
    let isThere = layout.coveringFingerprints(of: key).contains {
      times[$0].map { $0 >= earliest } ?? false
    }
    return isThere ? true : time < since ? nil : false
  }
}
