// The queue tables, and the statements of the drain protocol for each.

/// A table into which the site's triggers put what to clear. A million rows refer to it.
public final class QueueTable: Hashable, Sendable {
  /// As it is shown.
  public let name: String
  /// As the log of many nodes has it: a site's own with its columns, since a row of the log holds values in
  /// their order and nothing else tells which they are. It needs no escape in a statement.
  let nameInLog: String
  /// The same for a statement.
  let reference: String
  /// The columns that name the pages, as SQL expressions that give text.
  let key: [String]
  /// What the batches go by: a column that grows, and its type.
  let order: (column: String, type: String)
  /// The column that tells when a row was added, by its bare name. A table may lack it.
  let added: Identifier
  /// Whether a site may lack the table as long as nothing announces it.
  let isOptional: Bool

  public static let ports = QueueTable(
    "cache_clearing_ports", key: ["category", "port"], order: ("id", "bigint"))
  /// to_char gives the same text under every DateStyle, and NULL for an infinite date.
  public static let dates = QueueTable(
    "cache_clearing_dates", key: ["pg_catalog.to_char(date_to_clear, 'YYYY-MM-DD')"],
    order: ("id", "bigint"))
  public static let commits = QueueTable(
    "cache_clearing_commits", key: ["commit_to_clear"],
    order: ("commit_to_clear", "pg_catalog.text"),
    isOptional: true)
  public static let files = QueueTable(
    "cache_clearing_files", key: ["pathname"], order: ("id", "bigint"), isOptional: true)

  /// The log of many nodes (docs/nodes.md), which takes its turn among the queues. Its rows are those of
  /// the queues; see ``NodeLog``.
  public static let log = QueueTable("fpcache_log", key: [], order: ("id", "bigint"))

  /// A queue of the log that this version does not know: its rows name nothing that could be cleared.
  static func unknown(_ name: String) -> QueueTable {
    QueueTable(name, key: ["NULL"], order: ("id", "bigint"))
  }

  /// Whether a later row stands behind an earlier one in the order, as far as a sequence tells.
  public var growsWithTime: Bool { order.type == "bigint" }

  /// Every queue of FreshPorts, in the order in which they are drained.
  public static let all = [ports, dates, commits, files]

  /// How many columns name the pages of a row.
  public var keyCount: Int { key.count }

  init(
    _ name: String, key: [String], order: (column: String, type: String), isOptional: Bool = false
  ) {
    self.name = name
    nameInLog = name
    reference = name
    self.key = key
    self.order = order
    self.isOptional = isOptional
    added = Self.usualAdded
  }

  /// A column of a queue that names pages, and how it is read.
  public enum KeyColumn: Hashable, Sendable {
    /// As it stands.
    case text(Identifier)
    /// A date or timestamp, as `2020-01-21`; NULL for an infinite one.
    case day(Identifier)

    fileprivate var nameInLog: String {
      switch self {
      case .text(let column): column.description
      case .day(let column): "day \(column)"
      }
    }

    fileprivate var expression: String {
      switch self {
      case .text(let column): "\(column.quoted)::pg_catalog.text"
      case .day(let column): "pg_catalog.to_char(\(column.quoted), 'YYYY-MM-DD')"
      }
    }
  }

  /// What the batches of a site's own queue go by.
  public enum Order: Hashable, Sendable {
    /// A number of a sequence.
    case number(Identifier)
    /// A text: the key itself, where the table has nothing that grows.
    case text(Identifier)
  }

  /// What tells when a row was added unless the site says otherwise.
  public static let usualAdded = Identifier(known: "date_added")
  /// What the batches go by unless the site says otherwise.
  public static let usualOrder = Order.number(Identifier(known: "id"))

  /// A site's own queue.
  public init(_ table: Identifier, key: [KeyColumn], order: Order, added: Identifier) {
    name = table.description
    nameInLog = "\(table)(\(key.map(\.nameInLog).joined(separator: ", ")))"
    reference = table.quoted
    self.key = key.map(\.expression)
    switch order {
    case .number(let column): self.order = (column.quoted, "bigint")
    case .text(let column): self.order = (column.quoted, "pg_catalog.text")
    }
    self.added = added
    isOptional = false
  }

  /// Whether a site may lack the table.
  public var mayBeMissing: Bool { isOptional }

  /// Whether a site is wrong to lack the table: one that nothing announces may be missing, since older
  /// schemas have no queue of commits and files.
  /// - Parameter announced: the queues of which a channel tells.
  public func isNeeded(announced: Set<QueueTable>) -> Bool {
    !isOptional || announced.contains(self)
  }

