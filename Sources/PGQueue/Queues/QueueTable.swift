// SPDX-License-Identifier: BSD-2-Clause
//
// The queue tables, and the statements of the drain protocol for each.

import Basics

/// A table that the site's triggers fill with what to clear. A class, since a million rows refer to it.
package final class QueueTable: Hashable, Sendable {
  /// The name to show.
  package let name: String
  /// The name in the log of many nodes. For a site's own queue it includes the columns: a row of the log holds values
  /// in their order, and nothing else says which columns they are. It needs no escape in a statement.
  let nameInLog: String
  /// The name for a statement.
  let reference: String
  /// The columns that name the pages, as SQL expressions that give text.
  let key: [String]
  /// What the batches are ordered by: a column that grows, and its type.
  let order: (column: String, type: String)
  /// The column with the time when a row was added, by its bare name. A table may lack it.
  let added: SQLIdentifier
  /// Whether a site may lack the table as long as no channel announces it.
  let isOptional: Bool
  /// The definition in a site's configuration; nil for tables that this program knows.
  package let definition: Definition?

  package static let ports = QueueTable(
    "cache_clearing_ports", key: ["category", "port"], order: ("id", "bigint"))
  /// to_char gives the same text with every DateStyle, and NULL for an infinite date.
  package static let dates = QueueTable(
    "cache_clearing_dates", key: ["pg_catalog.to_char(date_to_clear, 'YYYY-MM-DD')"],
    order: ("id", "bigint"))
  package static let commits = QueueTable(
    "cache_clearing_commits", key: ["commit_to_clear"],
    order: ("commit_to_clear", "pg_catalog.text"),
    isOptional: true)
  package static let files = QueueTable(
    "cache_clearing_files", key: ["pathname"], order: ("id", "bigint"), isOptional: true)

  /// The log of many nodes (docs/nodes.md), which takes turns with the queues. Its rows come from the queues; see
  /// ``NodeLog``.
  package static let log = QueueTable("fpcache_log", key: [], order: ("id", "bigint"))

  /// A queue in the log that this version does not know: its rows name nothing that can be cleared.
  static func unknown(_ name: String) -> QueueTable {
    QueueTable(name, key: ["NULL"], order: ("id", "bigint"))
  }

  /// Whether later rows come after earlier ones in the order, as far as a sequence guarantees it.
  package var growsWithTime: Bool { order.type == "bigint" }

  /// Every queue of FreshPorts, in the order in which they are drained.
  package static let all = [ports, dates, commits, files]

  /// The number of columns that name a row's pages.
  package var keyCount: Int { key.count }

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
    definition = nil
  }

  /// A column of a queue that names pages, and how it is read.
  package enum KeyColumn: Hashable, Sendable {
    /// The text as it is.
    case text(SQLIdentifier)
    /// A date or timestamp, as `2020-01-21`; NULL for an infinite one.
    case day(SQLIdentifier)

    fileprivate var nameInLog: String {
      switch self {
      case .text(let column): column.description
      case .day(let column): "day \(column)"
      }
    }

    fileprivate var column: SQLIdentifier {
      switch self {
      case .text(let column), .day(let column): column
      }
    }

    fileprivate var expression: String {
      switch self {
      case .text(let column): "\(column.quoted)::pg_catalog.text"
      case .day(let column): "pg_catalog.to_char(\(column.quoted), 'YYYY-MM-DD')"
      }
    }
  }

  /// What the batches of a site's own queue are ordered by.
  package enum Order: Hashable, Sendable {
    /// A number from a sequence.
    case number(SQLIdentifier)
    /// A text: the key itself, for a table without a growing column.
    case text(SQLIdentifier)
  }

  /// A column that a trigger fills.
  package struct FilledColumn: Hashable, Sendable {
    package let name: SQLIdentifier
    /// Whether it holds dates instead of texts.
    let isDay: Bool
  }

  /// A site's own queue, with what is needed to create its table.
  package struct Definition: Hashable, Sendable {
    package let table: SQLIdentifier
    package let order: Order
    /// The columns that name pages, each once. The columns for the row's number and time of addition fill themselves.
    package let filled: [FilledColumn]

    fileprivate init(
      _ table: SQLIdentifier, _ key: [KeyColumn], _ order: Order, _ added: SQLIdentifier
    ) {
      self.table = table
      self.order = order
      var filled: [FilledColumn] = []
      for column in key.map(\.column)
      where column != added && !filled.contains(where: { $0.name == column }) {
        filled.append(FilledColumn(name: column, isDay: key.contains(.day(column))))
      }
      // A queue whose rows name no page is read by its order.
      if case .number(let number) = order, key == [.text(number)] { filled = [] }
      self.filled = filled
    }
  }

  /// The default column for the time when a row was added.
  package static let usualAdded = SQLIdentifier(known: "date_added")
  /// The default order of the batches.
  package static let usualOrder = Order.number(SQLIdentifier(known: "id"))

  /// A site's own queue.
  package init(_ table: SQLIdentifier, key: [KeyColumn], order: Order, added: SQLIdentifier) {
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
    definition = Definition(table, key, order, added)
  }

  /// Whether a site may lack the table.
  package var mayBeMissing: Bool { isOptional }

  /// Whether a site needs the table. A table that no channel announces may be missing, since older schemas have no
  /// queue of commits and files.
  /// - Parameter announced: the queues that a channel announces.
  package func isNeeded(announced: Set<QueueTable>) -> Bool {
    !isOptional || announced.contains(self)
  }

  package static func == (left: QueueTable, right: QueueTable) -> Bool {
    left === right || left.name == right.name
  }
  package func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// The column that batches are ordered by, with its table's name. Without it, ORDER BY would take the output column
  /// of that name, which is text and sorts 10 before 9.
  var place: String { "\(reference).\(order.column)" }

  /// The condition that a row comes after the place $1; true for every row when $1 is NULL.
  var follows: String {
    let place = "$1::\(order.type)"
    return "\(place) IS NULL OR \(order.column) \(Builtin.greater) \(place)"
  }

  /// Longer than any key column that still names a page: PATH_MAX.
  static let longestKey = 4096

  /// The key's columns, cut off at a length that no key can have. The table may hold anything, up to a gigabyte a row,
  /// and a batch of it must not fill the memory.
  var boundedKey: String {
    key.map { "pg_catalog.substr(\($0), 1, \(Self.longestKey))" }.joined(separator: ", ")
  }

  /// The next rows after a place in the order. Each has the table that holds it, which may be a partition or an
  /// inheriting table, and the file that its place belongs to.
  ///
  /// No two rows have the same place in the order, so that no row is skipped where numbers repeat.
  func batchStatement(_ part: BatchPart) -> String {
    """
    SELECT ctid, xmin, \(order.column)::pg_catalog.text, \(boundedKey), tableoid, \
    pg_catalog.pg_relation_filenode(tableoid) FROM \(reference) \(condition(of: part)) \
    ORDER BY \(place), \(reference).tableoid, \(reference).ctid LIMIT $1::bigint
    """
  }

  /// Rows without a number come last, and have a separate statement: an index finds rows behind a number, and rows
  /// without one, but not both in one search.
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
      WHERE (\(order.column), tableoid, ctid) \(Builtin.greater) \
      ($2::\(order.type), $3::pg_catalog.oid, $4::pg_catalog.tid)
      """
    case .withoutNumber: "WHERE \(order.column) IS NULL"
    case .behindRowWithoutNumber:
      """
      WHERE \(order.column) IS NULL \
      AND (tableoid, ctid) \(Builtin.greater) ($2::pg_catalog.oid, $3::pg_catalog.tid)
      """
    }
  }

  /// Begins the transaction that retires rows. READ COMMITTED is stated explicitly: the protocol holds only if its
  /// statements see what has been committed when the lock is granted, and a role's default_transaction_isolation must
  /// not change that.
  ///
  /// The lock must not outlive us. If the network freezes at this moment, the server would keep the lock, and every
  /// writer that waits for it, until its own keepalives detect the loss: after two hours by default.
  ///
  /// The commit need not wait for the disk, and so the writers behind the lock need not either. If the server crashes
  /// at this moment, the rows are restored, and their pages are cleared again.
  func beginScript(_ setting: PlannerSetting) -> String {
    """
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '50ms'; \
    SET LOCAL synchronous_commit = off; SET LOCAL \(setting.rawValue) = off; \
    SET LOCAL idle_in_transaction_session_timeout = '10s'
    """
  }

  var lockStatement: String { "LOCK TABLE \(reference) IN SHARE ROW EXCLUSIVE MODE" }

  /// What the planner must not do while the lock is held.
  enum PlannerSetting: String {
    /// Read the whole table, which it prefers for 2,000 places in 2,800 pages.
    case readWhole = "enable_seqscan"
    /// Spend 20 ms on compiling a statement of a few microseconds, as it does when it expects a large table.
    case compile = "jit"
  }

  /// The current files of tables. They differ from the files that the rows were read from if a table has been rewritten
  /// since, as VACUUM FULL, CLUSTER and TRUNCATE do.
  func filesStatement(_ tables: [UInt32]) -> String {
    """
    SELECT oid, pg_catalog.pg_relation_filenode(oid) FROM pg_catalog.unnest( \
    '{\(tables.map(String.init).joined(separator: ","))}'::pg_catalog.oid[]) AS oid
    """
  }

  /// Deletes exactly the row versions that were selected. cache_clearing_dates has no key to delete by, and a place
  /// alone may have been given to another row before we had the lock. Such a row was written by a transaction that had
  /// not ended when we selected, so by none of the transactions that wrote the selected rows. Each partition or
  /// inheriting table has its own places, so rows are deleted table by table.
  ///
  /// A savepoint comes first, since a row may have to stay after all, and the lock must be kept for the others.
  func deleteScript(_ rows: [QueueRow.Version], isQuiet: Bool) -> String {
    let deletes = conditions(rows).map { "DELETE FROM \(reference) WHERE \($0)" }
    let statements =
      isQuiet
      ? [QuietBlock.script(QuietBlock.counting(deletes)), QuietBlock.outcomeStatement] : deletes
    return (["SAVEPOINT undeleted"] + statements).joined(separator: "; ")
  }

  /// Which of these versions are still there, each by its table and place.
  func remainingScript(_ rows: [QueueRow.Version]) -> String {
    conditions(rows).map { "SELECT tableoid, ctid FROM \(reference) WHERE \($0)" }
      .joined(separator: "; ")
  }

  /// Conditions that match exactly these versions, table by table.
  func conditions(_ rows: [QueueRow.Version]) -> [String] {
    Dictionary(grouping: rows, by: \.table).map { table, rows in
      let places = QueueRow.Version.list(rows)
      let writers = Set(rows.map(\.writer)).map(String.init).joined(separator: ",")
      return """
        ctid \(Builtin.equal) ANY ('{\(places)}'::pg_catalog.tid[]) \
        AND xmin \(Builtin.equal) ANY ('{\(writers)}'::pg_catalog.xid[]) \
        AND tableoid \(Builtin.equal) '\(table)'::pg_catalog.oid
        """
    }
  }

  var countStatement: String { "SELECT pg_catalog.count(*) FROM \(reference)" }
}

/// A row's place in its queue's order: no other row has it.
package struct QueuePlace: Hashable, Sendable {
  /// Its number, or its text in a queue that is ordered by a text; nil for NULL.
  let order: String?
  let table: UInt32
  let place: String
}
