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
  /// Wakes the listener's loop, from any thread.
  let wake: @Sendable () -> Void

  package init(
    layout: Layout, rules: SiteRules, connection: ConnectionParameters, stop: CInt,
    wake: @escaping @Sendable () -> Void = {}, open: @escaping @Sendable () -> Directory?
  ) {
    self.layout = layout
    self.rules = rules
    self.connection = connection
    self.stop = stop
    self.wake = wake
    self.open = open
  }

  /// The families that some row or event tells of.
  var announced: Set<String> {
    Set(rules.everything(layout).map(layout.familyName))
  }

  /// Connects, and may only read.
  /// - Parameter purpose: what the server is told of it beside the listener's name.
  /// - Returns: the connection, and how the server's clock stands to the file system's.
  /// - Throws: ``DatabaseError``.
  func connect(
    for purpose: String, _ root: Directory
  ) throws(DatabaseError) -> (connection: Connection, clocks: ClockComparison) {
    let connection = try Connection(
      connection.named("\(ApplicationName.listener) (\(purpose))"),
      stop: StopDeadline(descriptor: stop, patience: .zero))
    try connection.makeAuditor()
    return (connection, try ClockComparison(root, connection))
  }
}

extension ClockComparison {
  /// Compares the clock of the file system that the cache lies on with the server's.
  /// - Throws: ``DatabaseError``.
  package init(_ root: Directory?, _ connection: Connection) throws(DatabaseError) {
    self.init()
    let server = try connection.serverTime()
    // Where the file system does not say, it is taken to be this machine's own.
    let local = root?.fileSystemTime() ?? currentTime()
    asked = nanoseconds(server.seconds)
    lead = clampedDifference(asked, local)
    allowance = clampedSum(allowance, nanoseconds(server.roundTrip.seconds))
  }
}
