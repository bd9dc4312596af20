// SPDX-License-Identifier: BSD-2-Clause
//
// Reads keys back from their texts. A list of a million keys has few forms, such as `ports` with a category and a
// port: the family and the fields of a form are looked up once.

import Basics

/// Reads the texts of keys, one after the other.
package struct KeyReader {
  private let layout: Layout
  /// By form: the text without its values.
  private var recipes: [[UInt8]: KeyRecipe] = [:]
  private var last: (form: [UInt8], recipe: KeyRecipe)?

  package init(_ layout: Layout) { self.layout = layout }

  /// Reads a key back from what ``Layout/append(textOf:to:)`` wrote. Its values are checked like those of any other
  /// key.
  /// - Throws: ``KeyError``; a field without a value is an unknown field.
  package mutating func key(_ text: ArraySlice<UInt8>) throws(KeyError) -> CacheKey {
    // By bytes, because a combining mark joins the character before it.
    let parts = text.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
    var form: [UInt8] = []
    form.reserveCapacity(text.count)
    form += parts[0]
    var fields: [ArraySlice<UInt8>] = []
    var values: [[UInt8]] = []
    for part in parts.dropFirst() {
      guard let equals = part.firstIndex(of: UInt8(ascii: "=")),
        let value = Self.value(part[(equals + 1)...])
      else { throw .unknownField(Self.string(part), family: Self.string(parts[0])) }
      fields.append(part[..<equals])
      values.append(value)
      form.append(UInt8(ascii: "\t"))
      form += part[..<equals]
    }
    return try recipe(form, parts[0], fields).key { values[$0] }
  }

  private mutating func recipe(
    _ form: [UInt8], _ family: ArraySlice<UInt8>, _ fields: [ArraySlice<UInt8>]
  ) throws(KeyError) -> KeyRecipe {
    if let last, last.form == form { return last.recipe }
    let recipe =
      if let known = recipes[form] { known } else {
        try layout.recipe(Self.string(family), fields.map(Self.string))
      }
    recipes[form] = recipe
    last = (form, recipe)
    return recipe
  }

  private static func value(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    isPlain(text) ? Array(text) : unescape(string(text))
  }

  private static func string(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }
}

extension Layout {
  /// Reads one key back from its text.
  /// - Throws: ``KeyError``.
  package func key(text: some StringProtocol) throws(KeyError) -> CacheKey {
    var reader = KeyReader(self)
    return try reader.key(Array(text.utf8)[...])
  }
}
