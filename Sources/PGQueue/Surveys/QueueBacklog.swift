// SPDX-License-Identifier: BSD-2-Clause
//
// The backlog of a queue, for monitoring.

/// The rows of one queue table.
package struct QueueBacklog: Equatable, Sendable {
  package let table: QueueTable
  package let rows: Int
  /// Seconds since the oldest row was added; nil when there is no row, or when the table keeps only a time of day,
  /// which gives no age.
  package let oldestAge: Double?

  /// - Parameter oldestAge: seconds; nil when unknown.
  package init(table: QueueTable, rows: Int, oldestAge: Double?) {
    self.table = table
    self.rows = rows
    self.oldestAge = oldestAge
  }

  /// Reads the backlog of one queue.
  /// - Throws: ``DatabaseError``.
  package init(of table: QueueTable, on connection: Connection) throws(DatabaseError) {
    let rows: Rows
    do throws(DatabaseError) {
      rows = try connection.query(table.backlogStatement)
    } catch {
      // Without the column the age is unknown, but the rows wait all the same.
      guard case .refused(let reason) = error, reason.isMissingColumn else { throw error }
      rows = try connection.query(table.countStatement)
    }
    self.init(
      table: table, rows: rows.text(0, 0).flatMap { Int($0) } ?? 0,
      oldestAge: rows.text(0, 1).flatMap { Double($0) })
  }
}

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
  /// session's `lock_timeout` allows. That is shorter than its `deadlock_timeout`, so the other session is never the
  /// one that it ends.
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

extension QueueTable {
  /// The cast through text keeps the statement valid where date_added is a time of day; an infinite time has no age.
  fileprivate var backlogStatement: String {
    let oldest = "pg_catalog.min(\(added.quoted))"
    return """
      SELECT pg_catalog.count(*), CASE WHEN \(Builtin.isTime(oldest)) THEN extract(epoch FROM \
      pg_catalog.now() \(Builtin.minus) (\(oldest) FILTER (WHERE \(added.quoted)::pg_catalog.text \
      \(Builtin.unequal) ALL ('{infinity,-infinity}'::pg_catalog.text[]))) \
      ::pg_catalog.text::pg_catalog.timestamptz) END FROM \(reference)
      """
  }
}
