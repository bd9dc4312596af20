// SPDX-License-Identifier: BSD-2-Clause
//
// What holds the documents to the truth has to be able to fail.

import TestSupport
import Testing

@Suite struct DocumentReaderTests {
  private func blocks(_ text: String, _ path: String = "a.md") throws -> [Document.Block] {
    try Document(path, text: text).steps.compactMap { step in
      if case .block(let block) = step { block } else { nil }
    }
  }

  @Test("a block's commands and their outputs, in Markdown and in a manual")
  func commands() throws {
    let text = "<!-- columns: 60 -->\n```\n$ a \\\n  b\nsaid\nmore\n$ c\n```\n"
    let block = try #require(try blocks(text).first)
    #expect(block.number == 3 && block.notes == ["columns": "60"] && block.bareCommands.isEmpty)
    #expect(block.lines.map(\.command) == ["a \\\n  b", "c"])
    #expect(block.lines.map(\.output) == [4..<6, 7..<7])

    let manual = ".Bd -literal -offset indent\n$ fpcache \\-n\n\\&.x \\- y\\e\n.Ed\n"
    let document = try Document("a.1.in", text: manual)
    guard case .block(let other)? = document.steps.first, let line = other.lines.first else {
      throw SupportError("no block")
    }
    #expect(line.command == "fpcache -n" && document.shown(line) == [".x - y\\"])
  }

  @Test("a command without a prompt is noticed, one of a note is run")
  func bare() throws {
    let text = "```\nfpcache stats\nSELECT 1\n```\n"
    #expect(try blocks(text).first?.bareCommands == ["fpcache stats"])
    let unseen = try #require(try blocks("<!-- unseen: 0 -->\n" + text).first)
    #expect(unseen.bareCommands.isEmpty && unseen.lines.map(\.command) == ["fpcache stats"])
    let stays = try blocks(
      "<!-- stays: ready -->\n```\n*/5 * * * * fpcache stats   a remark\n```\n")
    #expect(stays.first?.lines.map(\.command) == ["fpcache stats"])
    #expect(stays.first?.text == "*/5 * * * * fpcache stats   a remark\n")
  }

  @Test(
    "what means nothing is an error",
    arguments: ["<!-- tuor: x -->\n", "```\n$ a\n", "<!-- not run: why -->\nno block\n"])
  func mistakes(_ text: String) {
    #expect(throws: SupportError.self) { try Document("a.md", text: text) }
  }

  @Test(
    "what may differ does, and nothing else",
    arguments: [
      ("at 2020-01-21T12:34:56Z in 0.36 s", "at 2026-11-25T00:00:00Z in 12.001 s", true),
      ("fpcache listen  3096 3098  listening    0 s", "fpcache listen  7 9  listening  3 s", true),
      ("du counts: 1 bytes, 2 on disk", "du counts: 1,000\nbytes, 2 on disk", false),
      ("as du counts: 1 bytes, 2 on disk", "as du counts: 1,000 bytes,\n2 on disk", true),
      ("3 pages", "4 pages", false), ("2 days ago", "3 days ago", false),
      ("1 row, 2 keys", "2 rows, 2 keys", false), ("status 69", "status 1", false),
    ])
  func differences(_ some: String, _ other: String, _ isSame: Bool) {
    #expect(OutputComparison.isSame([some], [other]) == isSame)
  }
}
