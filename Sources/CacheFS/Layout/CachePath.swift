// SPDX-License-Identifier: BSD-2-Clause
//
// A path below the cache directory, as the bytes that the file system gave.

import Basics

/// A path relative to the cache directory. File names are bytes and need not be UTF-8.
package struct CachePath: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package static func < (left: Self, right: Self) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  /// Printable, and told back to bytes by ``unescape(_:)``.
  package var description: String { escape(bytes) }
}
