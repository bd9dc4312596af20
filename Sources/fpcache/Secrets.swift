// Passwords that were given where none belongs, on the command line: kept from messages and `ps`.

/// The text without what may be a password: all that follows `password=` on a line, and what
/// stands before the `@` of a URI.
func redacted(_ text: String) -> String {
  text.split(separator: "\n", omittingEmptySubsequences: false)
    .map { withoutURIPassword(withoutPasswordKeyword($0)) }
    .joined(separator: "\n")
}

/// The value may hold anything, so the rest of the line goes.
private func withoutPasswordKeyword(_ line: Substring) -> Substring {
  var rest = line.utf8[...]
  let keyword = "password"
  while rest.count > keyword.utf8.count {
    let name = rest.prefix(keyword.utf8.count)
    let value = rest.dropFirst(keyword.utf8.count).drop { $0 == UInt8(ascii: " ") }
    if name.elementsEqual(keyword.utf8, by: { $0 | 0x20 == $1 }),
      value.first == UInt8(ascii: "="), value.count > 1
    {
      return line[..<value.index(after: value.startIndex)] + "***"
    }
    rest = rest.dropFirst()
  }
  return line
}

private func withoutURIPassword(_ line: Substring) -> Substring {
  let bytes = Array(line.utf8)
  let mark = Array("://".utf8)
  guard let scheme = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }) else {
    return line
  }
  let start = scheme + mark.count
  guard let colon = bytes[start...].firstIndex(of: UInt8(ascii: ":")),
    let at = bytes[colon...].lastIndex(of: UInt8(ascii: "@"))
  else { return line }
  return Substring(
    String(decoding: bytes[...colon] + Array("***".utf8) + bytes[at...], as: UTF8.self))
}

/// Overwrites arguments that hold a password, where the system lets a process do so (Linux).
func hidePasswordsFromArguments() {
  for index in 1..<max(1, Int(CommandLine.argc)) {
    guard let argument = CommandLine.unsafeArgv[index] else { return }
    let text = String(cString: argument)
    guard redacted(text) != text else { continue }
    var end = argument
    while end.pointee != 0 {
      end.pointee = CChar(bitPattern: UInt8(ascii: "*"))
      end += 1
    }
  }
}
