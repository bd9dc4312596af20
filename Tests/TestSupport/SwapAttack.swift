// SPDX-License-Identifier: BSD-2-Clause
//
// A cache in which an attacker swaps folders for links, as fast as possible. Each link leads to a folder outside, the
// canary, that looks just like the folder it replaces.

import Foundation
import Synchronization

/// A cache under attack, and the canary that must not be touched.
public final class SwapAttack: Sendable {
  /// A folder that is swapped, identified by its parent and its content.
  private struct Place: Sendable {
    let parent: Descriptor
    let name: String
    /// In the workshop: the link's name while the folder is in the cache.
    let link: String
    /// The link's target.
    let target: String
    /// The folder itself; nil for a folder that clears remove, which is looked up again each time.
    let folder: Descriptor?
  }

  private typealias RenameAt2 =
    @convention(c) (CInt, UnsafePointer<CChar>, CInt, UnsafePointer<CChar>, CUnsignedInt) -> CInt

  private static let renameAt2: RenameAt2? = dlsym(nil, "renameat2").map {
    unsafeBitCast($0, to: RenameAt2.self)
  }
  // linux/fs.h
  private static let exchangeFlag: CUnsignedInt = 2

  /// Whether this system can exchange two names at once.
  public static let isPossible = renameAt2 != nil

  /// Exchanges two paths, in one step.
  public static func exchange(_ one: String, _ other: String) -> Bool {
    renameAt2?(AT_FDCWD, one, AT_FDCWD, other, exchangeFlag) == 0
  }

  /// The pages of each folder. One is empty, as verify --fix expects.
  private static let pages = [
    "ports/net/a": ["Detail.PageSize1.PageNum1.html", "Detail.PageSize1.PageNum2.html"],
    "daily/2020/01": ["20.daily.head", "21.daily.head"],
    "news/sub": ["x", "y"],
  ]

  /// In seconds.
  private static let emptyPageAge = 60

  public let cache: TemporaryTree
  public let canary: TemporaryTree
  private let workshop: TemporaryTree
  private let bench: Descriptor
  private let places: [Place]
  private let before: TreeSnapshot
  private let swapped = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)

  /// Makes the trees. The attack does not run yet.
  public init() throws {
    cache = try TemporaryTree()
    canary = try TemporaryTree()
    workshop = try TemporaryTree()
    for tree in [cache, canary] {
      for (folder, names) in SwapAttack.pages {
        for (index, name) in names.enumerated() {
          try tree.write("\(folder)/\(name)", bytes: index * 10)
          // An empty page for the audit to find. It is old, because the audit gives a new page time to grow.
          if index == 0 { try tree.setAge("\(folder)/\(name)", .seconds(Self.emptyPageAge)) }
        }
      }
    }
    before = try canary.snapshot()
    bench = try Descriptor.open(workshop.path, O_RDONLY | O_DIRECTORY)
    let swaps = ["ports", "ports/net", "ports/net/a", "daily/2020", "daily/2020/01", "news/sub"]
    var places: [Place] = []
    for (index, path) in swaps.enumerated() {
      let parent = cache.fullPath((path as NSString).deletingLastPathComponent)
      try workshop.link("link\(index)", to: canary.fullPath(path))
      places.append(
        Place(
          parent: try Descriptor.open(parent, O_RDONLY | O_DIRECTORY),
          name: (path as NSString).lastPathComponent, link: "link\(index)",
          target: canary.fullPath(path),
          folder: path == "news/sub"
            ? nil : try Descriptor.open(cache.fullPath(path), O_RDONLY | O_DIRECTORY)))
    }
    self.places = places
  }

  /// How many times a folder and a link have changed places.
  public var swaps: Int { swapped.load(ordering: .relaxed) }

  /// What has happened to the canary; empty if nothing.
  public func losses() throws -> [String] { try canary.snapshot().differences(from: before) }

  /// Runs `body` during the attack, then puts every folder back.
  public func run<Result>(_ body: () throws -> Result) throws -> Result {
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      while !self.isOver.load(ordering: .relaxed) {
        for place in self.places.shuffled() {
          for _ in 0..<Int.random(in: 1...8) { self.swap(place) }
        }
        self.replant()
      }
      done.signal()
    }
    thread.start()
    defer {
      isOver.store(true, ordering: .relaxed)
      done.wait()
    }
    return try body()
  }

  /// One swap at this moment, called by the code under attack between two of its steps. It does not depend on how a
  /// busy machine schedules threads.
  public func strike() {
    guard let place = places.randomElement() else { return }
    swap(place)
    if Int.random(in: 0..<8) == 0 { replant() }
  }

  private func swap(_ place: Place) {
    guard let renameAt2 = SwapAttack.renameAt2 else { return }
    if renameAt2(place.parent.number, place.name, bench.number, place.link, SwapAttack.exchangeFlag)
      == 0
    {
      swapped.add(1, ordering: .relaxed)
    } else {
      // A clear has removed the folder, or the link that replaced it, as it should.
      unlinkat(bench.number, place.link, 0)
      unlinkat(bench.number, place.link, AT_REMOVEDIR)
      mkdirat(place.parent.number, place.name, 0o755)
      symlinkat(place.target, bench.number, place.link)
    }
  }

  /// Writes the pages again, so that there is always something to clear; never through a link.
  private func replant() {
    for (path, names) in SwapAttack.pages {
      guard let place = places.first(where: { $0.target == canary.fullPath(path) }) else {
        continue
      }
      let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
      let opened = place.folder == nil ? openat(place.parent.number, place.name, flags) : -1
      defer { if opened >= 0 { close(opened) } }
      let folder = place.folder?.number ?? opened
      guard folder >= 0 else { continue }
      for (index, name) in names.enumerated() {
        let file = openat(folder, name, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o644)
        guard file >= 0 else { continue }
        if index > 0 {
          _ = write(file, "0123456789", 10)
        } else {
          let then = timespec(tv_sec: time(nil) - Self.emptyPageAge, tv_nsec: 0)
          _ = [then, then].withUnsafeBufferPointer { futimens(file, $0.baseAddress) }
        }
        close(file)
      }
    }
  }
}
