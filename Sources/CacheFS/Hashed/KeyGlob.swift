// SPDX-License-Identifier: BSD-2-Clause
//
// A key of a hashed family with `*` in it. It is compiled once and matched against each file of the family.

/// A pattern of keys. Each `*` matches any run of bytes, including slashes and the empty run.
package struct KeyGlob: Hashable, Sendable {
  package static let star = UInt8(ascii: "*")
  /// More stars than anyone needs. Each star costs a search in each key.
  package static let mostStars = 8

  /// The text before the first star: a key must begin with it.
  let prefix: [UInt8]
  /// The texts between two stars, in order.
  private let middle: [[UInt8]]
  private let suffix: [UInt8]

  /// Nil when there is no star: the text is a whole key.
  package init?(_ text: [UInt8]) {
    guard text.contains(Self.star) else { return nil }
    let pieces = text.split(separator: Self.star, omittingEmptySubsequences: false).map(Array.init)
    prefix = pieces.first ?? []
    suffix = pieces.last ?? []
    middle = pieces.dropFirst().dropLast().filter { !$0.isEmpty }
  }

  /// Whether the pattern matches the whole key.
  package func matches(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
    guard key.count >= prefix.count + suffix.count, key.starts(with: prefix) else { return false }
    if suffix.isEmpty, middle.isEmpty { return true }
    var start = prefix.count
    let end = key.count - suffix.count
    guard key[end...].elementsEqual(suffix) else { return false }
    for piece in middle {
      guard let found = Self.find(piece, in: key, from: start, to: end) else { return false }
      start = found + piece.count
    }
    return true
  }

  /// Whether a key with this beginning may match.
  func mayMatch(_ beginning: UnsafeBufferPointer<UInt8>) -> Bool {
    beginning.count < prefix.count
      ? prefix.starts(with: beginning) : beginning.starts(with: prefix)
  }

  private static func find(
    _ piece: [UInt8], in key: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int
  ) -> Int? {
    guard end - start >= piece.count else { return nil }
    return (start...(end - piece.count)).first { key[$0...].starts(with: piece) }
  }
}
