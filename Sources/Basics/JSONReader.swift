// SPDX-License-Identifier: BSD-2-Clause
//
// Reading JSON (RFC 8259): fpcache's own status file, written by a listener of any version.

extension JSON {
  /// The one value that `text` holds; nil when `text` is not JSON or holds anything else.
  package init?(parsing text: [UInt8]) {
    guard let text = String(validating: text, as: UTF8.self) else { return nil }
    var reader = JSONReader(Array(text.utf8))
    guard let value = reader.value(), reader.isAtEnd else { return nil }
    self = value
  }

  /// A member of an object; nil for everything else.
  package subscript(_ name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.0 == name }?.1
  }

  /// The elements of an array; empty for every other value.
  package var elements: [JSON] { if case .array(let elements) = self { elements } else { [] } }
  package var string: String? { if case .string(let text) = self { text } else { nil } }
  package var wholeNumber: Int64? { if case .integer(let value) = self { value } else { nil } }
}

private struct JSONReader {
  /// Deeper than any document of fpcache. A hostile document must not exhaust the stack.
  private static let deepest = 64

  private var rest: ArraySlice<UInt8>
  private var depth = 0

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return rest.isEmpty
    }
  }

  mutating func value() -> JSON? {
    skipSpace()
    switch rest.first {
    case UInt8(ascii: "{"): return nested { $0.object() }
    case UInt8(ascii: "["): return nested { $0.array() }
    case UInt8(ascii: "\""): return string().map(JSON.string)
    case UInt8(ascii: "t"): return take("true") ? .boolean(true) : nil
    case UInt8(ascii: "f"): return take("false") ? .boolean(false) : nil
    case UInt8(ascii: "n"): return take("null") ? .null : nil
    default: return number()
    }
  }

  private mutating func nested(_ body: (inout JSONReader) -> JSON?) -> JSON? {
    guard depth < Self.deepest else { return nil }
    depth += 1
    defer { depth -= 1 }
    rest = rest.dropFirst()
    return body(&self)
  }

  private mutating func object() -> JSON? {
    var members: [(String, JSON)] = []
    if takeMark("}") { return .object([]) }
    repeat {
      skipSpace()
      guard let name = string(), takeMark(":"), let value = value() else { return nil }
      members.append((name, value))
    } while takeMark(",")
    return takeMark("}") ? .object(members) : nil
  }

  private mutating func array() -> JSON? {
    var values: [JSON] = []
    if takeMark("]") { return .array([]) }
    repeat {
      guard let value = value() else { return nil }
      values.append(value)
    } while takeMark(",")
    return takeMark("]") ? .array(values) : nil
  }

  private mutating func number() -> JSON? {
    let digits = rest.prefix { byte in
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte)
    }
    guard let first = digits.first, first != UInt8(ascii: "+"), first != UInt8(ascii: ".") else {
      return nil
    }
    rest = rest.dropFirst(digits.count)
    let text = String(decoding: digits, as: UTF8.self)
    if let value = Int64(text) { return .integer(value) }
    return Double(text).map(JSON.number)
  }

  private mutating func string() -> String? {
    guard rest.first == UInt8(ascii: "\"") else { return nil }
    rest = rest.dropFirst()
    var bytes: [UInt8] = []
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let scalar = escaped() else { return nil }
        bytes += Array(String(scalar).utf8)
      case ..<0x20: return nil
      default: bytes.append(byte)
      }
    }
    return nil
  }

  private mutating func escaped() -> Unicode.Scalar? {
    switch rest.popFirst() {
    case UInt8(ascii: "\""): "\""
    case UInt8(ascii: "\\"): "\\"
    case UInt8(ascii: "/"): "/"
    case UInt8(ascii: "b"): "\u{8}"
    case UInt8(ascii: "f"): "\u{C}"
    case UInt8(ascii: "n"): "\n"
    case UInt8(ascii: "r"): "\r"
    case UInt8(ascii: "t"): "\t"
    case UInt8(ascii: "u"): unicode()
    default: nil
    }
  }

  /// The scalar of `\uHHHH`, or of two of them that make a surrogate pair.
  private mutating func unicode() -> Unicode.Scalar? {
    guard let unit = hexadecimal() else { return nil }
    if let scalar = Unicode.Scalar(unit) { return scalar }
    guard (0xD800..<0xDC00).contains(unit), take("\\u"), let low = hexadecimal(),
      (0xDC00..<0xE000).contains(low)
    else { return nil }
    return Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
  }

  private mutating func hexadecimal() -> UInt16? {
    let digits = rest.prefix(4)
    guard digits.count == 4, !digits.contains(UInt8(ascii: "+")) else { return nil }
    rest = rest.dropFirst(4)
    return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  private mutating func take(_ text: String) -> Bool {
    guard rest.starts(with: text.utf8) else { return false }
    rest = rest.dropFirst(text.utf8.count)
    return true
  }

  private mutating func takeMark(_ mark: String) -> Bool {
    skipSpace()
    return take(mark)
  }

  private mutating func skipSpace() { rest = rest.drop { " \t\n\r".utf8.contains($0) } }
}
