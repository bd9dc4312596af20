// SPDX-License-Identifier: BSD-2-Clause
//
// What the parser says of a command line, in the program's own style: an error is one line that says what is
// wrong and what to try; help begins with the usage, and lists the common options where it is asked for them.

import Basics

/// The texts that the parser makes, made ours.
enum UsageText {
  /// The title of the section with the options that every command has.
  static let commonTitle = "Common options"
  private static let commonHead = "COMMON OPTIONS:"

  // MARK: Errors

  /// What is wrong with a command line.
  /// - Parameters:
  ///   - message: what the parser says, its usage included.
  ///   - options: the names of the options that could have been meant, with their dashes.
  static func error(_ message: String, options: [String]) -> String {
    var text = String(message.prefix { $0 != "\n" })
    if text.hasPrefix("Error: ") { text.removeFirst("Error: ".count) }
    text = text.replacing(". Please provide one of ", with: "; expected one of ")
    // The parser's own suggestion is the nearest by edits alone.
    if let advice = text.firstRange(of: ". Did you mean ") {
      text.removeSubrange(advice.lowerBound...)
    }
    if text.hasSuffix(".") { text.removeLast() }
    // Where it begins with a word of ours or of the user's, that stays as it is.
    if ["Unknown ", "Missing ", "Unexpected ", "The "].contains(where: text.hasPrefix) {
      text = text.prefix(1).lowercased() + text.dropFirst()
    }
    guard let option = text.quoted(after: "unknown option ") else { return text }
    let (dash, equals) = (UInt8(ascii: "-"), UInt8(ascii: "="))
    let names = options.filter { $0.hasPrefix("--") }.map { Array($0.utf8.drop { $0 == dash }) }
    let name = Array(option.utf8.drop { $0 == dash }.prefix { $0 != equals })
    guard let near = nearest(to: name, among: names) else { return text }
    return "\(text); did you mean --\(String(decoding: near, as: UTF8.self))?"
  }

  // MARK: Help

  /// How much of it.
  enum Length {
    /// `-h`: the common options are one line.
    case short
    case full
  }

  /// The help of a command.
  /// - Parameters:
  ///   - message: the parser's.
  ///   - unused: options that every command takes and that mean nothing to this one.
  static func help(_ message: String, _ length: Length, without unused: Set<String> = []) -> String
  {
    // A stable order: what has no place of its own keeps the one it had, at the end.
    let ordered = split(message).enumerated().sorted { ($0.1.rank, $0.0) < ($1.1.rank, $1.0) }
    let sections = ordered.map(\.element).map { section in
      if section.hasPrefix("OVERVIEW: ") { return String(section.dropFirst("OVERVIEW: ".count)) }
      guard section.hasPrefix(commonHead) else { return section }
      let lines = without(unused, section)
      guard length == .short else { return lines }
      let names = options(in: lines).filter {
        $0.hasPrefix("--") && !["--help", "--version"].contains($0)
      }
      return "\(commonHead) see 'fpcache help options'\n" + wrapped(names)
    }
    return sections.joined(separator: "\n\n")
  }

  /// The section with the common options alone.
  static func commonOptions(_ message: String) -> String {
    split(message).first { $0.hasPrefix(commonHead) } ?? ""
  }

  /// The names of the options that a help text lists.
  static func options(in help: String) -> [String] {
    help.split(separator: "\n").filter { $0.hasPrefix("  -") }.flatMap { line in
      line.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "/" }).prefix {
        $0.hasPrefix("-")
      }
      .map(String.init)
    }
  }

  /// Cuts a help text before each of its headings.
  private static func split(_ message: String) -> [String] {
    var sections: [[Substring]] = [[]]
    for line in message.split(separator: "\n", omittingEmptySubsequences: false) {
      let head = line.prefix { $0 != ":" }
      let isHead =
        head.count < line.count && !head.isEmpty && head.allSatisfy { $0.isUppercase || $0 == " " }
        && head.first != " "
      if isHead { sections.append([]) }
      sections[sections.count - 1].append(line)
    }
    return sections.map { lines in
      String(lines.joined(separator: "\n").trimmingSuffix(while: \.isNewline))
    }.filter { !$0.isEmpty }
  }

  /// Without what some options say, continuation lines included.
  private static func without(_ unused: Set<String>, _ section: String) -> String {
    var isKept = true
    return section.split(separator: "\n").filter { line in
      if line.hasPrefix("  -") { isKept = unused.isDisjoint(with: options(in: String(line))) }
      return isKept
    }.joined(separator: "\n")
  }

  /// Words in lines of 80 columns at most.
  private static func wrapped(_ words: [String]) -> String {
    var lines = [" "]
    for word in words {
      if lines[lines.count - 1].utf8.count + word.utf8.count + 1 > 80 { lines.append(" ") }
      lines[lines.count - 1] += " " + word
    }
    return lines.joined(separator: "\n")
  }
}

extension String {
  /// Where a section of the help stands.
  fileprivate var rank: Int {
    let order = [
      "USAGE:", "OVERVIEW:", "SUBCOMMANDS:", "ARGUMENTS:", "OPTIONS:", "COMMON OPTIONS:",
    ]
    return order.firstIndex(where: hasPrefix) ?? order.count
  }

  /// What stands in single quotes after a text that it begins with.
  fileprivate func quoted(after head: String) -> String? {
    guard hasPrefix(head + "'") else { return nil }
    let rest = dropFirst(head.count + 1)
    guard let end = rest.lastIndex(of: "'") else { return nil }
    return String(rest[..<end])
  }

  fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> Substring {
    var rest = self[...]
    while let last = rest.last, predicate(last) { rest.removeLast() }
    return rest
  }
}
