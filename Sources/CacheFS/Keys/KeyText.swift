// SPDX-License-Identifier: BSD-2-Clause
//
// Keys as text, for a file that survives the process: `family TAB field=value TAB ...`. And as members of a JSON
// object, for other programs.

import Basics

extension Layout {
  /// The key on one line; ``key(text:)`` reads it back.
  package func text(of key: CacheKey) -> String {
    var text: [UInt8] = []
    append(textOf: key, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends the key's text to a buffer of many.
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

  /// Appends the members of a JSON object: `"family":"ports","key":{"category":"www","port":"nginx"}`. Untrusted
  /// values are escaped.
  package func append(membersOf key: CacheKey, to text: inout [UInt8]) {
    text += "\"family\":".utf8
    JSON.append(escaped: Array(rows[key.family].name.utf8), to: &text)
    text += ",\"key\":{".utf8
    for (index, binding) in key.bindings.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      JSON.append(escaped: Array(binding.field.utf8), to: &text)
      text.append(UInt8(ascii: ":"))
      JSON.append(escaped: binding.value, to: &text)
    }
    text.append(UInt8(ascii: "}"))
  }
}
