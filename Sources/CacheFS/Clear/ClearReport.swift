// SPDX-License-Identifier: BSD-2-Clause
//
// What a clear did, as a value.

import Basics
import SystemPackage

/// Whether to skip the last call, which changes the tree.
package enum DryRun: Sendable {
  case yes
  case no
}

/// Whether a report lists each removed path.
package enum PathList: Sendable {
  case kept
  case dropped
}

/// The outcome of clearing one key, or several.
package struct ClearReport: Equatable, Sendable {
  package internal(set) var filesRemoved = 0
  /// Apparent sizes before removal, in bytes.
  package internal(set) var bytesRemoved: Int64 = 0
  /// Whether anything of the key was found, removed or not.
  package internal(set) var matched = false
  package internal(set) var failures: [PathFailure] = []
  /// Whether the clear was stopped before it had seen the whole key.
  package internal(set) var isPartial = false
  /// The folder in which the clear was stopped before its end.
  package internal(set) var cutShort: CachePath?
  /// Whether a page varies although its family, according to the site, has no such pages.
  var hasVariants = false
  /// Empty unless asked for.
  package internal(set) var removed: [CachePath] = []

  package init() {}

  /// Whether nothing was cleared because the family's file system is not mounted.
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
