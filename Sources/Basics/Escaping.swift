// A path below the cache directory, as the bytes that the file system gave.

/// A path relative to the cache directory. File names are bytes and need not be UTF-8.
public struct CachePath: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public static func < (left: Self, right: Self) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  /// Printable, and told back to bytes by ``unescape(_:)``.
  public var description: String { escape(bytes) }
}

/// Text for a terminal, a log or JSON: valid printable UTF-8 as it stands, a backslash doubled,
/// and each other byte as `\xHH`.
public func escape(_ bytes: some Collection<UInt8>) -> String {
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

/// The bytes that ``escape(_:)`` was given, or nil for what it never makes.
public func unescape(_ text: String) -> [UInt8]? {
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
  // One text for each value: what could have been written otherwise is none of escape's.
  return escape(bytes) == text ? bytes : nil
}

/// Whether bytes are their own escaped text, as nearly all names are.
func isPlain(_ bytes: some Collection<UInt8>) -> Bool {
  bytes.allSatisfy { (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") }
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

/// Control, format (which may turn the direction of a line about) and unassigned scalars, what
/// cannot be seen, and spaces that are none of ASCII's.
private func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
    .paragraphSeparator, .spaceSeparator:
    true
  default: scalar.properties.isDefaultIgnorableCodePoint
  }
}
