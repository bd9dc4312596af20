// Passwords that were given where none belongs, on the command line: kept from messages and `ps`.

import PGQueue

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

/// Whether an argument, or what follows the `=` of an option, holds a password: by our rule, or by
/// libpq's, which knows more spellings (`p%61ssword=` in a URI).
func holdsPassword(_ argument: String) -> Bool {
  if redacted(argument) != argument { return true }
  guard argument.utf8.contains(UInt8(ascii: "=")) else { return false }
  let isOption = argument.hasPrefix("--")
  let value = isOption ? argument.split(separator: "=", maxSplits: 1).dropFirst().first : nil
  return ConnectionParameters.holdsSecret(value.map(String.init) ?? argument)
}

/// Overwrites arguments that hold a password. Linux shows that to all who ask for them; where the
/// kernel keeps a copy (FreeBSD), whoever looks can still see it, and that is said.
func hidePasswordsFromArguments() {
  for index in 1..<max(1, Int(CommandLine.argc)) {
    guard let argument = CommandLine.unsafeArgv[index] else { return }
    guard holdsPassword(String(cString: argument)) else { continue }
    var end = argument
    while end.pointee != 0 {
      end.pointee = CChar(bitPattern: UInt8(ascii: "*"))
      end += 1
    }
    #if !os(Linux)
      printError(
        "fpcache: a password among the arguments is there for all to see; .pgpass is the place for it"
      )
    #endif
  }
}
