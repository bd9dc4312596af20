// SPDX-License-Identifier: BSD-2-Clause
//
// What is to be cleared: a family and the fields that are known of it.

import Basics

/// A family with some of its fields bound: the forward reading of a layout's row.
package struct CacheKey: Hashable, Sendable {
  /// The index of the family, or of what is cleared of it, among its layout's rows.
  let family: Int
  let bindings: [BoundField]

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
    Neighbourhood(family: family, value: bindings.first?.value)
  }

  func value(of field: String) -> [UInt8]? {
    for binding in bindings where binding.field == field { return binding.value }
    return nil
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
    (pattern.components + shapes.map(\.component)).flatMap(\.fields).filter { $0.name == name }
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