  public static func == (left: QueueTable, right: QueueTable) -> Bool {
    left === right || left.name == right.name
  }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// The column that batches go by, named with its table: ORDER BY alone would take the output column
  /// of that name, which is text and sorts 10 before 9.
  var place: String { "\(reference).\(order.column)" }

  /// That a row stands behind the place $1; every row does where that is NULL.
  var follows: String {
    let place = "$1::\(order.type)"
    return "\(place) IS NULL OR \(order.column) \(Own.greater) \(place)"
  }

  /// More than any key's column can hold and name a page: PATH_MAX.
  static let longestKey = 4096

  /// The key's columns, cut off where they can be no key any more: a batch of whatever somebody has
  /// put into the table, up to a gigabyte a row, must not fill the memory.
  var boundedKey: String {
    key.map { "pg_catalog.substr(\($0), 1, \(Self.longestKey))" }.joined(separator: ", ")
  }

  /// The next rows after a place in the order, each with the table that it is in, which may be a partition
  /// or an heir of this one, and the file that its place belongs to.
  ///
  /// The order has no two rows in one place, so that none is passed over where numbers repeat.
  func batchStatement(_ part: BatchPart) -> String {
    """
    SELECT ctid, xmin, \(order.column)::pg_catalog.text, \(boundedKey), tableoid, \
    pg_catalog.pg_relation_filenode(tableoid) FROM \(reference) \(condition(of: part)) \
    ORDER BY \(place), \(reference).tableoid, \(reference).ctid LIMIT $1::bigint
    """
  }

  /// Rows without a number come last, and have a statement of their own: an index finds what is behind a
  /// number and what has none, but not either in one look.
  enum BatchPart {
    case all
    case behindNumber
    case withoutNumber
    case behindRowWithoutNumber
  }

  private func condition(of part: BatchPart) -> String {
    switch part {
    case .all: ""
    case .behindNumber:
      """
      WHERE (\(order.column), tableoid, ctid) \(Own.greater) \
      ($2::\(order.type), $3::pg_catalog.oid, $4::pg_catalog.tid)
      """
    case .withoutNumber: "WHERE \(order.column) IS NULL"
    case .behindRowWithoutNumber:
      """
      WHERE \(order.column) IS NULL \
      AND (tableoid, ctid) \(Own.greater) ($2::pg_catalog.oid, $3::pg_catalog.tid)
      """
    }
  }

  /// Begins the transaction that retires rows. READ COMMITTED is said aloud, since the protocol
  /// holds only if its statements see what has been committed when the lock is granted: a role's
  /// default_transaction_isolation must not change that.
  ///
  /// The lock must not outlive us: where the network freezes just then, the server would keep it,
  /// and every writer waiting for it, until its own keepalives give us up, after two hours unless
  /// somebody has changed that.
  ///
  /// The commit need not wait for the disk, and the writers behind the lock with it: a server that
  /// crashes just then has the rows back, and their pages are cleared once more.
  func beginScript(_ setting: PlannerSetting) -> String {
    """
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '50ms'; \
    SET LOCAL synchronous_commit = off; SET LOCAL \(setting.rawValue) = off; \
    SET LOCAL idle_in_transaction_session_timeout = '10s'
    """
  }

  var lockStatement: String { "LOCK TABLE \(reference) IN SHARE ROW EXCLUSIVE MODE" }

  /// What the planner must not do under the lock.
  enum PlannerSetting: String {
    /// Read the whole table, as it prefers to do for 2,000 places in 2,800 pages.
    case readWhole = "enable_seqscan"
    /// Compile a statement of a few microseconds for 20 ms, as it does where it reckons with a large
    /// table.
    case compile = "jit"
  }

  /// The files of tables by now: others than rows were read from if somebody has rewritten a table since, as
  /// VACUUM FULL, CLUSTER and TRUNCATE do.
  func filesStatement(_ tables: [UInt32]) -> String {
    """
    SELECT oid, pg_catalog.pg_relation_filenode(oid) FROM pg_catalog.unnest( \
    '{\(tables.map(String.init).joined(separator: ","))}'::pg_catalog.oid[]) AS oid
    """
  }

  /// Deletes the very versions of rows that were selected: cache_clearing_dates has no key to
  /// delete by, and a place alone may have been given to another row before we had the lock. That
  /// one was written by a transaction that had not ended when we selected, so by none of these. Each
  /// partition or heir has places of its own, so rows are deleted table by table.
  ///
  /// Behind a savepoint, since a row may have to stay after all, and the lock must be kept for the others.
  func deleteScript(_ rows: [QueueRow.Version], isQuiet: Bool) -> String {
    let deletes = conditions(rows).map { "DELETE FROM \(reference) WHERE \($0)" }
    let statements =
      isQuiet
      ? [QuietBlock.script(QuietBlock.counting(deletes)), QuietBlock.outcomeStatement] : deletes
    return (["SAVEPOINT undeleted"] + statements).joined(separator: "; ")
  }

