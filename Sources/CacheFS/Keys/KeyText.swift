// SPDX-License-Identifier: BSD-2-Clause
//
// Keys as text, for a file that survives the process: `family TAB field=value TAB ...`.

import Basics

extension Layout {
  /// The key on one line; ``key(text:)`` reads it back.
  package func text(of key: CacheKey) -> String {
    var text: [UInt8] = []
    append(textOf: key, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Adds the key's text to a list of many.
  package func append(textOf key: CacheKey, to text: inout [UInt8]) {
    text += rows[key.family].name.utf8
    for binding in key.bindings {
      text.append(UInt8(ascii: "\t"))
      text += binding.field.utf8
      text.append(UInt8(ascii: "="))
      let value = binding.value
      if isPlain(value) { text += value } else { text += escape(value).utf8 }
    }
  }

  /// Reads a key back; its values are checked like any other's.
  /// - Throws: ``KeyError``; a field without a value is an unknown one.
  package func key(text: some StringProtocol) throws(KeyError) -> CacheKey {
    // By bytes: a combining mark makes one character of itself and the sign before it.
    let parts = Array(text.utf8).split(
      separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
    let family = String(decoding: parts.first ?? [], as: UTF8.self)
    var values: [(field: String, value: [UInt8])] = []
    values.reserveCapacity(parts.count)
    for part in parts.dropFirst() {
      guard let equals = part.firstIndex(of: UInt8(ascii: "=")),
        let value = unescape(String(decoding: part[(equals + 1)...], as: UTF8.self))
      else { throw .unknownField(String(decoding: part, as: UTF8.self), family: family) }
      values.append((String(decoding: part[..<equals], as: UTF8.self), value))
    }
    return try key(family, values)
  }
}
