// SPDX-License-Identifier: BSD-2-Clause
//
// What could not be read or removed, and why.

import Basics
import SystemPackage

/// Something that should have been removed and was not.
package struct PathFailure: Hashable, Sendable {
  package let path: CachePath
  package let error: Errno

  package init(path: CachePath, error: Errno) {
    self.path = path
    self.error = error
  }

  /// What to do about a mount where none belongs to the cache.
  package static let mountRemedy =
    "if it belongs to the cache, set CROSS_MOUNTS = yes in [dirs] or give --cross-mounts"

  /// What the error means here. Only folders are opened, and no link is made.
  package var reason: String { Self.reason(of: error) }

  /// What an error means here.
  package static func reason(of error: Errno) -> String {
    switch error {
    case .improperLink: "another file system is mounted here"
    case .mountAway: "its file system is not mounted"
    case .isForeign: "a cache file in the format of a newer nginx"
    case .isRefilled: "other programs write to it faster than it can be cleared"
    default: error.description
    }
  }
}

extension Errno {
  /// The error for a folder that could not be cleared in the available time.
  package static var isRefilled: Errno { .alreadyInProcess }

  /// The error for a cache file of an unknown format.
  package static var isForeign: Errno { .notSupported }
}
