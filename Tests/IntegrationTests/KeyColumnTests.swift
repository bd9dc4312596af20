// SPDX-License-Identifier: BSD-2-Clause
//
// Keys from lists that other programs write, such as osm2pgsql's expired tiles.

import Foundation
import Testing

@testable import TestSupport

@Suite("Clearing from a list") struct KeyColumnTests {
  private static let tiles = ["14/8802/5373", "14/8802/5374", "14/8802/5375", "13/4401/2686"]
  private let tree: TemporaryTree

  init() throws {
    tree = try TemporaryTree()
    try tree.write(
      "tiles.ini",
      text: "[dirs]\nBASEDIR = \(tree.path)\n[layout]\n\(TileTour.layout)\nfiles = files/{p...}\n")
    for tile in Self.tiles { try tree.write("cache/tiles/\(tile).png", bytes: 100) }
    try tree.write("cache/files/a/b", bytes: 100)
  }

  private func clear(_ arguments: String, _ input: String) throws -> CommandResult {
    try Command.fpcache(
      ["clear", "--config", tree.fullPath("tiles.ini")]
        + arguments.split(separator: " ").map(String.init),
      in: tree, input: input)
  }

  private var left: [String] { Self.tiles.filter { tree.exists("cache/tiles/\($0).png") } }

  @Test("osm2pgsql's list is taken as it is")
  func expired() throws {
    let result = try clear("tiles - --fields z,x,y --separator / --format json", TileTour.expired)
    #expect(result.status == 0 && result.stderr.isEmpty, "\(result)")
    #expect(
      result.stdout.hasPrefix(
        #"{"version":1,"dry_run":false,"keys":4,"files_removed":3,"bytes_removed":300,"#
          + #""keys_without_match":1,"#), "\(result)")
    #expect(left == ["14/8802/5375"])
  }

  @Test("values in another order, tabs, NULs, and what is fixed beside them")
  func otherLists() throws {
    #expect(try clear("tiles - z=14 --fields y,x", "5373\t8802\n\n5374\t8802\n").status == 0)
    #expect(left == ["14/8802/5375", "13/4401/2686"])
    #expect(try clear("tiles - -0 --fields x --separator ,", "8802\0").status == 0)
    #expect(left == ["13/4401/2686"])
    #expect(try clear("files - --fields p", "a/b\n").status == 0)
    #expect(!tree.exists("cache/files/a/b"))
  }

  private static let refused: [(arguments: String, input: String, message: String)] = [
    (
      "tiles - --fields z,x,y --separator /", "14/8802/5373\n\n14/8802\n",
      "standard input, key 3: 14/8802: has 2 values; expected 3, for z, x and y, with \"/\" between"
    ),
    (
      "tiles - --fields z,x,y --separator /", "14/8802/5373\n14/8802/5374/1\n",
      "standard input, key 2: 14/8802/5374/1: has 4 values; expected 3, for z, x and y, with \"/\" "
        + "between"
    ),
    (
      "tiles - --fields z,x,y", "14/8802/5373\n",
      "standard input, key 1: 14/8802/5373: has 1 value; expected 3, for z, x and y, with \"\\x09\" "
        + "between"
    ),
    (
      "tiles - --fields z,x,y --separator /", "14/8802/5373\n14/8802/../5373\n",
      "standard input, key 2: 14/8802/../5373: has 4 values; expected 3, for z, x and y, with \"/\" "
        + "between"
    ),
    (
      "tiles - --fields z,x,y --separator ,", "14,8802,5373\n14,..,5373\n",
      "standard input, key 2: 14,..,5373: \"..\" is not a valid x: expected digits"
    ),
    (
      "tiles - --fields z,x,y --separator /", "14/8802/5373\n/8802/5373\n",
      "standard input, key 2: /8802/5373: \"\" is not a valid z: expected digits"
    ),
    ("tiles - --fields z,q", "", "--fields z,q: tiles has no field q; expected some of z, x, y"),
    (
      "tiles - --fields z,,y", "",
      "--fields z,,y: tiles has no field \"\"; expected some of z, x, y"
    ),
    ("tiles - --fields z,x,z", "1\t2\t3\n", "--fields z,x,z: z is given twice; give it once"),
    ("tiles - z=1 --fields z", "1\n", "--fields z: z is also given as z=VALUE; give it once"),
    ("tiles - z=one --fields x", "", "tiles: \"one\" is not a valid z: expected digits"),
  ]

  @Test("what is wrong is told by the line's number, and nothing is removed")
  func refusals() throws {
    for row in Self.refused {
      let result = try clear(row.arguments, row.input)
      #expect(result.status == 64 && result.stdout.isEmpty, "\(result)")
      #expect(result.stderr == "fpcache: \(row.message)\n", "\(result)")
    }
    for (arguments, message) in [
      ("tiles --fields z", "--fields: is for keys on standard input; give - too"),
      ("tiles - --separator /", "--separator: is for --fields; give that too"),
      (
        "tiles - --fields z --separator //",
        "--separator \"//\": expected one ASCII character, such as / or a comma"
      ),
    ] {
      let result = try clear(arguments, "14/8802/5373\n")
      #expect(result.status == 64 && result.stderr.contains(message), "\(result)")
    }
    #expect(left == Self.tiles)
  }
}
