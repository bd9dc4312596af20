// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache prune as a user meets it: what it says, what -n foretells, and what it refuses.

import Foundation
import Testing

@testable import TestSupport

@Suite("Pruning") struct PruneCommandTests {
  private let tree: TemporaryTree

  init() throws {
    tree = try TemporaryTree()
    try tree.write(
      "site.ini",
      text: """
        [dirs]
        BASEDIR = \(tree.path)
        [layout]
        tiles = tiles/{z:number}/{x:number}/{y:number}.png
        pages = pages/{page...}
        robots = robots.txt
        robots.clearing = never

        """)
    // Each a day older than the one before.
    for number in 0..<6 {
      let path =
        "cache/" + (number.isMultiple(of: 2) ? "tiles/1/1/\(number).png" : "pages/d/\(number)")
      try tree.write(path, bytes: 1000)
      try tree.setAge(path, .seconds(86_400 * (number + 1)))
    }
    try tree.write("cache/tiles/README", bytes: 10)
    try tree.write("cache/robots.txt", bytes: 10)
    try tree.setAge("cache/robots.txt", .seconds(86_400 * 999))
    try tree.setAge("cache/tiles/README", .seconds(86_400 * 999))
  }

  private func prune(_ arguments: String) throws -> CommandResult {
    try Command.fpcache(
      ["prune", "--config", tree.fullPath("site.ini")]
        + arguments.split(separator: " ").map(String.init), in: tree)
  }

  private static let bystanders = ["cache/robots.txt", "cache/tiles/README", "site.ini"]
  private func left() throws -> [String] {
    try tree.files().filter { !Self.bystanders.contains($0) }
  }

  @Test("the bound is for all families together; -n says what then goes")
  func families() throws {
    let dry = try prune("tiles pages --max-files 4 -n -v")
    #expect(
      dry.stdout == """
        pages/d/5
        tiles/1/1/4.png
        would remove 2 pages of tiles and pages, 2.0 KB; 4 pages would remain, 4.0 KB

        """, "\(dry)")
    #expect(try left().count == 6)
    let real = try prune("tiles pages --max-files 4 -v --format json")
    #expect(
      real.stdout
        == #"{"version":1,"dry_run":false,"keys":2,"files_removed":2,"bytes_removed":2000,"#
        + #""keys_without_match":0,"failures":[],"files_left":4,"bytes_left":4000,"#
        + #""removed":["pages/d/5","tiles/1/1/4.png"]}"# + "\n", "\(real)")
    #expect(real.status == 0 && real.stderr.isEmpty)
    let again = try prune("tiles pages --max-bytes 4k")
    #expect(again.stdout == "nothing to remove: tiles and pages: 4 pages, 4.0 KB\n", "\(again)")
    let old = try prune("pages --older-than 3d")
    #expect(old.stdout == "removed 1 page of pages, 1.0 KB\n", "\(old)")
    #expect(
      try prune("pages --older-than 3d").stdout == "nothing to remove: no page of pages is so old\n"
    )
    #expect(try prune("tiles --max-bytes 0").status == 0)
    #expect(try left() == ["cache/pages/d/1"])
    for path in Self.bystanders { #expect(tree.exists(path)) }
  }

  private static let refused: [(arguments: String, message: String)] = [
    ("tiles tiles --max-files 1", "tiles: is given twice; give it once"),
    ("robots --max-files 0", "robots: is never cleared; expected one of tiles, pages"),
    ("tiles", "expected a bound: --max-bytes, --max-files or --older-than"),
    (
      "tiles --max-files 1 --older-than 1d",
      "--max-files and --older-than cannot be used together"
    ),
    ("tiles --max-bytes 1x", "expected bytes, or a number and k, M, G or T, such as 20G"),
    ("tiles --max-bytes 99999999999T", "expected bytes, or a number and k, M, G or T, such as 20G"),
    ("tiles --max-files=-1", "--max-files -1: expected a number from 0"),
  ]

  @Test("what is refused, and touches nothing")
  func refusals() throws {
    for row in Self.refused {
      let result = try prune(row.arguments)
      #expect(result.status == 64 && result.stdout.isEmpty, "\(result)")
      #expect(result.stderr.contains(row.message), "\(result)")
    }
    #expect(try left().count == 6)
  }

  @Test("a person at a terminal is asked, with what would go")
  func question() throws {
    func session(_ arguments: String...) throws -> TerminalSession {
      try TerminalSession.fpcache(
        ["prune", "--config", tree.fullPath("site.ini"), "tiles"] + arguments, in: tree,
        environment: ["FPCACHE_DIR": tree.fullPath("cache")])
    }
    let no = try session("--max-files", "1")
    try no.terminal.wait(
      for: "Remove the oldest 2 of 3 pages of tiles (2.0 KB of 3.0 KB)? [y/N] ")
    try no.terminal.type("n\r")
    let end = try no.end()
    #expect(end.status == 1 && end.output.contains("nothing was changed"), "\(end)")
    #expect(try left().count == 6)
    #expect(try session("--max-files", "3").end().status == 0)
    #expect(try session("--max-files", "1", "--yes").end().status == 0)
    #expect(try left().count == 4)
  }

  @Test("a page that cannot go: said, and status 1", .enabled(if: PrivateMount.isAllowed))
  func failure() throws {
    var command = Command(
      try Command.fpcachePath(),
      ["prune", "--config", tree.fullPath("site.ini"), "tiles", "pages", "--max-files", "0"])
    command.tree = tree
    let result = try command.mounting([.readOnly(tree.fullPath("cache/pages"))]).run()
    #expect(result.status == 1, "\(result)")
    #expect(
      result.stdout
        == "removed 3 pages of tiles and pages, 3.0 KB; 3 pages remain, 3.0 KB; 3 could not be removed\n",
      "\(result)")
    #expect(try left().count == 3)
  }
}
