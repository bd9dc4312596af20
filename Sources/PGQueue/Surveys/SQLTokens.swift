// SPDX-License-Identifier: BSD-2-Clause
//
// Splits SQL and PL/pgSQL into words. Comments are dropped, and the contents of strings are not code.

/// A piece of code.
enum SQLToken: Equatable {
  /// A keyword or a name, in lower case unless it was quoted.
  case word(String)
  case string(String)
  /// Any other character.
  case mark(UInt8)

  /// Splits a text. A text that ends within a comment or a string ends there.
  static func all(in text: String) -> [SQLToken] {
    var reader = SQLReader(bytes: Array(text.utf8))
    var tokens: [SQLToken] = []
    while let token = reader.next() { tokens.append(token) }
    return tokens
  }

  func isMark(_ mark: Character) -> Bool { self == .mark(mark.asciiValue ?? 0) }
}

private struct SQLReader {
  let bytes: [UInt8]
  private var place = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  private var byte: UInt8? { place < bytes.count ? bytes[place] : nil }

  private func isAt(_ text: StaticString) -> Bool {
    bytes[place...].starts(
      with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func next() -> SQLToken? {
    skipBlanks()
    guard let byte else { return nil }
    switch byte {
    case UInt8(ascii: "'"): return .string(quoted(byte, hasEscapes: false))
    case UInt8(ascii: "\""): return .word(quoted(byte, hasEscapes: false))
    case UInt8(ascii: "$"):
      if let text = dollarQuoted() { return .string(text) }
    case _ where Self.isLetter(byte): return word()
    default: break
    }
    place += 1
    return .mark(byte)
  }

  private mutating func skipBlanks() {
    while let byte {
      if isAt("--") {
        while let byte = self.byte, byte != UInt8(ascii: "\n") { place += 1 }
      } else if isAt("/*") {
        skipComment()
      } else if byte <= UInt8(ascii: " ") {
        place += 1
      } else {
        return
      }
    }
  }

  /// Comments of this kind may be nested.
  private mutating func skipComment() {
    var depth = 0
    while byte != nil {
      if isAt("/*") {
        depth += 1
        place += 2
      } else if isAt("*/") {
        depth -= 1
        place += 2
        if depth == 0 { return }
      } else {
        place += 1
      }
    }
  }

  /// The text between two quotes. A doubled quote stands for one quote in the text.
  private mutating func quoted(_ quote: UInt8, hasEscapes: Bool) -> String {
    place += 1
    var text: [UInt8] = []
    while let byte {
      place += 1
      if byte == quote {
        guard self.byte == quote else { break }
        place += 1
      } else if hasEscapes, byte == UInt8(ascii: "\\") {
        place += 1
        continue
      }
      text.append(byte)
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// `$tag$...$tag$`; nil for a parameter such as `$1`.
  private mutating func dollarQuoted() -> String? {
    var end = place + 1
    while end < bytes.count, Self.isLetter(bytes[end]) || Self.isDigit(bytes[end]) { end += 1 }
    guard end < bytes.count, bytes[end] == UInt8(ascii: "$"), !Self.isDigit(bytes[place + 1]) else {
      return nil
    }
    let tag = bytes[place...end]
    let start = end + 1
    place = start
    while place < bytes.count, !bytes[place...].starts(with: tag) { place += 1 }
    let text = bytes[start..<place]
    place = min(place + tag.count, bytes.count)
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func word() -> SQLToken {
    let start = place
    while let byte, Self.isLetter(byte) || Self.isDigit(byte) || byte == UInt8(ascii: "$") {
      place += 1
    }
    let text = String(decoding: bytes[start..<place], as: UTF8.self).lowercased()
    if text == "e", byte == UInt8(ascii: "'") {
      return .string(quoted(UInt8(ascii: "'"), hasEscapes: true))
    }
    return .word(text)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
      || byte >= 0x80
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
