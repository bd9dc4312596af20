// SPDX-License-Identifier: BSD-2-Clause
//
// The small language of [queues] and [events], split into words and signs.

import Basics

/// Reads a value from start to end.
struct RuleTokens {
  enum Token: Equatable {
    /// A name: letters, digits and `_ - $ .`.
    case word(String)
    /// The text between quotes, without them.
    case quoted(String)
    /// `(`, `)`, `,` or `=`.
    case sign(Unicode.Scalar)
    /// `||`, which joins texts as in SQL.
    case join
    /// Anything else.
    case stray(Unicode.Scalar)
    /// A quote that is not closed.
    case openQuote
    case end

    /// Safe to display.
    var text: String {
      switch self {
      case .word(let word): word
      case .quoted(let text): "'\(text.escaped)'"
      case .sign(let sign), .stray(let sign): "\"\(String(sign).escaped)\""
      case .join: "\"||\""
      case .openQuote: "a quote that does not close"
      case .end: "the end"
      }
    }
  }

  /// The next token.
  private(set) var next: Token = .end
  private var rest: Substring.UnicodeScalarView

  init(_ text: String) {
    rest = Substring(text).unicodeScalars
    advance()
  }

  /// Moves past the next token.
  mutating func advance() {
    rest = rest.drop { $0.properties.isWhitespace }
    guard let first = rest.first else {
      next = .end
      return
    }
    switch first {
    case "(", ")", ",", "=":
      rest.removeFirst()
      next = .sign(first)
    case "|" where rest.dropFirst().first == "|":
      rest.removeFirst(2)
      next = .join
    case "'", "\"":
      let text = rest.dropFirst()
      guard let close = text.firstIndex(of: first) else {
        next = .openQuote
        return
      }
      next = .quoted(String(text[..<close]))
      rest = rest[text.index(after: close)...]
    default:
      let word = rest.prefix(while: Self.isOfWord)
      rest = rest.dropFirst(max(1, word.count))
      next = word.isEmpty ? .stray(first) : .word(String(word))
    }
  }

  /// Moves past a sign or a word, if it is the next token.
  mutating func take(_ token: Token) -> Bool {
    guard next == token else { return false }
    advance()
    return true
  }

  /// Takes a word; nil when the next token is not a word.
  mutating func takeWord() -> String? {
    guard case .word(let word) = next else { return nil }
    advance()
    return word
  }

  /// Whether a name of any kind may contain this character.
  private static func isOfWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "$", ".": true
    default: false
    }
  }
}
