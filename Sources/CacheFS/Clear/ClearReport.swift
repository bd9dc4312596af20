// SPDX-License-Identifier: BSD-2-Clause
//
// What a clear did, as a value.

import Basics
import SystemPackage

/// Whether the last call, the one that changes the tree, is made.
package enum DryRun: Sendable {
  case yes
  case no
}

/// Whether a report lists each path that was removed.
package enum PathList: Sendable {
  case kept
  case dropped
}

/// The outcome of clearing one key, or several.
package struct ClearReport: Equatable, Sendable {
  package internal(set) var filesRemoved = 0
  /// Apparent sizes, in bytes, as they were before.
  package internal(set) var bytesRemoved: Int64 = 0
  /// Whether anything of the key was found, removed or not.
  package internal(set) var matched = false
  package internal(set) var failures: [PathFailure] = []
  /// Whether the clear was stopped before it had seen all of the key.
  package internal(set) var isPartial = false
  /// A folder in the midst of which it was stopped.
  package internal(set) var cutShort: CachePath?
  /// Whether a page said that it varies, of a family that the site says has no such pages.
  var hasVariants = false
  /// Empty unless asked for.
  package internal(set) var removed: [CachePath] = []

  package init() {}

  /// Whether nothing could be cleared since the file system of the family is not mounted.
  package var isMountAway: Bool { failures.contains { $0.error == .mountAway } }

  package mutating func add(_ other: ClearReport) {
    filesRemoved += other.filesRemoved
    bytesRemoved = clampedSum(bytesRemoved, other.bytesRemoved)
    matched = matched || other.matched
    isPartial = isPartial || other.isPartial
    cutShort = cutShort ?? other.cutShort
    hasVariants = hasVariants || other.hasVariants
    failures += other.failures
    removed += other.removed
  }
}
