// SPDX-License-Identifier: BSD-2-Clause
//
// The sections [queues] and [events]: which table's columns feed which family, and what each script_name does.
//
//   [queues]
//   wiki_changes = pages(namespace, title = page), feeds by seq since changed
//   [events]
//   page_saved = drain wiki_changes
//
// Names of tables and columns go into statements: each is checked here, and quoted there.

import Basics
import CacheFS
import Listening
import PGQueue

/// Reads the rules of a site with a layout of its own.
struct QueuesSection {
  static let queues = "queues"
  static let events = "events"
  /// More than any site has; each adds a statement to every poll.
  static let mostQueues = 64
  static let mostColumns = 32
  /// The three fields that one column of dates fills.
  private static let dateFields = "year-month-day"
  private static let example = "pages(namespace, title = page_title)"

  private let ini: INI
  private let layout: Layout

  /// The rules of a file that has a layout.
  /// - Throws: ``UserError`` with status 78.
  static func read(_ ini: INI, _ layout: Layout) throws(UserError) -> SiteRules {
    let section = QueuesSection(ini: ini, layout: layout)
    let queues = try section.readQueues()
    return SiteRules(
      queues: queues, events: try section.readEvents(queues.map(\.table)), emptiedAfter: [])
  }

  /// Refuses sections that mean nothing without a layout.
  /// - Throws: ``UserError`` with status 78.
  static func refuse(_ ini: INI) throws(UserError) {
    for section in [queues, events, TriggersSection.name] where ini.has(section: section) {
      throw UserError(
        .configuration,
        "\(ini.place(ofSection: section)): [\(section)]: is for a site's own layout; "
          + "write a section [\(LayoutSection.name)] too")
    }
  }

  // MARK: Queues

  private func readQueues() throws(UserError) -> [QueueRule] {
    var rules: [QueueRule] = []
    for key in ini.ownKeys(in: Self.queues) {
      guard let value = try ini.checkedValue(key.spelling, in: Self.queues) else { continue }
      guard let table = SQLIdentifier(table: key.spelling),
        // The tables of the log and of the channels are not queues.
        !key.spelling.hasPrefix("fpcache_"), key.spelling != "listen_for"
      else {
        throw value.problem(
          key.spelling,
          "is not a valid queue name; expected table or schema.table, each \(SQLIdentifier.expectation)"
        )
      }
      var reading = QueueReading(table, value, key.spelling, layout)
      rules.append(try reading.rule())
    }
    if rules.count > Self.mostQueues {
      throw UserError(
        .configuration,
        "\(ini.place(ofSection: Self.queues)): [\(Self.queues)]: expected \(Self.mostQueues) "
          + "queues at most")
    }
    return rules
  }

  /// One value of [queues] being read.
  private struct QueueReading {
    let table: SQLIdentifier
    let value: INIValue
    let key: String
    let layout: Layout
    var text: RuleTokens
    var parts: [KeyRule.Part] = []
    var families: [String] = []
    var columns: [QueueTable.KeyColumn] = []

    init(_ table: SQLIdentifier, _ value: INIValue, _ key: String, _ layout: Layout) {
      self.table = table
      self.value = value
      self.key = key
      self.layout = layout
      text = RuleTokens(value.text)
    }

    mutating func rule() throws(UserError) -> QueueRule {
      repeat { try takeFamily() } while text.take(.sign(","))
      var order = QueueTable.usualOrder
      if text.take(.word("by")) {
        let column = try takeColumn("by")
        order = text.take(.word("text")) ? .text(column) : .number(column)
      }
      var added = QueueTable.usualAdded
      if text.take(.word("since")) { added = try takeColumn("since") }
      guard text.next == .end else {
        throw unexpected("a comma and another family, by COLUMN, since COLUMN, or the end")
      }
      // A row without key columns is identified by its place in the order.
      if columns.isEmpty { columns = [.text(order.column)] }
      guard columns.count <= QueuesSection.mostColumns else {
        throw value.problem(key, "expected \(QueuesSection.mostColumns) columns at most")
      }
      return QueueRule(
        table: QueueTable(table, key: columns, order: order, added: added),
        keys: KeyRule(parts, width: columns.count, layout), noun: "\(table) key",
        clears: "what \(table) names of \(listed(families, "and"))")
    }

