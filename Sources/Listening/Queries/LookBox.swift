// SPDX-License-Identifier: BSD-2-Clause
//
// Where the thread of a look leaves what it has found.

import Synchronization

/// Holds an outcome until the listener takes it.
final class LookBox<Outcome: Sendable>: Sendable {
  private struct State {
    var outcome: Outcome?
    var isAsking = false
  }

  private let state = Mutex(State())

  var isThere: Bool { state.withLock { $0.outcome != nil } }
  /// Whether the database is being asked.
  var isAsking: Bool { state.withLock { $0.isAsking } }
  func note(isAsking: Bool) { state.withLock { $0.isAsking = isAsking } }
  func put(_ outcome: Outcome) { state.withLock { $0.outcome = outcome } }

  func take() -> Outcome? {
    state.withLock { state in
      defer { state.outcome = nil }
      return state.outcome
    }
  }
}
