// SPDX-License-Identifier: BSD-2-Clause
//
// Passwords that were given on the command line, where they do not belong. They are kept out of messages and
// `ps`.

/// The text without anything that may be a password: everything after `password=` on a line, and the part of a
/// URI before the `@`.
package func redacted(_ text: String) -> String {
  // A fast path: most lines of a log contain neither.
  var bytes = Array(text.utf8)
  guard bytes.contains(UInt8(ascii: "=")) || bytes.contains(UInt8(ascii: "@")) else { return text }
  // When one `@` is hidden, a URI may seem to continue up to another one.
  for _ in 0..<8 {
    let shown = withoutPasswords(bytes)
    if shown == bytes { break }
    bytes = shown
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// Both kinds are searched in the original text, because each may contain the marker of the other.
private func withoutPasswords(_ bytes: [UInt8]) -> [UInt8] {
  var hidden = keywordPasswords(bytes)
  if let other = uriPassword(bytes) { hidden.append(other) }
  hidden.sort { $0.lowerBound < $1.lowerBound }
  var result: [UInt8] = []
  var end = 0
  for range in hidden {
    if range.lowerBound > end || result.isEmpty {
      result += bytes[end..<range.lowerBound] + Array("***".utf8)
    }
    end = max(end, range.upperBound)
  }
  return result + bytes[end...]
}

/// The ranges that follow `password=`, up to the end of the line. The value may contain anything.
private func keywordPasswords(_ bytes: [UInt8]) -> [Range<Int>] {
  var found: [Range<Int>] = []
  var index = 0
  while index < bytes.count {
    guard let value = passwordValue(bytes[index...]) else {
      index += 1
      continue
    }
    var end = endOfLine(bytes, from: value.reach)
    var inner = value.start
    // The rest of the line may contain the keyword again, with a value that begins after the line end.
    while inner < end {
      if let other = passwordValue(bytes[inner...]), other.reach > end {
        end = endOfLine(bytes, from: other.reach)
      }
      inner += 1
    }
    found.append(value.start..<end)
    index = end
  }
  return found
}

/// A line end after a backslash is part of a value (PostgreSQL manual, 34.1.1.1).
private func endOfLine(_ bytes: [UInt8], from index: Int) -> Int {
  bytes.indices[index...].first { place in
    bytes[place] == UInt8(ascii: "\n") && (place == 0 || bytes[place - 1] != UInt8(ascii: "\\"))
  } ?? bytes.endIndex
}

/// Where the value of a keyword `password` at the beginning of `text` may start, and how far it certainly
/// reaches. It starts after the `=`. The value may continue up to the end of the line at `reach`.
/// The keyword may be in any case and, as in a URI, may have `%61` for `a`.
private func passwordValue(_ text: ArraySlice<UInt8>) -> (start: Int, reach: Int)? {
  var rest = text
  for letter in "password".utf8 {
    guard let byte = popDecoded(&rest), byte | 0x20 == letter else { return nil }
  }
  rest = rest.drop(while: isSpace)
  guard rest.popFirst() == UInt8(ascii: "=") else { return nil }
  let value = rest.drop(while: isSpace)
  guard let first = value.first else { return nil }
  // A quoted value may continue after the line end (PostgreSQL manual, 34.1.1.1).
  let reach = first == UInt8(ascii: "'") ? endOfQuoted(value) : value.startIndex
  return (rest.startIndex, reach)
}

/// The next byte, with `%61` decoded to `a`.
private func popDecoded(_ text: inout ArraySlice<UInt8>) -> UInt8? {
  guard let first = text.popFirst() else { return nil }
  guard first == UInt8(ascii: "%"), text.count >= 2,
    let byte = UInt8(String(decoding: text.prefix(2), as: UTF8.self), radix: 16)
  else { return first }
  text = text.dropFirst(2)
  return byte
}

/// The bytes that isspace(3) accepts.
private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

private func endOfQuoted(_ text: ArraySlice<UInt8>) -> Int {
  var index = text.startIndex + 1
  while index < text.endIndex, text[index] != UInt8(ascii: "'") {
    index += text[index] == UInt8(ascii: "\\") ? 2 : 1
  }
  return min(index, text.endIndex)
}

/// The range of the password in the first URI.
private func uriPassword(_ bytes: [UInt8]) -> Range<Int>? {
  let mark = Array("://".utf8)
  guard let scheme = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }),
    let colon = bytes[(scheme + mark.count)...].firstIndex(of: UInt8(ascii: ":"))
  else { return nil }
  let line = bytes[colon...].prefix { $0 != UInt8(ascii: "\n") }
  // A password may contain a line end, but then there is no `@` before it on the line.
  let at =
    line.lastIndex(of: UInt8(ascii: "@")) ?? bytes[colon...].lastIndex(of: UInt8(ascii: "@"))
  return at.map { colon + 1..<$0 }
}
