// SPDX-License-Identifier: BSD-2-Clause
//
// Fast making of millions of keys: a family and some of its fields are looked up once. Each row of a queue then
// needs no lookup of its family.

/// How keys of one family are made from values in a fixed order.
package struct KeyRecipe: Hashable, Sendable {
  /// The row's index in its layout.
  let family: Int
  let fields: [Field]
  /// What else each field accepts. A family may write a field in two ways, such as `2020Q1` and `2020q1`.
  let others: [[FieldKind]]
  let hashed: HashedTree?

  /// The key of these values. The kind of each field checks its value.
  /// - Parameter value: returns the value of the field at an index of the fields that the recipe was made
  ///   for.
  /// - Throws: ``KeyError/badValue(_:field:kind:)``.
  @inline(__always)
  package func key(_ value: (Int) -> [UInt8]) throws(KeyError) -> CacheKey {
    var bindings: [BoundField] = []
    bindings.reserveCapacity(fields.count)
    for index in fields.indices {
      let field = fields[index]
      let value = value(index)
      guard field.kind.accepts(value) || others[index].contains(where: { $0.accepts(value) }) else {
        throw .badValue(value, field: field.name, kind: field.kind)
      }
      bindings.append(BoundField(field: field.name, value: value))
    }
    return CacheKey(family: family, bindings: bindings, hashed)
  }
}

extension Layout {
  /// A recipe for keys of a family that bind these fields.
  /// - Throws: ``KeyError``, except for bad values.
  package func recipe(_ family: String, _ fields: [String]) throws(KeyError) -> KeyRecipe {
    guard let own = families.firstIndex(where: { $0.name == family }) else {
      throw .unknownFamily(family)
    }
    guard families[own].clearing != .never else { throw .neverCleared(family: family) }
    // What the site's configuration clears applies when it has all these fields.
    let glob = globs.firstIndex { glob in
      glob.name == family && fields.allSatisfy { glob.field(named: $0) != nil }
    }
    let index = glob.map { families.count + $0 } ?? own
    var found: [Field] = []
    var others: [[FieldKind]] = []
    for name in fields {
      guard let field = rows[index].field(named: name) else {
        throw .unknownField(name, family: family)
      }
      found.append(field)
      others.append(rows[index].kinds(ofField: name).filter { $0 != field.kind })
    }
    return KeyRecipe(family: index, fields: found, others: others, hashed: rows[index].hashed)
  }

  /// The same key for this layout, when the layout has changed; nil when this layout has no such family or
  /// field.
  /// - Parameter layout: the layout that the key was made for.
  package func key(_ key: CacheKey, of layout: Layout) -> CacheKey? {
    self == layout ? key : try? self.key(text: layout.text(of: key))
  }
}
