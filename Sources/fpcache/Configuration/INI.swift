// SPDX-License-Identifier: BSD-2-Clause
//
// Reads the syntax of Python's configparser.ConfigParser with its defaults, so that the site's own fp-listen.ini works
// unchanged. Deliberate differences: stray quotes around a value are dropped, a BOM is skipped, and the text that
// references bring in is limited. A NUL is an error, and so is a line with a broken '[header', even if it contains a
// '='.

import Basics

/// The sections of one INI file. References in values are followed only when a value is asked for, as in configparser:
/// a faulty key that the program does not read does no harm.
struct INI: Equatable, Sendable {
  /// The section whose keys all other sections inherit.
  static let defaultSection = "DEFAULT"

  /// The names of the sections in file order, without `[DEFAULT]`.
  fileprivate(set) var sections: [String] = []
  let file: String
  fileprivate var tables: [String: Table] = [:]

  /// Reads a whole file's text; `file` is only a name for messages.
  ///
  /// - Throws: `INIError` for the first line that is not INI syntax, or that names a section or a
  ///   key a second time.
  static func parse(_ text: String, file: String) throws(INIError) -> INI {
    var parser = Parser(ini: INI(file: file))
    for line in lines(of: text) { try parser.read(line) }
    parser.closeKey()
    return parser.ini
  }

  /// Whether the file has this section; always false for `[DEFAULT]`, as in configparser.
  func has(section: String) -> Bool {
    section != Self.defaultSection && tables[section] != nil
  }

  /// The section's own keys in file order, then those from `[DEFAULT]`, all in lower case. Empty for a section that
  /// does not exist.
  func keys(in section: String) -> [String] {
    guard let own = tables[section] else { return [] }
    let inherited = tables[Self.defaultSection]?.keys ?? []
    return own.keys + inherited.filter { own.entries[$0] == nil }
  }

  /// The key's value, without stray quotes and with references filled in. Nil if neither the section nor `[DEFAULT]`
  /// has the key, or if the section does not exist.
  ///
  /// - Throws: `INIError` for a reference that is malformed, unknown, circular or brings in too much.
  func value(_ key: String, in section: String) throws(INIError) -> INIValue? {
    guard let entry = entry(key, in: section) else { return nil }
    var expansion = Expansion(ini: self, section: section)
    try expansion.append(entry)
    return INIValue(text: expansion.text, line: entry.line, file: file)
  }

  /// The place of a key, with its spelling in the file.
  struct KeyPlace: Equatable, Sendable {
    let spelling: String
    /// Counted from 1.
    let line: Int
    /// Whether quotes around the value were dropped.
    let isQuoted: Bool
  }

  /// The section's own keys in file order.
  func ownKeys(in section: String) -> [KeyPlace] {
    guard let own = tables[section] else { return [] }
    return own.keys.compactMap { own.entries[$0] }.map {
      KeyPlace(spelling: $0.spelling, line: $0.line, isQuoted: $0.isQuoted)
    }
  }

  /// The line of a section's header, counted from 1.
  func line(ofSection section: String) -> Int? { tables[section]?.line }

  fileprivate func entry(_ key: String, in section: String) -> Entry? {
    guard let own = tables[section] else { return nil }
    return own.entries[key.lowercased()]
      ?? tables[Self.defaultSection]?.entries[key.lowercased()]
  }
}

/// One value, with the line (counted from 1) and file of its key.
struct INIValue: Equatable, Sendable {
  let text: String
  let line: Int
  let file: String
}

/// What is wrong with an INI file, and where. Never quotes a value, since one may be a password.
struct INIError: Error, Equatable, CustomStringConvertible {
  enum Problem: Equatable, Sendable {
    case nul, outsideSection, brokenHeader, notAKey, strayPercent, brokenReference
    case duplicateSection(String, firstLine: Int)
    case duplicateKey(section: String, firstLine: Int)
    case unknownReference(String, section: String, nearest: String?)
    case circularReference([String])
    case nestedTooDeep(limit: Int)
    case tooMuchText(byteLimit: Int)
  }

  let file: String
  /// Counted from 1.
  let line: Int
  /// The key as the file spells it; nil when the whole line is wrong.
  let key: String?
  let problem: Problem

  /// `FILE:LINE: KEY: what is wrong; what to write instead`, without `KEY: ` where there is none.
  var message: String {
    "\(file):\(line): " + (key.map { INI.shown($0) + ": " } ?? "") + problem.wording
  }

  var description: String { message }
}

