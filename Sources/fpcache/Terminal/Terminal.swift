// SPDX-License-Identifier: BSD-2-Clause
//
// The place where text for people goes: its width, its character set, and the width of a name on it.

import Basics

/// The terminal on standard output, or the file in its place.
struct Terminal: Equatable {
  /// Never narrower: the text is made for this width and more.
  static let narrowest = 60
  /// Never wider: COLUMNS may hold any number.
  private static let widest = 1000
  /// The width when it is unknown.
  private static let usualWidth = 80

  var columns: Int
  /// Nil where it is not a terminal, or the number is unknown.
  var rows: Int?
  var isTerminal: Bool
  /// Whether characters beyond ASCII may be written.
  var isUnicode: Bool

  /// - Parameters:
  ///   - variables: of the environment; `COLUMNS` overrides the terminal's own size.
  ///   - narrowest: the smallest number of columns that the text can be made for.
  static func standardOutput(
    _ variables: [String: String] = environment(), narrowest: Int = narrowest
  ) -> Terminal {
    let size = Screen.size(STDOUT_FILENO)
    let isTerminal = Screen.isAt(STDOUT_FILENO)
    let wanted = variables["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    let columns = wanted ?? size?.columns ?? usualWidth
    return Terminal(
      columns: min(max(narrowest, columns), widest), rows: isTerminal ? size?.rows : nil,
      isTerminal: isTerminal, isUnicode: localeIsUnicode)
  }

  /// Text that this terminal can show. On a terminal with ASCII only, all other characters are written as escape(_:)
  /// writes bytes, since in another character set their bytes could be commands to the terminal.
  func fit(_ text: String) -> String { isUnicode ? text : asciiOnly(text) }

  /// How many columns the text takes.
  func width(_ text: String) -> Int {
    let text = fit(text)
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.unicodeScalars.reduce(0) { $0 + $1.columns }
  }

  /// As much of the text as fits, with a sign that it was cut.
  func cut(_ text: String, to columns: Int) -> String {
    guard width(text) > columns else { return text }
    return start(of: text, columns: columns - 1) + (isUnicode ? "\u{2026}" : ">")
  }

  /// As much of the text as fits.
  func start(of text: String, columns: Int) -> String {
    var start = String.UnicodeScalarView()
    var used = 0
    for scalar in fit(text).unicodeScalars {
      used += scalar.columns
      if used > columns { break }
      start.append(scalar)
    }
    return String(start)
  }
}

extension Unicode.Scalar {
  /// Wide characters of East Asian scripts, and pictures (UAX #11, in the blocks of Markus Kuhn's wcwidth).
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
    0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
    0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD,
  ]

  /// How many columns the character takes on a terminal.
  fileprivate var columns: Int {
    if value < 0x300 { return 1 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: return Self.wide.contains { $0.contains(value) } ? 2 : 1
    }
  }
}

/// Whether the user's locale uses UTF-8.
let localeIsUnicode: Bool = {
  guard setlocale(LC_CTYPE, "") != nil, let name = nl_langinfo(nl_item(CODESET)) else {
    return false
  }
  return ["UTF-8", "utf8", "UTF8", "utf-8"].contains(String(cString: name))
}()

/// Replaces characters that are not ASCII by `\xHH`, byte by byte.
func asciiOnly(_ text: String) -> String {
  if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
  var ascii = ""
  for byte in text.utf8 {
    if byte < 0x80 {
      ascii.unicodeScalars.append(Unicode.Scalar(byte))
    } else {
      ascii += "\\x" + String(byte, radix: 16)
    }
  }
  return ascii
}