    private mutating func takeFamily() throws(UserError) {
      guard let name = text.takeWord() else {
        throw unexpected("a family, as in \(QueuesSection.example)")
      }
      let family = try layout.clearable(name, value, key)
      var bindings: [KeyRule.Binding] = []
      if text.take(.sign("(")), !text.take(.sign(")")) {
        repeat { bindings += try takeBinding(family) } while text.take(.sign(","))
        guard text.take(.sign(")")) else { throw unexpected("a comma or a closing parenthesis") }
      }
      var seen: Set<String> = []
      for binding in bindings where !seen.insert(binding.field).inserted {
        throw value.problem(key, "\(name) has \(binding.field) bound twice; expected it once")
      }
      parts.append(.family(name, bindings))
      if !families.contains(name) { families.append(name) }
    }

    private mutating func takeBinding(_ family: Family) throws(UserError) -> [KeyRule.Binding] {
      guard let name = text.takeWord() else {
        throw unexpected("a field of \(family.name), which are \(family.fieldList)")
      }
      if name == QueuesSection.dateFields { return try takeDate(family) }
      let field = try field(name, of: family)
      guard text.take(.sign("=")) else {
        return [.init(name, .value(try place(of: .text(try column(name, "as a field")))))]
      }
      return [.init(name, try takeSource(field))]
    }

    /// What a field is made of: a text in quotes, a column, or several of them with `||` between.
    private mutating func takeSource(_ field: Field) throws(UserError) -> KeyRule.Source {
      var pieces = [try takePiece("=")]
      while text.take(.join) { pieces.append(try takePiece("||")) }
      let texts = pieces.compactMap { (piece) -> [UInt8]? in
        if case .constant(let text) = piece { text } else { nil }
      }
      guard texts.count == pieces.count else {
        return pieces.count == 1 ? pieces[0] : .joined(pieces)
      }
      let constant = Array(texts.joined())
      guard field.kind.accepts(constant) else {
        throw value.problem(
          key,
          "'\(escape(constant))' is not a valid \(field.name): expected \(field.kind.expectation)")
      }
      return .constant(constant)
    }

    private mutating func takePiece(_ before: String) throws(UserError) -> KeyRule.Source {
      if case .quoted(let constant) = text.next {
        text.advance()
        return .constant(Array(constant.utf8))
      }
      return .value(try place(of: .text(try takeColumn(before))))
    }

    private mutating func takeDate(_ family: Family) throws(UserError) -> [KeyRule.Binding] {
      for name in ["year", "month", "day"] { _ = try field(name, of: family) }
      guard text.take(.sign("=")) else { throw unexpected("= and a column of dates") }
      let place = try place(of: .day(try takeColumn("=")))
      return [
        .init("year", .year(place)), .init("month", .month(place)), .init("day", .day(place)),
      ]
    }

    private func field(_ name: String, of family: Family) throws(UserError) -> Field {
      guard let field = family.field(named: name) else {
        throw value.problem(
          key, "\(family.name) has no field \(name.escaped); expected some of \(family.fieldList)")
      }
      return field
    }

    private mutating func takeColumn(_ before: String) throws(UserError) -> SQLIdentifier {
      guard let name = text.takeWord() else {
        throw unexpected("a column name after \"\(before)\"")
      }
      return try column(name, "behind \"\(before)\"")
    }

    private func column(_ name: String, _ place: String) throws(UserError) -> SQLIdentifier {
      guard let column = SQLIdentifier(column: name) else {
        throw value.problem(
          key,
          "\(name.escaped) \(place) is not a valid column name; expected \(SQLIdentifier.expectation)"
        )
      }
      return column
    }

    /// The index of a column among the selected ones.
    private mutating func place(of column: QueueTable.KeyColumn) throws(UserError) -> Int {
      if let place = columns.firstIndex(of: column) { return place }
      columns.append(column)
      return columns.count - 1
    }

