// SPDX-License-Identifier: BSD-2-Clause
//
// A field of a pattern and its value.

/// A field and its value.
struct BoundField: Hashable, Sendable {
  let field: String
  let value: [UInt8]
}