  /// Which of these versions are there still, each by its table and place.
  func remainingScript(_ rows: [QueueRow.Version]) -> String {
    conditions(rows).map { "SELECT tableoid, ctid FROM \(reference) WHERE \($0)" }
      .joined(separator: "; ")
  }

  /// What these versions are and no other, table by table.
  func conditions(_ rows: [QueueRow.Version]) -> [String] {
    Dictionary(grouping: rows, by: \.table).map { table, rows in
      let places = rows.map { "\"\($0.place)\"" }.joined(separator: ",")
      let writers = Set(rows.map(\.writer)).map(String.init).joined(separator: ",")
      return """
        ctid \(Own.equal) ANY ('{\(places)}'::pg_catalog.tid[]) \
        AND xmin \(Own.equal) ANY ('{\(writers)}'::pg_catalog.xid[]) \
        AND tableoid \(Own.equal) '\(table)'::pg_catalog.oid
        """
    }
  }

  var countStatement: String { "SELECT pg_catalog.count(*) FROM \(reference)" }
}

/// One row of a queue.
public struct QueueRow {
  /// Which version of which row: its table, its place there and the transaction that wrote it
  /// (tableoid, ctid, xmin). Numbers, so that no text of the server's goes back into a statement.
  struct Version: Equatable, Sendable {
    let block: UInt32
    let offset: UInt16
    let writer: UInt32
    let table: UInt32
    /// As the server writes it.
    var place: String { "(\(block),\(offset))" }
    /// The file that the place belongs to; nil for a foreign table, which has none.
    let file: UInt32?

    /// From a place, `(block,offset)`, and the transaction's number.
    init?(
      _ place: UnsafeRawBufferPointer, _ writer: UnsafeRawBufferPointer, table: UInt32,
      file: UInt32?
    ) {
      guard place.first == UInt8(ascii: "("), place.last == UInt8(ascii: ")"),
        let comma = place.firstIndex(of: UInt8(ascii: ",")),
        let block = UInt32(decimal: place[1..<comma]),
        let offset = UInt16(decimal: place[(comma + 1)..<(place.count - 1)]),
        let writer = UInt32(decimal: writer[0...])
      else { return nil }
      self.block = block
      self.offset = offset
      self.writer = writer
      self.table = table
      self.file = file
    }
  }

  /// The queue that it stands in, or stood in before it came into the log.
  public let table: QueueTable
  /// Nil for a row of the log, which nobody deletes by it.
  let version: Version?
  /// The key's columns; nil for NULL.
  public let key: [[UInt8]?]
  private let rows: Rows
  private let number: Int
  private let positionColumn: Int

  /// From a batch, whose columns are place, writer, position, key, table and file.
  fileprivate init?(ofBatch rows: Rows, _ number: Int, _ table: QueueTable) {
    let column = 3 + table.keyCount
    guard let home = rows.number(number, column) else { return nil }
    let file = rows.number(number, column + 1)
    let version = rows.withBytes(number, 0) { place in
      rows.withBytes(number, 1) { Version(place, $0, table: home, file: file) } ?? nil
    }
    guard let version = version ?? nil else { return nil }
    self.init(rows, number, table, version, positionAt: 2, keyAt: 3)
  }

  /// - Parameters:
  ///   - positionColumn: the column that holds its position.
  ///   - keyColumn: the first of those that hold its key.
  init(
    _ rows: Rows, _ number: Int, _ table: QueueTable, _ version: Version? = nil,
    positionAt positionColumn: Int, keyAt keyColumn: Int
  ) {
    self.table = table
    self.version = version
    self.rows = rows
    self.number = number
    self.positionColumn = positionColumn
    key = table.key.indices.map { rows[number, $0 + keyColumn] }
  }

  /// A row that no server sent, for those who ask what a key names.
  init(_ table: QueueTable, key: [[UInt8]?]) {
    self.table = table
    version = nil
    self.key = key
    rows = Rows(nil)
    number = 0
    positionColumn = 0
  }

  /// The row's number in its queue's order or in the log, of which few rows are asked; empty for NULL.
  public var position: String { rows.text(number, positionColumn) ?? "" }

  /// Where the row stands in its queue's order; nil for a row of the log.
  public var place: QueuePlace? {
    version.map {
      QueuePlace(order: rows.text(number, positionColumn), table: $0.table, place: $0.place)
    }
  }
}

