// SPDX-License-Identifier: BSD-2-Clause
//
// Values, paths and keys by chance, from the layout itself: whatever row is added to the table
// is generated and tested as well.

import TestSupport

@testable import CacheFS

extension Dice {
  /// A value that a kind accepts.
  mutating func value(of kind: FieldKind) -> [UInt8] {
    while true {
      let value = candidate(kind)
      if kind.accepts(value) { return value }
    }
  }

  private mutating func candidate(_ kind: FieldKind) -> [UInt8] {
    switch kind {
    case .branch: return pick(["head", "2020Q1", "2019Q4", "2024Q3"].map(bytes))
    case .lowerBranch: return pick(["head", "2020q1", "2026q4"].map(bytes))
    case .flag: return pick(["n", "y"].map(bytes))
    case .category: return pick(["graphics", "x11-fonts", "net", "9base", "a.b", "c++"].map(bytes))
    case .year: return pick(["2020", "2021"].map(bytes))
    case .month, .day: return pick(["01", "12", "29"].map(bytes))
    case .rest, .visibleRest, .portsTreePath:
      let names = (0...below(4)).map { _ in once(in: 2) ? treeName() : value(of: .name) }
      return Array(names.joined(separator: bytes("/")))
    case .format: return pick(["atom", "rss2.0", "rss0.91", "a1"].map(bytes))
    case .port where once(in: 3):
      return pick(["libsigc++20", "R-cran-knitr", "gtk+2.0", "py-x", "-a"].map(bytes))
    default:
      let length = kind.fixedWidth ?? below(9)
      let all = (UInt8.min...UInt8.max).filter { kind.contains($0) }
      // Short alphabets too, so that literals and their doubles turn up.
      let some = kind == .name && once(in: 2) ? bytes(".-0aP") : all
      return (0..<length).map { _ in pick(some) }
    }
  }

  private mutating func treeName() -> [UInt8] {
    pick(["Mk", "Uses", "net", "openmpi3", "Makefile", "files", ".git", "cargo.mk"].map(bytes))
  }
}

/// A path made forward from a row, and what it was made of.
struct MadePath {
  let path: CachePath
  let family: Int
  /// The shape's index; nil when the family has none or the page is free.
  let shape: Int?
  let values: [String: [UInt8]]
}

extension Layout {
  /// A path of a family, with a page of one of its shapes; nil when the dice made what is too
  /// long, or a page that another family owns.
  func path(of index: Int, _ dice: inout Dice) -> MadePath? {
    let family = families[index]
    var values: [String: [UInt8]] = [:]
    for field in family.pattern.fields { values[field.name] = dice.value(of: field.kind) }
    var chosen: Int?
    if !family.shapes.isEmpty, let page = family.pattern.fields.last {
      let shape = dice.below(family.shapes.count)
      for field in family.shapes[shape].fields where values[field.name] == nil {
        values[field.name] = dice.value(of: field.kind)
      }
      values[page.name] = family.shapes[shape].component.render { values[$0.name] }
      // What an earlier shape takes would be read back as that one's.
      guard page.kind.accepts(values[page.name] ?? []),
        !family.shapes[..<shape].contains(where: { $0.matches(values[page.name] ?? []) })
      else { return nil }
      chosen = shape
    }
    let names = family.pattern.components.compactMap { component in
      component.render { values[$0.name] }
    }
    let path = Array(names.joined(separator: bytes("/")))
    guard path.split(separator: 0x2F).allSatisfy({ $0.count <= 255 }) else { return nil }
    return MadePath(path: CachePath(path), family: index, shape: chosen, values: values)
  }

  /// So many paths, of all families in turn.
  func paths(_ count: Int, _ dice: inout Dice) -> [MadePath] {
    var made: [MadePath] = []
    while made.count < count {
      if let path = path(of: made.count % families.count, &dice) { made.append(path) }
    }
    return made
  }
}

extension Shape {
  fileprivate func matches(_ page: [UInt8]) -> Bool {
    var captures: [Capture] = []
    return page.withUnsafeBufferPointer { component.match($0, in: 0..<page.count, &captures) }
  }
}
