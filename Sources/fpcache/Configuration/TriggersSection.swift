// SPDX-License-Identifier: BSD-2-Clause
//
// The section [triggers]: which changes of the site's own tables fill which queue. Only `fpcache sql` uses it.
//
//   [triggers]
//   products = product_changes(sku) on price, name
//   wiki.page = wiki.page_changes(ns, title) on body, wiki.day_changes(day = changed)
//
// Names of tables and columns go into SQL: each is checked here, and quoted there.

import Basics
import PGQueue

/// Reads which tables to watch.
struct TriggersSection {
  static let name = "triggers"
  /// More than any site has.
  static let mostTables = 64
  private static let mostColumns = 64

  private let value: INIValue
  private let key: String
  private let queues: [QueueTable]
  private var text: RuleTokens

  /// The watched tables of a file with its own queues.
  /// - Throws: ``UserError`` with status 78.
  static func read(_ ini: INI, _ queues: [QueueTable]) throws(UserError) -> [TableTrigger] {
    var triggers: [TableTrigger] = []
    for key in ini.ownKeys(in: name) {
      guard let value = try ini.checkedValue(key.spelling, in: name) else { continue }
      guard let table = SQLIdentifier(table: key.spelling) else {
        throw value.problem(
          key.spelling,
          "is not a valid table name; expected table or schema.table, each \(SQLIdentifier.expectation)"
        )
      }
      guard !queues.contains(where: { $0.name == key.spelling }) else {
        throw value.problem(
          key.spelling, "is a queue; expected a table of the site's, whose changes fill it")
      }
      var section = TriggersSection(value: value, key: key.spelling, queues: queues)
      triggers.append(TableTrigger(table: table, targets: try section.targets()))
    }
    guard triggers.count <= mostTables else {
      throw UserError(
        .configuration,
        "\(ini.place(ofSection: name)): [\(name)]: expected \(mostTables) tables at most")
    }
    return triggers
  }

  private init(value: INIValue, key: String, queues: [QueueTable]) {
    self.value = value
    self.key = key
    self.queues = queues
    text = RuleTokens(value.text)
  }

  private mutating func targets() throws(UserError) -> [TableTrigger.Target] {
    var targets: [TableTrigger.Target] = []
    var name = try takeName("a queue, as in product_changes(sku) on price")
    while true {
      let (target, next) = try takeTarget(name)
      guard !targets.contains(where: { $0.queue == target.queue }) else {
        throw value.problem(key, "fills \(target.queue.name) twice; expected it once")
      }
      targets.append(target)
      guard let next else { return targets }
      name = next
    }
  }

  /// - Returns: the target, and the name of the next queue, which is already read when the columns end.
  private mutating func takeTarget(
    _ name: String
  ) throws(UserError) -> (TableTrigger.Target, next: String?) {
    guard let queue = queues.first(where: { $0.name == name }) else {
      let known = queues.map(\.name).joined(separator: ", ")
      throw value.problem(
        key,
        "[\(QueuesSection.queues)] has no \(name.escaped); expected "
          + (known.isEmpty ? "it there" : "one of \(known)"))
    }
    let sources = try takeSources(queue)
    var watched: [SQLIdentifier] = []
    guard text.take(.word("on")) else {
      let next = try takeNext()
      return (.init(queue: queue, sources: sources, watched: nil), next)
    }
    repeat {
      let word = try takeName("a column whose change matters")
      // Another queue may follow the columns.
      if !watched.isEmpty, text.next == .sign("(") || queues.contains(where: { $0.name == word }) {
        return (.init(queue: queue, sources: sources, watched: watched), word)
      }
      watched.append(try column(word))
    } while text.take(.sign(","))
    guard text.next == .end else {
      throw unexpected("a comma and another column or queue, or the end")
    }
    guard watched.count <= Self.mostColumns else {
      throw value.problem(key, "expected \(Self.mostColumns) columns at most")
    }
    return (.init(queue: queue, sources: sources, watched: watched), nil)
  }

  /// The name of the next queue; nil at the end.
  private mutating func takeNext() throws(UserError) -> String? {
    if text.take(.sign(",")) { return try takeName("another queue") }
    guard text.next == .end else {
      throw unexpected("on and columns, a comma and another queue, or the end")
    }
    return nil
  }

  /// For each column of the queue, the table's column that its value is taken from.
  private mutating func takeSources(_ queue: QueueTable) throws(UserError) -> [SQLIdentifier] {
    var sources: [SQLIdentifier: SQLIdentifier] = [:]
    if text.take(.sign("(")), !text.take(.sign(")")) {
      repeat {
        let name = try column(
          try takeName("a column of \(queue.name), which has \(columns(queue))"))
        guard Self.filled(queue).contains(where: { $0.name == name }) else {
          throw value.problem(
            key,
            "[\(QueuesSection.queues)] asks \(queue.name) for no column \(name); expected "
              + columns(queue))
        }
        guard sources[name] == nil else {
          throw value.problem(key, "\(queue.name) has \(name) filled twice; expected it once")
        }
        sources[name] = text.take(.sign("=")) ? try column(try takeName("a column")) : name
      } while text.take(.sign(","))
      guard text.take(.sign(")")) else { throw unexpected("a comma or a closing parenthesis") }
    }
    var ordered: [SQLIdentifier] = []
    for filled in Self.filled(queue) {
      guard let source = sources[filled.name] else {
        throw value.problem(
          key, "does not fill \(filled.name) of \(queue.name); expected \(columns(queue))")
      }
      ordered.append(source)
    }
    return ordered
  }

  private static func filled(_ queue: QueueTable) -> [QueueTable.FilledColumn] {
    queue.definition?.filled ?? []
  }

  private func columns(_ queue: QueueTable) -> String {
    let names = Self.filled(queue).map(\.name.description)
    return names.isEmpty ? "no column" : listed(names, "and")
  }

  private mutating func takeName(_ expected: String) throws(UserError) -> String {
    guard let name = text.takeWord() else { throw unexpected(expected) }
    return name
  }

  private func column(_ name: String) throws(UserError) -> SQLIdentifier {
    guard let column = SQLIdentifier(column: name) else {
      throw value.problem(
        key, "\(name.escaped) is not a valid column name; expected \(SQLIdentifier.expectation)")
    }
    return column
  }

  private func unexpected(_ expected: String) -> UserError {
    value.problem(key, "\(text.next.text) is not understood; expected \(expected)")
  }
}
