// SPDX-License-Identifier: BSD-2-Clause
//
// A look at the site's database and cache that may take minutes: it runs on a thread of its own, and the listener
// takes what it found. When the look ends, the thread wakes the listener's loop: until then nothing needs to wake.

import CacheFS
import Logging
import Synchronization

/// Who looks, and what it may change.
package struct Looker {
  package enum Run {
    case staying
    /// `--once` looks when it is told to, and leaves.
    case once
  }

  let run: Run
  let dryRun: DryRun
  let logger: Logger

  package init(_ run: Run, dryRun: DryRun, _ logger: Logger) {
    (self.run, self.dryRun, self.logger) = (run, dryRun, logger)
  }
}

/// Runs one look at a time, and keeps its outcome until the listener takes it.
final class LookThread<Outcome: Sendable> {
  /// Runs what asks the database. It does not run any more when the process is about to end.
  typealias Asking = (() -> Void) -> Void

  private let box = LookBox<Outcome>()
  private(set) var isUnderWay = false
  /// Whether the configuration has changed since the look began: its keys are those of another layout.
  private var isObsolete = false

  /// Begins a look. None may be under way.
  /// - Parameter wake: wakes the listener's loop, from any thread.
  /// - Returns: false when the system has no thread to spare: nothing was begun then.
  func begin(
    _ priority: ThreadPriority = .usual, wake: @escaping @Sendable () -> Void,
    _ look: @escaping @Sendable (Asking) -> Outcome
  ) -> Bool {
    let box = box
    isUnderWay = detachThread(priority) {
      box.put(look { box.ask($0) })
      wake()
    }
    return isUnderWay
  }

  /// Looks here and now.
  func lookNow(_ look: (Asking) -> Outcome) {
    isUnderWay = true
    box.put(look { $0() })
  }

  /// Whether a look has ended and its outcome was not taken yet.
  var hasEnded: Bool { isUnderWay && box.isThere }

  /// What the look has found; nil while it is under way, and where the configuration is another since.
  func take() -> Outcome? {
    guard isUnderWay, let outcome = box.take() else { return nil }
    isUnderWay = false
    defer { isObsolete = false }
    return isObsolete ? nil : outcome
  }

  /// The outcome of a look that is under way is of no use.
  func makeObsolete() { isObsolete = isUnderWay }

  /// Waits until no statement is under way, and has none begin: libpq must not be at work while the process ends.
  func leave() {
    while isUnderWay, !box.refuseAsking() { pause(milliseconds: 5) }
  }
}

/// What the thread and the listener share.
private final class LookBox<Outcome: Sendable>: Sendable {
  private struct State {
    var outcome: Outcome?
    var isAsking = false
    var isRefused = false
  }

  private let state = Mutex(State())

  var isThere: Bool { state.withLock { $0.outcome != nil } }

  func put(_ outcome: Outcome) { state.withLock { $0.outcome = outcome } }

  func take() -> Outcome? {
    state.withLock { state in
      defer { state.outcome = nil }
      return state.outcome
    }
  }

  func ask(_ body: () -> Void) {
    let isAllowed = state.withLock { state in
      state.isAsking = !state.isRefused
      return state.isAsking
    }
    guard isAllowed else { return }
    body()
    state.withLock { $0.isAsking = false }
  }

  /// - Returns: whether the database is left alone from now on.
  func refuseAsking() -> Bool {
    state.withLock { state in
      state.isRefused = true
      return !state.isAsking
    }
  }
}
