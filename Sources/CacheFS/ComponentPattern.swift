// One component of a path pattern, compiled once and matched in one pass.
//
// At most one field may be "open" (able to swallow the literal behind it); what stands before
// it is read from the left and what stands after it from the right, so there is no
// backtracking and a match costs time linear in the name.

/// A piece of a component: text as it stands, or a field's value.
enum Token: Hashable, Sendable {
  case literal([UInt8])
  case field(Field)
}

/// A named place in a pattern and what may stand there.
public struct Field: Hashable, Sendable {
  public let name: String
  public let kind: FieldKind
}

/// Where a field's value was found in a name.
struct Capture {
  let field: Field
  let range: Range<Int>
}

/// The pattern of one path component, or of a family's free tail.
struct ComponentPattern: Hashable, Sendable {
  let tokens: [Token]
  /// The token that is matched last, by what the others leave.
  private let open: Int?

  /// - Throws: ``PatternProblem/ambiguous`` when a name could be cut in two ways.
  init(tokens: [Token]) throws(PatternProblem) {
    self.tokens = tokens
    var open: Int?
    for (index, token) in tokens.enumerated() {
      guard case .field(let field) = token, field.kind.fixedWidth == nil else { continue }
      guard index + 1 < tokens.count else {
        if open == nil { open = index }
        continue
      }
      switch tokens[index + 1] {
      case .field: throw .ambiguous(field.name)
      case .literal(let text):
        guard let first = text.first, field.kind.contains(first) else { continue }
        guard open == nil else { throw .ambiguous(field.name) }
        open = index
      }
    }
    if let open { try Self.checkRightSide(tokens, after: open) }
    self.open = open
  }

  /// Right of the open field, a field is delimited by the literal before it.
  private static func checkRightSide(_ tokens: [Token], after open: Int) throws(PatternProblem) {
    for index in tokens.indices where index > open {
      guard case .field(let field) = tokens[index], field.kind.fixedWidth == nil else { continue }
      // Read from the right, a field of a fixed width before it would be swallowed.
      guard case .literal(let text) = tokens[index - 1], let last = text.last,
        !field.kind.contains(last)
      else { throw .ambiguous(field.name) }
    }
  }

  var fields: [Field] {
    tokens.compactMap { if case .field(let field) = $0 { field } else { nil } }
  }

  /// The bytes of a component that holds no field.
  var literal: [UInt8]? {
    switch tokens.count {
    case 0: []
    case 1: if case .literal(let text) = tokens[0] { text } else { nil }
    default: nil
    }
  }

  var spansComponents: Bool { fields.contains { $0.kind.spansComponents } }

  /// Whether the bytes of `name` in `range` have this shape; the values found are appended to
  /// `captures`, as ranges of `name`.
  func match(
    _ name: UnsafeBufferPointer<UInt8>, in range: Range<Int>, _ captures: inout [Capture]
  ) -> Bool {
    var lower = range.lowerBound
    var upper = range.upperBound
    let leftEnd = open ?? tokens.count
    for index in 0..<leftEnd {
      switch tokens[index] {
      case .literal(let text):
        guard upper - lower >= text.count, Self.equal(name, lower, text) else { return false }
        lower += text.count
      case .field(let field):
        let end = Self.runEnd(name, from: lower, to: upper, field.kind)
        guard Self.take(lower..<end, of: field, in: name, &captures) else { return false }
        lower = end
      }
    }
    guard let open, case .field(let openField) = tokens[open] else { return lower == upper }
    for index in stride(from: tokens.count - 1, to: open, by: -1) {
      switch tokens[index] {
      case .literal(let text):
        guard upper - lower >= text.count, Self.equal(name, upper - text.count, text) else {
          return false
        }
        upper -= text.count
      case .field(let field):
        let start = Self.runStart(name, from: lower, to: upper, field.kind)
        guard Self.take(start..<upper, of: field, in: name, &captures) else { return false }
        upper = start
      }
    }
    return Self.take(lower..<upper, of: openField, in: name, &captures)
  }

  private static func take(
    _ range: Range<Int>, of field: Field, in name: UnsafeBufferPointer<UInt8>,
    _ captures: inout [Capture]
  ) -> Bool {
    guard field.kind.accepts(name[range]) else { return false }
    captures.append(Capture(field: field, range: range))
    return true
  }

  private static func equal(
    _ name: UnsafeBufferPointer<UInt8>, _ offset: Int, _ text: [UInt8]
  ) -> Bool {
    for index in text.indices where name[offset + index] != text[index] { return false }
    return true
  }

  private static func runEnd(
    _ name: UnsafeBufferPointer<UInt8>, from lower: Int, to upper: Int, _ kind: FieldKind
  ) -> Int {
    let limit = kind.fixedWidth.map { min(upper, lower + $0) } ?? upper
    var end = lower
    while end < limit, kind.contains(name[end]) { end += 1 }
    return end
  }

  private static func runStart(
    _ name: UnsafeBufferPointer<UInt8>, from lower: Int, to upper: Int, _ kind: FieldKind
  ) -> Int {
    let limit = kind.fixedWidth.map { max(lower, upper - $0) } ?? lower
    var start = upper
    while start > limit, kind.contains(name[start - 1]) { start -= 1 }
    return start
  }

  /// The component with every field replaced, or nil when one has no value.
  func render(_ value: (Field) -> [UInt8]?) -> [UInt8]? {
    var bytes: [UInt8] = []
    for token in tokens {
      switch token {
      case .literal(let text): bytes += text
      case .field(let field):
        guard let text = value(field) else { return nil }
        bytes += text
      }
    }
    return bytes
  }
}
