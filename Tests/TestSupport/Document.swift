// SPDX-License-Identifier: BSD-2-Clause
//
// A document that contains command lines: README.md, a page of docs/, a page of the manual. It is parsed into steps
// that a Tour can run, and written again with the real output of the commands.
//
// Notes that a reader does not see say how to run what the reader sees. In Markdown a note has its own line,
// `<!-- name: value -->`; in a manual it is `.\" name: value`:
//
//   tour: NAME       from here on in a fresh site of this kind, see Tour
//   meanwhile: LINE  a line of shell that runs unseen, as the database's owner
//   listener: ARGS   a listener of that site, until the tour ends or `listener: stop`
//   columns: N       how wide the next block's screen is
//   typed: TEXT      the next block is at a terminal, where this is typed
//   unseen: STATUS   the next block's commands have no `$ ` and show nothing; they end with this status
//   stays: TEXT      the next block's commands have no `$ ` and keep running; they are stopped when they print this
//   as: ROLE         the database's role of the next block
//   append: FILE     the next block is a part of this file, and is added to it
//   sql              the next block is SQL, which is run as the database's owner
//   shell: NAME      the next block's lines are keys for this shell, with `<Tab>` among them, and then what
//                    its screen shows
//   not run: REASON  the next block is not run

import Foundation

/// One document.
public struct Document: Sendable, CustomStringConvertible {
  /// A command of a block, and the position of its output.
  public struct Line: Sendable {
    /// The command as a shell reads it.
    public let command: String
    /// The lines of the document that are its output.
    public let output: Range<Int>
  }

  /// A block of literal text.
  public struct Block: Sendable {
    /// The number of its first line, from 1.
    public let number: Int
    /// Its commands: lines that begin with `$ `.
    public let lines: [Line]
    /// The notes that apply to the next blocks: columns, typed, not run.
    public let notes: [String: String]
    /// Lines that look like commands but have no `$ `.
    public let bareCommands: [String]
    /// The whole text, as a person would type it.
    public let text: String
  }

  /// What to do, in the document's order.
  public enum Step: Sendable {
    case tour(String)
    case meanwhile(String)
    case listener(String)
    case block(Block)
  }

  /// The path, relative to the sources' folder.
  public let path: String
  /// The lines as they are in the file.
  public private(set) var lines: [String]
  /// The steps to run.
  public let steps: [Step]

  private let form: Form

  /// The sources' folder.
  public static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Every document that may hold command lines.
  public static var all: [String] {
    func names(_ folder: String, _ suffix: String) -> [String] {
      let names = try? FileManager.default.contentsOfDirectory(
        atPath: root.appendingPathComponent(folder).path)
      return (names ?? []).filter { $0.hasSuffix(suffix) }.sorted().map { "\(folder)/\($0)" }
    }
    let top = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md"]
    return top.filter {
      FileManager.default.fileExists(atPath: root.appendingPathComponent($0).path)
    } + names("docs", ".md") + names("docs/internals", ".md")
      + names("man", ".in").filter { $0.contains(/\.[1-8]\.in$/) }
  }

  /// - Parameter path: relative to the sources' folder.
  public init(_ path: String) throws {
    let text = try String(contentsOf: Document.root.appendingPathComponent(path), encoding: .utf8)
    try self.init(path, text: text)
  }

  /// - Throws: `SupportError` for an unknown note.
  public init(_ path: String, text: String) throws {
    self.path = path
    form = path.hasSuffix(".md") ? .markdown : .manual
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var reader = DocumentReader(path: path, form: form)
    for (index, line) in lines.enumerated() { try reader.read(line, at: index) }
    steps = try reader.finish()
  }

  /// The output of a command as the document shows it.
  public func shown(_ line: Line) -> [String] { lines[line.output].map(form.plain) }

  /// Replaces these outputs, and writes the file.
  public mutating func rewrite(_ outputs: [(line: Line, said: [String])]) throws {
    for (line, said) in outputs.sorted(by: { $0.line.output.lowerBound > $1.line.output.lowerBound }
    ) {
      lines.replaceSubrange(line.output, with: said.map(form.literal))
    }
    try lines.joined(separator: "\n").write(
      to: Document.root.appendingPathComponent(path), atomically: true, encoding: .utf8)
  }

  public var description: String { path }
}

/// How a file writes the text that it shows.
enum Form: Sendable {
  case markdown, manual

