// SPDX-License-Identifier: BSD-2-Clause
//
// The statements of a drain, on a separate connection.

/// The statements of a drain, on a separate connection.
package struct Queue {
  package let table: QueueTable
  let connection: Connection

  /// The queue of another table, on the same connection.
  package func beside(_ table: QueueTable) -> Queue { Queue(table, on: connection) }

  package init(_ table: QueueTable, on connection: Connection) {
    self.table = table
    self.connection = connection
  }

  /// The next rows after a place; nil begins at the start.
  /// - Parameter work: runs while the server selects; see ``Connection/query(_:_:types:timeout:meanwhile:)``.
  /// - Throws: ``DatabaseError``.
  package func batch(
    after place: QueuePlace?, limit: Int, meanwhile work: (() -> Void) -> Void = { _ in }
  ) throws(DatabaseError) -> [QueueRow] {
    guard let place else { return try batch(.all, limit, [], work) }
    let version: [String?] = [String(place.table), place.place]
    guard let order = place.order else {
      return try batch(.behindRowWithoutNumber, limit, version, work)
    }
    let rows = try batch(.behindNumber, limit, [order] + version, work)
    guard rows.count < limit else { return rows }
    return try rows + batch(.withoutNumber, limit - rows.count, [])
  }

  private func batch(
    _ part: QueueTable.BatchPart, _ limit: Int, _ parameters: [String?],
    _ work: (() -> Void) -> Void = { _ in }
  ) throws(DatabaseError) -> [QueueRow] {
    let rows = try connection.query(
      table.batchStatement(part), [String(limit)] + parameters, meanwhile: work)
    return (0..<rows.count).compactMap { QueueRow(ofBatch: rows, $0, table) }
  }

  /// The result of asking for the lock.
  package enum LockOutcome {
    case granted
    /// Others hold the lock.
    case contended
    /// A table has been rewritten since the rows were read, and other rows may be in their places.
    case rewritten
  }

  /// Begins a transaction to retire `rows` of the table, and waits at most 50 ms for every writer that has seen them.
  /// - Returns: whether the lock was granted; otherwise the transaction has ended.
  /// - Throws: ``DatabaseError``.
  package func lock(_ rows: [QueueRow]) throws(DatabaseError) -> LockOutcome {
    var files: [UInt32: UInt32] = [:]
    for version in rows.compactMap(\.version) {
      guard let file = version.file else { throw .refused(.isForeign) }
      files[version.table] = file
    }
    do throws(DatabaseError) {
      guard let now = try lock(Array(files.keys)) else {
        try rollback()
        return .contended
      }
      let isSame = (0..<now.count).allSatisfy { row in
        now.number(row, 0).flatMap { files[$0] } == now.number(row, 1)
      }
      if isSame { return .granted }
      try rollback()
      return .rewritten
    } catch {
      guard case .refused(let reason) = error else { throw error }
      try rollback()
      if reason.isLockTimeout { return .contended }
      throw error
    }
  }

  /// - Returns: the files of the tables; nil when the lock was not available.
  private func lock(_ tables: [UInt32]) throws(DatabaseError) -> Rows? {
    let files = table.filesStatement(tables)
    if connection.catchesErrors {
      do throws(DatabaseError) {
        let lock = QuietBlock.script([table.lockStatement])
        let answers = try connection.script(
          "\(table.beginScript(.readWhole)); \(lock); \(QuietBlock.outcomeStatement); \(files)")
        guard let files = answers.last, let isContended = answers.dropLast().last else {
          return nil
        }
        return isContended.text(0, 0) == "on" ? nil : files
      } catch {
        guard case .refused(let reason) = error, reason.isOfMissingLanguage else { throw error }
        try rollback()
        let answer = try lockLoudly(files)
        connection.catchesErrors = false
        return answer
      }
    }
    return try lockLoudly(files)
  }

  private func lockLoudly(_ files: String) throws(DatabaseError) -> Rows {
    let script = "\(table.beginScript(.readWhole)); \(table.lockStatement); \(files)"
    return try connection.script(script).last ?? Rows(nil)
  }

  /// The rows that are still there, in a transaction that has asked to delete all of them.
  /// - Throws: ``DatabaseError``.
  package func remaining(of rows: [QueueRow]) throws(DatabaseError) -> [QueueRow] {
    var there: Set<QueuePlace> = []
    for found in try connection.script(table.remainingScript(rows.compactMap(\.version))) {
      for row in 0..<found.count {
        guard let table = found.number(row, 0), let place = found.text(row, 1) else { continue }
        there.insert(QueuePlace(order: nil, table: table, place: place))
      }
    }
    return rows.filter { row in
      row.version.map {
        there.contains(QueuePlace(order: nil, table: $0.table, place: $0.place))
      } ?? false
    }
  }

  /// Rows and the statements that delete them: for thousands of rows a long text, which is written before the lock is
  /// held.
  package struct Deletion {
    package let rows: [QueueRow]
    fileprivate let script: String
    fileprivate let isQuiet: Bool
  }

  package func deletion(of rows: [QueueRow], and more: [QueueRow] = []) -> Deletion {
    let rows = more.isEmpty ? rows : rows + more
    let isQuiet = connection.catchesErrors
    let script = table.deleteScript(rows.compactMap(\.version), isQuiet: isQuiet)
    return Deletion(rows: rows, script: script, isQuiet: isQuiet)
  }

  /// Deletes rows; they are gone after ``commit()``.
  /// - Parameter work: runs while the server deletes.
  /// - Returns: the number of deleted rows.
  /// - Throws: ``DatabaseError``, a lock timeout when another transaction holds one of the rows.
  package func delete(
    _ deletion: Deletion, meanwhile work: () -> Void = {}
  ) throws(DatabaseError) -> Int {
    // Asking for the lock may have shown that the server catches no errors.
    guard deletion.isQuiet == connection.catchesErrors else {
      return try delete(self.deletion(of: deletion.rows), meanwhile: work)
    }
    let answers = try connection.script(deletion.script, meanwhile: work)
    guard deletion.isQuiet else { return answers.reduce(0) { $0 + $1.changed } }
    guard let outcome = answers.last, outcome.text(0, 0) != "on" else {
      throw .refused(.lockTimeout)
    }
    return outcome.integer(0, 1).map(Int.init) ?? 0
  }

  /// Restores the deleted rows, and keeps the lock.
  /// - Throws: ``DatabaseError``.
  package func undelete() throws(DatabaseError) {
    try connection.script("ROLLBACK TO SAVEPOINT undeleted")
  }

  /// - Throws: ``DatabaseError``.
  package func commit() throws(DatabaseError) { try connection.script("COMMIT") }

  /// - Throws: ``DatabaseError``.
  package func rollback() throws(DatabaseError) { try connection.script("ROLLBACK") }

  /// How many rows wait; nil when this database has no such table.
  /// - Throws: ``DatabaseError``.
  package func count() throws(DatabaseError) -> Int? {
    do {
      return try connection.query(table.countStatement).text(0, 0).flatMap { Int($0) }
    } catch {
      if case .refused(let reason) = error, reason.isMissingTable { return nil }
      throw error
    }
  }
}
