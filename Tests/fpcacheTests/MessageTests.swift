// SPDX-License-Identifier: BSD-2-Clause
//
// docs/messages.md has every message that the program can print, and none that it cannot.
//
// Any text of two words in a literal of Sources/ counts as a message, wherever it stands, unless it
// is one of the sorts named here. What a message consists of besides (a value, a name, a lone word)
// is not compared.

import Foundation
import TestSupport
import Testing

@Suite struct MessageTests {
  /// Files whose texts are no messages: SQL, metrics, and the results that other pages tell of.
  private static let others: Set<String> = [
    "SessionSettings.swift", "ChangeQuery.swift", "ClearText.swift", "NodeSchema.swift",
    "NodeLog.swift", "PruneText.swift", "QuietBlock.swift",
    "QueueSurvey.swift", "QueueTable.swift", "ListenerMetrics.swift", "ServerSurvey.swift",
    "SiteHealth.swift", "SiteRules.swift", "SiteSchema.swift", "StatsQueueText.swift",
    "StatsText.swift",
    "StatusText.swift", "StatusWatch.swift", "SurveyMetrics.swift",
    "TableRights.swift", "TriggerSurvey.swift", "UsageText.swift", "WaitingRows.swift",
  ]
  /// What stands before texts that are help, which the manual is made of.
  private static let help = [
    "help:", "ArgumentHelp(", "abstract:", "discussion:", "Help = ", ".comment = ", ".example = ",
  ]

  private static let texts: [(file: String, literal: SwiftLiteral)] = {
    let sources = Document.root.appendingPathComponent("Sources")
    let names = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String }
    return (names ?? []).filter { $0.hasSuffix(".swift") }.sorted().flatMap { name in
      let text = try? String(contentsOf: sources.appendingPathComponent(name), encoding: .utf8)
      return SwiftLiteral.all(in: text ?? "").map { (name, $0) }
    }
  }()

  private func list() throws -> String {
    try String(
      contentsOf: Document.root.appendingPathComponent("docs/messages.md"), encoding: .utf8)
  }

  private static func spaced(_ text: String) -> String {
    text.replacing("\\|", with: "|").split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  private static func isMessage(_ file: String, _ literal: SwiftLiteral) -> Bool {
    guard !others.contains(String(file.split(separator: "/").last ?? "")) else { return false }
    guard !help.contains(where: literal.before.contains) else { return false }
    let text = literal.pieces.joined(separator: " ")
    return !text.contains("SELECT ") && !text.hasPrefix("LOCK TABLE")
  }

  @Test("each message is in the list")
  func all() throws {
    let list = Self.spaced(try list())
    var count = 0
    for (file, literal) in Self.texts where Self.isMessage(file, literal) {
      for piece in literal.pieces where piece.contains(/[a-z]{2,}[,;:]? [a-z]{2,}/) {
        count += 1
        let words = Self.spaced(piece)
        let isListed = list.contains(words)
        #expect(
          isListed, "Sources/\(file):\(literal.line): docs/messages.md lacks: \(words)")
      }
    }
    #expect(count > 150, "the sources were not read")
  }

  @Test("each message of the list is one that the sources have")
  func none() throws {
    let sources = Self.spaced(Self.texts.flatMap(\.literal.pieces).joined(separator: " "))
    let rows = try list().matches(of: /(?m)^\| `([^`]+)` \|/).map { Self.spaced(String($0.1)) }
    #expect(rows.count > 100)
    for row in rows {
      // A clause between values; nouns and verbs go by a number.
      for clause in row.split(
        separator: /\bN [a-z]+\b|\b(?:is|are)\b|\b[A-Z][A-Z0-9]*\b|[;:,.()"']/)
      {
        let words = clause.split(separator: " ")
        guard words.count >= 3 else { continue }
        let isSaid = sources.contains(words.joined(separator: " "))
        #expect(
          isSaid,
          "nothing in Sources/ says \"\(clause)\", as docs/messages.md has it: \(row)")
      }
    }
  }
}
