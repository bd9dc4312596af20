// SPDX-License-Identifier: BSD-2-Clause
//
// The listener's orders to the thread of a look that walks the tree: to wait during a drain, and to stop.

import CacheFS
import Synchronization

/// Stops one walk while drains run.
final class LookGate: Sendable {
  /// How often a waiting walk checks whether the drain has ended, in milliseconds.
  private static let pollInterval = 20

  private let isDraining: Atomic<Bool>
  private let isGivenUp = Atomic<Bool>(false)

  init(isDraining: Bool) { self.isDraining = Atomic(isDraining) }

  func note(isDraining: Bool) { self.isDraining.store(isDraining, ordering: .relaxed) }
  func giveUp() { isGivenUp.store(true, ordering: .relaxed) }

  /// Waits during a drain.
  /// - Returns: whether the look is still wanted.
  func pass() -> Bool {
    while isDraining.load(ordering: .relaxed), !isGivenUp.load(ordering: .relaxed) {
      pause(milliseconds: Self.pollInterval)
    }
    return !isGivenUp.load(ordering: .relaxed)
  }
}
