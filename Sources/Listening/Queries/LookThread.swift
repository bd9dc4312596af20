// SPDX-License-Identifier: BSD-2-Clause
//
// A look at the site's database and cache that may take minutes. It runs on its own thread, and the listener takes its
// findings. When the look ends, the thread wakes the listener's loop: nothing needs to wake before that.

import CacheFS
import Logging
import Synchronization

/// The process that looks, and what it may change.
package struct Looker {
  package enum Run {
    case staying
    /// `--once` looks when asked, and ends.
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
  /// Runs the code that asks the database. It no longer runs it when the process is about to end.
  typealias Asking = (() -> Void) -> Void

  private let box = LookBox<Outcome>()
  private(set) var isUnderWay = false
  /// Whether the configuration has changed since the look began: its keys are then of another layout.
  private var isObsolete = false

  /// Begins a look. No other look may be running.
  /// - Parameter wake: wakes the listener's loop, from any thread.
  /// - Returns: false when the system cannot make a thread; the look was then not begun.
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

  /// Looks at once, on the caller's thread.
  func lookNow(_ look: (Asking) -> Outcome) {
    isUnderWay = true
    box.put(look { $0() })
  }

  /// Whether a look has ended and its outcome is not taken yet.
  var hasEnded: Bool { isUnderWay && box.isThere }

  /// The findings of the look; nil while it runs, and when the configuration has changed since it began.
  func take() -> Outcome? {
    guard isUnderWay, let outcome = box.take() else { return nil }
    isUnderWay = false
    defer { isObsolete = false }
    return isObsolete ? nil : outcome
  }

  /// The outcome of the running look will be discarded.
  func makeObsolete() { isObsolete = isUnderWay }

  /// Waits until no statement is running, and lets none begin: libpq must not be at work while the process ends.
  func leave() {
    while isUnderWay, !box.refuseAsking() { pause(milliseconds: 5) }
  }
}

/// The data that the thread and the listener share.
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

  /// - Returns: whether no statement can run from now on.
  func refuseAsking() -> Bool {
    state.withLock { state in
      state.isRefused = true
      return !state.isAsking
    }
  }
}
