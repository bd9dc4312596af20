// SPDX-License-Identifier: BSD-2-Clause
//
// The oldest pages go until a bound holds: beside a model that sorts all of them, with memory for a few, while others
// write, and where something cannot be removed.

import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite struct PruneTests {
  /// So little memory that most bounds need several walks.
  private static let little = AgeCensus.Limits(buckets: 4, oldest: 3, walks: 200)

  private struct Page {
    let path: String
    let time: Int64
    let size: Int64
    var age: PageAge { PageAge(time: time, path: bytes(path)) }
  }

  private func pruner(
    _ tree: TemporaryTree, _ families: [String] = ["tiles", "scaled"], dryRun: DryRun = .no,
    by order: PruneOrder = .mtime, _ limits: AgeCensus.Limits = little, kernel: Kernel = .real,
    layout: Layout = .tiles
  ) throws -> Pruner {
    let root = try Directory(
      root: FilePath(tree.path), mounts: MountPlaces(of: layout), kernel: kernel)
    let clearer = Clearer(
      root, layout: layout, dryRun: dryRun, paths: .kept, threads: 4, kernel: kernel)
    return Pruner(clearer, try families.map { try layout.all(of: $0) }, by: order, limits)
  }

  private func setTime(_ tree: TemporaryTree, _ path: String, _ time: Int64, accessed: Int64? = nil)
  {
    func timespec(_ time: Int64) -> Foundation.timespec {
      .init(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
    }
    let times = [timespec(accessed ?? time), timespec(time)]
    #expect(utimensat(AT_FDCWD, tree.fullPath(path), times, AT_SYMLINK_NOFOLLOW) == 0)
  }

  /// Pages of two families by turns, many of one time.
  private func pages(_ tree: TemporaryTree, _ dice: inout Dice) throws -> [Page] {
    let times: [Int64] = [
      0, 1, 1_000_000_000, 1_600_000_000_000_000_000, 1_600_000_000_000_000_001,
    ]
    return try (0..<dice.below(60)).map { number in
      let path = "tiles/1\(dice.below(3))/\(dice.below(4))/\(number)\(dice.pick(["", "@2x"])).png"
      let size = dice.below(500)
      try tree.write(path, bytes: size)
      let time =
        dice.once(in: 2) ? dice.pick(times) : 1_600_000_000_000_000_000 + Int64(dice.below(1 << 40))
      setTime(tree, path, time)
      return Page(path: path, time: time, size: Int64(size))
    }
  }

  /// The pages that go, by sorting all of them.
  private func model(_ pages: [Page], _ bound: PruneBound) -> [Page] {
    let sorted = pages.sorted { $0.age < $1.age }
    var left = PageTally()
    for page in pages { left.add(page.size) }
    if case .since(let time) = bound { return sorted.filter { $0.time < time } }
    var going: [Page] = []
    for page in sorted where !bound.holds(for: left) {
      left = left - PageTally(files: 1, bytes: page.size)
      going.append(page)
    }
    return going
  }

  @Test("the pages that go are those of a model, and a dry run foretells them", arguments: 1...40)
  func model(_ seed: Int) throws {
    var dice = Dice(UInt64(seed))
    let tree = try TemporaryTree()
    let pages = try pages(tree, &dice)
    try tree.write("tiles/README", bytes: 10)
    let whole = pages.reduce(0) { $0 + $1.size }
    let bound: PruneBound =
      switch seed % 3 {
      case 0: .files(dice.below(pages.count + 2))
      case 1: .bytes(Int64(dice.below(Int(whole) + 2)))
      default: .since(dice.pick(pages.map(\.time) + [.min, 5]))
      }
    let expected = model(pages, bound).map(\.path).sorted()
    for limits in [Self.little, AgeCensus.Limits()] {
      let dry = try pruner(tree, dryRun: .yes, limits)
      let foretold = dry.remove(dry.plan(bound, counting: dice.once(in: 2)))
      #expect(ClearReport.sum(foretold.reports).removedPaths == expected)
      #expect(try tree.files().count == pages.count + 1)
    }
    let real = try pruner(tree)
    let plan = real.plan(bound)
    let outcome = real.remove(plan)
    let report = ClearReport.sum(outcome.reports)
    #expect(report.removedPaths == expected && report.failures.isEmpty)
    #expect(plan.measured?.going.files == expected.count)
    #expect(plan.measured?.going.bytes == report.bytesRemoved)
    #expect(outcome.left?.files == pages.count - expected.count)
    #expect(outcome.left?.bytes == whole - report.bytesRemoved)
    #expect(try tree.files().count == pages.count - expected.count + 1)
  }

  @Test("by the last use, which a write is, too")
  func accessTime() throws {
    let tree = try TemporaryTree()
    try tree.plant(["tiles/1/1/1.png", "tiles/1/1/2.png", "tiles/1/1/3.png"])
    setTime(tree, "tiles/1/1/1.png", 100, accessed: 900)
    setTime(tree, "tiles/1/1/2.png", 300, accessed: 400)
    setTime(tree, "tiles/1/1/3.png", 500, accessed: 200)
    let pruner = try pruner(tree, by: .atime)
    #expect(pruner.remove(pruner.plan(.files(2))).left?.files == 2)
    #expect(try tree.files() == ["tiles/1/1/1.png", "tiles/1/1/3.png"])
  }

  // MARK: While others write

  @Test("a page that is written anew between the count and the removal stays")
  func rewritten() throws {
    let tree = try TemporaryTree()
    for number in 1...9 {
      try tree.write("tiles/1/1/\(number).png", bytes: 10)
      setTime(tree, "tiles/1/1/\(number).png", Int64(number))
    }
    let pruner = try pruner(tree)
    let plan = pruner.plan(.files(3))
    try tree.write("tiles/1/1/new.part", bytes: 20)
    #expect(rename(tree.fullPath("tiles/1/1/new.part"), tree.fullPath("tiles/1/1/2.png")) == 0)
    let outcome = pruner.remove(plan)
    #expect(ClearReport.sum(outcome.reports).filesRemoved == 5)
    #expect(
      try tree.files() == [2, 7, 8, 9].map { "tiles/1/1/\($0).png" })
  }

  @Test(
    "while pages are written the run ends, and no page goes that is younger than one that stays")
  func concurrentWrites() throws {
    let tree = try TemporaryTree()
    var times: [String: Int64] = [:]
    for number in 0..<600 {
      let path = "tiles/1/\(number % 7)/\(number).png"
      try tree.write(path, bytes: 10)
      times[path] = 1_600_000_000_000_000_000 + Int64(number * 7919 % 600) * 1_000_000_007
      setTime(tree, path, times[path] ?? 0)
    }
    let isStopped = Atomic(false)
    let written = Mutex(Set<String>())
    let group = DispatchGroup()
    DispatchQueue.global().async(group: group) {
      var number = 0
      while !isStopped.load(ordering: .relaxed), number < 20_000 {
        // New pages, and old ones anew.
        let name = number.isMultiple(of: 3) ? number % 600 : 1000 + number
        let path = "tiles/1/\(name % 7)/\(name).png"
        written.withLock { _ = $0.insert(path) }
        try? tree.write(path, bytes: 10)
        number += 1
      }
    }
    defer { group.wait() }
    defer { isStopped.store(true, ordering: .relaxed) }
    let pruner = try pruner(tree, ["tiles", "scaled"], AgeCensus.Limits())
    try eventually("pages are written") { written.withLock { $0.count > 50 } }
    let outcome = pruner.remove(pruner.plan(.files(300)))
    isStopped.store(true, ordering: .relaxed)
    group.wait()
    let report = ClearReport.sum(outcome.reports)
    #expect(report.failures.isEmpty && report.filesRemoved > 0)
    let removed = Set(report.removedPaths)
    let rewritten = written.withLock { $0 }
    let untouched = times.filter { !rewritten.contains($0.key) }
    let youngest = untouched.filter { removed.contains($0.key) }.map(\.value).max() ?? 0
    let oldest = untouched.filter { !removed.contains($0.key) }.map(\.value).min() ?? .max
    #expect(youngest < oldest)
    for path in removed where times[path] == nil { #expect(rewritten.contains(path)) }
  }

  // MARK: What cannot be read or removed

  @Test("what cannot be removed is told, and no younger page goes in its place")
  func failures() throws {
    let tree = try TemporaryTree()
    for number in 1...6 {
      try tree.write("tiles/1/\(number % 2)/\(number).png", bytes: 10)
      setTime(tree, "tiles/1/\(number % 2)/\(number).png", Int64(number))
    }
    var kernel = Kernel.real
    kernel.unlinkat = { directory, name, flags in
      if String(cString: name) != "1.png" { return Kernel.real.unlinkat(directory, name, flags) }
      errno = EACCES
      return -1
    }
    let stuck = try pruner(tree, kernel: kernel)
    let outcome = stuck.remove(stuck.plan(.files(4)))
    let report = ClearReport.sum(outcome.reports)
    #expect(report.removedPaths == ["tiles/1/0/2.png"])
    #expect(
      report.failures == [PathFailure(path: "tiles/1/1/1.png", error: .permissionDenied)])
    #expect(outcome.left?.files == 5)
  }

  @Test("a bound that holds is no answer where a folder could not be read")
  func unreadable() throws {
    let tree = try TemporaryTree()
    try tree.plant(["tiles/1/1/1.png", "tiles/1/2/2.png"])
    var kernel = Kernel.real
    kernel.openFolder = { directory, name, mounts in
      if String(cString: name) != "2" { return Kernel.real.openFolder(directory, name, mounts) }
      errno = EACCES
      return -1
    }
    let blind = try pruner(tree, ["tiles"], kernel: kernel)
    let outcome = blind.remove(blind.plan(.files(5)))
    #expect(ClearReport.sum(outcome.reports).failures.map(\.path) == ["tiles/1/2"])
    #expect(try tree.files().count == 2)
  }

  @Test("links are not followed, odd names go like others, and what is no page stays")
  func hostileNames() throws {
    let tree = try TemporaryTree()
    let outside = try TemporaryTree()
    let layout = Layout([try Family("files", "files/{p...}"), try Family("other", "other/{p...}")])
    try outside.plant(["1/a.png", "b.png"])
    try tree.plant(["files/a\nb", "files/-rf", "files/d/.hidden", "other/stays"])
    let name = bytes(tree.fullPath("files/")) + [0xFF, 0x80, 0]
    let file = name.withUnsafeBytes {
      open($0.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT | O_WRONLY, 0o644)
    }
    #expect(file >= 0)
    close(file)
    try tree.link("files/link", to: outside.fullPath("b.png"))
    try tree.link("files/folder", to: outside.fullPath("1"))
    let pruner = try pruner(tree, ["files"], layout: layout)
    let report = ClearReport.sum(pruner.remove(pruner.plan(.files(0))).reports)
    #expect(report.filesRemoved == 6 && report.failures.isEmpty)
    #expect(try tree.files() == ["other/stays"])
    #expect(try outside.files() == ["1/a.png", "b.png"])
  }

  @Test(
    "a family's own file system is pruned, one that is mounted elsewhere is told of and stays",
    .enabled(if: PrivateMounts.areAllowed))
  func mounts() throws {
    let tree = try TemporaryTree()
    try tree.makeDirectory("tiles")
    try PrivateMounts.run {
      try PrivateMounts.mountMemory(at: tree.fullPath("tiles"))
      try tree.plant(["tiles/1/1/1.png", "tiles/1/1/2.png"])
      try tree.makeDirectory("tiles/1/7")
      try PrivateMounts.mountMemory(at: tree.fullPath("tiles/1/7"))
      try tree.plant(["tiles/1/7/3.png"])
      let pruner = try pruner(tree, ["tiles"])
      let report = ClearReport.sum(pruner.remove(pruner.plan(.files(0))).reports)
      #expect(report.removedPaths == ["tiles/1/1/1.png", "tiles/1/1/2.png"])
      #expect(report.failures == [PathFailure(path: "tiles/1/7", error: .improperLink)])
      #expect(try tree.files() == ["tiles/1/7/3.png"])
    }
  }

  // MARK: Memory

  @Test("a census remembers no more than its limits, whatever comes in whatever order")
  func bounded() {
    var dice = Dice(7)
    let limits = AgeCensus.Limits(buckets: 16, oldest: 50, walks: 12)
    var census = AgeCensus(AgeCensus.firstSpan(now: 1_700_000_000_000_000_000, limits), limits)
    for number in 0..<20_000 {
      // Ever older: each of them is among the oldest.
      census.add(PageAge(time: Int64(1_000_000 - number), path: bytes("\(dice.below(9))")), .max)
      #expect(census.remembered <= 2 * limits.oldest)
    }
    #expect(census.total.files == 20_000)
    #expect(census.total.bytes == .max)
  }

  @Test("a folder of more folders than wait at a time is cleared whole")
  func wideFolder() throws {
    let tree = try TemporaryTree()
    for number in 0..<2_500 { try tree.write("tiles/1/\(number)/1.png", bytes: 1) }
    let pruner = try pruner(tree, ["tiles"], AgeCensus.Limits())
    #expect(pruner.remove(pruner.plan(.files(0))).left?.files == 0)
    #expect(try tree.files() == [])
  }
}
