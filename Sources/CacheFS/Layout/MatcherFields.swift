// SPDX-License-Identifier: BSD-2-Clause
//
// One field of a file's path, for grouping.

extension Matcher {
  /// The value of the field `name` in the path of `file`; nil when the file matches no row, or a row without
  /// that field.
  mutating func value(
    of field: String, file: UnsafeBufferPointer<UInt8>, at place: LayoutPlace
  ) -> [UInt8]? {
    for row in place.rows {
      var value = row.bound.first { $0.field == field }?.value
      let known = match(file, row) { found, bytes in
        if found.name == field { value = Array(bytes) }
      }
      if known != nil { return value }
    }
    return nil
  }
}
