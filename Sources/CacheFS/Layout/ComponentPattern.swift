// SPDX-License-Identifier: BSD-2-Clause
//
// One component of a path pattern, compiled once and matched in one pass.
//
// At most one field may be "open": it could also match the literal after it. The tokens before it are matched
// from the left, and the tokens after it from the right. There is no backtracking, and a match takes time
// linear in the length of the name.

import Basics

/// A piece of a component: literal text, or the value of a field.
enum Token: Hashable, Sendable {
  case literal([UInt8])
  case field(Field)

  /// The same in separate memory.
  fileprivate var unshared: Self {
    if case .literal(let text) = self { .literal(text.map(\.self)) } else { self }
  }
}

/// A named place in a pattern, and the values that it accepts.
package struct Field: Hashable, Sendable {
  package let name: String
  package let kind: FieldKind
}

/// Where a field's value was found in a name. It holds plain numbers, because a walk makes several for each
/// file.
struct Capture {
  /// The field, as the index of its token in the pattern that found it.
  let token: Int
  let range: Range<Int>
}

/// A token in the form used for matching. It holds no reference, so a match does no reference counting, neither
/// in one thread nor, which is worse, in two at once.
private struct Step: Hashable, Sendable {
  /// The literal's range among the pattern's bytes; empty for a field.
  let literal: Range<Int>
  /// The field's kind; nil for a literal.
  let kind: FieldKind?
  let bytes: ByteSet
  let fixedWidth: Int?

  init(literal: Range<Int>) {
    self.literal = literal
    kind = nil
    bytes = ByteSet()
    fixedWidth = nil
  }

  init(_ kind: FieldKind) {
    literal = 0..<0
    self.kind = kind
    bytes = kind.bytes
    fixedWidth = kind.fixedWidth
  }
}

/// The pattern of one path component, or of a family's free tail.
struct ComponentPattern: Hashable, Sendable {
  private(set) var tokens: [Token]
  let fields: [Field]
  /// The token that is matched last, against what the others leave.
  private let open: Int?
  private var steps: [Step]
  /// The bytes of all literals.
  private var literals: [UInt8]

  /// - Throws: ``PatternProblem/ambiguous`` when a name could be cut in two ways.
  init(tokens: [Token]) throws(PatternProblem) {
    self.tokens = tokens
    fields = tokens.compactMap { if case .field(let field) = $0 { field } else { nil } }
    (steps, literals) = Self.steps(of: tokens)
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

  /// Right of the open field, the literal before a field must delimit it.
  private static func checkRightSide(_ tokens: [Token], after open: Int) throws(PatternProblem) {
    for index in tokens.indices where index > open {
      guard case .field(let field) = tokens[index], field.kind.fixedWidth == nil else { continue }
      // Matching from the right, a field would swallow a field of fixed width before it.
      guard case .literal(let text) = tokens[index - 1], let last = text.last,
        !field.kind.contains(last)
      else { throw .ambiguous(field.name) }
    }
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

  private static func steps(of tokens: [Token]) -> ([Step], [UInt8]) {
    var literals: [UInt8] = []
    let steps = tokens.map { token in
      switch token {
      case .field(let field): return Step(field.kind)
      case .literal(let text):
        literals += text
        return Step(literal: literals.count - text.count..<literals.count)
      }
    }
    return (steps, literals)
  }

  /// The same in separate memory: threads that share arrays compete for their reference counts.
  var unshared: Self {
    var copy = self
    copy.tokens = tokens.map(\.unshared)
    copy.steps = steps.map(\.self)
    copy.literals = literals.map(\.self)
    return copy
  }

  /// The field of a token.
  func field(_ token: Int) -> Field? {
    if case .field(let field) = tokens[token] { field } else { nil }
  }

  /// Whether the bytes of `name` in `range` match this pattern. The values found are appended to `captures`,
  /// as ranges of `name`.
  func match(
    _ name: UnsafeBufferPointer<UInt8>, in range: Range<Int>, _ captures: inout [Capture]
  ) -> Bool {
    steps.withUnsafeBufferPointer { steps in
      literals.withUnsafeBufferPointer { literals in
        Self.match(name, in: range, (steps, literals), open, &captures)
      }
    }
  }

  private static func match(
    _ name: UnsafeBufferPointer<UInt8>, in range: Range<Int>,
    _ parts: (steps: UnsafeBufferPointer<Step>, literals: UnsafeBufferPointer<UInt8>), _ open: Int?,
    _ captures: inout [Capture]
  ) -> Bool {
    let (steps, literals) = parts
    var lower = range.lowerBound
    var upper = range.upperBound
    let leftEnd = open ?? steps.count
    for index in 0..<leftEnd {
      let step = steps[index]
      if let kind = step.kind {
        let end = runEnd(name, from: lower, to: upper, step)
        guard take(lower..<end, index, kind, in: name, &captures) else { return false }
        lower = end
      } else {
        let end = lower + step.literal.count
        guard end <= upper, equal(literals[step.literal], name[lower..<end]) else { return false }
        lower = end
      }
    }
    guard let open, let openKind = steps[open].kind else { return lower == upper }
    for index in stride(from: steps.count - 1, to: open, by: -1) {
      let step = steps[index]
      if let kind = step.kind {
        let start = runStart(name, from: lower, to: upper, step)
        guard take(start..<upper, index, kind, in: name, &captures) else { return false }
        upper = start
      } else {
        let start = upper - step.literal.count
        guard start >= lower, equal(literals[step.literal], name[start..<upper]) else {
          return false
        }
        upper = start
      }
    }
    return take(lower..<upper, open, openKind, in: name, &captures)
  }

  private static func take(
    _ range: Range<Int>, _ token: Int, _ kind: FieldKind, in name: UnsafeBufferPointer<UInt8>,
    _ captures: inout [Capture]
  ) -> Bool {
    guard kind.accepts(UnsafeBufferPointer(rebasing: name[range])) else { return false }
    captures.append(Capture(token: token, range: range))
    return true
  }

  private static func equal(
    _ left: Slice<UnsafeBufferPointer<UInt8>>, _ right: Slice<UnsafeBufferPointer<UInt8>>
  ) -> Bool {
    let left = UnsafeBufferPointer(rebasing: left)
    let right = UnsafeBufferPointer(rebasing: right)
    for index in left.indices where left[index] != right[index] { return false }
    return true
  }

  private static func runEnd(
    _ name: UnsafeBufferPointer<UInt8>, from lower: Int, to upper: Int, _ step: Step
  ) -> Int {
    let limit = step.fixedWidth.map { min(upper, lower + $0) } ?? upper
    var end = lower
    while end < limit, step.bytes.contains(name[end]) { end += 1 }
    return end
  }

  private static func runStart(
    _ name: UnsafeBufferPointer<UInt8>, from lower: Int, to upper: Int, _ step: Step
  ) -> Int {
    let limit = step.fixedWidth.map { max(lower, upper - $0) } ?? lower
    var start = upper
    while start > limit, step.bytes.contains(name[start - 1]) { start -= 1 }
    return start
  }

  /// The component with every field replaced by its value; nil when a field has no value.
  func render(_ value: (Field) -> [UInt8]?) -> [UInt8]? {
    if tokens.count == 1 {
      // Most components are one word or one field, and need no copy.
      switch tokens[0] {
      case .literal(let text): return text
      case .field(let field): return value(field)
      }
    }
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
