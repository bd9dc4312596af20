// The backward reading: a folder's place in the layout, and what its entries are.
//
// A walk takes the place along from folder to folder, so that each name is matched once
// against the few rows that are still possible there, and no path is put together.

/// What a file in the tree is.
public struct Classification: Hashable, Sendable {
  /// The family's index in its layout; nil when no row matches.
  public let family: Int?
  /// Whether it has one of the family's shapes, or the family has none to ask for.
  public let hasKnownShape: Bool

  static let unknown = Classification(family: nil, hasKnownShape: false)
}

/// One row of the layout, followed as far as a folder.
struct PlacedRow: Sendable {
  let family: Int
  /// The component that the folder's entries are matched against.
  let component: Int
  /// The fields that the folders so far have bound.
  let bound: [CacheKey.Binding]
  /// The path so far within a component that spans several, each folder with its slash.
  let tail: [UInt8]

  /// Whether the tail is deeper than any page's path, so that each folder of it must not cost a
  /// descriptor and a stack frame.
  var isDeep: Bool { tail.count { $0 == UInt8(ascii: "/") } > OpenChain.heldAlways }

  /// Whether the tail is longer than any path that a page could be asked for by.
  var isTooLong: Bool { tail.count > FieldKind.longestPath + 1 }
}

/// A folder's place in a layout: the rows that may still match below it.
public struct LayoutPlace: Sendable {
  let rows: [PlacedRow]

  /// The cache directory itself.
  public init(root layout: Layout) {
    rows = layout.families.indices.map {
      PlacedRow(family: $0, component: 0, bound: [], tail: [])
    }
  }

  init(rows: [PlacedRow]) { self.rows = rows }
}

/// Matches names against rows; one for each thread, since it keeps its buffers.
public struct Matcher: Sendable {
  let layout: Layout
  private var captures: [Capture] = []
  private var flat: [UInt8] = []

  public init(_ layout: Layout) { self.layout = layout }

  // MARK: Folder by folder

  /// The place of the folder `name` in a folder at `place`.
  mutating func enter(_ name: UnsafeBufferPointer<UInt8>, at place: LayoutPlace) -> LayoutPlace {
    var rows: [PlacedRow] = []
    for row in place.rows {
      if let next = enter(name, row) { rows.append(next) }
    }
    return LayoutPlace(rows: rows)
  }

  /// The row in the folder `name`, or nil when it has nothing there.
  mutating func enter(_ name: UnsafeBufferPointer<UInt8>, _ row: PlacedRow) -> PlacedRow? {
    let components = layout.families[row.family].pattern.components
    let component = components[row.component]
    if component.spansComponents {
      return PlacedRow(
        family: row.family, component: row.component, bound: row.bound,
        tail: row.tail + Array(name) + [UInt8(ascii: "/")])
    }
    captures.removeAll(keepingCapacity: true)
    guard row.component + 1 < components.count,
      component.match(name, in: 0..<name.count, &captures), agree(with: row.bound, in: name)
    else { return nil }
    let bound = captures.map {
      CacheKey.Binding(field: $0.field.name, value: Array(name[$0.range]))
    }
    return PlacedRow(
      family: row.family, component: row.component + 1, bound: row.bound + bound, tail: [])
  }

  /// What the file `name` is in a folder at `place`.
  mutating func classify(
    _ name: UnsafeBufferPointer<UInt8>, at place: LayoutPlace
  ) -> Classification {
    for row in place.rows {
      if let known = match(name, row, { _, _ in }) {
        return Classification(family: row.family, hasKnownShape: known)
      }
    }
    return .unknown
  }

  /// The fields of the file `name`, those of its folders included; empty for what is unknown.
  mutating func fields(
    of name: UnsafeBufferPointer<UInt8>, at place: LayoutPlace
  ) -> [String: [UInt8]] {
    for row in place.rows {
      var found: [String: [UInt8]] = [:]
      for binding in row.bound { found[binding.field] = binding.value }
      let known = match(name, row) { field, value in found[field.name] = Array(value) }
      if known != nil { return found }
    }
    return [:]
  }

  /// Whether the row matches the file `name`: nil when not, else whether its shape is known.
  /// `visit` is given each field that the name holds, when it matches.
  mutating func match(
    _ name: UnsafeBufferPointer<UInt8>, _ row: PlacedRow,
    _ visit: (Field, UnsafeBufferPointer<UInt8>.SubSequence) -> Void
  ) -> Bool? {
    if row.tail.isEmpty { return matchFlat(name, row, visit) }
    flat.removeAll(keepingCapacity: true)
    flat += row.tail
    flat += name
    // Taken out for the call, so that the matcher is not read and written at once.
    let path = flat
    return path.withUnsafeBufferPointer { matchFlat($0, row, visit) }
  }

  private mutating func matchFlat(
    _ path: UnsafeBufferPointer<UInt8>, _ row: PlacedRow,
    _ visit: (Field, UnsafeBufferPointer<UInt8>.SubSequence) -> Void
  ) -> Bool? {
    let family = layout.families[row.family]
    guard row.component + 1 == family.pattern.components.count else { return nil }
    captures.removeAll(keepingCapacity: true)
    guard
      family.pattern.components[row.component].match(path, in: 0..<path.count, &captures),
      agree(with: row.bound, in: path)
    else { return nil }
    let known = family.shapes.isEmpty || matchShape(path, family, row.bound)
    if !known, family.clearing == .knownShapes { return nil }
    for capture in captures { visit(capture.field, path[capture.range]) }
    return known
  }

  private mutating func matchShape(
    _ path: UnsafeBufferPointer<UInt8>, _ family: Family, _ bound: [CacheKey.Binding]
  ) -> Bool {
    let count = captures.count
    let page = captures.first { $0.field == family.shapedField }?.range ?? 0..<path.count
    for shape in family.shapes {
      if shape.component.match(path, in: page, &captures), agree(with: bound, in: path) {
        return true
      }
      captures.removeSubrange(count...)
    }
    return false
  }

  /// Whether no field that the folders have bound has another value in the name.
  private func agree(
    with bound: [CacheKey.Binding], in name: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    for capture in captures {
      for binding in bound where binding.field == capture.field.name {
        guard name[capture.range].elementsEqual(binding.value) else { return false }
      }
    }
    return true
  }

  // MARK: Whole paths

  /// Classifies a path as the walk would that came by it.
  public mutating func classify(_ path: CachePath) -> Classification {
    atPlace(of: path, unsafe: .unknown) { matcher, name, place in
      matcher.classify(name, at: place)
    }
  }

  /// The value of each field of a path; empty for what no row matches.
  public mutating func fields(of path: CachePath) -> [String: [UInt8]] {
    atPlace(of: path, unsafe: [:]) { matcher, name, place in
      matcher.fields(of: name, at: place)
    }
  }

  private mutating func atPlace<Result>(
    of path: CachePath, unsafe: Result,
    _ body: (inout Matcher, UnsafeBufferPointer<UInt8>, LayoutPlace) -> Result
  ) -> Result {
    let parts = path.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard let last = parts.last, parts.allSatisfy(FieldKind.isSafeName) else { return unsafe }
    var place = LayoutPlace(root: layout)
    for part in parts.dropLast() {
      place = part.withUnsafeBufferPointer { enter($0, at: place) }
    }
    return last.withUnsafeBufferPointer { body(&self, $0, place) }
  }
}

extension Family {
  /// The field that the shapes describe: `page`, or else the last of the pattern.
  var shapedField: Field? {
    let fields = pattern.components.last?.fields
    return fields?.first { $0.name == "page" } ?? fields?.last
  }
}
