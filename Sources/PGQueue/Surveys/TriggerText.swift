// SPDX-License-Identifier: BSD-2-Clause
//
// Reads the text of a trigger's function for two habits that can lose an invalidation without holding the queue
// (docs/drain-protocol.md, "Triggers that no lock can see"). It uses only the text.

import Basics

/// How a function can lose an invalidation.
package enum TriggerRisk: String, CaseIterable, Sendable {
  /// It reads the queue in one statement, and adds the row in another if it found none: a SELECT takes no lock that the
  /// drain's lock would wait for.
  case looksFirst
  /// It catches the unique violation of its INSERT: the rollback of the subtransaction releases its lock on the queue.
  case catchesViolation
}

/// The statements of a PL/pgSQL function, read once from first to last.
struct TriggerText {
  private let tokens: [SQLToken]
  /// The queue's name, without its schema.
  private let queue: String
  private var place = 0
  private(set) var risks: Set<TriggerRisk> = []

  /// Whether a statement that adds nothing has read the queue.
  private var hasRead = false
  /// Whether the queue's lock is held on every branch: by a statement that changes the queue.
  private var isHeld = false
  /// Whether the function may have returned because of what it read.
  private var mayHaveLeft = false
  /// Whether an INSERT that can meet a unique violation was read.
  private var hasBareInsert = false
  /// The number of branches around the current place.
  private var depth = 0
  private var nesting = 0
  /// Deeper than any function written by hand; deeper recursion could overflow the stack.
  private static let deepest = 100

  /// - Parameter queue: a table, with its schema or without.
  init(_ source: String, queue: String) {
    tokens = SQLToken.all(in: source)
    self.queue = queue.split(separator: ".").last.map { $0.lowercased() } ?? ""
    while place < tokens.count {
      statements(isGuarded: false)
      // An `end` without a beginning.
      place += 1
    }
  }

  // MARK: Statements

  private var word: String? {
    guard place < tokens.count, case .word(let word) = tokens[place] else { return nil }
    return word
  }

  /// Reads statements up to the word that ends their list. That word is not taken.
  private mutating func statements(isGuarded: Bool) {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.deepest else {
      place = tokens.count
      return
    }
    while place < tokens.count {
      switch word {
      case "end", "else", "elsif", "elseif", "when", "exception": return
      case "begin":
        place += 1
        block(isGuarded)
      case "declare": place += 1
      case "if": branches(isGuarded, isCase: false)
      case "case": branches(isGuarded, isCase: true)
      case "loop", "while", "for", "foreach":
        note(head(until: ["loop"]), isGuarded)
        depth += 1
        statements(isGuarded: isGuarded)
        depth -= 1
        skipStatement()
      default: note(head(until: []), isGuarded)
      }
    }
  }

  /// Reads a block whose `begin` was read.
  private mutating func block(_ isGuarded: Bool) {
    let (wasHeld, hadInsert) = (isHeld, hasBareInsert)
    hasBareInsert = false
    statements(isGuarded: isGuarded)
    if word == "exception" {
      place += 1
      while word == "when" {
        let condition = head(until: ["then"])
        let start = place
        depth += 1
        statements(isGuarded: isGuarded)
        depth -= 1
        if hasBareInsert, !wasHeld, catches(condition), !isMendedBy(tokens[start..<place]) {
          risks.insert(.catchesViolation)
        }
      }
      // The block's locks are released when a handler runs.
      isHeld = wasHeld
      hasBareInsert = false
    }
    hasBareInsert = hasBareInsert || hadInsert
    skipStatement()
  }

  /// IF and CASE: their conditions, and the statements of each branch.
  private mutating func branches(_ isGuarded: Bool, isCase: Bool) {
    if isCase { note(head(until: [], before: "when"), isGuarded) }
    while place < tokens.count, word != "end" {
      if word == "else" { place += 1 } else { note(head(until: ["then"]), isGuarded) }
      depth += 1
      statements(isGuarded: isGuarded || (hasRead && !isHeld))
      depth -= 1
      if word == "exception" { break }
    }
    skipStatement()
  }

