// SPDX-License-Identifier: BSD-2-Clause
//
// A clear while it runs, seen and stopped from outside: the only thing that its threads share
// with whoever watches them.

import Synchronization

/// Counts what a clear does, and tells it to stop.
package final class ClearWatch: Sendable {
  private let files = Atomic<Int>(0)
  private let bytes = Atomic<Int64>(0)
  private let isStopped: @Sendable () -> Bool

  /// - Parameter isStopped: whether no further folder is to be begun; asked by every thread before each key and
  ///   each folder found by listing, and in a folder of very many files now and then.
  package init(isStopped: @escaping @Sendable () -> Bool = { false }) {
    self.isStopped = isStopped
  }

  /// Files removed so far.
  package var filesRemoved: Int { files.load(ordering: .relaxed) }

  /// Their apparent sizes, in bytes; as much as there is when the sum has gone beyond.
  package var bytesRemoved: Int64 {
    let bytes = bytes.load(ordering: .relaxed)
    return bytes < 0 ? .max : bytes
  }

  /// Whether the clear is to end: it finishes the folders in hand, but for those of very many files.
  package var stopped: Bool { isStopped() }

  func removed(_ size: Int64) {
    files.add(1, ordering: .relaxed)
    bytes.wrappingAdd(size, ordering: .relaxed)
  }
}