extension INIError.Problem {
  fileprivate var wording: String {
    switch self {
    case .nul:
      "the line contains a NUL character; the file must be plain text in UTF-8"
    case .outsideSection:
      "the line is outside any section; write a line such as [dirs] above it"
    case .brokenHeader:
      "the section's name or its closing ']' is missing; write [SECTION]"
    case .notAKey:
      "not a KEY = VALUE line; write one, or indent the line to continue the value above"
    case .strayPercent:
      "a single '%'; write '%%' for a percent sign, or '%(KEY)s' for the value of another key"
    case .brokenReference:
      "a '%(' without a key and ')s'; write '%(KEY)s', or '%%(' for the plain text '%('"
    case .duplicateSection(let name, let firstLine):
      "section [\(INI.shown(name))] is on line \(firstLine) already; put the keys there"
    case .duplicateKey(let section, let firstLine):
      "the key is in [\(INI.shown(section))] on line \(firstLine) already; keep one of them"
    case .unknownReference(let name, let section, let nearest):
      "'%(\(INI.shown(name)))s' is not a key of [\(INI.shown(section))] or [DEFAULT]; "
        + (nearest.map { "did you mean '%(\(INI.shown($0)))s'?" } ?? "add that key, or name another")
    case .circularReference(let keys):
      "the references form a circle, \(keys.map(INI.shown).joined(separator: " -> "));"
        + " give one of these keys a value without a reference"
    case .nestedTooDeep(let limit):
      "the references are nested more than \(limit) deep; refer to the last key directly"
    case .tooMuchText(let byteLimit):
      "the references expand to more than \(byteLimit) bytes; shorten the values they name"
    }
  }
}

// MARK: - Parsing

extension INI {
  fileprivate typealias Scalars = Substring.UnicodeScalarView

  fileprivate struct Entry: Equatable, Sendable {
    let spelling: String
    let line: Int
    var raw: String
    var isQuoted = false

    var key: String { spelling.lowercased() }
  }

  fileprivate struct Table: Equatable, Sendable {
    let line: Int
    var keys: [String] = []
    var entries: [String: Entry] = [:]
  }

  /// Reads the file line by line; the newest key stays open, as the next line may continue its value.
  fileprivate struct Parser {
    var ini: INI
    var section: String?
    var open: Entry?
    var lineNumber = 0
    var indentation = 0

    mutating func read(_ line: Scalars) throws(INIError) {
      lineNumber += 1
      guard !line.contains("\0") else { throw error(.nul) }
      let content = INI.trimmed(line)
      guard content.first != "#", content.first != ";" else { return }
      let lineIndentation = line.distance(from: line.startIndex, to: content.startIndex)
      if open != nil, content.isEmpty || lineIndentation > indentation {
        open?.raw += "\n" + String(content)
        return
      }
      guard let first = content.first else { return }
      indentation = lineIndentation
      closeKey()
      if first == "[" { try openSection(content) } else { try openKey(content) }
    }

    /// The name reaches to the last `]`; the text after it is ignored, as in configparser.
    mutating func openSection(_ content: Scalars) throws(INIError) {
      let bracket = content.lastIndex(of: "]") ?? content.startIndex
      let name = String(content[..<bracket].dropFirst())
      guard !name.isEmpty else { throw error(.brokenHeader) }
      section = name
      guard let earlier = ini.tables[name] else {
        ini.tables[name] = Table(line: lineNumber)
        if name != INI.defaultSection { ini.sections.append(name) }
        return
      }
      // configparser allows only [DEFAULT] to appear twice.
      guard name == INI.defaultSection else {
        throw error(.duplicateSection(name, firstLine: earlier.line))
      }
    }

    mutating func openKey(_ content: Scalars) throws(INIError) {
      guard let section else { throw error(.outsideSection) }
      guard let delimiter = content.firstIndex(where: { $0 == "=" || $0 == ":" }),
        delimiter != content.startIndex
      else { throw error(.notAKey) }
      let key = String(INI.trimmed(content[..<delimiter]))
      if let earlier = ini.tables[section]?.entries[key.lowercased()] {
        throw error(.duplicateKey(section: section, firstLine: earlier.line), key: key)
      }
      let value = String(INI.trimmed(content[delimiter...].dropFirst()))
      open = Entry(spelling: key, line: lineNumber, raw: value)
    }

    mutating func closeKey() {
      guard var entry = open, let section else { return }
      open = nil
      let bare = INI.withoutStrayQuotes(entry.raw)
      entry.isQuoted = bare.wasQuoted
      entry.raw = bare.text
      ini.tables[section]?.keys.append(entry.key)
      ini.tables[section]?.entries[entry.key] = entry
    }

    func error(_ problem: INIError.Problem, key: String? = nil) -> INIError {
      INIError(file: ini.file, line: lineNumber, key: key, problem: problem)
    }
  }

