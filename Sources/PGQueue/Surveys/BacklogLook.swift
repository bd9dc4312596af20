// SPDX-License-Identifier: BSD-2-Clause
//
// How a listener measures its queues at each poll.

/// Measures queues again and again. Most are empty most of the time, which one short question shows for all of them.
package struct BacklogLook: Sendable {
  /// Whether the server has refused that question. Each refusal is a line in the server's log, so it is not asked again
  /// before each queue has answered for itself.
  private var isApart = false

  package init() {}

  /// Every queue that this database has and whose keys we may read.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  package mutating func measure(
    _ queues: [QueueTable], on connection: Connection
  ) throws(DatabaseError) -> [QueueBacklog] {
    let queues = queues.filter { $0 != .log }
    var answers: [QueueTable: Bool] = [:]
    if !isApart {
      answers = try areEmpty(queues, connection)
      isApart = answers.count < queues.count
    }
    if isApart {
      for table in queues {
        answers.merge(try areEmpty([table], connection)) { $1 }
      }
      isApart = answers.count < queues.count
    }
    var all: [QueueBacklog] = []
    for table in queues {
      guard let isEmpty = answers[table] else { continue }
      guard !isEmpty else {
        all.append(QueueBacklog(table: table, rows: 0, oldestAge: nil))
        continue
      }
      do throws(DatabaseError) {
        all.append(try QueueBacklog(of: table, on: connection))
      } catch {
        guard case .refused = error else { throw error }
      }
    }
    return all
  }

  /// Whether each queue is empty; nothing if the server refuses the question, which names all that a batch will read.
  ///
  /// The server locks the queues one after the other, and waits for another session's exclusive lock as long as the
  /// session's `lock_timeout` allows. A listener's is half a second, less than the server's usual
  /// `deadlock_timeout`, so the other session is not the one that is ended.
  private func areEmpty(
    _ queues: [QueueTable], _ connection: Connection
  ) throws(DatabaseError) -> [QueueTable: Bool] {
    guard !queues.isEmpty else { return [:] }
    let questions = queues.map {
      "EXISTS (SELECT \($0.place), \($0.boundedKey) FROM \($0.reference))"
    }
    do throws(DatabaseError) {
      let row = try connection.query("SELECT \(questions.joined(separator: ", "))")
      let answers = queues.indices.map { (queues[$0], row.text(0, $0) == "f") }
      return Dictionary(answers) { $1 }
    } catch {
      guard case .refused = error else { throw error }
      return [:]
    }
  }
}
