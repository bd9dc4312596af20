// SPDX-License-Identifier: BSD-2-Clause
//
// Untrusted bytes as text that cannot control a terminal or break a log line.

/// Text for a terminal, a log or JSON. Valid printable UTF-8 is unchanged, a backslash is doubled, and each
/// other byte becomes `\xHH`.
package func escape(_ bytes: some Collection<UInt8>) -> String {
  if isPlain(bytes) { return String(decoding: bytes, as: UTF8.self) }
  var text = ""
  var rest = bytes[...]
  while let first = rest.first {
    if first < 0x80 {
      appendASCII(first, to: &text)
      rest = rest.dropFirst()
      continue
    }
    let scalar = rest.prefix(4)
    if let (character, length) = leadingScalar(scalar), !isUnprintable(character) {
      text.unicodeScalars.append(character)
      rest = rest.dropFirst(length)
    } else {
      appendHex(first, to: &text)
      rest = rest.dropFirst()
    }
  }
  return text
}

/// The bytes that ``escape(_:)`` was given; nil for text that it never produces.
package func unescape(_ text: String) -> [UInt8]? {
  if isPlain(text.utf8) { return Array(text.utf8) }
  var bytes: [UInt8] = []
  var rest = text.utf8[...]
  while let byte = rest.popFirst() {
    guard byte == UInt8(ascii: "\\") else {
      bytes.append(byte)
      continue
    }
    switch rest.popFirst() {
    case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
    case UInt8(ascii: "x"):
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    default: return nil
    }
  }
  // Each value has one text only: reject any text that escape would have written in another way.
  return escape(bytes) == text ? bytes : nil
}

/// Whether bytes equal their own escaped text. Nearly all names do.
package func isPlain(_ bytes: some Collection<UInt8>) -> Bool {
  bytes.withContiguousStorageIfAvailable { $0.allSatisfy(isPlain) } ?? bytes.allSatisfy(isPlain)
}

private func isPlain(_ byte: UInt8) -> Bool {
  (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\\")
}

/// The text with terminal control characters made visible. Line ends are kept.
package func withoutControls(_ text: String) -> String {
  let isClean = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A }
  if isClean { return text }
  return text.unicodeScalars.map { scalar in
    switch scalar.properties.generalCategory {
    case .control where scalar != "\n", .format, .lineSeparator, .paragraphSeparator:
      scalar.utf8.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    default: String(scalar)
    }
  }.joined()
}

extension String {
  /// Escaped for display; safe for untrusted text.
  package var escaped: String { escape(Array(utf8)) }
}

private func appendASCII(_ byte: UInt8, to text: inout String) {
  switch byte {
  case UInt8(ascii: "\\"): text += "\\\\"
  case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
  default: appendHex(byte, to: &text)
  }
}

private func appendHex(_ byte: UInt8, to text: inout String) {
  let digits = String(byte, radix: 16)
  text += digits.utf8.count == 1 ? "\\x0\(digits)" : "\\x\(digits)"
}

/// The scalar that well-formed UTF-8 begins with, and its length in bytes.
private func leadingScalar(_ bytes: some Collection<UInt8>) -> (Unicode.Scalar, Int)? {
  var decoder = UTF8()
  var iterator = bytes.makeIterator()
  guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
  return (scalar, UTF8.width(scalar))
}

/// Control, format and unassigned scalars, scalars that cannot be seen, and spaces other than ASCII's. A format
/// scalar may reverse the direction of a line.
private func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
    .paragraphSeparator, .spaceSeparator:
    true
  default: scalar.properties.isDefaultIgnorableCodePoint
  }
}

/// Untrusted text, escaped and shortened. A log line must not carry more than a few hundred bytes of it.
package func excerpt(_ bytes: [UInt8]) -> String {
  let most = 255
  guard bytes.count > most else { return escape(bytes) }
  return "\(escape(bytes.prefix(100)))... (\(grouped(bytes.count)) bytes)"
}
