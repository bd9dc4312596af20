// SPDX-License-Identifier: BSD-2-Clause
//
// What the loop needs from the code that does the work.

import CacheFS
import PGQueue

/// The work between the database and the cache, and its reports to people.
package protocol ListenerService: AnyObject {
  /// Serves the next batch of a queue.
  /// - Throws: ``DatabaseError``.
  func serve(
    _ queue: Queue, _ depth: DrainDepth
  ) throws(DatabaseError) -> DrainOutcome
  /// Does what the events of a drain ask for besides their queues, after all queues were served. The drain is not
  /// complete when a writer still holds a queue.
  func finish(_ events: Set<SiteEvent>, complete: Bool)
  /// Does what is due by time. It is called whenever the listener wakes.
  /// - Parameter isBusy: whether there is more to do at once.
  /// - Returns: when to call it again if nothing happens before; nil for no fixed time.
  func tick(isBusy: Bool) -> Duration?
  /// Receives the backlog of the queues, as of the last poll.
  /// - Returns: the queues in which nothing waits, and of whose last turn nothing is left to do.
  func measure(_ backlog: [QueueBacklog]) -> Set<QueueTable>
  /// Reads the configuration again; nil when the old one must stay.
  func reload() -> (ConnectionParameters, ListenerMachine.Settings)?
  /// The connections are lost: work that was begun in a queue starts again.
  func reset()
  func note(_ news: ListenerNews)
  /// Whether this listener retires the queues' rows.
  var isMover: Bool { get }
}
