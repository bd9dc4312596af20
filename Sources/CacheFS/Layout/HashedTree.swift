// SPDX-License-Identifier: BSD-2-Clause
//
// A family whose paths are made from a hash of a key, such as nginx's cache: `proxy/{key:nginx...}` with levels
// 1:2.
//
// Its pattern describes the names on disk, so every walk of the tree knows its files. No name shows the key.
// Forward, the hash of the key gives the one path; backward, the file's own head gives the key.

/// How the files of a hashed family are named.
package struct HashedTree: Hashable, Sendable {
  /// The field that is hashed, with its name from the site's configuration.
  package let keyField: Field
  /// How many digits each folder's name takes from the end of the hash: `levels` of proxy_cache_path.
  package let levels: [Int]
  /// Whether a key may have several files. The key gives the name of only one of them. nginx makes the others
  /// from responses with `Vary`.
  package let hasVariants: Bool

  /// Names in the pattern on disk.
  private static let level = "level"
  static let file = "file"
  static let hash = "hash"
  /// The field of the name of a file that is being written.
  static let temporary = "temporary"

  /// The fields that a walk reads from the file's head beside the key.
  package static let toldByHead = HeadField.allCases.map(\.rawValue)

  /// The levels that nginx knows: none, or one to three folders of 1 or 2 digits.
  package static func accepts(levels: [Int]) -> Bool {
    levels.count <= 3 && levels.allSatisfy { $0 == 1 || $0 == 2 }
  }

  /// - Throws: ``PatternProblem`` for levels that nginx does not support.
  package init(
    key: String, levels: [Int], hasVariants: Bool
  ) throws(PatternProblem) {
    guard Self.accepts(levels: levels) else { throw .misplacedHash(key) }
    keyField = Field(name: key, kind: .nginxKey)
    self.levels = levels
    self.hasVariants = hasVariants
  }

  /// Splits `proxy/{key:nginx...}` into the folders before the field, and the field's name.
  /// - Returns: nil when the text does not end in such a field.
  /// - Throws: ``PatternProblem`` when such a field is anywhere else.
  package static func parts(
    of text: String
  ) throws(PatternProblem) -> (folder: String, key: String)? {
    let pattern = try Pattern(text)
    let isKey = { (field: Field) in field.kind == .nginxKey }
    guard let field = pattern.fields.first(where: isKey) else { return nil }
    guard pattern.fields == [field], pattern.components.count > 1,
      pattern.components.last?.tokens == [.field(field)]
    else { throw .misplacedHash(field.name) }
    let folder = pattern.components.dropLast().compactMap(\.literal)
    return (folder.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/"), field.name)
  }

  /// The pattern of the names on disk, below a folder.
  func pattern(below folder: String) -> String {
    let folders = levels.enumerated().map { "{\(Self.level)\($0 + 1):hex\($1)}" }
    return ([folder] + folders + ["{\(Self.file):name}"]).joined(separator: "/")
  }

  /// The shapes of those names. nginx's temporary files have a dot and ten digits after the hash.
  static let shapes = ["{\(hash):md5}", "{\(hash):md5}.{\(temporary):number}"]

  /// The fields of the one path of a key.
  func place(ofKey key: [UInt8]) -> [BoundField] {
    let hash = MD5.hex(key)
    var end = hash.count
    var bound = levels.enumerated().map { index, width in
      end -= width
      return BoundField(
        field: "\(Self.level)\(index + 1)", value: Array(hash[end..<(end + width)]))
    }
    bound.append(BoundField(field: Self.file, value: hash))
    return bound
  }
}
