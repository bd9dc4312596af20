// SPDX-License-Identifier: BSD-2-Clause
//
// What the tests of this module share: a seeded generator, so that a failure repeats itself,
// short ways from text to bytes and paths, and a thread without root's rights.

import Foundation
import SystemPackage
import TestSupport

@testable import CacheFS

/// SplitMix64: the same numbers from the same seed, everywhere.
struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

  mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

  /// True once in so many times.
  mutating func once(in times: Int) -> Bool { below(times) == 0 }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

extension CachePath: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) { self.init(Array(text.utf8)) }
}

extension Layout {
  /// A key from text; any error is the test's.
  func key(_ family: String, _ values: KeyValuePairs<String, String>) throws -> CacheKey {
    try key(family, values.map { (field: $0.key, value: bytes($0.value)) })
  }

  func port(_ category: String, _ port: String) throws -> CacheKey {
    try self.port(category: bytes(category), port: bytes(port))
  }

  func category(_ category: [UInt8]) throws -> CacheKey {
    try key("categories", [("category", category)])
  }

  /// The key of a row of the site's queue of commits, and the other one that it names.
  func commit(messageID: [UInt8]) throws -> CacheKey {
    try keys(KeyRule.Part.FreshPorts.commits, messageID)[0]
  }

  func sanityTestFailures() throws -> CacheKey {
    try keys(KeyRule.Part.FreshPorts.commits, bytes("x"))[1]
  }

  /// The key of a row of the site's queue of files, by the path below the ports tree.
  func file(path: [UInt8]) throws -> CacheKey {
    try keys(KeyRule.Part.FreshPorts.files, bytes("/ports/head/") + path)[0]
  }

  /// What a row names, or why it names nothing.
  private func keys(_ parts: [KeyRule.Part], _ value: [UInt8]) throws -> [CacheKey] {
    do throws(KeyRule.Problem) {
      return try KeyRule(parts, width: 1, self).keys([value])
    } catch {
      guard case .badKey(let reason) = error else { throw error }
      throw reason
    }
  }
}

extension TemporaryTree {
  /// The tree's folder, open.
  func open() throws -> Directory { try Directory(root: FilePath(path)) }

  /// Writes a small file at each path.
  func plant(_ paths: [String]) throws {
    for (index, path) in paths.enumerated() { try write(path, bytes: 10 + index % 90) }
  }

  /// The files that are there, as a set.
  func fileSet() throws -> Set<String> { Set(try files()) }

  /// A clearer of the site's layout on this tree, its paths kept.
  func clearer(
    dryRun: DryRun = .no, branches: [String]? = nil, threads: Int = 1, kernel: Kernel = .real
  ) throws -> Clearer {
    Clearer(
      try open(), layout: .freshPorts, dryRun: dryRun, paths: .kept,
      branches: branches.map { Set($0.map(bytes)) }, threads: threads, kernel: kernel)
  }
}

extension ClearReport {
  /// The paths removed, as sorted text.
  var removedPaths: [String] { removed.map { text($0.bytes) }.sorted() }

  /// All reports in one.
  static func sum(_ reports: [ClearReport]) -> ClearReport {
    reports.reduce(into: ClearReport()) { $0.add($1) }
  }
}

/// Where permissions do not bind, the thread takes another user's for file access: setfsuid(2)
/// counts for one thread only, so the other tests keep theirs.
enum Rights {
  private typealias SetID = @convention(c) (UInt32) -> CInt

  private static let setID: SetID? = dlsym(nil, "setfsuid").map {
    unsafeBitCast($0, to: SetID.self)
  }

  /// Whether ``withoutRoot(_:)`` can keep its promise.
  static let canBeDropped = geteuid() != 0 || setID != nil

  /// Runs `body` as somebody to whom modes apply; it must stay on the calling thread.
  static func withoutRoot<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard geteuid() == 0, let setID else { return try body() }
    _ = setID(65_534)
    defer { _ = setID(0) }
    return try body()
  }
}