  /// The tokens up to a semicolon or one of the words in `ends`, which are taken, or up to `stop`, which is not.
  private mutating func head(until ends: Set<String>, before stop: String? = nil) -> ArraySlice<
    SQLToken
  > {
    let start = place
    var open = 0
    var cases = 0
    // The first token may be `case` or one of the words: it does not count.
    while place < tokens.count {
      let token = tokens[place]
      if token.isMark("(") { open += 1 }
      if token.isMark(")") { open -= 1 }
      if case .word(let word) = token, open <= 0 {
        if place > start, word == "case" { cases += 1 }
        if cases > 0, word == "end" {
          cases -= 1
        } else if cases == 0, place > start, ends.contains(word) {
          place += 1
          return tokens[start..<(place - 1)]
        } else if cases == 0, place > start, word == stop {
          return tokens[start..<place]
        }
      }
      place += 1
      if token.isMark(";"), open <= 0 { break }
    }
    return tokens[start..<place]
  }

  private mutating func skipStatement() {
    while place < tokens.count, !tokens[place].isMark(";") { place += 1 }
    place += 1
  }

  // MARK: What a statement does

  private mutating func note(_ statement: ArraySlice<SQLToken>, _ isGuarded: Bool) {
    let uses = uses(in: statement)
    if uses.contains(.insert) {
      if isGuarded || mayHaveLeft { risks.insert(.looksFirst) }
      if !has(["on", "conflict"], in: statement) { hasBareInsert = true }
    } else if uses.contains(.read), !isHeld, !locksRows(statement) {
      hasRead = true
    }
    if uses.contains(.insert) || uses.contains(.change), depth == 0 { isHeld = true }
    if isGuarded, let first = statement.first, [.word("return"), .word("exit")].contains(first) {
      mayHaveLeft = true
    }
  }

  private enum Use {
    case insert, change, read
  }

  /// How a statement uses the queue.
  private func uses(in statement: ArraySlice<SQLToken>) -> Set<Use> {
    var uses: Set<Use> = []
    for index in statement.indices where statement[index] == .word(queue) {
      var before = index - 1
      // Its schema.
      if before > statement.startIndex, statement[before].isMark(".") { before -= 2 }
      while before >= statement.startIndex,
        [.word("only"), .word("table")].contains(statement[before])
      {
        before -= 1
      }
      guard before >= statement.startIndex else { continue }
      let earlier = before > statement.startIndex ? statement[before - 1] : nil
      switch (statement[before], earlier) {
      case (.word("into"), .word("insert")): uses.insert(.insert)
      case (.word("from"), .word("delete")), (.word("update"), _), (.word("lock"), _):
        uses.insert(.change)
      case (.word("from"), _), (.word("join"), _): uses.insert(.read)
      case (.mark(UInt8(ascii: ",")), _): uses.insert(.read)
      default: break
      }
    }
    return uses
  }

  /// A row that it has locked cannot be deleted before it commits.
  private func locksRows(_ statement: ArraySlice<SQLToken>) -> Bool {
    [["for", "update"], ["for", "share"], ["for", "no", "key"], ["for", "key", "share"]]
      .contains { has($0, in: statement) }
  }

  private func has(_ words: [String], in statement: ArraySlice<SQLToken>) -> Bool {
    statement.indices.contains { start in
      start + words.count <= statement.endIndex
        && words.indices.allSatisfy { statement[start + $0] == .word(words[$0]) }
    }
  }

  /// Whether a handler catches unique violations, among others.
  private func catches(_ condition: ArraySlice<SQLToken>) -> Bool {
    let caught: [SQLToken] = [
      .word("unique_violation"), .word("others"), .word("integrity_constraint_violation"),
      .string("23505"), .string("23000"),
    ]
    return condition.contains(where: caught.contains)
  }

  /// Whether a handler fails too, or adds the row after all.
  private func isMendedBy(_ handler: ArraySlice<SQLToken>) -> Bool {
    let mild: [SQLToken] = ["debug", "log", "info", "notice", "warning"].map { .word($0) }
    return uses(in: handler).contains(.insert)
      || handler.indices.contains { index in
        handler[index] == .word("raise")
          && (index + 1 == handler.endIndex || !mild.contains(handler[index + 1]))
      }
  }
}
