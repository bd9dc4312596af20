// SPDX-License-Identifier: BSD-2-Clause
//
// Many keys, many threads, many pages: each file goes once, every listing is finished, and the
// number of open folders does not grow with the tree.

import Foundation
import Synchronization
import TestSupport
import Testing

@testable import CacheFS

@Suite struct ClearerScaleTests {
  private let layout = Layout.freshPorts

  /// Counts the calls for each name; tells the highest descriptor that a folder had.
  private final class Watch: Sendable {
    let calls = Mutex<[String: Int]>([:])
    let highest = Mutex<CInt>(0)

    var kernel: Kernel {
      var kernel = Kernel.real
      kernel.unlinkat = { directory, name, flags in
        self.calls.withLock { $0[String(cString: name), default: 0] += 1 }
        self.highest.withLock { $0 = max($0, directory) }
        return Kernel.real.unlinkat(directory, name, flags)
      }
      return kernel
    }
  }

  /// Several times what one call of getdents64(2) returns.
  @Test(arguments: [1, 8])
  func aFolderOfManyListingsIsEmptied(_ threads: Int) throws {
    let tree = try TemporaryTree()
    try tree.plant((0..<5_000).map { "ports/net/a/some-quite-long-name-of-a-page-\($0)" })
    let report = try tree.clearer(threads: threads).clear(layout.port("net", "a"))
    #expect(report.filesRemoved == 5_000)
    #expect(Set(report.removed).count == 5_000)
    #expect(try tree.files().isEmpty)
  }

  @Test("whoever refills a folder as fast as it is emptied does not keep the clear from ending")
  func refilled() throws {
    let tree = try TemporaryTree()
    let old = (0..<3_000).map { "ports/net/a/some-quite-long-name-of-a-page-\($0)" }
    try tree.plant(old)
    let path = tree.fullPath("ports/net/a")
    let written = Mutex(0)
    var kernel = Kernel.real
    kernel.unlinkat = { directory, name, flags in
      let number = written.withLock {
        $0 += 1
        return $0
      }
      // Without an end it would be no test.
      if number < 100_000 {
        close(
          open("\(path)/some-quite-long-name-of-a-new-page-\(number)", O_CREAT | O_WRONLY, 0o644))
      }
      return Kernel.real.unlinkat(directory, name, flags)
    }
    let report = try tree.clearer(threads: 1, kernel: kernel).clear(layout.port("net", "a"))
    #expect(!report.isPartial && report.failures.isEmpty)
    #expect(try tree.files().allSatisfy { $0.contains("new-page") }, "what was there has gone")
    #expect(written.withLock { $0 } < 50_000)
  }

  @Test func aThousandKeysOnEightThreads() throws {
    let tree = try TemporaryTree()
    let pages = (0..<1_000).flatMap { port in
      (1...2).map { "ports/c\(port % 7)/p\(port)/page-\(port)-\($0)" }
    }
    try tree.plant(pages + ["ports/c0/stays/x"])
    let watch = Watch()
    let keys = try (0..<1_000).map { try layout.port("c\($0 % 7)", "p\($0)") }
    let reports = try tree.clearer(threads: 8, kernel: watch.kernel).clear(keys)
    #expect(reports.count == 1_000)
    for (port, report) in reports.enumerated() {
      let own = (1...2).map { "ports/c\(port % 7)/p\(port)/page-\(port)-\($0)" }
      #expect(report.removedPaths == own)
    }
    #expect(watch.calls.withLock { $0.count == 2_000 && $0.values.allSatisfy { $0 == 1 } })
    #expect(try tree.files() == ["ports/c0/stays/x"])
  }

  @Test(arguments: [0, 1, 2, 3, 8, 16])
  func theSameKeyManyTimes(_ threads: Int) throws {
    let tree = try TemporaryTree()
    let pages = (0..<40).map { "ports/net/a/sub\($0 % 4)/page\($0)" }
    try tree.plant(pages)
    let keys = try (0..<200).map { index in
      index % 3 == 0 ? try layout.ports(of: bytes("net")) : try layout.port("net", "a")
    }
    let report = ClearReport.sum(try tree.clearer(threads: threads).clear(keys))
    #expect(report.filesRemoved == 40)
    #expect(report.removedPaths == pages.sorted())
    #expect(report.failures.isEmpty)
    #expect(try tree.files().isEmpty)
  }

  @Test func aHugeListOfKeysThatMeetLittle() throws {
    let tree = try TemporaryTree()
    try tree.plant(["ports/net/p99999/x", "ports/net/p0/x"])
    let keys = try (0..<100_000).map { try layout.port("net", "p\($0)") }
    let reports = try tree.clearer(threads: 8).clear(keys)
    #expect(reports.count == keys.count)
    #expect(reports.indices.filter { reports[$0].matched } == [0, 99_999])
  }

  @Test(arguments: [1, 8])
  func aWideKeyHoldsFewFoldersOpen(_ threads: Int) throws {
    let tree = try TemporaryTree()
    try tree.plant((0..<4_000).map { "ports/devel/p\($0)/x" })
    let watch = Watch()
    let clearer = try tree.clearer(threads: threads, kernel: watch.kernel)
    let report = try clearer.clear(layout.ports(of: bytes("devel")))
    #expect(report.filesRemoved == 4_000 && report.failures.isEmpty)
    // The lowest free number is given first, so that it tells how many there were; other tests
    // hold some too. A process has 1,024 by default.
    #expect(watch.highest.withLock { $0 } < 1_000)
  }

  @Test func aDeepFolderGoesWhole() throws {
    let tree = try TemporaryTree()
    let folder = "news/" + (0..<100).map { "d\($0)" }.joined(separator: "/")
    try tree.plant([folder + "/x", "news/d0/y"])
    let report = try tree.clearer().clear(layout.all(of: "news"))
    #expect(report.filesRemoved == 2 && report.failures.isEmpty)
    #expect(try tree.folders() == ["news"])
  }
}
