// SPDX-License-Identifier: BSD-2-Clause
//
// Trees that nobody's pages make: a thousand folders in each other, paths longer than any that can
// be asked for, more folders than a process may open.

import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import CacheFS

@Suite struct DeepTreeTests {
  private let layout = Layout.freshPorts

  /// So many folders in each other below `top`, each with a page and a second folder in it. Made
  /// and removed from inside: no path is long enough for the whole.
  private final class Deep {
    let tree: TemporaryTree
    private let top: String

    init(_ top: String, depth: Int, name: String = "d") throws {
      tree = try TemporaryTree()
      self.top = top
      try tree.makeDirectory(top)
      var folder = open(tree.fullPath(top), O_RDONLY | O_DIRECTORY)
      for _ in 0..<depth {
        mkdirat(folder, name, 0o755)
        mkdirat(folder, "e", 0o755)
        close(openat(folder, "page", O_WRONLY | O_CREAT, 0o644))
        let next = openat(folder, name, O_RDONLY | O_DIRECTORY)
        close(folder)
        guard next >= 0 else { throw SupportError("depth: \(errno)") }
        folder = next
      }
      close(folder)
    }

    deinit {
      let removal = Command("/bin/rm", ["-rf", tree.path])
      _ = try? removal.run()
    }
  }

  @Test(
    "1,000 folders in each other are emptied and removed", arguments: ["news/x", "ports/net/a"])
  func emptied(_ top: String) throws {
    let deep = try Deep(top, depth: 1_000)
    let key = try top == "news/x" ? layout.all(of: "news") : layout.port("net", "a")
    let report = try deep.tree.clearer().clear(key)
    #expect(report.failures.isEmpty)
    #expect(report.filesRemoved == 1_000)
    #expect(try deep.tree.folders() == (top == "news/x" ? ["news"] : ["ports", "ports/net", top]))
  }

  @Test("a dry run tells the same and leaves all")
  func foretold() throws {
    let deep = try Deep("news/x", depth: 300)
    let report = try deep.tree.clearer(dryRun: .yes).clear(layout.all(of: "news"))
    #expect(report.filesRemoved == 300 && report.failures.isEmpty)
    #expect(try deep.tree.files().count == 300)
  }

