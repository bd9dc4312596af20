// SPDX-License-Identifier: BSD-2-Clause
//
// Watches a running clear from outside, and stops it. The clear's threads share only this with the caller.

import Synchronization

/// Counts the work of a clear, and stops it on request.
package final class ClearWatch: Sendable {
  private let files = Atomic<Int>(0)
  private let bytes = Atomic<Int64>(0)
  private let isStopped: @Sendable () -> Bool

  /// - Parameter isStopped: whether to begin no further folder. Every thread calls it before each key and
  ///   each folder found by listing, and from time to time in a folder of very many files.
  package init(isStopped: @escaping @Sendable () -> Bool = { false }) {
    self.isStopped = isStopped
  }

  /// Files removed so far.
  package var filesRemoved: Int { files.load(ordering: .relaxed) }

  /// Their apparent sizes, in bytes. A sum that is too large becomes the largest value.
  package var bytesRemoved: Int64 {
    let bytes = bytes.load(ordering: .relaxed)
    return bytes < 0 ? .max : bytes
  }

  /// Whether the clear must end. It finishes the folders in progress, except those of very many files.
  package var stopped: Bool { isStopped() }

  func removed(_ size: Int64) {
    files.add(1, ordering: .relaxed)
    bytes.wrappingAdd(size, ordering: .relaxed)
  }
}
