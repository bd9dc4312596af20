// SPDX-License-Identifier: BSD-2-Clause
//
// The section [layout]: a table of families that a site defines itself. Its content is treated as hostile until it is
// checked, since it determines what may be deleted.

import Basics
import CacheFS

/// Reads [layout] of a configuration file.
struct LayoutSection {
  static let name = "layout"
  /// More than any site has; each family is compared with each other.
  static let mostFamilies = 64
  static let mostShapes = 32
  /// In bytes.
  static let longestPattern = 1024
  /// Rows of `stats` and a key of [verify]; a family with such a name would be mistaken for them.
  private static let takenNames = ["unknown", "total", "cache_dir", "timeout"]
  private static let takenSuffix = "_stub"

  /// The file's settings for one family.
  struct Entry {
    let name: String
    var pattern: INIValue?
    var shapes: INIValue?
    var clearing: INIValue?
    var recreated: INIValue?
    var levels: INIValue?
    var vary: INIValue?

    /// The other settings of the family, beside the pattern: the suffix after the dot, and the value.
    var others: [(suffix: String, value: INIValue)] {
      [
        ("shapes", shapes), ("clearing", clearing), ("recreated", recreated), ("levels", levels),
        ("vary", vary),
      ].compactMap { suffix, value in value.map { (suffix, $0) } }
    }
  }

  private let ini: INI
  private var entries: [Entry] = []

  /// The layout of a file; nil when the file does not define one.
  /// - Throws: ``UserError`` with status 78.
  static func read(_ ini: INI) throws(UserError) -> Layout? {
    guard ini.has(section: name) else { return nil }
    var section = LayoutSection(ini: ini)
    try section.collect()
    return try section.layout()
  }

  private init(ini: INI) { self.ini = ini }

  // MARK: Keys

  private mutating func collect() throws(UserError) {
    for key in ini.ownKeys(in: Self.name) {
      guard let value = try ini.checkedValue(key.spelling, in: Self.name) else { continue }
      let parts = key.spelling.utf8.split(
        separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false
      ).map { String(Substring($0)) }
      let family = try Self.familyName(parts.first ?? "", value, key.spelling)
      let index = entries.firstIndex { $0.name == family } ?? entries.count
      if index == entries.count { entries.append(Entry(name: family)) }
      guard entries.count <= Self.mostFamilies else {
        throw value.problem(key.spelling, "expected \(Self.mostFamilies) families at most")
      }
      switch parts.dropFirst().first {
      case nil: entries[index].pattern = value
      case "shapes": entries[index].shapes = value
      case "clearing": entries[index].clearing = value
      case "recreated": entries[index].recreated = value
      case "levels": entries[index].levels = value
      case "vary": entries[index].vary = value
      case let other?:
        throw value.problem(
          key.spelling,
          "there is no .\(other.escaped) for a family; expected .shapes, .clearing or .recreated, "
            + "or for a cache of nginx .levels or .vary")
      }
    }
    if entries.isEmpty {
      throw UserError(
        .configuration,
        "\(ini.place(ofSection: Self.name)): [\(Self.name)]: defines no family; "
          + "write keys such as pages = pages/{title}.html")
    }
  }

  private static func familyName(
    _ name: String, _ value: INIValue, _ key: String
  ) throws(UserError) -> String {
    let isName =
      (1...32).contains(name.utf8.count) && name.utf8.first.map(isLetter) == true
      && name.utf8.allSatisfy { byte in
        isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
      }
    guard isName else {
      throw value.problem(
        key,
        "is not a valid family name; expected a to z, digits, - and _, starting with a letter, 32 characters at most"
      )
    }
    guard !takenNames.contains(name), !name.hasSuffix(takenSuffix) else {
      throw value.problem(key, "is a reserved word; choose another name for the family")
    }
    return name
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
  }

  // MARK: Families

