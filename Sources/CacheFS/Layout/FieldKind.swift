// SPDX-License-Identifier: BSD-2-Clause
//
// What a field of a layout may hold: one closed list, so that a key built from a
// database row and a name found on disk are judged by the same rule.

import Basics

/// The values that a field accepts.
package enum FieldKind: String, CaseIterable, Sendable {
  /// Four digits, as in `daily/2020`.
  case year
  /// Two digits. Whether such a month exists is for ``CalendarDate`` to say.
  case month
  /// Two digits. Whether such a day exists is for ``CalendarDate`` to say.
  case day
  /// `head`, or a quarter such as `2020Q1` (docs/freshports.md, section 2).
  case branch
  /// The same as PHP writes it in names of index pages, a quarter in lower case: `2020q1`.
  case lowerBranch = "lowerbranch"
  /// A FreeBSD category: lower-case letters, digits and `+ - _ .`, not led by a sign. `ports` is none, but the
  /// tree itself: `ports/ports/branches/2020Q1/MOVED...` is a page of a file of a branch.
  case category
  /// A FreeBSD port: letters, digits and `+ - _ .`, not led by a dot.
  case port
  /// One or more decimal digits.
  case number
  /// `n` or `y`.
  case flag
  /// A message id as a folder name: `a-z`, `0-9` and `-`.
  case messageID = "id"
  /// Letters, digits, `_` and `-`: anything that a dot may follow.
  case word
  /// Like `word` with `+`, and possibly empty.
  case optionalWord = "word?"
  /// Letters, digits and `+ - _ .`, possibly empty.
  case optionalPort = "port?"
  /// A feed's format and its version, as in `atom` and `rss2.0`.
  case format
  /// Six letters or digits, as mkstemp(3) makes them.
  case temporarySuffix = "suffix"
  /// What PHP's tempnam leaves of a key and its `.tmp` that are longer together than 63 bytes
  /// (php.net, tempnam: only the first 63 characters of the prefix are used).
  case cutKey = "cutkey"
  /// One hexadecimal digit in lower case.
  case hexDigit = "hex1"
  /// Two of them.
  case hexPair = "hex2"
  /// 32 of them, as an MD5 is written.
  case md5
  /// Any name of one component.
  case name
  /// One component or more, separated by slashes.
  case rest
  /// Like `rest`, but the first component does not begin with a dot.
  case visibleRest = "visible"
  /// A path in the ports tree that is not below a port's folder.
  case portsTreePath = "tree-path"
  /// The key of a family whose paths are made of its hash (``HashedTree``). It never stands in a path.
  case nginxKey = "nginx"

  /// The longest component that common file systems store, in bytes (NAME_MAX of limits.h).
  package static let longestName = 255

  /// The longest path accepted as a value, in bytes (PATH_MAX of limits.h less its NUL).
  static let longestPath = 4095

  /// The longest key of a hashed family, in bytes: nginx takes a line of a request of 8 KB, unless it is told to
  /// take longer ones (large_client_header_buffers).
  static let longestKey = 8192

  /// Whether a value may span several components.
  package var spansComponents: Bool {
    switch self {
    case .rest, .visibleRest, .portsTreePath, .nginxKey: true
    default: false
    }
  }

  /// The exact length of every value in bytes, where there is one.
  var fixedWidth: Int? {
    switch self {
    case .year: 4
    case .month, .day: 2
    case .flag, .hexDigit: 1
    case .hexPair: 2
    case .md5: MD5.digits
    case .temporarySuffix: 6
    case .cutKey: 63
    default: nil
    }
  }

  /// The bytes that may occur in a value.
  var bytes: ByteSet { ByteSet(where: contains) }

  /// Whether `byte` may occur in a value.
  @inline(__always)
  func contains(_ byte: UInt8) -> Bool {
    switch self {
    case .year, .month, .day, .number: byte.isDigit
    case .branch, .lowerBranch, .temporarySuffix: byte.isDigit || byte.isLetter
    case .category: byte.isDigit || byte.isLowerCase || byte.isNameSign
    case .port, .optionalPort: byte.isDigit || byte.isLetter || byte.isNameSign
    case .flag: byte == UInt8(ascii: "n") || byte == UInt8(ascii: "y")
    case .messageID: byte.isDigit || byte.isLowerCase || byte == UInt8(ascii: "-")
    case .cutKey:
      byte.isDigit || byte.isLowerCase || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    case .word:
      byte.isDigit || byte.isLetter || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    case .optionalWord:
      byte.isDigit || byte.isLetter || (byte.isNameSign && byte != UInt8(ascii: "."))
    case .format: byte.isDigit || byte.isLetter || byte == UInt8(ascii: ".")
    case .name: byte != 0 && byte != UInt8(ascii: "/")
    case .hexDigit, .hexPair, .md5: byte.isDigit || byte &- UInt8(ascii: "a") < 6
    case .rest, .visibleRest, .portsTreePath, .nginxKey: byte != 0
    }
  }

  /// Whether `value` is whole and safe: nothing that fails here ever becomes part of a path.
  package func accepts(_ value: some Collection<UInt8>) -> Bool {
    Self.contiguous(value) { (bytes) in accepts(bytes) }
  }

  /// Whether `text` is whole and safe.
  package func accepts(text: String) -> Bool { accepts(Array(text.utf8)) }

  /// The rule itself: in place, since a walk asks it of each name.
  func accepts(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    switch self {
    case .optionalWord, .optionalPort:
      value.count <= Self.longestName && value.allSatisfy(contains)
    case .rest: Self.isSafePath(value)
    case .visibleRest: Self.isSafePath(value) && value.first != UInt8(ascii: ".")
    case .portsTreePath: Self.isSafePath(value) && !Self.isBelowAPort(value)
    case .name: Self.isSafeName(value)
    case .nginxKey: Self.isKey(value)
    default:
      // No other kind contains a NUL or a slash.
      Self.isNameLong(value) && value.allSatisfy(contains) && hasRightShape(value)
    }
  }

  private func hasRightShape(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    if let width = fixedWidth, value.count != width { return false }
    switch self {
    case .cutKey: return Self.isCutKey(value)
    case .branch: return Self.isBranch(value, quarter: UInt8(ascii: "Q"))
    case .lowerBranch: return Self.isBranch(value, quarter: UInt8(ascii: "q"))
    case .category:
      return value.first.map { $0.isDigit || $0.isLowerCase } ?? false && !Self.isPortsTree(value)
    case .port: return value.first != UInt8(ascii: ".")
    case .format: return Self.isFormat(value)
    default: return true
    }
  }

  /// The name of the tree in the site's repository, which no category has.
  private static func isPortsTree(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    value.count == 5 && value.elementsEqual("ports".utf8)
  }

  private static func isBranch(_ value: UnsafeBufferPointer<UInt8>, quarter: UInt8) -> Bool {
    if value.count == 4 {
      return value[0] == UInt8(ascii: "h") && value[1] == UInt8(ascii: "e")
        && value[2] == UInt8(ascii: "a") && value[3] == UInt8(ascii: "d")
    }
    guard value.count == 6, value.prefix(4).allSatisfy(\.isDigit) else { return false }
    return value[4] == quarter
      && (UInt8(ascii: "1")...UInt8(ascii: "4")).contains(value[5])
  }

  /// A key without a dot, and at most a part of the `.tmp` behind it.
  private static func isCutKey(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let dot = value.firstIndex(of: UInt8(ascii: ".")) else { return true }
    return value.count - dot < 4 && ".tmp".utf8.starts(with: value[dot...])
  }

  /// Letters and digits led by a letter, and a version's second number behind a dot at most: so
  /// that `123.atom` is a watch list's feed and `rss2.0` is nobody's.
  private static func isFormat(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    guard value.first?.isLetter == true else { return false }
    guard let dot = value.firstIndex(of: UInt8(ascii: ".")) else { return true }
    let version = value[(dot + 1)...]
    return !version.isEmpty && version.allSatisfy(\.isDigit)
  }

  /// A component that is neither too long for a file system nor empty, `.` or `..`.
  private static func isNameLong(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    guard !value.isEmpty, value.count <= longestName else { return false }
    return value.count > 2 || !value.allSatisfy { $0 == UInt8(ascii: ".") }
  }

  static func isSafeName(_ value: some Collection<UInt8>) -> Bool {
    contiguous(value) { (bytes) in isSafeName(bytes) }
  }

  private static func isSafeName(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    isNameLong(value) && !value.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
  }

  private static func isSafePath(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    guard value.count <= longestPath else { return false }
    var start = 0
    for (index, byte) in value.enumerated() where byte == UInt8(ascii: "/") || byte == 0 {
      guard byte != 0, isNameLong(UnsafeBufferPointer(rebasing: value[start..<index])) else {
        return false
      }
      start = index + 1
    }
    return isNameLong(UnsafeBufferPointer(rebasing: value[start...]))
  }

  /// `CATEGORY/PORT/...`: what the ports family holds, so that no path has two owners.
  static func isBelowAPort(_ value: some Collection<UInt8>) -> Bool {
    let slash = UInt8(ascii: "/")
    guard let first = value.firstIndex(of: slash) else { return false }
    let rest = value[value.index(after: first)...]
    guard let second = rest.firstIndex(of: slash) else { return false }
    return FieldKind.category.accepts(value[..<first]) && FieldKind.port.accepts(rest[..<second])
  }

  private static func isKey(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    (1...longestKey).contains(value.count) && !value.contains(0)
      && value.count { $0 == KeyGlob.star } <= KeyGlob.mostStars
  }

  private static func contiguous(
    _ value: some Collection<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Bool
  ) -> Bool {
    value.withContiguousStorageIfAvailable(body) ?? Array(value).withUnsafeBufferPointer(body)
  }

  /// What a person is told to write instead.
  package var expectation: String {
    switch self {
    case .year: "four digits"
    case .month, .day: "two digits"
    case .branch: "head or a quarter such as 2020Q1"
    case .lowerBranch: "head or a quarter such as 2020q1"
    case .category: "lower-case letters, digits and + - _ ., starting with a letter or digit"
    case .port: "letters, digits and + - _ ., not starting with a dot"
    case .number: "digits"
    case .flag: "n or y"
    case .messageID: "a-z, 0-9 and -"
    case .word: "letters, digits, _ and -"
    case .optionalWord: "letters, digits and + - _, or nothing"
    case .optionalPort: "letters, digits and + - _ ., or nothing"
    case .format: "a feed's format such as atom or rss2.0"
    case .temporarySuffix: "six letters or digits"
    case .cutKey: "63 bytes of a-z, 0-9 and -"
    case .hexDigit: "one digit of 0-9 and a-f"
    case .hexPair: "two digits of 0-9 and a-f"
    case .md5: "32 digits of 0-9 and a-f"
    case .nginxKey:
      "a cache key of 1 to \(Self.longestKey) bytes without NUL, with \(KeyGlob.mostStars) * at most"
    case .name: "a file name of at most \(Self.longestName) bytes"
    case .rest: "a relative path without . or .."
    case .visibleRest: "a relative path without . or .. that does not begin with a dot"
    case .portsTreePath: "a path of the ports tree that is not below a port's folder"
    }
  }
}

extension UInt8 {
  var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }
  var isLowerCase: Bool { self &- UInt8(ascii: "a") < 26 }
  var isLetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }
  /// The signs that a FreeBSD port's name may hold.
  var isNameSign: Bool {
    self == UInt8(ascii: "+") || self == UInt8(ascii: "-") || self == UInt8(ascii: "_")
      || self == UInt8(ascii: ".")
  }
}