  @Test("a page that cannot go keeps its folders and nothing else")
  func stuck() throws {
    let deep = try Deep("news/x", depth: 40)
    let place = "news/x/" + String(repeating: "d/", count: 30)
    try deep.tree.plant([place + "stuck"])
    var kernel = Kernel.real
    kernel.unlinkat = { directory, name, flags in
      guard String(cString: name) == "stuck" else {
        return Kernel.real.unlinkat(directory, name, flags)
      }
      errno = EIO
      return -1
    }
    let report = try deep.tree.clearer(kernel: kernel).clear(layout.all(of: "news"))
    #expect(
      report.failures == [PathFailure(path: CachePath(bytes(place + "stuck")), error: .ioError)])
    #expect(report.filesRemoved == 40)
    #expect(try deep.tree.files() == [place + "stuck"])
  }

  @Test("a walk goes 1,000 folders down, on a few descriptors", arguments: [2])
  func walked(_ threads: Int) throws {
    let deep = try Deep("ports/net/a", depth: 1_000)
    let strange = try Deep("strange", depth: 1_000)
    for tree in [deep.tree, strange.tree] {
      let report = measure(Scanner(try tree.open(), layout: layout, threads: threads), StatsQuery())
      #expect(report.total.files == 1_000)
      #expect(report.failures.isEmpty)
    }
  }

  @Test("what no path can reach is told of, not fallen into")
  func tooDeep() throws {
    let name = String(repeating: "d", count: 200)
    let deep = try Deep("news/x", depth: 100, name: name)
    let report = measure(Scanner(try deep.tree.open(), layout: layout, threads: 1), StatsQuery())
    #expect(report.failures.map(\.error) == [.fileNameTooLong])
    #expect(report.failures.first?.path.bytes.count ?? 0 > 4095)
    let cleared = try deep.tree.clearer().clear(layout.all(of: "news"))
    #expect(cleared.failures.map(\.error) == [.fileNameTooLong])
    #expect((15...25).contains(cleared.filesRemoved))
  }

  @Test("a key of 2,000 folders opens them one after the other")
  func deepKey() throws {
    let deep = try Deep("ports", depth: 1_500, name: "D")
    let path = String(repeating: "D/", count: 1_500)
    let key = try layout.file(path: bytes(path + "x"))
    let report = try deep.tree.clearer().clear(key)
    #expect(report == ClearReport())
  }

  @Test("a link that takes a folder's place while its depths are emptied leads nowhere")
  func swapped() throws {
    let deep = try Deep("news/x", depth: 100)
    let canary = try Deep("d", depth: 100)
    let before = try canary.tree.snapshot()
    let tree = deep.tree
    let outside = canary.tree.path
    let calls = Atomic<Int>(0)
    var kernel = Kernel.real
    kernel.unlinkat = { directory, name, flags in
      if calls.add(1, ordering: .relaxed).newValue == 60 {
        #expect(rename(tree.fullPath("news/x/d/d/d"), tree.fullPath("elsewhere")) == 0)
        #expect(symlink(outside, tree.fullPath("news/x/d/d/d")) == 0)
      }
      return Kernel.real.unlinkat(directory, name, flags)
    }
    let report = try tree.clearer(kernel: kernel).clear(layout.all(of: "news"))
    #expect(calls.load(ordering: .relaxed) > 60)
    #expect(report.failures.allSatisfy { $0.error == .notDirectory })
    #expect(try canary.tree.snapshot() == before)
  }

  @Test("no descriptor to spare is a failure that is told, and the next clear mends it")
  func noDescriptors() throws {
    let tree = try TemporaryTree()
    try tree.plant(["ports/net/a/x", "ports/net/b/x", "news/sub/x"])
    let isShort = Mutex(true)
    var kernel = Kernel.real
    kernel.openFolder = { directory, name, mounts in
      guard isShort.withLock({ $0 }), ["a", "sub"].contains(String(cString: name)) else {
        return Kernel.real.openFolder(directory, name, mounts)
      }
      errno = EMFILE
      return -1
    }
    let root = try Directory(root: FilePath(tree.path), kernel: kernel)
    let clearer = Clearer(root, layout: layout, threads: 1)
    let keys = [try layout.ports(of: bytes("net")), try layout.all(of: "news")]
    let report = ClearReport.sum(clearer.clear(keys))
    #expect(report.failures.map(\.error) == [.tooManyOpenFiles, .tooManyOpenFiles])
    #expect(report.filesRemoved == 1)
    let scanned = measure(Scanner(root, layout: layout, threads: 1), StatsQuery())
    #expect(scanned.failures.map(\.path) == ["news/sub", "ports/net/a"])
    isShort.withLock { $0 = false }
    #expect(ClearReport.sum(clearer.clear(keys)).filesRemoved == 2)
  }

  @Test("a handle gone stale is opened anew; one that stays stale is told of")
  func staleHandles() throws {
    let tree = try TemporaryTree()
    try tree.plant(["ports/net/a/x", "ports/net/b/x"])
    let stale = Mutex<[String]>(["b"])
    var kernel = Kernel.real
    kernel.openFolder = { directory, name, mounts in
      let text = String(cString: name)
      let isStale = stale.withLock { stale in
        guard let index = stale.firstIndex(of: text) else { return false }
        stale.remove(at: index)
        return true
      }
      guard isStale else { return Kernel.real.openFolder(directory, name, mounts) }
      errno = ESTALE
      return -1
    }
    let root = try Directory(root: FilePath(tree.path), kernel: kernel)
    let clearer = Clearer(root, layout: layout, threads: 1)
    let keys = [try layout.port("net", "a"), try layout.port("net", "b")]
    #expect(ClearReport.sum(clearer.clear(keys)).filesRemoved == 2)
    try tree.plant(["ports/net/a/x", "ports/net/b/x"])
    stale.withLock { $0 = ["b", "b"] }
    let report = ClearReport.sum(clearer.clear(keys))
    #expect(report.failures == [PathFailure(path: "ports/net/b", error: .staleNFSFileHandle)])
    #expect(report.filesRemoved == 1)
  }
}
