// SPDX-License-Identifier: BSD-2-Clause
//
// A path below the cache directory, as the bytes from the file system.

import Basics

/// A path relative to the cache directory. File names are bytes and need not be UTF-8.
package struct CachePath: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package static func < (left: Self, right: Self) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  /// The printable form; ``unescape(_:)`` converts it back to bytes.
  package var description: String { escape(bytes) }
}
