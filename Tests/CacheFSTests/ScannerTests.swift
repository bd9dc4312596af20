// SPDX-License-Identifier: BSD-2-Clause
//
// The walk: every file once, every folder left once, errors told and no stop for them, no link
// followed, and few folders open at a time.

import SystemPackage
import TestSupport
import Testing

@testable import CacheFS

/// Notes all that a walk gives.
private struct Notes: ScanVisitor {
  var files: [String] = []
  var families: [String: String] = [:]
  var folders: [String: Int] = [:]
  var failures: [PathFailure] = []
  var highestDescriptor: CInt = 0
  /// Called at each file, to change the tree under the walk.
  var disturb: @Sendable (String) -> Void = { _ in }

  mutating func visit(_ entry: borrowing ScannedEntry, _ matcher: inout Matcher) {
    let path = text(entry.path.bytes)
    files.append(path)
    families[path] = entry.classification.family.map { Layout.freshPorts.families[$0].name }
    if matcher.classify(entry.path) != entry.classification { families[path] = "disputed" }
    if matcher.fields(of: entry.path) != entry.fields(&matcher) { families[path] = "disputed" }
    highestDescriptor = max(highestDescriptor, entry.folder.directory.descriptor)
    disturb(path)
  }

  mutating func leave(_ folder: ScannedFolder, entries: Int) {
    folders[text(folder.path.bytes)] = entries
  }

  mutating func fail(_ failure: PathFailure) { failures.append(failure) }

  static func sum(_ all: [Notes]) -> Notes {
    all.reduce(into: Notes()) { sum, notes in
      sum.files += notes.files
      sum.families.merge(notes.families) { _, _ in "twice" }
      sum.folders.merge(notes.folders) { _, _ in -1 }
      sum.failures += notes.failures
      sum.highestDescriptor = max(sum.highestDescriptor, notes.highestDescriptor)
    }
  }
}

@Suite struct ScannerTests {
  private func scan(_ tree: TemporaryTree, threads: Int = 1) throws -> Notes {
    let scanner = Scanner(try tree.open(), layout: .freshPorts, threads: threads)
    return Notes.sum(scanner.scan { Notes() })
  }

  @Test(arguments: [1, 2, 4, 16])
  func everyFileIsVisitedOnce(_ threads: Int) throws {
    let tree = try TemporaryTree()
    try tree.plant(LayoutTable.known.map(\.path))
    try tree.plant((0..<2_000).map { "ports/net/many/some-quite-long-name-of-a-page-\($0)" })
    try tree.plant(["unknown/deep/er/x", ".dot/.x", "news/.x"])
    let notes = try scan(tree, threads: threads)
    #expect(try notes.files.sorted() == tree.files())
    #expect(notes.failures.isEmpty)
    for row in LayoutTable.known { #expect(notes.families[row.path] == row.family) }
    #expect(notes.families["unknown/deep/er/x"] == nil && notes.families["news/.x"] == nil)
  }

  @Test func everyFolderIsLeftOnceWithItsEntries() throws {
    let tree = try TemporaryTree()
    try tree.plant(["a", "news/b", "news/c", "news/d/e"])
    try tree.makeDirectory("empty")
    #expect(try scan(tree, threads: 2).folders == ["": 3, "news": 3, "news/d": 1, "empty": 0])
  }

  /// More folders in one than wait at a time: it is gone on with after those that were found.
  @Test(arguments: [1, 4])
  func aWideFolderIsLeftOnceWithItsEntries(_ threads: Int) throws {
    let tree = try TemporaryTree()
    try tree.plant((0..<3_000).map { "commits/some-quite-long-name-of-a-folder-\($0)/x" })
    try tree.plant((0..<100).map { "commits/file\($0)" })
    let notes = try scan(tree, threads: threads)
    #expect(notes.files.count == 3_100 && Set(notes.files).count == 3_100)
    #expect(notes.folders.count == 3_002 && notes.folders["commits"] == 3_100)
    #expect(notes.failures.isEmpty)
  }

  @Test func linksAreEntriesAndNoWay() throws {
    let tree = try TemporaryTree()
    let outside = try TemporaryTree()
    try outside.plant(["x"])
    try tree.link("news/folder", to: outside.path)
    try tree.link("news/up", to: "..")
    try tree.link("ports", to: outside.path)
    #expect(try scan(tree).files.sorted() == ["news/folder", "news/up", "ports"])
  }

  @Test func aScanChangesNothing() throws {
    let tree = try TemporaryTree()
    try tree.plant(LayoutTable.known.map(\.path))
    let before = try tree.snapshot()
    _ = try scan(tree, threads: 4)
    #expect(try tree.snapshot().differences(from: before).isEmpty)
  }

  @Test(.enabled(if: Rights.canBeDropped, "root cannot be given up here"))
  func anUnreadableFolderStopsNothing() throws {
    let tree = try TemporaryTree()
    for folder in ["ports", "ports/net", "news"] { try tree.makeDirectory(folder, mode: 0o755) }
    try tree.plant(["ports/net/shut/x", "ports/net/x", "news/y"])
    try tree.setMode("ports/net/shut", 0)
    let notes = try Rights.withoutRoot { try scan(tree) }
    #expect(notes.failures == [PathFailure(path: "ports/net/shut", error: .permissionDenied)])
    #expect(notes.files.sorted() == ["news/y", "ports/net/x"])
    try tree.setMode("ports/net/shut", 0o755)
  }

  /// May be listed, but what is in it may not be asked for its status.
  @Test(.enabled(if: Rights.canBeDropped, "root cannot be given up here"))
  func anUnreadableFileIsTold() throws {
    let tree = try TemporaryTree()
    try tree.plant(["news/a", "news/b"])
    try tree.setMode("news", 0o744)
    let notes = try Rights.withoutRoot { try scan(tree) }
    #expect(notes.failures.map(\.path).sorted() == ["news/a", "news/b"])
    #expect(notes.failures.allSatisfy { $0.error == .permissionDenied })
  }

  @Test func whatVanishesIsNoFailure() throws {
    let tree = try TemporaryTree()
    try tree.plant((0..<5_000).map { "news/sub/some-quite-long-name-of-a-page-\($0)" })
    let scanner = Scanner(try tree.open(), layout: .freshPorts, threads: 1)
    let notes = Notes.sum(
      scanner.scan {
        var notes = Notes()
        notes.disturb = { _ in tree.remove("news") }
        return notes
      })
    #expect(notes.failures.isEmpty)
    #expect(notes.files.count == 1)
  }

  @Test(arguments: [1, 4])
  func fewFoldersAreOpenAtATime(_ threads: Int) throws {
    let tree = try TemporaryTree()
    try tree.plant((0..<4_000).map { "ports/devel/p\($0)/x" })
    let notes = try scan(tree, threads: threads)
    #expect(notes.files.count == 4_000 && notes.failures.isEmpty)
    // The lowest free number is given first; a process has 1,024 by default.
    #expect(notes.highestDescriptor < 1_000)
  }

  @Test func theRootMustBeAFolder() throws {
    let tree = try TemporaryTree()
    try tree.plant(["file"])
    #expect(throws: Errno.notDirectory) { try Directory(root: FilePath(tree.fullPath("file"))) }
    #expect(throws: Errno.noSuchFileOrDirectory) {
      try Directory(root: FilePath(tree.fullPath("none")))
    }
    #expect(try tree.open().status().type == .directory)
  }
}
