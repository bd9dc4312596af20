// SPDX-License-Identifier: BSD-2-Clause
//
// What may lie where: one row per family, read forward to turn a key into the files to clear
// and backward to say of any file found what it is. There is no second place that knows a path.

/// A kind of page, and where its files lie.
package struct Family: Hashable, Sendable {
  /// What clearing one of the family's keys takes with it.
  package enum Clearing: Hashable, Sendable {
    /// All that the pattern matches: whatever lies in a port's folder goes with the port.
    case everything
    /// Only what has one of the family's shapes.
    case knownShapes
    /// Nothing: it lives in the tree and stays.
    case never
  }

  package let name: String
  /// The whole path. The shapes describe its field `page`, or else its last one.
  package let pattern: Pattern
  /// What that field may look like, first match wins; none means anything goes.
  package let shapes: [Shape]
  package let clearing: Clearing
  /// Whether a visitor re-creates a page that is gone. Where not, what is old is so by right, and removing
  /// puts nothing right: an audit leaves it to a person.
  package let isRecreated: Bool
  /// Whether a site's configuration says where the family lies, so that its folder must exist.
  package let isConfigured: Bool
  /// Where its paths are made of a key's hash: the pattern and the shapes are those of the names on disk.
  package let hashed: HashedTree?
  /// The fields that may span components, of the pattern and the shapes.
  let spanningFields: [String]

  /// - Throws: ``PatternProblem``.
  package init(
    _ name: String, _ pattern: String, shapes: [String] = [], clearing: Clearing = .everything,
    isRecreated: Bool = true, isConfigured: Bool = false, hashed: HashedTree? = nil
  ) throws(PatternProblem) {
    self.name = name
    self.pattern = try Pattern(pattern)
    self.hashed = hashed
    var compiled: [Shape] = []
    for shape in shapes { compiled.append(try Shape(shape)) }
    // What is hashed is in no name.
    let misplaced = (self.pattern.fields + compiled.flatMap(\.fields)).first {
      $0.kind == .nginxKey
    }
    if let misplaced { throw .misplacedHash(misplaced.name) }
    self.shapes = compiled
    self.clearing = clearing
    self.isRecreated = isRecreated
    self.isConfigured = isConfigured
    spanningFields = (self.pattern.fields + compiled.flatMap(\.fields))
      .filter(\.kind.spansComponents).map(\.name)
  }

  /// A family whose paths are made of a key's hash, below a folder.
  /// - Throws: ``PatternProblem``.
  package init(
    _ name: String, below folder: String, _ hashed: HashedTree, isConfigured: Bool = false
  ) throws(PatternProblem) {
    try self.init(
      name, hashed.pattern(below: folder), shapes: HashedTree.shapes, clearing: .knownShapes,
      isConfigured: isConfigured, hashed: hashed)
  }

  /// The fields that its keys bind, in order: those of the pattern and its shapes, or the key that is hashed.
  package var fields: [Field] {
    if let hashed { return [hashed.keyField] }
    return pattern.fields + shapes.flatMap(\.fields)
  }

  /// The names of those fields.
  package var fieldNames: [String] {
    var names: [String] = []
    for field in fields where !names.contains(field.name) {
      names.append(field.name)
    }
    return names
  }
}

/// What a family's free field may look like, with fields of its own.
///
/// A field that the path has bound already (the ID in `commits/ID/ID...`) must have the same value.
package struct Shape: Hashable, Sendable, CustomStringConvertible {
  package let description: String
  let component: ComponentPattern

  /// - Throws: ``PatternProblem``.
  init(_ text: String) throws(PatternProblem) {
    description = text
    component = try ComponentPattern(tokens: Pattern.tokens(of: text[...]))
  }

  package var fields: [Field] { component.fields }
}

/// The table of families.
package struct Layout: Hashable, Sendable {
  /// What is what: the rows that are read backward, and forward where no glob stands for them.
  package let families: [Family]
  /// Rows that are read forward only: what a site's configuration clears of the family of that name.
  /// They never change what a page is taken for.
  let globs: [Family]
  /// Families and globs, as keys name them.
  let rows: [Family]

  package init(_ families: [Family]) { self.init(families, globs: []) }

  init(_ families: [Family], globs: [Family]) {
    self.families = families
    self.globs = globs
    rows = families + globs
  }

  package func family(named name: String) -> Family? { families.first { $0.name == name } }

  /// What is cleared of a family by a key of its pattern's fields: all of it, or what a site's
  /// configuration says.
  package func clearedPattern(of name: String) -> Pattern? {
    (globs.first { $0.name == name } ?? family(named: name))?.pattern
  }

  /// Every field that files can be counted by, in order of first appearance: those of families, and what the heads of
  /// hashed files tell.
  package var groupNames: [String] {
    let told = families.contains { $0.hashed != nil } ? HashedTree.toldByHead : []
    return fieldNames + told.filter { !fieldNames.contains($0) }
  }

  /// Every field that some family has, in order of first appearance.
  package var fieldNames: [String] {
    var names: [String] = []
    for name in families.flatMap(\.fieldNames) where !names.contains(name) { names.append(name) }
    return names
  }
}
