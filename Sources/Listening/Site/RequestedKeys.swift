// SPDX-License-Identifier: BSD-2-Clause
//
// What queues have asked to clear, and when: a change that a queue has announced is not news when a query finds it in
// the database.

import Basics
import CacheFS

/// When each key was last requested, as far as memory allows.
package final class RequestedKeys {
  /// About 50 bytes each.
  private static let defaultMost = 131_072

  private let most: Int
  private var times: [Int: Int64] = [:]
  /// All requests since this time are known. Times are in nanoseconds since the epoch.
  private(set) var since: Int64
  /// Whether a caller that does not drain the queues will judge by these keys: the rows that wait there must be noted
  /// first. Another node may hold them for longer than a poll.
  var lacksWaiting = false

  /// - Parameter now: when the recording begins.
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

  /// Whether the key was requested at that time or later, itself or as a part of another request; nil where that is no
  /// longer known.
  /// - Parameter slack: how much earlier the request may have been, since clocks differ.
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
