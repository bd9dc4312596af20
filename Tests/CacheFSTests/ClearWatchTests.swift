// SPDX-License-Identifier: BSD-2-Clause
//
// A clear that is watched: counted while it runs, and stopped between two folders.

import Synchronization
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite("A clear that is watched") struct ClearWatchTests {
  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for port in 0..<20 {
      for page in 0..<3 { try tree.write("ports/devel/p\(port)/page\(page)", bytes: 10) }
    }
    return tree
  }

  /// Says stop from the call that has this number.
  private func stopping(at number: Int) -> ClearWatch {
    let calls = Counter()
    return ClearWatch { calls.next() >= number }
  }

  private final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    func next() -> Int { value.add(1, ordering: .relaxed).newValue }
  }

  private func clearer(
    _ tree: TemporaryTree, _ watch: ClearWatch, dryRun: DryRun = .no, threads: Int = 1
  ) throws -> Clearer {
    Clearer(
      try tree.open(), layout: .freshPorts, dryRun: dryRun, threads: threads, watch: watch)
  }

  @Test("what is removed is counted, in a dry run too", arguments: [DryRun.no, .yes])
  func counts(_ dryRun: DryRun) throws {
    let tree = try tree()
    let watch = ClearWatch()
    let report = try clearer(tree, watch, dryRun: dryRun)
      .clear(try Layout.freshPorts.ports(of: bytes("devel")))
    #expect(report.filesRemoved == 60 && !report.isPartial)
    #expect(try tree.files().count == (dryRun == .yes ? 60 : 0))
    #expect(watch.filesRemoved == 60 && watch.bytesRemoved == 600)
  }

  @Test("keys that were not begun are partial, the others whole")
  func keys() throws {
    let tree = try tree()
    let keys = try (0..<20).map { try Layout.freshPorts.port("devel", "p\($0)") }
    let reports = try clearer(tree, stopping(at: 8)).clear(keys)
    #expect(reports.count { $0.isPartial } == 13)
    #expect(reports.allSatisfy { $0.filesRemoved == ($0.isPartial ? 0 : 3) })
    #expect(try tree.files().count == 39)
  }

  @Test("the folder in hand is finished, the next is not begun", arguments: [1, 8])
  func folders(_ threads: Int) throws {
    let tree = try tree()
    let report = try clearer(tree, stopping(at: 6), threads: threads)
      .clear(try Layout.freshPorts.ports(of: bytes("devel")))
    #expect(report.isPartial && report.failures.isEmpty)
    let left = Dictionary(grouping: try tree.files()) { $0.split(separator: "/")[2] }
    #expect(left.values.allSatisfy { $0.count == 3 })
    #expect(left.count == 16 && report.filesRemoved == 12)
  }

  @Test("a folder of very many files is not finished")
  func longFolder() throws {
    let tree = try TemporaryTree()
    try tree.plant((0..<5_000).map { "ports/net/a/some-quite-long-name-of-a-page-\($0)" })
    let report = try clearer(tree, stopping(at: 2)).clear(try Layout.freshPorts.port("net", "a"))
    #expect(report.isPartial && report.filesRemoved > 0)
    #expect(try tree.files().count == 5_000 - report.filesRemoved && report.filesRemoved < 5_000)
  }

  @Test("stopped from the start, nothing is touched")
  func never() throws {
    let tree = try tree()
    let before = try tree.snapshot()
    let report = try clearer(tree, stopping(at: 0))
      .clear(try Layout.freshPorts.ports(of: bytes("devel")))
    #expect(report.isPartial && report.filesRemoved == 0 && !report.matched)
    #expect(try tree.snapshot().differences(from: before) == [])
  }
}
