// SPDX-License-Identifier: BSD-2-Clause
//
// A path pattern such as `daily/{year}/{month}/{day}.daily.{branch}`. Its text is parsed once.
//
// `{name}` is a field of the kind with that name, `{name:kind}` is a field of another kind, and `{name...}` is
// the rest of the path. Only the last component may hold a rest.

import Basics

/// Why a pattern cannot be used.
package enum PatternProblem: Error, Equatable, Sendable {
  /// The text is empty, or a component of it is.
  case emptyComponent
  /// A component is `.` or `..`.
  case dotComponent
  /// A brace is opened but not closed, or closed but not opened.
  case unbalancedBrace
  /// `{name:kind}` with a kind that does not exist.
  case unknownKind(String)
  /// A field name contains other characters than letters, digits and `_`.
  case badFieldName(String)
  /// A name could be cut in two ways at this field.
  case ambiguous(String)
  /// A field that spans components is before the last one.
  case restNotLast(String)
  /// A hashed key has other fields beside it, is not below a folder, or has levels that nginx does not
  /// support.
  case misplacedHash(String)
}

/// A pattern of paths relative to the cache directory.
package struct Pattern: Hashable, Sendable, CustomStringConvertible {
  /// The text that it was made from.
  package let description: String
  let components: [ComponentPattern]

  /// Compiles a pattern.
  /// - Throws: ``PatternProblem``.
  package init(_ text: String) throws(PatternProblem) {
    description = text
    var components: [ComponentPattern] = []
    // Split by scalars: a combining mark joins a slash into one character.
    for part in text.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false) {
      let part = Substring(part)
      guard !part.isEmpty else { throw .emptyComponent }
      guard part != ".", part != ".." else { throw .dotComponent }
      components.append(try ComponentPattern(tokens: Self.tokens(of: part)))
    }
    for component in components.dropLast() where component.spansComponents {
      throw .restNotLast(component.fields.first { $0.kind.spansComponents }?.name ?? "")
    }
    self.components = components
  }

  /// The fields in order of first appearance.
  package var fields: [Field] {
    var seen: [Field] = []
    for field in components.flatMap(\.fields) where !seen.contains(field) { seen.append(field) }
    return seen
  }

  /// Splits the text of one component, or of a shape, into literals and fields. It splits by bytes, because a
  /// combining mark joins a brace into one character.
  static func tokens(of text: Substring) throws(PatternProblem) -> [Token] {
    var tokens: [Token] = []
    var rest = text.utf8
    while let first = rest.first {
      if first == UInt8(ascii: "{") {
        guard let close = rest.firstIndex(of: UInt8(ascii: "}")) else { throw .unbalancedBrace }
        tokens.append(.field(try field(Substring(rest[..<close].dropFirst()))))
        rest = rest[close...].dropFirst()
      } else {
        let literal = rest.prefix { $0 != UInt8(ascii: "{") }
        guard !literal.contains(UInt8(ascii: "}")) else { throw .unbalancedBrace }
        tokens.append(.literal(Array(literal)))
        rest = rest[literal.endIndex...]
      }
    }
    return tokens
  }

  private static func field(_ text: Substring) throws(PatternProblem) -> Field {
    let isRest = text.hasSuffix("...")
    let body = isRest ? text.dropLast(3) : text
    let parts = body.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard !name.isEmpty,
      name.utf8.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") })
    else { throw .badFieldName(name) }
    if parts.count == 2 {
      guard let kind = FieldKind(rawValue: String(parts[1])), kind.spansComponents == isRest else {
        throw .unknownKind(String(parts[1]))
      }
      return Field(name: name, kind: kind)
    }
    if isRest { return Field(name: name, kind: .rest) }
    return Field(name: name, kind: FieldKind(rawValue: name) ?? .word)
  }
}
