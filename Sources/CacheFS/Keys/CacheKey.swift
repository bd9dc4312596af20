// SPDX-License-Identifier: BSD-2-Clause
//
// What is to be cleared: a family and the fields that are known of it.

import Basics

/// A family with some of its fields bound: the forward reading of a layout's row.
package struct CacheKey: Hashable, Sendable {
  /// The index of the family, or of what is cleared of it, among its layout's rows.
  let family: Int
  let bindings: [BoundField]
  /// Where the family is hashed and the key is bound: which names on disk that means.
  let hashed: HashedKey?

  init(family: Int, bindings: [BoundField], _ tree: HashedTree? = nil) {
    self.family = family
    self.bindings = bindings
    hashed = tree.flatMap { HashedKey(bindings, $0) }
  }

  /// What the names on disk of the key's pages show.
  var shown: [BoundField] { hashed?.shown ?? bindings }

  package static func == (left: Self, right: Self) -> Bool {
    left.family == right.family && left.bindings == right.bindings
  }

  /// By family and values only, each in one go: a drain hashes two keys for each row, and as a rule
  /// the fields' names follow from the family.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(family)
    for binding in bindings {
      hasher.combine(binding.value.count)
      binding.value.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
  }

  /// A hash in which the fields' names are counted too: for those who keep it in the key's place, and
  /// for whom two keys that share it are one.
  package var fingerprint: Int {
    var hasher = Hasher()
    hasher.combine(self)
    for binding in bindings { hasher.combine(binding.field) }
    return hasher.finalize()
  }

  /// What the keys below one folder have in common, as a rule: the first of their values.
  struct Neighbourhood: Hashable {
    let family: Int
    let value: [UInt8]?

    func hash(into hasher: inout Hasher) {
      hasher.combine(family)
      value?.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
  }

  var neighbourhood: Neighbourhood {
    Neighbourhood(family: family, value: shown.first?.value)
  }

  /// The value that a field has in the names on disk of the key's pages.
  func value(of field: String) -> [UInt8]? {
    for binding in shown where binding.field == field { return binding.value }
    return nil
  }
}

/// What a key of a hashed family means on disk; made once for each key.
final class HashedKey: Sendable {
  /// The whole key, or the text of a pattern.
  let text: [UInt8]
  /// For a pattern, which keys it means; nil for a whole key.
  let glob: KeyGlob?
  /// The fields of the one path that a whole key has; none for a pattern.
  let shown: [BoundField]
  /// Whether more files than that one may be the key's, which only their heads tell.
  let mayVary: Bool

  /// Nil for the whole family.
  init?(_ bindings: [BoundField], _ tree: HashedTree) {
    guard let key = bindings.first?.value else { return nil }
    text = key
    glob = KeyGlob(key)
    shown = glob == nil ? tree.place(ofKey: key) : []
    mayVary = tree.hasVariants
  }
}

/// Why no key can be made. No path is ever built from the value.
package enum KeyError: Error, Equatable, Sendable {
  case unknownFamily(String)
  case unknownField(String, family: String)
  /// The field's kind does not accept the value.
  case badValue([UInt8], field: String, kind: FieldKind)
  /// The family is one that is never cleared.
  case neverCleared(family: String)
}

extension Layout {
  /// Makes a key; every value is checked by its field's kind.
  /// - Throws: ``KeyError``.
  package func key(
    _ family: String, _ values: [(field: String, value: [UInt8])]
  ) throws(KeyError) -> CacheKey {
    try recipe(family, values.map(\.field)).key { values[$0].value }
  }
}

extension Layout {
  /// Whether the key is a pattern of keys, which may mean what other keys mean as well.
  package func isPattern(_ key: CacheKey) -> Bool { key.hashed?.glob != nil }

  /// Whether a folder above the last component is left open by the key, so that it has to be listed.
  func isWide(_ key: CacheKey) -> Bool {
    rows[key.family].pattern.components.dropLast().contains {
      $0.render { key.value(of: $0.name) } == nil
    }
  }

  /// Whether a key takes so much that a person is asked first: a whole family, all that lies in a
  /// folder whose pages have names with fields, or pages of several folders. What lies in one port's
  /// folder is nothing to ask about.
  package func isBig(_ key: CacheKey) -> Bool {
    if key.bindings.isEmpty || isWide(key) { return true }
    if key.hashed != nil { return false }
    let names = rows[key.family].pattern.components.last?.fields.filter {
      !$0.kind.spansComponents && $0.name != "page"
    }
    guard let names, !names.isEmpty else { return false }
    return names.allSatisfy { key.value(of: $0.name) == nil }
  }
}

extension Family {
  /// The field of that name, of the pattern or else of a shape.
  package func field(named name: String) -> Field? { fields(named: name).first }

  /// The kinds of all fields of that name.
  func kinds(ofField name: String) -> [FieldKind] { fields(named: name).map(\.kind) }

  private func fields(named name: String) -> [Field] {
    if let hashed { return hashed.keyField.name == name ? [hashed.keyField] : [] }
    return (pattern.components + shapes.map(\.component)).flatMap(\.fields)
      .filter { $0.name == name }
  }
}

extension KeyError {
  /// What is wrong with a value and what was expected.
  package var explanation: String {
    switch self {
    case .unknownFamily(let family): "the layout has no family \(family)"
    case .unknownField(let field, let family): "the family \(family) has no field \(field)"
    case .neverCleared(let family): "the family \(family) is never cleared"
    case .badValue(let value, let field, let kind):
      "\"\(excerpt(value))\" is not a valid \(field): expected \(kind.expectation)"
    }
  }
}

extension Layout {
  /// A whole family.
  /// - Throws: ``KeyError`` when the layout has none of that name.
  package func all(of family: String) throws(KeyError) -> CacheKey { try key(family, []) }
}
