// SPDX-License-Identifier: BSD-2-Clause
//
// What the loop needs from those who do the work.

import CacheFS
import PGQueue

/// What the listener needs done between the database and the cache, and told to people.
package protocol ListenerService: AnyObject {
  /// Serves the next batch of a queue.
  /// - Throws: ``DatabaseError``.
  func serve(
    _ queue: Queue, _ depth: DrainDepth
  ) throws(DatabaseError) -> DrainOutcome
  /// Does what the events of a drain ask for besides their queues, once all were served.
  /// The drain is not complete when a writer still holds a queue.
  func finish(_ events: Set<SiteEvent>, complete: Bool)
  /// Does what time brings, and is called whenever the listener wakes.
  /// - Parameter isBusy: whether there is more to do at once.
  /// - Returns: when to be called again if nothing happens before; nil for whenever.
  func tick(isBusy: Bool) -> Duration?
  /// Takes what waits in the queues, as of the last poll.
  func measure(_ backlog: [QueueBacklog])
  /// Reads the configuration again; nil when it has to stay as it was.
  func reload() -> (ConnectionParameters, ListenerMachine.Settings)?
  /// The connections are gone: whatever was begun in a queue begins anew.
  func reset()
  func note(_ news: ListenerNews)
  /// Whether it is this listener that retires the queues' rows.
  var isMover: Bool { get }
}
