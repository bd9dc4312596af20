// SPDX-License-Identifier: BSD-2-Clause
//
// The last error that was logged, which the status file shows.

import Basics
import Synchronization

/// The last error that was logged, for the status file. Shared with the logger's handler.
package final class LastError: Sendable {
  private let last = Mutex<(at: Int64, message: String)?>(nil)

  package init() {}

  package var value: (at: Int64, message: String)? { last.withLock { $0 } }

  package func set(_ message: String) { last.withLock { $0 = (currentTime(), message) } }
}