  private func layout() throws(UserError) -> Layout {
    var families: [Family] = []
    var lines: [Int] = []
    for entry in entries {
      guard let pattern = entry.pattern else {
        let value = entry.others.first?.value
        throw UserError(
          .configuration,
          "\(value.map { "\($0.file):\($0.line)" } ?? ini.file): \(entry.name): has no pattern; "
            + "expected a key \(entry.name) = ... beside it")
      }
      let family = try family(entry, pattern)
      for (other, line) in zip(families, lines) {
        try Self.checkApart(family, pattern, from: other, line)
      }
      families.append(family)
      lines.append(pattern.line)
    }
    return Layout(families)
  }

  private func family(_ entry: Entry, _ value: INIValue) throws(UserError) -> Family {
    try Self.checkText(value, entry.name)
    let hashed = try Self.compile(value, entry.name) { () throws(PatternProblem) in
      try HashedTree.parts(of: value.text)
    }
    if let hashed { return try HashedSection.family(entry, value, hashed) }
    if let levels = entry.levels ?? entry.vary {
      throw levels.problem(
        "\(entry.name).\(entry.levels == nil ? "vary" : "levels")",
        "is for a cache of nginx; expected a pattern such as \(entry.name)/{key:nginx...}")
    }
    let shapes = try Self.shapes(entry)
    let clearing = try Self.clearing(entry)
    let isRecreated = try entry.recreated?.boolean("\(entry.name).recreated") ?? true
    // The pattern is compiled alone first, so that an error names the right line.
    _ = try Self.compile(value, entry.name) { () throws(PatternProblem) in try Pattern(value.text) }
    let family = try Self.compile(entry.shapes ?? value, "\(entry.name).shapes") {
      () throws(PatternProblem) in
      try Family(
        entry.name, value.text, shapes: shapes, clearing: clearing, isRecreated: isRecreated,
        isConfigured: true)
    }
    // Shapes are alternatives, and each may define a field differently.
    let fields = family.pattern.fields
    for field in fields + family.shapes.flatMap(\.fields)
    where fields.contains(where: { $0.name == field.name && $0 != field }) {
      throw (entry.shapes ?? value).problem(
        entry.name, "{\(field.name)} has two kinds; use one kind, or two names")
    }
    return family
  }

  static func compile<Result>(
    _ value: INIValue, _ key: String, _ make: () throws(PatternProblem) -> Result
  ) throws(UserError) -> Result {
    do throws(PatternProblem) {
      return try make()
    } catch {
      throw value.problem(key, error.explanation)
    }
  }

  private static func checkText(_ value: INIValue, _ key: String) throws(UserError) {
    let text = value.text
    let example = "expected a path below the cache directory, such as \(key)/{title}.html"
    if text.isEmpty { throw value.problem(key, "is empty; \(example)") }
    if text.utf8.count > longestPattern {
      throw value.problem(key, "is longer than \(longestPattern) bytes; \(example)")
    }
    if text.utf8.first == UInt8(ascii: "/") {
      throw value.problem(key, "begins with a slash; \(example)")
    }
    if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
      throw value.problem(key, "contains a line break or another control character; \(example)")
    }
    for glob in "*?".unicodeScalars where text.unicodeScalars.contains(glob) {
      throw value.problem(
        key,
        "holds \(glob); write {field} for what differs from page to page, or {page...} "
          + "for all below a folder")
    }
    let first = text.utf8.prefix { $0 != UInt8(ascii: "/") }
    if first.contains(UInt8(ascii: "{")) {
      throw value.problem(
        key,
        "begins with a field, so it would match everything in the cache directory; "
          + "expected a plain name first, such as \(key)/")
    }
    if text.utf8.split(separator: UInt8(ascii: "/")).contains(where: {
      $0.count > FieldKind.longestName
    }) {
      throw value.problem(key, "has a name of more than \(FieldKind.longestName) bytes; \(example)")
    }
  }

  private static func shapes(_ entry: Entry) throws(UserError) -> [String] {
    guard let value = entry.shapes else { return [] }
    let key = "\(entry.name).shapes"
    let shapes = value.text.unicodeScalars.split(separator: "\n").map(String.init)
    if shapes.isEmpty {
      throw value.problem(key, "is empty; expected a shape, or one on each line")
    }
    if shapes.count > mostShapes || value.text.utf8.count > mostShapes * longestPattern {
      throw value.problem(key, "expected \(mostShapes) shapes at most")
    }
    if let pattern = entry.pattern?.text, let last = pattern.split(separator: "/").last,
      !last.contains("{")
    {
      throw value.problem(
        key,
        "describes the last name of the path, which has no field; "
          + "expected none, or a pattern that ends in a field such as {page...}")
    }
    return shapes
  }

  private static func clearing(_ entry: Entry) throws(UserError) -> Family.Clearing {
    guard let value = entry.clearing else { return .everything }
    let key = "\(entry.name).clearing"
    switch value.text.lowercased() {
    case "everything": return .everything
    case "never": return .never
    case "shapes":
      guard entry.shapes != nil else {
        throw value.problem(key, "needs shapes; write a key \(entry.name).shapes too")
      }
      return .knownShapes
    default: throw value.problem(key, "expected everything, shapes or never")
    }
  }

  // MARK: Between families

  private static func checkApart(
    _ family: Family, _ value: INIValue, from other: Family, _ line: Int
  ) throws(UserError) {
    switch family.overlap(with: other) {
    case .none: return
    case .path(let path, isCertain: true):
      throw value.problem(
        family.name,
        "matches paths of \(other.name) (line \(line)), such as \(path); "
          + "a path may belong to one family only")
    case .path(let path, isCertain: false):
      throw value.problem(
        family.name,
        "cannot be told apart from \(other.name) (line \(line)) by names such as \(path); "
          + "use another folder, or a name that the other family cannot have")
    }
  }
}

