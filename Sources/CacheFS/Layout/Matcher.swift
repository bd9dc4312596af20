// SPDX-License-Identifier: BSD-2-Clause
//
// The backward reading: what a file or folder is.

/// Matches names against rows. Each thread has its own matcher, because a matcher keeps buffers.
package struct Matcher: Sendable {
  let layout: Layout
  private let rows: [MatchedRow]
  private var captures: [Capture] = []
  /// How many of the captures belong to the pattern. The others belong to the shape.
  private var patternCaptures = 0
  private var shape = 0
  private var flat: [UInt8] = []

  package init(_ layout: Layout) {
    self.layout = layout
    rows = layout.rows.map(MatchedRow.init)
  }

  /// The components of a family's pattern.
  func components(of family: Int) -> [ComponentPattern] { rows[family].components }

  /// How a family's files are named, when a hash determines this.
  func hashed(_ family: Int) -> HashedTree? { rows[family].hashed }

  /// A family's fields that span several components.
  func spanningFields(of family: Int) -> [String] { rows[family].spanningFields }

  // MARK: Folder by folder

  /// The place of the folder `name` in a folder at `place`.
  mutating func enter(_ name: UnsafeBufferPointer<UInt8>, at place: LayoutPlace) -> LayoutPlace {
    var rows: [PlacedRow] = []
    rows.reserveCapacity(min(place.rows.count, 2))
    for row in place.rows {
      if let next = enter(name, row) { rows.append(next) }
    }
    return LayoutPlace(rows: rows)
  }

  /// The row in the folder `name`; nil when the row matches nothing there.
  mutating func enter(_ name: UnsafeBufferPointer<UInt8>, _ row: PlacedRow) -> PlacedRow? {
    let components = rows[row.family].components
    let component = components[row.component]
    if rows[row.family].spansComponents[row.component] {
      return PlacedRow(
        family: row.family, component: row.component, bound: row.bound,
        tail: row.tail.appending(folder: name))
    }
    captures.removeAll(keepingCapacity: true)
    guard row.component + 1 < components.count,
      component.match(name, in: 0..<name.count, &captures)
    else { return nil }
    patternCaptures = captures.count
    guard agree(with: row, in: name) else { return nil }
    var bound = row.bound
    bound.reserveCapacity(bound.count + captures.count)
    for capture in captures {
      guard let field = component.field(capture.token) else { continue }
      bound.append(BoundField(field: field.name, value: Array(name[capture.range])))
    }
    return PlacedRow(family: row.family, component: row.component + 1, bound: bound, tail: [])
  }

  /// What the file `name` is in a folder at `place`.
  mutating func classify(
    _ name: UnsafeBufferPointer<UInt8>, at place: LayoutPlace
  ) -> Classification {
    for row in place.rows {
      if let known = match(name, row) {
        return Classification(family: row.family, hasKnownShape: known)
      }
    }
    return .unknown
  }

  /// The fields of the file `name`, including those of its folders; empty for an unknown file.
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

  /// Passes each field of the file `name`, which belongs to a family, to `visit`. The fields of its folders
  /// come first. A field in both the folders and the name comes twice. No path is built.
  mutating func visitFields(
    of name: UnsafeBufferPointer<UInt8>, at place: LayoutPlace, family: Int,
    _ visit: (String, UnsafeRawBufferPointer) -> Void
  ) {
    for row in place.rows where row.family == family {
      for binding in row.bound { binding.value.withUnsafeBytes { visit(binding.field, $0) } }
      _ = match(name, row) { field, value in
        visit(field.name, UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: value)))
      }
    }
  }

  /// Whether the row matches the file `name`: nil when it does not, otherwise whether its shape is known.
  /// When it matches, `visit` receives each field in the name.
  mutating func match(
    _ name: UnsafeBufferPointer<UInt8>, _ row: PlacedRow,
    _ visit: (Field, UnsafeBufferPointer<UInt8>.SubSequence) -> Void
  ) -> Bool? {
    withFlat(name, row) { matcher, path in
      let known = matcher.matchFlat(path, row)
      if known != nil { matcher.visit(path, row, visit) }
      return known
    }
  }

  private mutating func match(
    _ name: UnsafeBufferPointer<UInt8>, _ row: PlacedRow
  ) -> Bool? {
    withFlat(name, row) { matcher, path in matcher.matchFlat(path, row) }
  }

  /// The name with the row's tail before it.
  private mutating func withFlat(
    _ name: UnsafeBufferPointer<UInt8>, _ row: PlacedRow,
    _ body: (inout Matcher, UnsafeBufferPointer<UInt8>) -> Bool?
  ) -> Bool? {
    if row.tail.isEmpty { return body(&self, name) }
    flat.removeAll(keepingCapacity: true)
    flat += row.tail
    flat += name
    // Moved out for the call, so that the matcher is not read and written at the same time.
    let path = flat
    return path.withUnsafeBufferPointer { body(&self, $0) }
  }

  private mutating func matchFlat(
    _ path: UnsafeBufferPointer<UInt8>, _ row: PlacedRow
  ) -> Bool? {
    let family = rows[row.family]
    guard row.component + 1 == family.components.count else { return nil }
    captures.removeAll(keepingCapacity: true)
    guard family.components[row.component].match(path, in: 0..<path.count, &captures)
    else { return nil }
    patternCaptures = captures.count
    guard agree(with: row, in: path) else { return nil }
    let known = family.shapes.isEmpty || matchShape(path, row)
    if !known, family.clearing == .knownShapes { return nil }
    return known
  }

  private mutating func matchShape(
    _ path: UnsafeBufferPointer<UInt8>, _ row: PlacedRow
  ) -> Bool {
    let family = rows[row.family]
    let shaped = captures.first { $0.token == family.shapedToken }
    let page = shaped?.range ?? 0..<path.count
    for index in family.shapes.indices {
      shape = index
      if family.shapes[index].match(path, in: page, &captures), agree(with: row, in: path) {
        return true
      }
      captures.removeSubrange(patternCaptures...)
    }
    return false
  }

  /// Whether every field that the folders have bound has the same value in the name.
  private func agree(
    with row: PlacedRow, in name: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard rows[row.family].repeatsFields else { return true }
    for index in captures.indices {
      guard let field = field(of: index, row) else { continue }
      for binding in row.bound where binding.field == field.name {
        guard name[captures[index].range].elementsEqual(binding.value) else { return false }
      }
    }
    return true
  }

  private func visit(
    _ path: UnsafeBufferPointer<UInt8>, _ row: PlacedRow,
    _ body: (Field, UnsafeBufferPointer<UInt8>.SubSequence) -> Void
  ) {
    for index in captures.indices {
      if let field = field(of: index, row) { body(field, path[captures[index].range]) }
    }
  }

  private func field(of capture: Int, _ row: PlacedRow) -> Field? {
    let family = rows[row.family]
    let pattern =
      capture < patternCaptures ? family.components[row.component] : family.shapes[shape]
    return pattern.field(captures[capture].token)
  }

  // MARK: Whole paths

  /// Classifies a path in the same way as a walk that meets it.
  package mutating func classify(_ path: CachePath) -> Classification {
    atPlace(of: path, unsafe: .unknown) { matcher, name, place in
      matcher.classify(name, at: place)
    }
  }

  /// A folder's place. It has no rows when nothing can lie there.
  mutating func place(ofFolder path: CachePath) -> LayoutPlace {
    let parts = path.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.allSatisfy(FieldKind.isSafeName) else { return LayoutPlace(rows: []) }
    var place = LayoutPlace(root: layout)
    for part in parts { place = part.withUnsafeBufferPointer { enter($0, at: place) } }
    return place
  }

  /// The value of each field of a path; empty when no row matches.
  package mutating func fields(of path: CachePath) -> [String: [UInt8]] {
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
