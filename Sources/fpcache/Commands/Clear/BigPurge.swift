// SPDX-License-Identifier: BSD-2-Clause
//
// The question before a big purge: a year of days, a whole category. fpcache asks it once, and only a person at a
// terminal. It never asks a script.

import Basics
import CacheFS

/// What the question is about, collected while the keys are read.
struct BigPurge {
  /// How many parts the question names; it counts the rest.
  private let named: Int
  private var first: [ClearRequest] = []
  private var count = 0

  init(naming named: Int = 3) { self.named = named }

  mutating func note(_ request: ClearRequest) {
    guard request.extent != nil else { return }
    count += 1
    if first.count < named { first.append(request) }
  }

  /// Whether there is something to ask about, and a person at a terminal to answer.
  var isAsked: Bool { count > 0 && Self.canAsk }

  /// The question, or nil when nothing is big.
  /// - Parameter expected: what the purge would remove.
  func question(_ names: FieldValues, _ expected: ClearReport) -> String? {
    guard count > 0 else { return nil }
    var parts = first.map { request in
      switch request.extent {
      case .category(let category)?:
        let ports = names.values(of: "port", in: "ports", given: [("category", category)])
        return "all \(counted(ports.count, "port")) of \(escape(category))"
      case .part?: return "all of \(escape(request.text))"
      default: return "all daily pages of \(escape(request.text))"
      }
    }
    if count > first.count { parts.append("\(grouped(count - first.count)) more") }
    let size = "\(counted(expected.filesRemoved, "page")), \(sizeText(expected.bytesRemoved))"
    return "Clear \(listed(parts, "and")) (\(size))? [y/N] "
  }

  /// Asks the question.
  /// - Throws: ``UserError`` with status 1 for any answer but yes.
  func confirm(_ names: FieldValues, _ expected: ClearReport) throws(UserError) {
    if let question = question(names, expected) { try Self.confirm(question) }
  }

  /// Whether there is a person at a terminal to ask.
  static var canAsk: Bool { Screen.isAt(STDIN_FILENO) && Screen.isAt(STDERR_FILENO) }

  /// Asks the question.
  /// - Throws: ``UserError`` with status 1 for any answer but yes.
  static func confirm(_ question: String) throws(UserError) {
    Screen.put(question, on: STDERR_FILENO)
    let answer = readLine()
    // The end of input leaves the cursor behind the question.
    if answer == nil { Screen.put("\n", on: STDERR_FILENO) }
    guard ["y", "yes"].contains(answer?.lowercased()) else {
      throw UserError(.incomplete, "nothing was changed")
    }
  }

  /// A line of standard input without its newline; nil at the end of input.
  private static func readLine() -> String? {
    var line: [UInt8] = []
    while true {
      var byte: UInt8 = 0
      let count = read(STDIN_FILENO, &byte, 1)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return line.isEmpty ? nil : String(decoding: line, as: UTF8.self) }
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      // No person types a longer answer. A program that holds the terminal open must not fill the memory.
      if line.count < 64 { line.append(byte) }
    }
  }
}