  /// Splits at LF, CRLF and CR, which Python's text files all treat as line ends.
  private static func lines(of text: String) -> [Scalars] {
    let scalars = Substring(text).unicodeScalars
    let content = scalars.first == "\u{FEFF}" ? scalars.dropFirst() : scalars
    return content.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line in
      (line.last == "\r" ? line.dropLast() : line)
        .split(separator: "\r", omittingEmptySubsequences: false)
    }
  }

  /// The value without blank lines at its end and without the quotes that users put around paths.
  private static func withoutStrayQuotes(_ value: String) -> (text: String, wasQuoted: Bool) {
    let scalars = Substring(value).unicodeScalars
    let content = trimmed(scalars)
    guard let quote = content.first, "'\"".unicodeScalars.contains(quote),
      content.dropFirst().last == quote
    else { return (String(scalars[..<content.endIndex]), false) }
    return (String(content.dropFirst().dropLast()), true)
  }

  private static func trimmed(_ text: Scalars) -> Scalars {
    guard let first = text.firstIndex(where: { !isSpace($0) }),
      let last = text.lastIndex(where: { !isSpace($0) })
    else { return text.prefix(0) }
    return text[first...last]
  }

  /// The characters that Python's `str.isspace` accepts: Unicode's White_Space and the separators 1C to 1F.
  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    (0x1C...0x1F).contains(scalar.value) || scalar.properties.isWhitespace
  }
}

// MARK: - Interpolation

extension INI {
  /// One value while its references are being filled in.
  fileprivate struct Expansion {
    /// `configparser.MAX_INTERPOLATION_DEPTH`.
    static let depthLimit = 10
    /// Our own limit: ten levels of a value that names the next one twice already make 1024 copies.
    static let byteLimit = 64 * 1024

    let ini: INI
    let section: String
    var text = ""
    var bytesBroughtIn = 0
    var path: [Entry] = []

    mutating func append(_ entry: Entry) throws(INIError) {
      try enter(entry)
      var rest = Substring(entry.raw).unicodeScalars
      while let percent = rest.firstIndex(of: "%") {
        text += Substring(rest[..<percent])
        rest = rest[percent...].dropFirst()
        switch rest.popFirst() {
        case "%": text += "%"
        case "(": try append(takeTarget(from: &rest, in: entry))
        default: throw error(.strayPercent, at: entry)
        }
      }
      text += Substring(rest)
      _ = path.popLast()
    }

    mutating func enter(_ entry: Entry) throws(INIError) {
      let asked = path.first ?? entry
      guard !path.contains(where: { $0.key == entry.key }) else {
        throw error(.circularReference((path + [entry]).map(\.spelling)), at: asked)
      }
      // configparser counts a level only for a value that has a '%' itself.
      guard path.count < Self.depthLimit || !entry.raw.unicodeScalars.contains("%") else {
        throw error(.nestedTooDeep(limit: Self.depthLimit), at: asked)
      }
      // The extra byte also limits references to empty values.
      bytesBroughtIn += path.isEmpty ? 0 : entry.raw.utf8.count + 1
      guard bytesBroughtIn <= Self.byteLimit else {
        throw error(.tooMuchText(byteLimit: Self.byteLimit), at: asked)
      }
      path.append(entry)
    }

    /// The entry that `NAME)s` at the start of `rest` names; moves `rest` behind it.
    func takeTarget(from rest: inout Scalars, in entry: Entry) throws(INIError) -> Entry {
      let name = String(rest.prefix { $0 != ")" })
      rest = rest.drop { $0 != ")" }
      guard !name.isEmpty, rest.popFirst() == ")", rest.popFirst() == "s" else {
        throw error(.brokenReference, at: entry)
      }
      guard let target = ini.entry(name, in: section) else {
        let nearest = nearestKey(to: name.lowercased(), otherThan: entry.key)
        throw error(.unknownReference(name, section: section, nearest: nearest), at: entry)
      }
      return target
    }

    /// The key that needs the fewest edits, at most one for every three letters of the name.
    func nearestKey(to name: String, otherThan asking: String) -> String? {
      let candidates = ini.keys(in: section).filter { $0 != asking }.map { Array($0.utf8) }
      guard let nearest = nearest(to: Array(name.utf8), among: candidates) else { return nil }
      return ini.entry(String(decoding: nearest, as: UTF8.self), in: section)?.spelling
    }

    func error(_ problem: INIError.Problem, at entry: Entry) -> INIError {
      INIError(file: ini.file, line: entry.line, key: entry.spelling, problem: problem)
    }
  }

  /// A name that is safe to print on a terminal, where control characters could do harm.
  fileprivate static func shown(_ name: String) -> String {
    let safe = name.unicodeScalars.map { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: scalar.escaped(asASCII: true)
      default: String(scalar)
      }
    }
    return safe.joined()
  }
}