  /// A line of a block as a terminal shows it.
  func plain(_ line: String) -> String {
    guard self == .manual else { return line }
    var text = line.replacing("\\&", with: "").replacing("\\-", with: "-")
    text = text.replacing("\\(aq", with: "'")
    return text.replacing("\\e", with: "\\")
  }

  /// The reverse: a line of a terminal as a block writes it.
  func literal(_ line: String) -> String {
    guard self == .manual else { return line }
    let text = line.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
  }

  /// The name and value of a line that is a note for the program that runs the document.
  func note(_ line: String) -> (name: String, value: String)? {
    let match =
      switch self {
      case .markdown: line.wholeMatch(of: /<!-- ([a-z ]+?)(?:: (.*))? -->/)
      case .manual: line.wholeMatch(of: /\.\\" ([a-z ]+?)(?:: (.*))?/)
      }
    return match.map { (String($0.1), $0.2.map(String.init) ?? "") }
  }

  func opens(_ line: String) -> Bool {
    switch self {
    case .markdown: line.hasPrefix("```")
    case .manual: line.hasPrefix(".Bd -literal")
    }
  }

  func closes(_ line: String) -> Bool {
    switch self {
    case .markdown: line == "```"
    case .manual: line == ".Ed"
    }
  }
}

/// Reads a document line by line.
struct DocumentReader {
  /// The first words that mark a line of a block as a command that a reader may type.
  private static let programs: Set<String> = [
    "fpcache", "psql", "sudo", "make", "apt-get", "systemctl", "svc", "service", "swift", "kill",
  ]

  let path: String
  let form: Form
  private var steps: [Document.Step] = []
  private var notes: [String: String] = [:]
  private var open: (start: Int, lines: [String])?

  init(path: String, form: Form) {
    self.path = path
    self.form = form
  }

  mutating func read(_ line: String, at index: Int) throws {
    if open != nil {
      if form.closes(line) { close(at: index) } else { open?.lines.append(line) }
    } else if let (name, value) = form.note(line) {
      switch name {
      case "tour": steps.append(.tour(value))
      case "meanwhile": steps.append(.meanwhile(value))
      case "listener": steps.append(.listener(value))
      case "columns", "typed", "unseen", "stays", "as", "append", "sql", "shell", "not run":
        notes[name] = value
      default:
        // A manual's other comments are not notes.
        if form == .markdown {
          throw SupportError("\(path):\(index + 1): no note means anything by \(name)")
        }
      }
    } else if form.opens(line) {
      open = (index + 1, [])
    }
  }

  func finish() throws -> [Document.Step] {
    if let open { throw SupportError("\(path):\(open.start): this block has no end") }
    if !notes.isEmpty { throw SupportError("\(path): a note without a block: \(notes)") }
    return steps
  }

  private mutating func close(at end: Int) {
    guard let (start, lines) = open else { return }
    var commands: [Document.Line] = []
    var bare: [String] = []
    var index = 0
    let isPlain = notes["unseen"] != nil || notes["stays"] != nil
    while index < lines.count {
      var line = form.plain(lines[index])
      index += 1
      if isPlain { line = Self.withoutSurroundings(line) }
      let isBare = Self.programs.contains(String(line.prefix { $0 != " " }))
      guard line.hasPrefix("$ ") || (isBare && isPlain) else {
        if commands.isEmpty, isBare { bare.append(line) }
        continue
      }
      var command = isBare ? line : String(line.dropFirst(2))
      while command.hasSuffix("\\") || command.hasSuffix("|") || command.hasSuffix("&&"),
        index < lines.count
      {
        command += "\n" + form.plain(lines[index])
        index += 1
      }
      let output = index
      while !isBare, index < lines.count, !form.plain(lines[index]).hasPrefix("$ ") { index += 1 }
      commands.append(Document.Line(command: command, output: start + output..<start + index))
    }
    steps.append(
      .block(
        Document.Block(
          number: start + 1, lines: commands, notes: notes, bareCommands: bare,
          text: lines.map { form.plain($0) + "\n" }.joined())))
    notes = [:]
    open = nil
  }

  /// A command without cron's five fields before it, and without a remark behind it.
  private static func withoutSurroundings(_ line: String) -> String {
    var line = line
    if let schedule = line.prefixMatch(of: #/\*(/\d+)?( \*){4} /#) {
      line.removeSubrange(schedule.range)
    }
    if let remark = line.firstMatch(of: #/[^ ]( {3,})[^ ]/#) {
      line.removeSubrange(remark.1.startIndex...)
    }
    return line
  }
}
