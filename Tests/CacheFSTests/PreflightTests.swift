// SPDX-License-Identifier: BSD-2-Clause
//
// What will fail for want of permission is known beforehand.

import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import CacheFS

@Suite struct PreflightTests {
  private let layout = Layout.freshPorts

  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for folder in [
      "daily/2020/01", "ports/net/a", "ports/net/b", "ports/www/c", "categories/net", "news/sub",
      "commits/x", "packages/net", "general", "strange/place",
    ] {
      try tree.makeDirectory(folder, mode: 0o755)
    }
    return tree
  }

  @Test("all is well: nothing is told, and nothing of what no row describes")
  func clean() throws {
    let tree = try tree()
    try tree.setMode("strange/place", 0)
    #expect(try tree.clearer().unclearableFolders.isEmpty)
    #expect(try TemporaryTree().clearer().unclearableFolders.isEmpty)
  }

  @Test(
    "folders of another account, wherever pages lie",
    .enabled(if: Rights.canBeDropped, "root cannot be given up here"))
  func others() throws {
    let tree = try tree()
    let before = try tree.snapshot()
    let clearer = try tree.clearer()
    let failures = Rights.withoutRoot { clearer.unclearableFolders }
    #expect(Set(failures.map(\.error)) == [.permissionDenied])
    #expect(
      Set(failures.map(\.path)) == [
        "daily/2020/01", "ports/net/a", "ports/net/b", "ports/www/c", "ports", "categories/net",
        "commits/x", "packages/net", "news", "general",
      ])
    #expect(try tree.snapshot() == before)
  }

  @Test(
    "one folder that may not be written, or not be read",
    .enabled(if: Rights.canBeDropped, "root cannot be given up here"))
  func single() throws {
    let tree = try tree()
    for folder in try tree.folders() + ["."] { try tree.setMode(folder, 0o777) }
    let clearer = try tree.clearer()
    #expect(Rights.withoutRoot { clearer.unclearableFolders }.isEmpty)
    try tree.setMode("ports/net/a", 0o755)
    try tree.setMode("categories/net", 0)
    #expect(
      Rights.withoutRoot { clearer.unclearableFolders } == [
        PathFailure(path: "ports/net/a", error: .permissionDenied),
        PathFailure(path: "categories/net", error: .permissionDenied),
      ])
  }

  @Test("links and mount points in a folder's place are told of beforehand, too")
  func links() throws {
    let tree = try TemporaryTree()
    try tree.makeDirectory("elsewhere")
    try tree.link("news", to: "elsewhere")
    #expect(
      try tree.clearer().unclearableFolders == [PathFailure(path: "news", error: .notDirectory)])
  }

  @Test("a cache of thousands of folders is looked into here and there")
  func sample() throws {
    let tree = try TemporaryTree()
    for index in 0..<300 { try tree.makeDirectory("ports/net/p\(index)") }
    let opened = Opened()
    var kernel = Kernel.real
    kernel.openFolder = { directory, name, mounts in
      opened.count()
      return Kernel.real.openFolder(directory, name, mounts)
    }
    let root = try Directory(root: FilePath(tree.path), kernel: kernel)
    #expect(Clearer(root, layout: layout).unclearableFolders.isEmpty)
    #expect(opened.total < 40)
  }

  private final class Opened: @unchecked Sendable {
    // One thread looks.
    private(set) var total = 0
    func count() { total += 1 }
  }
}
