// SPDX-License-Identifier: BSD-2-Clause
//
// For an audit: which transaction prevents the rows of a queue from being deleted. Meanwhile the pages are cleared
// batch by batch, but the rows stay until the transaction ends. A prepared transaction does not end by itself.

import Basics
import CacheFS
import Listening
import PGQueue

extension DatabaseAudit {
  /// Names each transaction that has held a queue for long, where rows wait in the queue.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func judgeHolders() throws(DatabaseError) {
    guard wants(.heldQueue) else { return }
    for queue in queues where queue.rows > 0 {
      do throws(DatabaseError) {
        let holding = try Queue(queue.table, on: connection).holding()
        guard let holding, isLong(holding, queue) else { continue }
        tell(
          .heldQueue, queue.table.name,
          .advised(
            holding.words, remedy: "\(holding.holder.text): \(holding.holder.remedy)"))
      } catch {
        guard case .refused(let reason) = error else { throw error }
        leaveOut("pg_locks", [.heldQueue], reason.explanation)
      }
    }
  }

  /// If the role may not see when the transaction began, the rows show how long they have waited for it.
  private func isLong(_ holding: QueueHolding, _ queue: QueueBacklog) -> Bool {
    (holding.age ?? queue.oldestAge).map { $0 >= holdPatience.seconds } ?? false
  }
}

extension QueueHolding {
  /// A predicate of the queue.
  fileprivate var words: String {
    let began = since.map { timestamp(nanoseconds($0)) }
    let time =
      switch holder {
      case .session: began.map { ", in a transaction that began at \($0)" }
      case .prepared: began.map { ", prepared at \($0)" }
      }
    return "is held by \(holder.text)\(time ?? ""); its rows stay until that ends"
  }
}
