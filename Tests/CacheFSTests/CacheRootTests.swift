// SPDX-License-Identifier: BSD-2-Clause
//
// The cache directory itself: its links are resolved once, and a folder that is none is known.

import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import CacheFS

@Suite struct CacheRootTests {
  private let layout = Layout.freshPorts

  private func cache() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    try tree.plant(["one/news/a", "two/news/a"])
    try tree.link("cache", to: "one")
    return tree
  }

  private func clearer(_ tree: TemporaryTree, _ name: String) throws -> Clearer {
    Clearer(
      try Directory(root: FilePath(tree.fullPath(name))), layout: layout, paths: .kept, threads: 1)
  }

  @Test func theRealPathHasNoLinks() throws {
    let tree = try cache()
    let root = try Directory(root: FilePath(tree.fullPath("cache")))
    #expect(root.realPath == FilePath(tree.fullPath("one")))
    #expect(root.stands(at: FilePath(tree.fullPath("cache"))))
    #expect(root.stands(at: FilePath(tree.fullPath("one"))))
    #expect(!root.stands(at: FilePath(tree.fullPath("two"))))
    #expect(!root.stands(at: FilePath(tree.fullPath("none"))))
  }

  @Test("a link that is turned about while we work is not followed")
  func aTurnedLink() throws {
    let tree = try cache()
    var clearer = try clearer(tree, "cache")
    #expect(try !clearer.followRoot())
    tree.remove("cache")
    try tree.link("cache", to: "two")
    #expect(throws: Errno.tooManySymbolicLinkLevels) { try clearer.followRoot() }
    _ = clearer.clear(try layout.all(of: "news"))
    #expect(try tree.files() == ["cache", "two/news/a"])
  }

  @Test("a link that takes the place of the folder is not followed")
  func aLinkInItsPlace() throws {
    let tree = try cache()
    var clearer = try clearer(tree, "one")
    #expect(rename(tree.fullPath("one"), tree.fullPath("old")) == 0)
    try tree.link("one", to: "two")
    #expect(throws: Errno.tooManySymbolicLinkLevels) { try clearer.followRoot() }
    #expect(tree.exists("two/news/a"))
  }

  @Test("a folder made anew in its place is, also behind a link that stayed as it was")
  func aFolderMadeAnew() throws {
    let tree = try cache()
    var clearer = try clearer(tree, "cache")
    #expect(rename(tree.fullPath("one"), tree.fullPath("old")) == 0)
    #expect(throws: Errno.noSuchFileOrDirectory) { try clearer.followRoot() }
    try tree.plant(["one/news/b"])
    #expect(try clearer.followRoot())
    #expect(clearer.clear(try layout.all(of: "news")).removedPaths == ["news/b"])
    #expect(tree.exists("old/news/a"))
  }

  @Test(
    "a folder is a cache directory by what it holds",
    arguments: [
      ([], CacheRecognition.empty), (["lost+found/x", ".snapshot"], .empty), (["news/a"], .some),
      (["searchlog.txt"], .some), (["etc/passwd"], .foreign), (["newspaper", "port"], .foreign),
      (["etc/passwd", "ports/net/a/x"], .some), (["News/a"], .foreign),
    ])
  func presence(_ files: [String], _ expected: CacheRecognition) throws {
    let tree = try TemporaryTree()
    try tree.plant(files)
    #expect(try layout.presence(in: tree.open()) == expected)
  }

  @Test(
    "nor one that comes and goes above the folder, between two looks",
    .enabled(if: SwapAttack.isPossible, "needs renameat2 with an exchange"))
  func linkAbove() throws {
    let (tree, canary) = (try TemporaryTree(), try TemporaryTree())
    try tree.makeDirectory("site/cache")
    try canary.makeDirectory("cache")
    try tree.link("link", to: canary.path)
    let root = try Directory(root: FilePath(tree.fullPath("site/cache")))
    let (site, link) = (tree.fullPath("site"), tree.fullPath("link"))
    let isOver = Atomic<Bool>(false)
    let swapper = Thread {
      while !isOver.load(ordering: .relaxed) { _ = SwapAttack.exchange(site, link) }
      isOver.store(false, ordering: .relaxed)
    }
    swapper.start()
    var refusals = 0
    for _ in 0..<20_000 {
      do throws(Errno) {
        let there = try root.followed()
        #expect(!there.stands(at: FilePath(canary.fullPath("cache"))))
      } catch {
        refusals += 1
      }
    }
    isOver.store(true, ordering: .relaxed)
    try eventually("the swapping ends") { !isOver.load(ordering: .relaxed) }
    #expect(refusals > 0)
  }

  @Test("a link with a family's name is one, even if it leads nowhere")
  func aFamilyMayBeALink() throws {
    let tree = try TemporaryTree()
    try tree.link("ports", to: "nowhere")
    try tree.plant(["x"])
    #expect(try layout.presence(in: tree.open()) == .some)
  }
}
