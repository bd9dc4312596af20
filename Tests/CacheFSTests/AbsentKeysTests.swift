// SPDX-License-Identifier: BSD-2-Clause
//
// Which keys a clear need not look for again, and that it looks for them as soon as their folder may be there.

import Basics
import SystemPackage
import TestSupport
import Testing

@testable import CacheFS

@Suite struct AbsentKeysTests {
  /// What the clearer has opened.
  private final class Opened: Sendable {
    private let names = Locked<[String]>([])

    var kernel: Kernel {
      var kernel = Kernel.real
      kernel.openFolder = { [self] directory, name, mounts in
        names.withLock { $0.append(String(cString: name)) }
        return Kernel.real.openFolder(directory, name, mounts)
      }
      return kernel
    }

    /// How many folders of ports since the last call.
    func takePorts() -> Int {
      names.withLock { names in
        defer { names = [] }
        return names.filter { $0.hasPrefix("port") && $0 != "ports" }.count
      }
    }
  }

  private let tree: TemporaryTree
  private let opened = Opened()

  init() throws {
    tree = try TemporaryTree()
    try tree.makeDirectory("ports/www")
  }

  private func clearer() throws -> Clearer {
    Clearer(
      try Directory(root: FilePath(tree.path), kernel: opened.kernel), layout: .freshPorts)
  }

  private func keys(_ category: String, _ count: Int = 100) throws -> [CacheKey] {
    try (0..<count).map { try Layout.freshPorts.port(category, "port\($0)") }
  }

  /// Waits until a change of now gets another time than one before.
  private func awaitTick() throws {
    let folder = try tree.open()
    let before = try #require(folder.fileSystemTime())
    while folder.fileSystemTime() == before { usleep(500) }
  }

  @Test("while the folder above is at rest, missing folders are looked for once")
  func once() throws {
    let (clearer, keys) = (try clearer(), try keys("www"))
    try awaitTick()
    var absent = AbsentKeys(rest: 0)
    _ = clearer.clear(keys, skipping: &absent)
    #expect(opened.takePorts() > 0)
    let reports = clearer.clear(keys, skipping: &absent)
    #expect(opened.takePorts() == 0)
    #expect(reports == keys.map { _ in ClearReport() })
    // Without it, they are looked for each time.
    _ = clearer.clear(keys)
    #expect(opened.takePorts() > 0)
  }

  @Test("a folder that was added is cleared, and those beside it are looked for again")
  func added() throws {
    let (clearer, keys) = (try clearer(), try keys("www") + keys("lang"))
    try awaitTick()
    var absent = AbsentKeys(rest: 0)
    _ = clearer.clear(keys, skipping: &absent)
    _ = opened.takePorts()
    try awaitTick()
    try tree.plant(["ports/www/port7/index.html", "ports/lang/port3/index.html"])
    let reports = clearer.clear(keys, skipping: &absent)
    #expect(try tree.files() == [])
    #expect(reports[7].filesRemoved == 1)
    #expect(reports[103].filesRemoved == 1)
    #expect(opened.takePorts() > 2)
  }

  @Test("a folder that was changed a moment ago proves nothing")
  func tooYoung() throws {
    let (clearer, keys) = (try clearer(), try keys("www"))
    var absent = AbsentKeys()
    for _ in 0..<2 {
      _ = clearer.clear(keys, skipping: &absent)
      #expect(opened.takePorts() > 0)
    }
  }

  @Test("another folder in the place of the one above, or none, proves nothing")
  func replaced() throws {
    let (clearer, keys) = (try clearer(), try keys("www"))
    try tree.plant(["aside/port5/index.html"])
    try awaitTick()
    var absent = AbsentKeys(rest: 0)
    _ = clearer.clear(keys, skipping: &absent)
    #expect(rename("\(tree.path)/ports/www", "\(tree.path)/gone") == 0)
    _ = clearer.clear(keys, skipping: &absent)
    #expect(rename("\(tree.path)/aside", "\(tree.path)/ports/www") == 0)
    _ = clearer.clear(keys, skipping: &absent)
    #expect(try tree.files() == [])
  }

  @Test("a few keys are looked for each time")
  func few() throws {
    let (clearer, keys) = (try clearer(), try keys("www", AbsentKeys.worthwhile - 1))
    try awaitTick()
    var absent = AbsentKeys(rest: 0)
    for _ in 0..<2 {
      _ = clearer.clear(keys, skipping: &absent)
      #expect(opened.takePorts() > 0)
    }
  }

  @Test("a folder that cannot be read is a failure each time")
  func failure() throws {
    let keys = try keys("www")
    try tree.plant(["ports/www/port5/index.html"])
    try awaitTick()
    var kernel = Kernel.real
    kernel.openFolder = { directory, name, mounts in
      guard String(cString: name) == "port5" else {
        return Kernel.real.openFolder(directory, name, mounts)
      }
      errno = EACCES
      return -1
    }
    let clearer = Clearer(
      try Directory(root: FilePath(tree.path), kernel: kernel), layout: .freshPorts)
    var absent = AbsentKeys(rest: 0)
    for _ in 0..<2 {
      let reports = clearer.clear(keys, skipping: &absent)
      #expect(reports.indices.filter { !reports[$0].failures.isEmpty } == [5])
    }
  }

  @Test(
    "whatever is added, removed or renamed between clears, each clear removes every page",
    arguments: 1...4)
  func property(seed: UInt64) throws {
    var dice = Dice(seed)
    let categories = ["www", "lang", "x11"]
    let keys = try categories.flatMap { try self.keys($0, 40) }
    let clearer = try clearer()
    var absent = AbsentKeys(rest: 0)
    var known = 0
    for _ in 0..<60 {
      for _ in 0..<dice.below(3) {
        let category = dice.pick(categories)
        let folder = "ports/\(category)/port\(dice.below(40))"
        switch dice.below(4) {
        case 0: _ = rename("\(tree.path)/ports/\(category)", "\(tree.path)/old\(dice.below(1000))")
        case 1: _ = rmdir("\(tree.path)/\(folder)")
        default: try tree.plant(["\(folder)/\(dice.pick(["index.html", "files.html"]))"])
        }
      }
      try awaitTick()
      known += keys.filter(absent.contains).count
      _ = clearer.clear(keys, skipping: &absent)
      #expect(try tree.files().filter { $0.hasPrefix("ports/") } == [])
      try awaitTick()
    }
    #expect(known > 0)
  }

  @Test("where the kernel does not set the times, folders prove nothing")
  func foreign() throws {
    #expect(try tree.open().state() != nil)
    #if os(Linux)
      #expect(try Directory(root: "/proc").state() == nil)
    #endif
  }
}
