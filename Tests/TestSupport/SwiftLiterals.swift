// SPDX-License-Identifier: BSD-2-Clause
//
// The string literals of a Swift source: what the program may print, without running it.

/// A string literal, split where a value is inserted.
public struct SwiftLiteral: Sendable {
  /// The number of its first line, from 1.
  public let line: Int
  /// The texts between the values.
  public let pieces: [String]
  /// The text before it on its own line or on the line above.
  public let before: String

  /// Every literal of a source, including those inside the values of another literal. Comments have no literals.
  public static func all(in source: String) -> [SwiftLiteral] {
    var reader = SwiftLiteralReader(source)
    reader.read()
    return reader.found
  }
}

private struct SwiftLiteralReader {
  private(set) var found: [SwiftLiteral] = []
  private let text: [Character]
  private var index = 0

  init(_ source: String) { text = Array(source) }

  mutating func read() {
    while index < text.count {
      if at("//") {
        while index < text.count, text[index] != "\n" { index += 1 }
      } else if at("#\"") {
        // Raw literals contain code and patterns, not messages.
        index += 2
        while index < text.count, !at("\"#") { index += 1 }
        index += 2
      } else if text[index] == "\"" {
        literal()
      } else {
        index += 1
      }
    }
  }

  private func at(_ what: String) -> Bool {
    let end = index + what.count
    return end <= text.count && String(text[index..<end]) == what
  }

  private mutating func literal() {
    let start = index
    let quote = at("\"\"\"") ? "\"\"\"" : "\""
    index += quote.count
    var pieces = [""]
    while index < text.count, !at(quote) {
      if at("\\(") {
        index += 2
        value()
        pieces.append("")
      } else if text[index] == "\\", index + 1 < text.count {
        let next = text[index + 1]
        index += 2
        if next == "\n" {
          while index < text.count, text[index] == " " { index += 1 }
        } else {
          pieces[pieces.count - 1].append(next == "n" || next == "t" ? " " : next)
        }
      } else {
        pieces[pieces.count - 1].append(text[index])
        index += 1
      }
    }
    index += quote.count
    let line = text[..<start].count { $0 == "\n" } + 1
    let before = String(text[..<start].suffix(240)).split(separator: "\n").suffix(3)
      .joined(separator: " ")
    found.append(SwiftLiteral(line: line, pieces: pieces, before: before))
  }

  /// Skips the text between `\(` and its `)`.
  private mutating func value() {
    var depth = 1
    while index < text.count, depth > 0 {
      switch text[index] {
      case "\"": literal()
      case "(":
        depth += 1
        index += 1
      case ")":
        depth -= 1
        index += 1
      default: index += 1
      }
    }
  }
}
