// SPDX-License-Identifier: BSD-2-Clause
//
// A prune on its thread: what it removes, and that it stands still during a drain.

import SystemPackage
import Testing

@testable import CacheFS
@testable import Listening
@testable import TestSupport

@Suite struct PruneLookTests {
  private let tree: TemporaryTree

  init() throws {
    tree = try TemporaryTree()
    for number in 1...4 {
      try tree.write("news/\(number)", bytes: 10)
      try tree.setAge("news/\(number)", .seconds(3600 * number))
    }
  }

  private func look(_ gate: LookGate, _ limit: PruneRule.Limit) throws -> PruneLook {
    let path = FilePath(tree.path)
    let plan = RegularPrunePlan(
      [PruneRule(["news"], limit, by: .mtime)], every: .seconds(1), wake: {},
      open: { watch in
        (try? Directory(root: path)).map { Clearer($0, layout: .freshPorts, watch: watch) }
      })
    return PruneLook(plan: try #require(plan), gate: gate)
  }

  private static let limits: [(limit: PruneRule.Limit, left: [String])] = [
    (.bytes(25), ["news/1", "news/2"]), (.files(3), ["news/1", "news/2", "news/3"]),
    (.age(5400 * 1_000_000_000), ["news/1"]),
    (.age(.max), ["news/1", "news/2", "news/3", "news/4"]),
  ]

  @Test(arguments: limits) func bounds(_ row: (limit: PruneRule.Limit, left: [String])) throws {
    let outcome = try look(LookGate(isDraining: false), row.limit).run()
    #expect(try tree.files() == row.left)
    #expect(outcome.pruned.first?.report.filesRemoved == 4 - row.left.count)
    #expect(outcome.failure == nil)
  }

  @Test("it waits during a drain, and a stop ends it there")
  func gate() throws {
    let gate = LookGate(isDraining: true)
    let (look, thread) = (try look(gate, .files(0)), LookThread<PruneLook.Outcome>())
    let hasBegun = thread.begin(.idle, wake: {}, { _ in look.run() })
    try #require(hasBegun)
    gate.giveUp()
    try eventually("it has ended") { thread.hasEnded }
    #expect(thread.take()?.pruned.isEmpty == true)
    #expect(try tree.files().count == 4)
  }

  @Test("without the cache directory nothing is pruned, and the reason is kept")
  func away() throws {
    let look = try look(LookGate(isDraining: false), .files(0))
    tree.remove("")
    #expect(look.run().failure == "the cache directory is not there")
  }
}
