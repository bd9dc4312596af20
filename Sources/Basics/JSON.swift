// SPDX-License-Identifier: BSD-2-Clause
//
// JSON documents with their keys in the order of the contract.

/// A JSON value.
package enum JSON: Equatable {
  case object([(String, JSON)])
  case array([JSON])
  case string(String)
  case integer(Int64)
  case number(Double)
  case boolean(Bool)
  case null

  package static func == (left: JSON, right: JSON) -> Bool { left.text == right.text }

  package static func integer(_ value: Int) -> JSON { .integer(Int64(value)) }

  /// The document on one line.
  package var text: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .object(let members):
      Self.write(members, "{", "}", to: &text) { member, text in
        Self.write(member.0, to: &text)
        text += ":"
        member.1.write(to: &text)
      }
    case .array(let values):
      Self.write(values, "[", "]", to: &text) { $0.write(to: &$1) }
    case .string(let string): Self.write(string, to: &text)
    case .integer(let value): text += String(value)
    case .number(let value): text += value.isFinite ? String(value) : "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .null: text += "null"
    }
  }

  private static func write<Element>(
    _ elements: [Element], _ open: String, _ close: String, to text: inout String,
    _ body: (Element, inout String) -> Void
  ) {
    text += open
    for (index, element) in elements.enumerated() {
      if index > 0 { text += "," }
      body(element, &text)
    }
    text += close
  }

  /// Appends a string to a buffer of many lines: untrusted bytes, as ``escape(_:)`` shows them.
  package static func append(escaped bytes: some Collection<UInt8>, to text: inout [UInt8]) {
    func append(plain bytes: some Collection<UInt8>) {
      text.append(UInt8(ascii: "\""))
      for byte in bytes {
        // No other byte of an escaped text needs it.
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
          text.append(UInt8(ascii: "\\"))
        }
        text.append(byte)
      }
      text.append(UInt8(ascii: "\""))
    }
    if isPlain(bytes) { append(plain: bytes) } else { append(plain: escape(bytes).utf8) }
  }

  /// RFC 8259, section 7.
  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\0"..<" ", "\u{7F}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
