// SPDX-License-Identifier: BSD-2-Clause
//
// A value that threads use in turn.

import Basics

/// Guards a value by a mutex of pthreads.
///
/// Synchronization's Mutex does the same, but waits in a library without instruments: when threads contend for it,
/// ThreadSanitizer reports a race on the guarded value.
final class Locked<Value: Sendable>: @unchecked Sendable {
  // Safe: `value` is read and written under `mutex` only.
  private var value: Value
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>

  init(_ value: Value) {
    self.value = value
    mutex = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Calls `body` while no other thread uses the value.
  func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body(&value)
  }
}
