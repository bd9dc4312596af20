// SPDX-License-Identifier: BSD-2-Clause
//
// Threads that do the same again and again while they are wanted: writers and visitors. Between
// bursts they rest, which is said only when the last of them has ended what it had begun.

import Foundation
import Synchronization
import TestSupport

/// What one thread of a crew does; made in that thread and used by no other.
protocol Worker: AnyObject {
  /// Once through: one change, or one visit.
  func step() throws
}

/// Some threads of workers.
final class Crew: Sendable {
  private enum Order {
    case work
    case rest
    case leave
  }

  private struct State {
    var order = Order.rest
    var working = 0
    var present: Int
    var failure: (any Error)?
  }

  private let state: Mutex<State>

  /// Starts the threads, at rest.
  /// - Parameter makeWorker: makes the worker of a number, in its thread.
  init(_ count: Int, _ makeWorker: @escaping @Sendable (Int) -> any Worker) {
    state = Mutex(State(present: count))
    for number in 0..<count {
      Thread.detachNewThread { [self] in live(makeWorker(number)) }
    }
  }

  private func live(_ worker: any Worker) {
    while true {
      let order = state.withLock { state in
        if state.order == .work { state.working += 1 }
        return state.order
      }
      switch order {
      case .work:
        let result = Result { try worker.step() }
        state.withLock { state in
          state.working -= 1
          if case .failure(let error) = result {
            state.failure = state.failure ?? error
            state.order = .rest
          }
        }
      case .rest: pause(.microseconds(300))
      case .leave: return state.withLock { $0.present -= 1 }
      }
    }
  }

  /// Sets them to work.
  func work() {
    state.withLock { if $0.failure == nil { $0.order = .work } }
  }

  /// Lets them end what they are at, and waits for it.
  /// - Throws: the first error that one of them met since the start.
  func rest() throws {
    state.withLock { $0.order = .rest }
    try eventually(timeout: .seconds(60), "all threads rest") { state.withLock { $0.working } == 0 }
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// Sends them home and waits until they have gone.
  func dismiss() {
    state.withLock { $0.order = .leave }
    while state.withLock({ $0.present }) > 0 { pause(.milliseconds(1)) }
  }
}
