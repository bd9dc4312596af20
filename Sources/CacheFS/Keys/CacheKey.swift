// SPDX-License-Identifier: BSD-2-Clause
//
// What to clear: a family and the known values of its fields.

import Basics

/// A family with some of its fields bound. This is the forward reading of a layout's row.
package struct CacheKey: Hashable, Sendable {
  /// The index of the family, or of the row that says what is cleared of it, among its layout's rows.
  let family: Int
  let bindings: [BoundField]
  /// For a bound key of a hashed family: the names on disk that it means.
  let hashed: HashedKey?

  init(family: Int, bindings: [BoundField], _ tree: HashedTree? = nil) {
    self.family = family
    self.bindings = bindings
    hashed = tree.flatMap { HashedKey(bindings, $0) }
  }

  /// The fields that the names of the key's pages on disk show.
  var shown: [BoundField] { hashed?.shown ?? bindings }

  package static func == (left: Self, right: Self) -> Bool {
    left.family == right.family && left.bindings == right.bindings
  }

  /// Only the family and the values are hashed, each in one call. A drain hashes two keys for each row, and
  /// usually the family determines the names of the fields.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(family)
    for binding in bindings {
      hasher.combine(binding.value.count)
      binding.value.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
  }

  /// A hash that includes the fields' names. It is for callers that keep it in place of the key and treat two
  /// keys with the same hash as one.
  package var fingerprint: Int {
    var hasher = Hasher()
    hasher.combine(self)
    for binding in bindings { hasher.combine(binding.field) }
    return hasher.finalize()
  }

  /// What keys below one folder usually share: the first of their values.
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

  /// The value of a field in the names of the key's pages on disk.
  func value(of field: String) -> [UInt8]? {
    for binding in shown where binding.field == field { return binding.value }
    return nil
  }
}

/// What a key of a hashed family means on disk. It is made once for each key.
final class HashedKey: Sendable {
  /// The whole key, or the text of a pattern.
  let text: [UInt8]
  /// The keys that a pattern means; nil for a whole key.
  let glob: KeyGlob?
  /// The fields of the one path of a whole key; empty for a pattern.
  let shown: [BoundField]
  /// Whether other files than that one may belong to the key. Only the heads of the files show this.
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

/// Why a key cannot be made. No path is ever built from the value.
package enum KeyError: Error, Equatable, Sendable {
  case unknownFamily(String)
  case unknownField(String, family: String)
  /// The field's kind does not accept the value.
  case badValue([UInt8], field: String, kind: FieldKind)
  /// The family is never cleared.
  case neverCleared(family: String)
}

extension Layout {
  /// Makes a key. The kind of each field checks its value.
  /// - Throws: ``KeyError``.
  package func key(
    _ family: String, _ values: [(field: String, value: [UInt8])]
  ) throws(KeyError) -> CacheKey {
    try recipe(family, values.map(\.field)).key { values[$0].value }
  }
}

extension Layout {
  /// Whether the key is a pattern of keys, which may overlap with other keys.
  package func isPattern(_ key: CacheKey) -> Bool { key.hashed?.glob != nil }

  /// Whether the key leaves a folder above the last component open, so that it must be listed.
  func isWide(_ key: CacheKey) -> Bool {
    rows[key.family].pattern.components.dropLast().contains {
      $0.render { key.value(of: $0.name) } == nil
    }
  }

  /// Whether a key takes so much that a person is asked first: a whole family, everything in a folder whose
  /// page names have fields, or pages of several folders. Clearing one port's folder needs no question.
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
  /// The field of that name, in the pattern or else in a shape.
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
  /// - Throws: ``KeyError`` when the layout has no family of that name.
  package func all(of family: String) throws(KeyError) -> CacheKey { try key(family, []) }
}
