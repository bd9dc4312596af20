// SPDX-License-Identifier: BSD-2-Clause
//
// Where the site's own queries are asked, and the pages are that they speak of.

import Basics
import CacheFS
import PGQueue

/// A site's cache and database, for a thread of its own.
package struct QueryPlace: Sendable {
  let layout: Layout
  let rules: SiteRules
  let connection: ConnectionParameters
  /// Opens the cache directory; nil where it is not there.
  let open: @Sendable () -> Directory?
  /// Readable once the program is to end.
  let stop: CInt

  package init(
    layout: Layout, rules: SiteRules, connection: ConnectionParameters, stop: CInt,
    open: @escaping @Sendable () -> Directory?
  ) {
    self.layout = layout
    self.rules = rules
    self.connection = connection
    self.stop = stop
    self.open = open
  }

  /// Connects, and may only read.
  /// - Parameter purpose: what the server is told of it beside the listener's name.
  /// - Returns: the connection, and how far the server's clock is ahead of the file system's, in nanoseconds.
  /// - Throws: ``DatabaseError``.
  func connect(
    for purpose: String, _ root: Directory
  ) throws(DatabaseError) -> (connection: Connection, lead: Int64) {
    let connection = try Connection(
      connection.named("\(ApplicationName.listener) (\(purpose))"),
      stop: StopDeadline(descriptor: stop, patience: .zero))
    try connection.makeAuditor()
    let local = root.fileSystemTime() ?? currentTime()
    let lead = clampedDifference(nanoseconds(try connection.serverTime().seconds), local)
    return (connection, lead)
  }
}
