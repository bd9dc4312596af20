// SPDX-License-Identifier: BSD-2-Clause
//
// Who owns a file or folder, as stat(2) reports it.

import Basics

/// Who owns a file or folder and what they may do.
package struct Ownership: Equatable, Sendable {
  let owner: UInt32
  let group: UInt32
  /// st_mode, including the type.
  let mode: UInt32
  /// Last modification, in nanoseconds since the epoch.
  package let modified: Int64

  var isSticky: Bool { mode & UInt32(S_ISVTX) != 0 }
  package var isFolder: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFDIR) }
  package var isReadableByOthers: Bool { mode & 0o004 != 0 }
}
