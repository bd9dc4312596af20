// SPDX-License-Identifier: BSD-2-Clause
//
// What cannot go is told with its path and stops nothing; what somebody else removed first is
// no failure. The kernel's answers are replaced one at a time.

import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import CacheFS

@Suite struct ClearerFailureTests {
  private let layout = Layout.freshPorts

  /// A kernel that answers with an error for each name that `isMeant`, and does the rest.
  private func kernel(
    failing error: CInt, _ isMeant: @escaping @Sendable (String) -> Bool
  ) -> Kernel {
    var kernel = Kernel.real
    kernel.unlinkat = { directory, name, flags in
      guard isMeant(String(cString: name)) else {
        return Kernel.real.unlinkat(directory, name, flags)
      }
      errno = error
      return -1
    }
    return kernel
  }

  @Test(arguments: [EACCES, EPERM, EIO, EROFS, EBUSY])
  func aRefusalIsToldAndStopsNothing(_ error: CInt) throws {
    let tree = try TemporaryTree()
    let pages = (0..<20).map { "ports/net/a/page\($0)" } + ["ports/net/a/sub/page7"]
    try tree.plant(pages)
    let stuck = ["ports/net/a/page7", "ports/net/a/sub/page7"]
    let clearer = try tree.clearer(kernel: kernel(failing: error) { $0 == "page7" })
    let report = try clearer.clear(layout.port("net", "a"))
    #expect(
      Set(report.failures)
        == Set(
          stuck.map { PathFailure(path: CachePath(bytes($0)), error: Errno(rawValue: error)) }))
    #expect(report.failures.count == 2)
    #expect(report.filesRemoved == 19)
    #expect(report.matched)
    #expect(try tree.files() == stuck)
  }

  @Test func aPageThatOnlyFailsIsAMatch() throws {
    let tree = try TemporaryTree()
    try tree.plant(["news/a"])
    let clearer = try tree.clearer(kernel: kernel(failing: EACCES) { _ in true })
    let report = try clearer.clear(layout.all(of: "news"))
    #expect(report.matched && report.filesRemoved == 0 && report.bytesRemoved == 0)
    #expect(report.removed.isEmpty && report.failures.count == 1)
  }

  @Test func aFolderThatCannotGoIsTold() throws {
    let tree = try TemporaryTree()
    try tree.plant(["news/sub/a"])
    let clearer = try tree.clearer(kernel: kernel(failing: EACCES) { $0 == "sub" })
    let report = try clearer.clear(layout.all(of: "news"))
    #expect(report.failures == [PathFailure(path: "news/sub", error: .permissionDenied)])
    #expect(report.filesRemoved == 1)
  }

  /// Somebody wrote a page into the folder after it was emptied.
  @Test(arguments: [ENOTEMPTY, EEXIST, ENOENT])
  func aFolderThatIsInUseAgainIsNoFailure(_ error: CInt) throws {
    let tree = try TemporaryTree()
    try tree.plant(["news/sub/a"])
    let clearer = try tree.clearer(kernel: kernel(failing: error) { $0 == "sub" })
    let report = try clearer.clear(layout.all(of: "news"))
    #expect(report.failures.isEmpty && report.filesRemoved == 1)
  }

  @Test func interruptedCallsAreRepeated() throws {
    let tree = try TemporaryTree()
    try tree.plant(["news/a", "news/b", "news/sub/c"])
    let calls = Mutex<[String: Int]>([:])
    var kernel = Kernel.real
    kernel.unlinkat = { directory, name, flags in
      let count = calls.withLock { calls in
        calls[String(cString: name), default: 0] += 1
        return calls[String(cString: name)] ?? 0
      }
      guard count > 3 else {
        errno = EINTR
        return -1
      }
      return Kernel.real.unlinkat(directory, name, flags)
    }
    let report = try tree.clearer(kernel: kernel).clear(layout.all(of: "news"))
    #expect(report.filesRemoved == 3 && report.failures.isEmpty)
    #expect(calls.withLock { $0 } == ["a": 4, "b": 4, "c": 4, "sub": 4])
    #expect(try tree.folders() == ["news"] && tree.files().isEmpty)
  }

  @Test func aPageThatVanishesIsNoFailure() throws {
    let tree = try TemporaryTree()
    try tree.plant((0..<10).map { "ports/net/a/page\($0)" })
    var kernel = Kernel.real
    kernel.unlinkat = { directory, name, flags in
      // Somebody is faster with every page whose number is odd.
      if String(cString: name).hasSuffix("1") || String(cString: name).hasSuffix("3") {
        _ = Kernel.real.unlinkat(directory, name, flags)
      }
      return Kernel.real.unlinkat(directory, name, flags)
    }
    let report = try tree.clearer(kernel: kernel).clear(layout.port("net", "a"))
    #expect(report.filesRemoved == 8)
    #expect(report.removed.count == 8)
    #expect(report.matched && report.failures.isEmpty)
    #expect(try tree.files().isEmpty)
  }

  /// All pages of the listing vanish with the first, and with them the folder being listed.
  @Test(arguments: [5, 5_000])
  func aFolderThatVanishesIsNoFailure(_ count: Int) throws {
    let tree = try TemporaryTree()
    try tree.plant((0..<count).map { "news/sub/some-quite-long-name-of-a-page-\($0)" })
    var kernel = Kernel.real
    kernel.unlinkat = { directory, name, flags in
      tree.remove("news/sub")
      return Kernel.real.unlinkat(directory, name, flags)
    }
    let report = try tree.clearer(kernel: kernel).clear(layout.all(of: "news"))
    #expect(report.failures.isEmpty)
    #expect(report.filesRemoved == 0)
    #expect(!tree.exists("news/sub"))
  }

  /// A folder of several listings is listed again; each failure is told once all the same.
  @Test func aFailureIsToldOnce() throws {
    let tree = try TemporaryTree()
    try tree.plant((0..<3_000).map { "ports/net/a/some-quite-long-name-of-a-page-\($0)" })
    try tree.plant(["ports/net/a/sub/stuck", "ports/net/a/stuck"])
    let clearer = try tree.clearer(kernel: kernel(failing: EIO) { $0 == "stuck" })
    let report = try clearer.clear(layout.port("net", "a"))
    #expect(
      report.failures.map(\.path).sorted() == ["ports/net/a/stuck", "ports/net/a/sub/stuck"])
    #expect(report.filesRemoved == 3_000)
  }

  @Test(.enabled(if: Rights.canBeDropped, "root cannot be given up here"))
  func anUnreadableFolderIsTold() throws {
    let tree = try TemporaryTree()
    try tree.makeDirectory("ports", mode: 0o755)
    try tree.makeDirectory("ports/net", mode: 0o755)
    try tree.plant(["ports/net/a/x", "ports/net/b/x"])
    try tree.setMode("ports/net/a", 0)
    try tree.setMode("ports/net/b", 0o755)
    let clearer = try tree.clearer(dryRun: .yes)
    for key in [try layout.port("net", "a"), try layout.ports(of: bytes("net"))] {
      let report = Rights.withoutRoot { clearer.clear(key) }
      #expect(report.failures == [PathFailure(path: "ports/net/a", error: .permissionDenied)])
    }
    try tree.setMode("ports/net/a", 0o755)
  }

  /// Folders beside a file's page have nothing to do with it.
  @Test(.enabled(if: Rights.canBeDropped, "root cannot be given up here"))
  func aFilesKeyLeavesOtherFoldersShut() throws {
    let tree = try TemporaryTree()
    try tree.makeDirectory("ports", mode: 0o755)
    try tree.makeDirectory("ports/net", mode: 0o755)
    try tree.plant(["ports/net/Makefile.PageSize1.PageNum1.html"])
    try tree.makeDirectory("ports/net/shut", mode: 0)
    let clearer = try tree.clearer(dryRun: .yes)
    let key = try layout.file(path: bytes("net/Makefile"))
    let report = Rights.withoutRoot { clearer.clear(key) }
    #expect(report.failures.isEmpty && report.filesRemoved == 1)
  }

  @Test func aNameTooLongForADiskIsNobodys() throws {
    let tree = try TemporaryTree()
    try tree.makeDirectory("packages/net")
    let port = String(repeating: "a", count: 255)
    let key = try layout.key("packages", ["category": "net", "port": port])
    #expect(try tree.clearer().clear(key) == ClearReport())
  }
}
