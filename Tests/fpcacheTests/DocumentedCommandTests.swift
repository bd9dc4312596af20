// SPDX-License-Identifier: BSD-2-Clause
//
// Command lines of the documents that no test runs are at least understood: the command and its
// options exist, and their values are such as it takes.

import ArgumentParser
import TestSupport
import Testing

@testable import fpcache

@Suite struct DocumentedCommandTests {
  @Test("fpcache understands what is not run", arguments: Document.all)
  func understood(_ path: String) throws {
    for case .block(let block) in try Document(path).steps where block.notes["not run"] != nil {
      for line in block.bareCommands + block.lines.map(\.command) {
        guard let arguments = Self.arguments(line) else { continue }
        #expect(throws: Never.self, "\(path):\(block.number): \(line)") {
          _ = try FPCache.parseAsRoot(arguments)
        }
      }
    }
  }

  /// The words after `fpcache`, up to what belongs to the shell or is a remark beside them; nil when
  /// it is another program.
  private static func arguments(_ line: String) -> [String]? {
    let command = line.split(separator: /[ ][ |>&<;]+/).first ?? ""
    var words: [String] = []
    var quote: Character?
    var isOpen = false
    for character in command {
      switch character {
      case "'", "\"":
        if quote == nil {
          quote = character
          if !isOpen { words.append("") }
          isOpen = true
        } else if quote == character {
          quote = nil
        } else {
          words[words.count - 1].append(character)
        }
      case " " where quote == nil: isOpen = false
      default:
        if !isOpen { words.append("") }
        isOpen = true
        words[words.count - 1].append(character)
      }
    }
    guard words.first == "fpcache" else { return nil }
    return Array(words.dropFirst())
  }
}
