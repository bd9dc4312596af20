// SPDX-License-Identifier: BSD-2-Clause
//
// The database where the site's own queries run, and the cache directory with the pages that they describe.

import Basics
import CacheFS
import PGQueue

/// A site's cache and database, for a separate thread.
package struct QueryPlace: Sendable {
  let layout: Layout
  let rules: SiteRules
  let connection: ConnectionParameters
  /// Opens the cache directory; nil where it does not exist.
  let open: @Sendable () -> Directory?
  /// Readable when the program must end.
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

  /// The families that some row or event names.
  var announced: Set<String> {
    Set(rules.everything(layout).map(layout.familyName))
  }

  /// Connects, with read-only permission.
  /// - Parameter purpose: the text that the server shows for the connection, after the listener's name.
  /// - Returns: the connection, and the difference of the server's clock from the file system's.
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
  /// Compares the clock of the cache's file system with the server's clock.
  /// - Throws: ``DatabaseError``.
  package init(_ root: Directory?, _ connection: Connection) throws(DatabaseError) {
    self.init()
    let server = try connection.serverTime()
    // Where the file system's time cannot be read, this machine's clock is assumed.
    let local = root?.fileSystemTime() ?? currentTime()
    asked = nanoseconds(server.seconds)
    lead = clampedDifference(asked, local)
    allowance = clampedSum(allowance, nanoseconds(server.roundTrip.seconds))
  }
}
