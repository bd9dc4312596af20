// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener tells the thread of a scrub: to wait while a drain is under way, and to give up.

import CacheFS
import Synchronization

/// Holds the walk of one scrub while others are served.
final class ScrubGate: Sendable {
  /// How often a walk that waits looks whether the drain has ended, in milliseconds.
  private static let pollInterval = 20

  private let isDraining: Atomic<Bool>
  private let isGivenUp = Atomic<Bool>(false)

  init(isDraining: Bool) { self.isDraining = Atomic(isDraining) }

  func note(isDraining: Bool) { self.isDraining.store(isDraining, ordering: .relaxed) }
  func giveUp() { isGivenUp.store(true, ordering: .relaxed) }

  /// Waits while a drain is under way.
  /// - Returns: whether the scrub is still wanted.
  func pass() -> Bool {
    while isDraining.load(ordering: .relaxed), !isGivenUp.load(ordering: .relaxed) {
      pause(milliseconds: Self.pollInterval)
    }
    return !isGivenUp.load(ordering: .relaxed)
  }
}