extension PatternProblem {
  /// What is wrong and what was expected, for the user who wrote the file.
  fileprivate var explanation: String {
    switch self {
    case .emptyComponent: "has an empty name between two slashes or at its end; write a name"
    case .dotComponent: "contains . or ..; write a path that only goes down"
    case .unbalancedBrace: "has an unmatched brace; write {field}"
    case .unknownKind(let kind):
      "unknown kind \(kind.escaped); expected one of \(Self.kinds), or with ... one of "
        + Self.spanningKinds
    case .badFieldName(let name):
      "\(name.isEmpty ? "{}" : name.escaped) is not a valid field name; expected letters, digits and _"
    case .ambiguous(let field):
      "a name could be cut in two ways at {\(field)}; expected text behind it that it cannot hold, "
        + "or a narrower kind"
    case .restNotLast(let field):
      "{\(field)...} is not the last name of the path; use it at the end only"
    case .misplacedHash(let field):
      "{\(field):nginx...} must be the only field, after plain folders; write a pattern such as "
        + "proxy/{\(field):nginx...}"
    }
  }

  private static let kinds = names { !$0.spansComponents }
  private static let spanningKinds = names(\.spansComponents)

  private static func names(_ isMeant: (FieldKind) -> Bool) -> String {
    FieldKind.allCases.filter(isMeant).map(\.rawValue).joined(separator: ", ")
  }
}

extension INI {
  /// A value; an error in it is reported as a command reports it.
  /// - Throws: ``UserError`` with status 78.
  func checkedValue(_ key: String, in section: String) throws(UserError) -> INIValue? {
    do throws(INIError) {
      return try value(key, in: section)
    } catch {
      throw UserError(.configuration, error.message)
    }
  }

  /// `FILE:LINE` of a section's header.
  func place(ofSection section: String) -> String {
    line(ofSection: section).map { "\(file):\($0)" } ?? file
  }
}

extension INIValue {
  /// A yes or no, as configparser's getboolean reads it.
  /// - Throws: ``UserError`` with status 78.
  func boolean(_ key: String) throws(UserError) -> Bool {
    switch text.lowercased() {
    case "yes", "on", "true", "1": return true
    case "no", "off", "false", "0": return false
    default: throw problem(key, "expected yes or no, on or off, true or false, 1 or 0")
    }
  }

  /// What is wrong with a value, and its place.
  func problem(_ key: String, _ words: String) -> UserError {
    UserError(.configuration, "\(file):\(line): \(key.escaped): \(words)")
  }
}
