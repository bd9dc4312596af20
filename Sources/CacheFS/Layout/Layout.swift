// SPDX-License-Identifier: BSD-2-Clause
//
// What may lie where, with one row per family. Read forward, a row turns a key into the files to clear. Read
// backward, it says what any file is. No other part of the program knows a path.

/// A kind of page, and where its files lie.
package struct Family: Hashable, Sendable {
  /// What clearing one of the family's keys removes.
  package enum Clearing: Hashable, Sendable {
    /// Everything that the pattern matches: all files in a port's folder are removed with the port.
    case everything
    /// Only files that have one of the family's shapes.
    case knownShapes
    /// Nothing: it is in the tree and stays.
    case never
  }

  package let name: String
  /// The whole path. The shapes describe its field `page`, or else its last field.
  package let pattern: Pattern
  /// The allowed shapes of that field; the first match wins. No shapes means that any value is allowed.
  package let shapes: [Shape]
  package let clearing: Clearing
  /// Whether visitors re-create a removed page. If not, an old page may be correct, and removing it repairs
  /// nothing: an audit leaves it to a person.
  package let isRecreated: Bool
  /// Whether the site's configuration gives the family's place. Its folder must then exist.
  package let isConfigured: Bool
  /// Set when the paths are made from a key's hash. The pattern and the shapes then describe the names on
  /// disk.
  package let hashed: HashedTree?
  /// The fields of the pattern and the shapes that may span components.
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
    // No name may contain the key that is hashed.
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

  /// A family below a folder whose paths are made from a key's hash.
  /// - Throws: ``PatternProblem``.
  package init(
    _ name: String, below folder: String, _ hashed: HashedTree, isConfigured: Bool = false
  ) throws(PatternProblem) {
    try self.init(
      name, hashed.pattern(below: folder), shapes: HashedTree.shapes, clearing: .knownShapes,
      isConfigured: isConfigured, hashed: hashed)
  }

  /// The fields that its keys bind, in order: those of the pattern and its shapes, or the hashed key.
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

/// An allowed shape of a family's free field. It may have more fields.
///
/// A field that the path has already bound (the ID in `commits/ID/ID...`) must have the same value.
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
  /// The rows that classify files. They are read backward, and also forward where no glob replaces them.
  package let families: [Family]
  /// Rows that are read forward only: what a site's configuration clears in the family of that name. They
  /// never change how a page is classified.
  let globs: [Family]
  /// Families and globs, in the order that keys use.
  let rows: [Family]

  package init(_ families: [Family]) { self.init(families, globs: []) }

  init(_ families: [Family], globs: [Family]) {
    self.families = families
    self.globs = globs
    rows = families + globs
  }

  package func family(named name: String) -> Family? { families.first { $0.name == name } }

  /// What a key of the pattern's fields clears in a family: all of it, or what the site's configuration says.
  package func clearedPattern(of name: String) -> Pattern? {
    (globs.first { $0.name == name } ?? family(named: name))?.pattern
  }

  /// Every field that files can be counted by, in order of first appearance: the fields of families, and the
  /// fields that the heads of hashed files show.
  package var groupNames: [String] {
    let told = families.contains { $0.hashed != nil } ? HashedTree.toldByHead : []
    return fieldNames + told.filter { !fieldNames.contains($0) }
  }

  /// Every field of any family, in order of first appearance.
  package var fieldNames: [String] {
    var names: [String] = []
    for name in families.flatMap(\.fieldNames) where !names.contains(name) { names.append(name) }
    return names
  }
}