/// Where a row stands in its queue's order: no other row stands there.
public struct QueuePlace: Hashable, Sendable {
  /// Its number, or its text in a queue that goes by one; nil for NULL.
  let order: String?
  let table: UInt32
  let place: String
}

/// The statements of a drain, on a connection of its own.
public struct Queue {
  public let table: QueueTable
  let connection: Connection

  public init(_ table: QueueTable, on connection: Connection) {
    self.table = table
    self.connection = connection
  }

  /// The next rows after a place; nil begins at the start.
  /// - Throws: ``DatabaseError``.
  public func batch(after place: QueuePlace?, limit: Int) throws(DatabaseError) -> [QueueRow] {
    guard let place else { return try batch(.all, limit, []) }
    let version: [String?] = [String(place.table), place.place]
    guard let order = place.order else {
      return try batch(.behindRowWithoutNumber, limit, version)
    }
    let rows = try batch(.behindNumber, limit, [order] + version)
    guard rows.count < limit else { return rows }
    return try rows + batch(.withoutNumber, limit - rows.count, [])
  }

  private func batch(
    _ part: QueueTable.BatchPart, _ limit: Int, _ parameters: [String?]
  ) throws(DatabaseError) -> [QueueRow] {
    let rows = try connection.query(table.batchStatement(part), [String(limit)] + parameters)
    return (0..<rows.count).compactMap { QueueRow(ofBatch: rows, $0, table) }
  }

  /// What came of asking for the lock.
  public enum LockOutcome {
    case granted
    /// Others hold it.
    case contended
    /// A table has been rewritten since the rows were read, and others may stand in their places.
    case rewritten
  }

  /// Begins a transaction, in which `rows` of the table are to be retired, and waits at most 50 ms for every
  /// writer that has seen them.
  /// - Returns: whether it was granted; otherwise the transaction is over.
  /// - Throws: ``DatabaseError``.
  public func lock(_ rows: [QueueRow]) throws(DatabaseError) -> LockOutcome {
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

  /// - Returns: the files of the tables; nil when the lock was not to be had.
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

  /// Which of the rows are there still, in a transaction that has asked for all of them to be deleted.
  /// - Throws: ``DatabaseError``.
  public func remaining(of rows: [QueueRow]) throws(DatabaseError) -> [QueueRow] {
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

  /// Deletes rows; they are gone with ``commit()``.
  /// - Parameter work: what is done while the server does so.
  /// - Returns: how many went.
  /// - Throws: ``DatabaseError``, a lock timeout where somebody holds one of the rows.
  public func delete(
    _ rows: [QueueRow], meanwhile work: () -> Void = {}
  ) throws(DatabaseError) -> Int {
    let isQuiet = connection.catchesErrors
    let script = table.deleteScript(rows.compactMap(\.version), isQuiet: isQuiet)
    let answers = try connection.script(script, meanwhile: work)
    guard isQuiet else { return answers.reduce(0) { $0 + $1.changed } }
    guard let outcome = answers.last, outcome.text(0, 0) != "on" else {
      throw .refused(.lockTimeout)
    }
    return outcome.integer(0, 1).map(Int.init) ?? 0
  }

  /// Has the deleted rows back, and keeps the lock.
  /// - Throws: ``DatabaseError``.
  public func undelete() throws(DatabaseError) {
    try connection.script("ROLLBACK TO SAVEPOINT undeleted")
  }

  /// - Throws: ``DatabaseError``.
  public func commit() throws(DatabaseError) { try connection.script("COMMIT") }

  /// - Throws: ``DatabaseError``.
  public func rollback() throws(DatabaseError) { try connection.script("ROLLBACK") }

  /// How many rows wait; nil when this database has no such table.
  /// - Throws: ``DatabaseError``.
  public func count() throws(DatabaseError) -> Int? {
    do {
      return try connection.query(table.countStatement).text(0, 0).flatMap { Int($0) }
    } catch {
      if case .refused(let reason) = error, reason.isMissingTable { return nil }
      throw error
    }
  }
}

extension Rows {
  /// The number at a row and column; nil for NULL and for what is none.
  fileprivate func number(_ row: Int, _ column: Int) -> UInt32? {
    withBytes(row, column) { UInt32(decimal: $0[0...]) } ?? nil
  }
}

extension FixedWidthInteger {
  /// The number that decimal digits are; nil for anything else.
  fileprivate init?(decimal digits: Slice<UnsafeRawBufferPointer>) {
    guard !digits.isEmpty else { return nil }
    var value: Self = 0
    for digit in digits {
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
      let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      let (next, isOneTooLarge) = tens.addingReportingOverflow(Self(digit - UInt8(ascii: "0")))
      if isTooLarge || isOneTooLarge { return nil }
      value = next
    }
    self = value
  }
}
