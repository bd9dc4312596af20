// SPDX-License-Identifier: BSD-2-Clause
//
// The four properties of a layout over generated paths, names and keys, of FreshPorts' and of one that
// is nothing like it: what is rendered is read back, what is cleared is of the key, no path has two owners, and what has none stays.

import Foundation
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite struct LayoutPropertyTests {
  static let layouts = [Layout.freshPorts, .wiki, .tiles]

  @Test(arguments: LayoutPropertyTests.layouts, 1...4 as ClosedRange<UInt64>)
  func renderedKeysAreReadBack(_ layout: Layout, _ seed: UInt64) throws {
    var dice = Dice(seed)
    var matcher = Matcher(layout)
    for made in layout.paths(1_500, &dice) {
      let classification = matcher.classify(made.path)
      #expect(
        classification == Classification(family: made.family, hasKnownShape: true), "\(made.path)")
      #expect(matcher.fields(of: made.path) == made.values, "\(made.path)")
    }
  }

  @Test(arguments: LayoutPropertyTests.layouts, 5...8 as ClosedRange<UInt64>)
  func noPathHasTwoOwners(_ layout: Layout, _ seed: UInt64) {
    var dice = Dice(seed)
    var alone = layout.families.map { Matcher(Layout([$0])) }
    var whole = Matcher(layout)
    let paths = layout.paths(600, &dice).map(\.path)
    for path in paths {
      for candidate in [path] + (0..<4).map({ _ in mutated(path, paths, &dice) }) {
        let owners = alone.indices.filter { alone[$0].classify(candidate).family != nil }
        #expect(owners.count <= 1, "\(candidate)")
        #expect(whole.classify(candidate).family == owners.first, "\(candidate)")
      }
    }
  }

  /// Another path near by: a component of another, one less, one more, a byte changed.
  private func mutated(_ path: CachePath, _ others: [CachePath], _ dice: inout Dice) -> CachePath {
    var parts = path.bytes.split(separator: 0x2F).map(Array.init)
    let other = dice.pick(others).bytes.split(separator: 0x2F).map(Array.init)
    let place = dice.below(parts.count)
    switch dice.below(5) {
    case 0: parts[place] = dice.pick(other)
    case 1: parts.remove(at: place)
    case 2: parts.insert(dice.pick(other), at: place)
    case 3: parts[place][dice.below(parts[place].count)] = UInt8(dice.below(256))
    default: parts = Array(parts[...place]) + other
    }
    return CachePath(Array(parts.joined(separator: bytes("/"))))
  }

  // MARK: On a tree

  /// Forward and backward say the same: a key takes just those files that are of its family
  /// and show each of its fields.
  @Test(arguments: LayoutPropertyTests.layouts, 9...14 as ClosedRange<UInt64>)
  func aKeyTakesJustTheFilesThatClassifyToIt(_ layout: Layout, _ seed: UInt64) throws {
    var dice = Dice(seed)
    let tree = try TemporaryTree()
    let made = layout.paths(400, &dice)
    let paths = try tree.grow(made.map(\.path) + junk(near: made, &dice))
    let root = try tree.open()
    var matcher = Matcher(layout)
    let read = paths.map { (path: $0, matcher.classify($0).family, matcher.fields(of: $0)) }
    for _ in 0..<120 {
      guard let key = key(from: dice.pick(made), of: layout, &dice) else { continue }
      let expected = read.filter { _, family, fields in
        family == key.family && key.bindings.allSatisfy { fields[$0.field] == $0.value }
      }.map(\.path)
      let clearer = Clearer(root, layout: layout, dryRun: .yes, paths: .kept)
      let report = clearer.clear(key)
      #expect(report.removed.sorted() == expected.sorted(), "\(key)")
      #expect(report.filesRemoved == expected.count && report.matched == !expected.isEmpty)
      #expect(report.failures.isEmpty, "\(key)")
    }
  }

  /// What matches no row stays, though every key that there is has been cleared.
  @Test(arguments: LayoutPropertyTests.layouts, 15...17 as ClosedRange<UInt64>)
  func theUnknownStays(_ layout: Layout, _ seed: UInt64) throws {
    var dice = Dice(seed)
    let tree = try TemporaryTree()
    let made = layout.paths(300, &dice)
    let paths = try tree.grow(made.map(\.path) + junk(near: made, &dice))
    var matcher = Matcher(layout)
    let never = layout.families.firstIndex { $0.clearing == .never }
    let staying = paths.filter {
      let family = matcher.classify($0).family
      return family == nil || family == never
    }
    #expect(staying.count > 10)
    let keys = try layout.families.filter { $0.clearing != .never }.map {
      try layout.all(of: $0.name)
    }
    let clearer = Clearer(try tree.open(), layout: layout, paths: .kept)
    let report = ClearReport.sum(clearer.clear(keys))
    #expect(report.failures.isEmpty)
    #expect(Set(report.removed).union(staying) == Set(paths))
    #expect(report.filesRemoved == paths.count - staying.count)
    #expect(staying.allSatisfy { tree.has($0) })
    #expect(!report.removed.contains { tree.has($0) })
  }

  /// Files beside pages: names cut short, with a letter more, in a folder above or below.
  private func junk(near made: [MadePath], _ dice: inout Dice) -> [CachePath] {
    let paths = made.map(\.path)
    return paths.map { mutated($0, paths, &dice) }.filter { path in
      path.bytes.split(separator: 0x2F, omittingEmptySubsequences: false)
        .allSatisfy(FieldKind.isSafeName)
    }
  }

  /// A key of some of a path's fields; nil when they make none (a family never cleared).
  private func key(
    from made: MadePath, of layout: Layout, _ dice: inout Dice
  ) -> CacheKey? {
    let family = layout.families[made.family]
    let some = made.values.sorted { $0.key < $1.key }.filter { _ in dice.once(in: 2) }
    return try? layout.key(family.name, some.map { (field: $0.key, value: $0.value) })
  }
}

extension TemporaryTree {
  /// Writes a file at each path, where none stands in its way; tells which are there.
  func grow(_ paths: [CachePath]) throws -> [CachePath] {
    var written: Set<CachePath> = []
    for path in paths where !has(path) {
      let parts = path.bytes.split(separator: 0x2F).map(Array.init)
      var folder = bytes(self.path)
      for part in parts.dropLast() {
        folder += [0x2F] + part
        _ = withCString(folder) { mkdir($0, 0o755) }
      }
      let file = withCString(folder + [0x2F] + (parts.last ?? [])) {
        Foundation.open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      }
      guard file >= 0 else { continue }
      close(file)
      written.insert(path)
    }
    return Array(written)
  }

  /// Whether something lies at the path, whose bytes need not be UTF-8.
  func has(_ path: CachePath) -> Bool {
    withCString(bytes(self.path) + [0x2F] + path.bytes) { access($0, F_OK) == 0 }
  }

  private func withCString<Result>(
    _ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Result
  ) -> Result {
    (bytes + [0]).map(CChar.init(bitPattern:)).withUnsafeBufferPointer { body($0.baseAddress!) }
  }
}
