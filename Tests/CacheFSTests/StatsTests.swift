// SPDX-License-Identifier: BSD-2-Clause
//
// Counts that agree with what was written: by family, by field, by age, and the largest.

import SystemPackage
import TestSupport
import Testing

@testable import CacheFS

@Suite struct StatsTests {
  private func measure(
    _ tree: TemporaryTree, _ query: StatsQuery = StatsQuery(), threads: Int = 1
  ) throws -> StatsReport {
    CacheFS.measure(Scanner(try tree.open(), layout: .freshPorts, threads: threads), query)
  }

  private func tally(_ report: StatsReport, _ family: String) throws -> FileTally {
    let families = Layout.freshPorts.families
    return report.families[try #require(families.firstIndex { $0.name == family })]
  }

  /// The site's paths, with sizes by their place.
  private func tree() throws -> (tree: TemporaryTree, sizes: [String: Int]) {
    let tree = try TemporaryTree()
    var sizes: [String: Int] = [:]
    for (index, row) in LayoutTable.known.enumerated() {
      sizes[row.path] = index * 37 % 500
      try tree.write(row.path, bytes: index * 37 % 500)
    }
    return (tree, sizes)
  }

  @Test(arguments: [1, 4])
  func countsAgreeWithWhatWasWritten(_ threads: Int) throws {
    let (tree, sizes) = try tree()
    let report = try measure(tree, threads: threads)
    for family in Layout.freshPorts.families {
      let rows = LayoutTable.known.filter { $0.family == family.name && $0.hasKnownShape }
      let tally = try tally(report, family.name)
      #expect(tally.files == rows.count, "\(family.name)")
      #expect(tally.bytes == Int64(rows.reduce(0) { $0 + (sizes[$1.path] ?? 0) }))
    }
    let junk = LayoutTable.known.filter { !$0.hasKnownShape }
    #expect(report.unknown.files == junk.count)
    #expect(report.total.files == sizes.count)
    #expect(report.total.bytes == Int64(sizes.values.reduce(0, +)))
    #expect(report.failures.isEmpty && report.groups.isEmpty && report.largest.isEmpty)
  }

  @Test func theUnknownIsCounted() throws {
    let tree = try TemporaryTree()
    try tree.write("news/.x", bytes: 5)
    try tree.write("other/x", bytes: 6)
    try tree.write("ports/net/a/junk", bytes: 7)
    let report = try measure(tree)
    #expect(report.unknown.files == 3 && report.unknown.bytes == 18)
    #expect(report.total == report.unknown)
    #expect(try tally(report, "ports") == FileTally())
  }

  @Test func anEmptyTree() throws {
    let tree = try TemporaryTree()
    let report = try measure(tree, StatsQuery(groupBy: "branch", top: 3))
    #expect(report.total == FileTally() && report.total.oldest == nil && report.total.newest == nil)
    #expect(report.groups.isEmpty && report.largest.isEmpty)
    #expect(report.totalFolders.folders == 1 && report.apparentBytes == report.root.bytes)
  }

  @Test func foldersBelongToTheFirstFamilyThatMayHaveFilesBelowThem() throws {
    let tree = try TemporaryTree()
    for folder in ["ports/net/gimp", "ports/Mk/Uses", "daily/2020/xx", "other/deep", "html/a/b"] {
      try tree.makeDirectory(folder)
    }
    let report = try measure(tree)
    let names = Layout.freshPorts.families.map(\.name)
    func folders(_ family: String) throws -> Int {
      report.familyFolders[try #require(names.firstIndex(of: family))].folders
    }
    #expect(try folders("ports") == 3 && folders("files") == 2)
    #expect(try folders("daily") == 2 && folders("html") == 3 && folders("news") == 0)
    #expect(report.unknownFolders.folders == 3)
    #expect(report.root.folders == 1 && report.totalFolders.folders == 14)
  }

  @Test(arguments: [1, 4])
  func groupsAreSummedAndTheLargestFirst(_ threads: Int) throws {
    let tree = try TemporaryTree()
    try tree.write("daily/2020/01/21.daily.head", bytes: 10)
    try tree.write("daily/2020/01/21.daily.2020Q1", bytes: 25)
    try tree.write("categories/net/net.0.head.PageSize1.PageNum1.html", bytes: 20)
    try tree.write("news/news.rss.2020Q2.xml", bytes: 30)
    try tree.write("news/news.rss.2020Q3.xml", bytes: 30)
    try tree.write("packages/net/a.html", bytes: 99)
    try tree.write("unknown", bytes: 99)
    var report = try measure(tree, StatsQuery(groupBy: "branch"), threads: threads)
    // Of the same size: by value.
    #expect(report.groups.map { text($0.value) } == ["2020Q2", "2020Q3", "head", "2020Q1"])
    #expect(report.groups.map(\.tally.bytes) == [30, 30, 30, 25])
    #expect(report.groups.map(\.tally.files) == [1, 1, 2, 1])
    report = try measure(tree, StatsQuery(groupBy: "branch", top: 2), threads: threads)
    #expect(report.groups.map { text($0.value) } == ["2020Q2", "2020Q3"])
    report = try measure(tree, StatsQuery(groupBy: "category"), threads: threads)
    #expect(report.groups.map { text($0.value) } == ["net"])
    #expect(report.groups.map(\.tally.bytes) == [119])
    #expect(try measure(tree, StatsQuery(groupBy: "flavor")).groups.isEmpty)
  }

  /// What is listed, what is not and what has no such field: all files, each once.
  @Test(arguments: Layout.freshPorts.fieldNames)
  func theGroupsOfEveryFieldAddUp(_ field: String) throws {
    let (tree, sizes) = try tree()
    for top in [nil, 1, 3] {
      let report = try measure(tree, StatsQuery(groupBy: field, top: top), threads: 2)
      #expect(!report.groups.isEmpty, "no file has the field")
      var sum = report.ungrouped
      sum.add(report.otherGroups.tally)
      for group in report.groups { sum.add(group.tally) }
      #expect(sum == report.total && sum.files == sizes.count)
      #expect((report.otherGroups.count == 0) == (report.otherGroups.tally == FileTally()))
    }
    // The walk's short way to one field says what the whole dictionary does.
    var matcher = Matcher(.freshPorts)
    var values: [String: Int] = [:]
    for path in sizes.keys {
      if let value = matcher.fields(of: CachePath(bytes(path)))[field] {
        values[text(value), default: 0] += 1
      }
    }
    let groups = try measure(tree, StatsQuery(groupBy: field)).groups
    #expect(
      Dictionary(uniqueKeysWithValues: groups.map { (text($0.value), $0.tally.files) }) == values)
  }

  // MARK: The largest

  /// Whatever the order of the listing, which is the file system's.
  @Test(arguments: 1...30 as ClosedRange<UInt64>)
  func theLargestAreFound(_ seed: UInt64) throws {
    var dice = Dice(seed)
    let tree = try TemporaryTree()
    var sizes: [(path: CachePath, bytes: Int64)] = []
    for index in 0..<(1 + dice.below(40)) {
      let path = "\(dice.pick(["news", "pages", "x/y"]))/f\(index)"
      let size = dice.once(in: 3) ? 50 : dice.below(200)
      try tree.write(path, bytes: size)
      sizes.append((CachePath(bytes(path)), Int64(size)))
    }
    sizes.sort { $0.bytes != $1.bytes ? $0.bytes > $1.bytes : $0.path < $1.path }
    for top in [0, 1, 2, 3, 7, 100] {
      for threads in [1, 3] {
        let largest = try measure(tree, StatsQuery(top: top), threads: threads).largest
        #expect(largest.elementsEqual(sizes.prefix(top), by: ==), "top \(top)")
      }
    }
  }

  // MARK: Ages

  @Test func onlyWhatIsOlderIsCounted() throws {
    let tree = try TemporaryTree()
    try tree.plant(["news/a", "news/b", "pages/c", "other"])
    let times = try ["news/a", "news/b", "pages/c", "other"].map { path in
      try tree.setAge(path, .seconds(1_000 * (path.utf8.count + 1)))
      return try status(tree, path).modified
    }
    let report = try measure(tree)
    #expect(report.total.oldest == times.min() && report.total.newest == times.max())
    // What is just as old as the limit is not older.
    let limit = try #require(times.max())
    let old = try measure(tree, StatsQuery(groupBy: "page", top: 9, modifiedBefore: limit))
    #expect(old.total.files == times.count { $0 < limit })
    #expect(old.largest.count == old.total.files)
    #expect(try measure(tree, StatsQuery(modifiedBefore: limit + 1)).total.files == 4)
    #expect(try measure(tree, StatsQuery(modifiedBefore: 0)).total.files == 0)
  }

  private func status(_ tree: TemporaryTree, _ path: String) throws -> FileStatus {
    let parts = path.split(separator: "/").map { bytes(String($0)) }
    var chain = OpenChain()
    let folder = try chain.open(Array(parts.dropLast()), from: tree.open())
    return try Directory.withCName(parts.last ?? []) { (name) throws(Errno) in
      try folder.status(name)
    }
  }

  @Test(.enabled(if: Rights.canBeDropped, "root cannot be given up here"))
  func failuresAreSortedByPath() throws {
    let tree = try TemporaryTree()
    for folder in ["b", "a", "c"] { try tree.makeDirectory("news/\(folder)", mode: 0) }
    try tree.setMode("news", 0o755)
    let report = try Rights.withoutRoot { try measure(tree) }
    #expect(report.failures.map(\.path) == ["news/a", "news/b", "news/c"])
    #expect(report.failureCount == 3)
    // Their own sizes are known all the same.
    #expect(report.totalFolders.folders == 5)
  }
}
