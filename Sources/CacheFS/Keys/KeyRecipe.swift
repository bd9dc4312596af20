// SPDX-License-Identifier: BSD-2-Clause
//
// Keys by the million: a family and some of its fields, looked up once, so that each row of a queue
// costs its key and no search for what it is a key of.

/// How keys of one family are made of values that come in a fixed order.
package struct KeyRecipe: Hashable, Sendable {
  /// The row's index in its layout.
  let family: Int
  let fields: [Field]
  /// What else each field accepts: a family may write one in two ways, as `2020Q1` and `2020q1`.
  let others: [[FieldKind]]
  let hashed: HashedTree?

  /// The key of these values, each checked by its field's kind.
  /// - Parameter value: the value of the field at a place among those that the recipe was made for.
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
  /// - Throws: ``KeyError``, but for bad values.
  package func recipe(_ family: String, _ fields: [String]) throws(KeyError) -> KeyRecipe {
    guard let own = families.firstIndex(where: { $0.name == family }) else {
      throw .unknownFamily(family)
    }
    guard families[own].clearing != .never else { throw .neverCleared(family: family) }
    // Where the site's configuration says what is cleared, it counts for the fields that it knows.
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

  /// The key for whoever reads by this layout from now on; nil when it has no such family or field.
  /// - Parameter layout: the one that the key was made for.
  package func key(_ key: CacheKey, of layout: Layout) -> CacheKey? {
    self == layout ? key : try? self.key(text: layout.text(of: key))
  }
}
