// SPDX-License-Identifier: BSD-2-Clause
//
// Pieces of a password in libpq's messages. If a password in a URI holds a slash, a question mark or an `@` that is not
// percent-encoded, libpq takes a part of it for a port, a host or a database, and reports it as such.

import Basics
import CLibpq

/// Hides the parts of a password that messages quote because libpq took them for something else.
struct PasswordMask: Equatable, Sendable {
  /// The shortest piece of a password that is hidden, in bytes.
  private static let piece = 4
  /// The pieces of that length that only a password holds.
  private var hidden: Set<[UInt8]> = []

  /// - Parameter parameters: the connection's parameters. Connection strings are searched for where libpq searches.
  init(_ parameters: ConnectionParameters) {
    for (keyword, value) in parameters.keywords
    where keyword == "dbname" && ConnectionParameters.isConnectionString(value) {
      let (secret, open) = Self.split(Array(value.utf8), isReadable: Self.isReadable(value))
      let isOpen = Set(open.flatMap(Self.pieces))
      for text in [secret, Self.decoded(secret)] {
        hidden.formUnion(Self.pieces(text).filter { !isOpen.contains($0) })
      }
    }
  }

  /// The text with `***` in place of each piece of a password.
  func hide(_ text: String) -> String {
    guard !hidden.isEmpty else { return text }
    let bytes = Array(text.utf8)
    var isHidden = [Bool](repeating: false, count: bytes.count)
    for start in bytes.indices.dropLast(Self.piece - 1)
    where hidden.contains(Array(bytes[start..<start + Self.piece])) {
      for index in start..<start + Self.piece { isHidden[index] = true }
    }
    var shown: [UInt8] = []
    for index in bytes.indices {
      if !isHidden[index] {
        shown.append(bytes[index])
      } else if index == 0 || !isHidden[index - 1] {
        shown += Array("***".utf8)
      }
    }
    return String(decoding: shown, as: UTF8.self)
  }

  /// The parts of a connection string that may be a password in a wrong place, and the parts that are not.
  private static func split(
    _ bytes: [UInt8], isReadable: Bool
  ) -> (secret: [UInt8], open: [[UInt8]]) {
    let scheme = ConnectionParameters.uriSchemes.map { Array($0.utf8) }.first(where: bytes.starts)
    // libpq does not quote a password that it has recognized.
    guard let scheme else { return isReadable ? ([], []) : (bytes, []) }
    let rest = bytes[scheme.count...]
    guard let colon = rest.firstIndex(of: UInt8(ascii: ":")) else { return ([], []) }
    let query = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
    let before = isReadable ? rest[..<query] : rest
    if isReadable, isPlain(before, colon) { return ([], []) }
    let at = before.lastIndex(of: UInt8(ascii: "@")) ?? rest.lastIndex(of: UInt8(ascii: "@"))
    let end = at ?? rest.endIndex
    guard end > colon else { return ([], []) }
    return (Array(rest[(colon + 1)..<end]), [Array(bytes[..<colon]), Array(bytes[end...])])
  }

  /// Whether a URI that libpq can read has no misplaced password: it has one `@`, before any slash, or no `@` and a
  /// port of digits.
  private static func isPlain(_ text: ArraySlice<UInt8>, _ colon: Int) -> Bool {
    let slash = text.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
    guard let at = text.firstIndex(of: UInt8(ascii: "@")) else {
      return text[..<slash].split(separator: UInt8(ascii: ",")).allSatisfy(hasPort)
    }
    return at < slash && text.lastIndex(of: UInt8(ascii: "@")) == at && colon < at
  }

  /// Whether a host has a port of digits, or no port.
  private static func hasPort(_ host: ArraySlice<UInt8>) -> Bool {
    guard let colon = host.lastIndex(of: UInt8(ascii: ":")) else { return true }
    return host.last == UInt8(ascii: "]")
      || host[(colon + 1)...].allSatisfy { (0x30...0x39).contains($0) }
  }

  private static func isReadable(_ text: String) -> Bool {
    guard let options = PQconninfoParse(text, nil) else { return false }
    PQconninfoFree(options)
    return true
  }

  private static func pieces(_ bytes: [UInt8]) -> [[UInt8]] {
    bytes.indices.dropLast(piece - 1).map { Array(bytes[$0..<$0 + piece]) }
  }

  /// Decodes `%61` to `a`, as libpq does in every part of a URI.
  private static func decoded(_ bytes: [UInt8]) -> [UInt8] {
    var decoded: [UInt8] = []
    var rest = bytes[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        decoded.append(value)
        rest = rest.dropFirst(2)
      } else {
        decoded.append(byte)
      }
    }
    return decoded
  }
}