    private func unexpected(_ expected: String) -> UserError {
      value.problem(key, "\(text.next.text) is not understood; expected \(expected)")
    }
  }

  // MARK: Events

  private func readEvents(_ tables: [QueueTable]) throws(UserError) -> [SiteEvent] {
    var events: [SiteEvent] = []
    for key in ini.ownKeys(in: Self.events) {
      guard let value = try ini.checkedValue(key.spelling, in: Self.events) else { continue }
      events.append(SiteEvent(key.spelling, try action(value, key.spelling, tables)))
    }
    return events
  }

  private func action(
    _ value: INIValue, _ key: String, _ tables: [QueueTable]
  ) throws(UserError) -> SiteEvent.Action {
    var text = RuleTokens(value.text)
    let verb = text.takeWord()
    switch verb {
    case "nothing" where text.next == .end: return .nothing
    case "drain":
      var drained: [QueueTable] = []
      for name in try Self.names(&text, value, key, "a table of [\(Self.queues)]") {
        guard let table = tables.first(where: { $0.name == name }) else {
          let known = tables.map(\.name).joined(separator: ", ")
          throw value.problem(
            key,
            "[\(Self.queues)] has no \(name.escaped); expected "
              + (known.isEmpty ? "it there" : "one of \(known)"))
        }
        drained.append(table)
      }
      return .drain(drained)
    case "empty":
      return .empty(try Self.families(&text, value, key, layout))
    default:
      throw value.problem(
        key,
        "expected drain TABLE, empty FAMILY or nothing; more than one TABLE or FAMILY with "
          + "commas between")
    }
  }

  private static func names(
    _ text: inout RuleTokens, _ value: INIValue, _ key: String, _ what: String
  ) throws(UserError) -> [String] {
    var names: [String] = []
    repeat {
      guard let name = text.takeWord() else {
        throw value.problem(key, "\(text.next.text) is not understood; expected \(what)")
      }
      names.append(name)
    } while text.take(.sign(","))
    guard text.next == .end else {
      throw value.problem(
        key, "\(text.next.text) is not understood; expected a comma and \(what), or the end")
    }
    return names
  }

  /// A list of families that may be emptied.
  /// - Throws: ``UserError`` with status 78.
  static func families(
    _ text: inout RuleTokens, _ value: INIValue, _ key: String, _ layout: Layout
  ) throws(UserError) -> [String] {
    let families = try names(&text, value, key, "a family")
    for family in families { _ = try layout.clearable(family, value, key) }
    return families
  }
}

extension QueueTable.Order {
  fileprivate var column: SQLIdentifier {
    switch self {
    case .number(let column), .text(let column): column
    }
  }
}

extension Layout {
  /// The family with this name in a value; it must be one that may be cleared.
  func clearable(
    _ name: String, _ value: INIValue, _ key: String
  ) throws(UserError) -> Family {
    guard let family = family(named: name) else {
      throw value.problem(
        key, "the layout has no family \(name.escaped); expected one of \(clearableNames)")
    }
    guard family.clearing != .never else {
      throw value.problem(
        key, "the family \(name) is never cleared; expected one of \(clearableNames)")
    }
    return family
  }

  /// The families that may be cleared, as a list.
  var clearableNames: String { clearableFamilies.joined(separator: ", ") }

  /// The families that a command may clear.
  var clearableFamilies: [String] { families.filter { $0.clearing != .never }.map(\.name) }
}

extension Family {
  /// The family's fields, as a list.
  var fieldList: String { fieldNames.isEmpty ? "none" : fieldNames.joined(separator: ", ") }
}

extension SiteRules {
  /// - Throws: ``UserError`` with status 78 where a site's own layout has no rules.
  func requireSome() throws(UserError) {
    guard queues.isEmpty, events.isEmpty else { return }
    throw UserError(
      .configuration,
      "the configuration has a [\(LayoutSection.name)] and does not say what a table or event "
        + "clears: write [\(QueuesSection.queues)] and [\(QueuesSection.events)]")
  }
}
