// SPDX-License-Identifier: BSD-2-Clause
//
// Every command line of the documents is run, and says what the document says that it does.
// FPCACHE_UPDATE_DOCS=1 has the documents changed instead (make documents).

import Foundation
import Testing

@testable import TestSupport

@Suite struct DocumentTests {
  private static let isUpdate = ProcessInfo.processInfo.environment["FPCACHE_UPDATE_DOCS"] == "1"

  @Test("its command lines say what it says", arguments: Document.all)
  func document(_ path: String) throws {
    var document = try Document(path)
    var tour: Tour?
    var rewritten: [(line: Document.Line, said: [String])] = []
    for step in document.steps {
      switch step {
      case .tour(let name): tour = try Tour(name)
      case .meanwhile(let line): try #require(tour, "\(path): no tour").meanwhile(line)
      case .listener(let arguments): try #require(tour, "\(path): no tour").listener(arguments)
      case .block(let block):
        guard isToRun(block, of: document) else { continue }
        let place = try #require(
          tour, "\(path):\(block.number): say in which tour this is run, or why it is not run")
        for (line, said) in zip(block.lines, try run(block, of: document, in: place)) {
          if block.notes["stays"] != nil { continue }
          if let status = block.notes["unseen"] {
            #expect(said.last == status, "\(path):\(block.number): \(line.command)\n\(said)")
            continue
          }
          if OutputComparison.isSame(said, document.shown(line)) { continue }
          if Self.isUpdate {
            rewritten.append((line, said))
          } else {
            Issue.record(
              """
              \(path):\(line.output.lowerBound): $ \(line.command)
              said
              \(said.joined(separator: "\n"))
              and not, as the document has it,
              \(document.shown(line).joined(separator: "\n"))
              If that is right: make documents
              """)
          }
        }
      }
    }
    if !rewritten.isEmpty { try document.rewrite(rewritten) }
  }

  /// Does what the block is for.
  /// - Returns: what each of its commands said.
  private func run(
    _ block: Document.Block, of document: Document, in place: Tour
  ) throws -> [[String]] {
    if let file = block.notes["append"] { try place.append(block.text, to: file) }
    if block.notes["sql"] != nil { try place.database?.sql(block.text) }
    if let text = block.notes["stays"] { return try place.stay(block, until: text) }
    if let shell = block.notes["shell"] {
      return try block.lines.map { line in
        try place.screen(
          of: shell, keys: line.command, expected: Self.isUpdate ? nil : document.shown(line))
      }
    }
    return block.lines.isEmpty ? [] : try place.run(block)
  }

  /// Whether it has commands; one that may not be run has to say why.
  private func isToRun(_ block: Document.Block, of document: Document) -> Bool {
    let place = "\(document.path):\(block.number)"
    if let reason = block.notes["not run"] {
      #expect(!reason.isEmpty, "\(place): why is it not run?")
      return false
    }
    #expect(
      block.bareCommands.isEmpty,
      "\(place): write \"$ \" before a command, or say why it is not run")
    if let shell = block.notes["shell"], !ShellScreen.isPossible(shell) { return false }
    return !block.lines.isEmpty || block.notes["append"] != nil || block.notes["sql"] != nil
  }
}
