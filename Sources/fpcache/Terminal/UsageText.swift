// SPDX-License-Identifier: BSD-2-Clause
//
// The parser's texts about a command line, in the program's own style. An error is one line that says what is wrong and
// what to try. Help begins with the usage, and lists the common options only on request.

import Basics

/// Rewrites the texts that the parser makes.
enum UsageText {
  /// The title of the section with the options of every command.
  static let commonTitle = "Common options"
  private static let commonHead = "COMMON OPTIONS:"

  // MARK: Errors

  /// What is wrong with a command line.
  /// - Parameters:
  ///   - message: the parser's message, with its usage.
  ///   - options: the names of the options that the user could have meant, with their dashes.
  static func error(_ message: String, options: [String]) -> String {
    var text = String(message.prefix { $0 != "\n" })
    if text.hasPrefix("Error: ") { text.removeFirst("Error: ".count) }
    text = text.replacing(". Please provide one of ", with: "; expected one of ")
    // The parser chooses its own suggestion by the number of edits alone.
    if let advice = text.firstRange(of: ". Did you mean ") {
      text.removeSubrange(advice.lowerBound...)
    }
    if text.hasSuffix(".") { text.removeLast() }
    // Only the parser's own first words are changed; a first word of ours or of the user's stays.
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

  /// How much help to show.
  enum Length {
    /// `-h`: the common options are summarized in one line.
    case short
    case full
  }

  /// The help of a command.
  /// - Parameters:
  ///   - message: the parser's help.
  ///   - unused: options that every command takes and that have no effect on this one.
  static func help(_ message: String, _ length: Length, without unused: Set<String> = []) -> String
  {
    // A stable order: sections without a defined place keep their order, at the end.
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

  /// Only the section with the common options.
  static func commonOptions(_ message: String) -> String {
    split(message).first { $0.hasPrefix(commonHead) } ?? ""
  }

  /// The names of the options in a help text.
  static func options(in help: String) -> [String] {
    help.split(separator: "\n").filter { $0.hasPrefix("  -") }.flatMap { line in
      line.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "/" }).prefix {
        $0.hasPrefix("-")
      }
      .map(String.init)
    }
  }

  /// Splits a help text before each of its headings.
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

  /// The section without the given options, including their continuation lines.
  private static func without(_ unused: Set<String>, _ section: String) -> String {
    var isKept = true
    return section.split(separator: "\n").filter { line in
      if line.hasPrefix("  -") { isKept = unused.isDisjoint(with: options(in: String(line))) }
      return isKept
    }.joined(separator: "\n")
  }

  /// Words in lines of at most 80 columns.
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
  /// The place of a section in the help.
  fileprivate var rank: Int {
    let order = [
      "USAGE:", "OVERVIEW:", "SUBCOMMANDS:", "ARGUMENTS:", "OPTIONS:", "COMMON OPTIONS:",
    ]
    return order.firstIndex(where: hasPrefix) ?? order.count
  }

  /// The text in single quotes that follows `head` at the start of this text.
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
