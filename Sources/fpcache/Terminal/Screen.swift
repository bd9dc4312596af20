// SPDX-License-Identifier: BSD-2-Clause
//
// Whether a user is watching, and what a terminal gets that a file does not: colour.

import ArgumentParser
import Basics

/// The device at the other end of a stream.
enum Screen {
  static func isAt(_ descriptor: CInt) -> Bool { isatty(descriptor) != 0 }

  /// Whether a line on it can be removed: it is a terminal that supports that.
  static func canRewrite(_ descriptor: CInt) -> Bool {
    guard isAt(descriptor), let kind = environment()["TERM"] else { return false }
    return kind != "dumb"
  }

  /// Removes the line that the cursor is on.
  static func wipeLine(on descriptor: CInt) { put("\r\u{1B}[K", on: descriptor) }

  /// Columns of the terminal at a stream; 80 where they are unknown.
  static func width(_ descriptor: CInt) -> Int { size(descriptor)?.columns ?? 80 }

  /// The size of the terminal at a stream; nil where it is not a terminal or its size is unknown.
  static func size(_ descriptor: CInt) -> (columns: Int, rows: Int?)? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return (Int(size.ws_col), size.ws_row > 0 ? Int(size.ws_row) : nil)
  }

  /// Writes part of a line: a question, or text that is rewritten in place. A failure to write it does not matter.
  static func put(_ text: String, on descriptor: CInt) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
  }
}

/// Adds colour to text, or leaves it unchanged.
struct Palette: Equatable, Sendable {
  /// SGR parameters of ECMA-48, 8.3.117.
  enum Paint: String, CaseIterable {
    case bold = "1"
    case red = "31"
    case green = "32"
    case yellow = "33"
  }

  static let plain = Palette(isColored: false)

  let isColored: Bool

  init(isColored: Bool) { self.isColored = isColored }

  /// The requested choice; with `auto`, colour for a terminal that supports it, unless NO_COLOR is set and not empty
  /// (no-color.org).
  init(_ choice: ColorChoice, isTerminal: Bool, _ environment: [String: String]) {
    switch choice {
    case .always: isColored = true
    case .never: isColored = false
    case .auto:
      let kind = environment["TERM"]
      isColored =
        isTerminal && environment["NO_COLOR"] == nil && kind != nil && kind != "dumb"
    }
  }

  func paint(_ text: String, _ paint: Paint) -> String {
    isColored && !text.isEmpty ? Self.sequence(paint.rawValue) + text + Self.sequence("0") : text
  }

  private static func sequence(_ parameter: String) -> String { "\u{1B}[\(parameter)m" }

  /// Applies `change` to all of the text except what paint(_:_:) has added.
  static func aroundPaint(_ text: String, _ change: (String) -> String) -> String {
    guard text.utf8.contains(0x1B) else { return change(text) }
    let sequences = (Paint.allCases.map(\.rawValue) + ["0"]).map(sequence)
    var changed = ""
    var rest = text.unicodeScalars[...]
    var start = rest.startIndex
    while let first = rest.first {
      if first == "\u{1B}",
        let found = sequences.first(where: { rest.starts(with: $0.unicodeScalars) })
      {
        changed += change(String(text.unicodeScalars[start..<rest.startIndex])) + found
        rest = rest.dropFirst(found.unicodeScalars.count)
        start = rest.startIndex
      } else {
        rest = rest.dropFirst()
      }
    }
    return changed + change(String(text.unicodeScalars[start...]))
  }
}

enum ColorChoice: String, WordArgument {
  case auto, always, never
}
