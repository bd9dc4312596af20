// SPDX-License-Identifier: BSD-2-Clause
//
// PRUNE of [listen]: the rules that a value has, and what is refused.

import CacheFS
import Listening
import Testing

@testable import fpcache

@Suite struct PruneSettingTests {
  private func rules(_ value: String) throws -> [PruneRule] {
    try PruneSetting.rules(
      INI.parse("[listen]\nPRUNE = \(value)\n", file: "a.ini"), .freshPorts)
  }

  @Test("one rule a line, as the options of fpcache prune") func valid() throws {
    #expect(
      try rules(
        "packages max-bytes 20G\n  ports, daily older-than 90d by atime\n  news max-files 0")
        == [
          PruneRule(["packages"], .bytes(20_000_000_000), by: .mtime),
          PruneRule(["ports", "daily"], .age(90 * 86_400 * 1_000_000_000), by: .atime),
          PruneRule(["news"], .files(0), by: .mtime),
        ])
    #expect(try rules("news older-than 1000000w").first?.limit == .age(.max))
    #expect(try rules("") == [])
  }

  private static let expected =
    "expected FAMILY max-bytes SIZE, FAMILY max-files NUMBER or FAMILY older-than AGE"
  private static let refused: [(value: String, problem: String)] = [
    ("packages", "the end is not understood; \(expected)"),
    ("packages max-bytes", "the end is not understood; \(expected)"),
    ("packages max-bytes 20X", "max-bytes 20X is not understood; \(expected)"),
    ("packages max-files -1", "max-files -1 is not understood; \(expected)"),
    ("packages most 5", "most 5 is not understood; \(expected)"),
    ("packages older-than 9d by size", "size is not understood; expected mtime or atime"),
    ("ports, ports max-files 1", "ports is given twice; give it once"),
    ("port max-files 1", "the layout has no family port; expected one of"),
  ]

  @Test(arguments: refused) func problems(_ row: (value: String, problem: String)) throws {
    let error = #expect(throws: UserError.self) { try rules(row.value) }
    let message = error?.message ?? ""
    #expect(message.hasPrefix("a.ini:2: PRUNE: ") && message.contains(row.problem), "\(message)")
  }
}
