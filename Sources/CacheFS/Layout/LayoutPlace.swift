// SPDX-License-Identifier: BSD-2-Clause
//
// The backward reading: a folder's place in the layout, and what its entries are.
//
// A walk carries the place from folder to folder. Each name is matched once, against the few rows that are
// still possible there, and no path is built.

/// What a file in the tree is.
package struct Classification: Hashable, Sendable {
  /// The family's index in its layout; nil when no row matches.
  package let family: Int?
  /// Whether it has one of the family's shapes, or the family has no shapes.
  package let hasKnownShape: Bool

  static let unknown = Classification(family: nil, hasKnownShape: false)
}

/// One row of the layout, followed down to a folder.
struct PlacedRow: Sendable {
  let family: Int
  /// The component that the folder's entries are matched against.
  let component: Int
  /// The fields that the folders above have bound.
  let bound: [BoundField]
  /// The path so far within a component that spans several; each folder has a trailing slash.
  let tail: [UInt8]

  /// Whether the tail is deeper than the path of any page. Each of its folders must then not cost a
  /// descriptor and a stack frame.
  var isDeep: Bool { tail.count { $0 == UInt8(ascii: "/") } > OpenChain.heldAlways }

  /// Whether the tail is longer than any path by which a page could be requested.
  var isTooLong: Bool { tail.count > FieldKind.longestPath + 1 }
}

/// A folder's place in a layout: the rows that may still match below it.
package struct LayoutPlace: Sendable {
  let rows: [PlacedRow]
  /// Whether this is the cache directory itself.
  let isRoot: Bool

  /// The cache directory itself.
  package init(root layout: Layout) {
    isRoot = true
    rows = layout.families.indices.map {
      PlacedRow(family: $0, component: 0, bound: [], tail: [])
    }
  }

  init(rows: [PlacedRow]) {
    isRoot = false
    self.rows = rows
  }

  /// Whether it is the cache directory, a family's own folder, or a folder above that: no field is bound.
  var isOfLayout: Bool { rows.contains { $0.bound.isEmpty && $0.tail.isEmpty } }
}

/// One matcher's copy of a family, behind a single reference. Reading it costs one reference count, not one for
/// each of its arrays, in memory that no other thread writes to.
final class MatchedRow: Sendable {
  let components: [ComponentPattern]
  /// For each component, whether its last field spans several.
  let spansComponents: [Bool]
  let spanningFields: [String]
  let shapes: [ComponentPattern]
  /// The token of the last component that the shapes describe: `page`, or else its last field.
  let shapedToken: Int?
  let clearing: Family.Clearing
  let hashed: HashedTree?
  /// Whether a field occurs in more than one place, where its values must be equal.
  let repeatsFields: Bool

  init(_ family: Family) {
    components = family.pattern.components.map(\.unshared)
    spansComponents = components.map(\.spansComponents)
    spanningFields = family.spanningFields.map(\.self)
    shapes = family.shapes.map(\.component.unshared)
    clearing = family.clearing
    hashed = family.hashed
    shapedToken = family.pattern.components.last.flatMap { Family.shapedToken($0.tokens) }
    var seen: Set<String> = []
    let names = components.flatMap(\.fields).map(\.name)
    let repeatsInPattern = !names.allSatisfy { seen.insert($0).inserted }
    let bound = Set(names)
    repeatsFields =
      repeatsInPattern || shapes.flatMap(\.fields).contains { bound.contains($0.name) }
  }
}

extension [UInt8] {
  /// The path with one more folder and a trailing slash, in one allocation.
  func appending(folder name: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var path: [UInt8] = []
    path.reserveCapacity(count + name.count + 1)
    path += self
    path += name
    path.append(UInt8(ascii: "/"))
    return path
  }
}
