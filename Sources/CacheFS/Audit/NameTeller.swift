// SPDX-License-Identifier: BSD-2-Clause
//
// Of which family a name is, wherever it lies: so that a page in the wrong folder is told from
// something that nobody knows.

/// Tells families by the names of their files alone.
struct NameTeller: Sendable {
  /// A family with such of its shapes as are asked for.
  private struct Candidate {
    let family: String
    let row: PlacedRow
    var matcher: Matcher
  }

  /// The shapes whose names tell a family.
  private var telling: [Candidate]
  /// Those that say more than a family whose pages may have any name does.
  private var moreTelling: [Candidate]

  init(_ layout: Layout) {
    telling = Self.candidates(layout) { _, _ in true }
    let least =
      layout.families.filter(\.takesAllNames).flatMap(\.shapes).map(\.component.literalCount).max()
    moreTelling = Self.candidates(layout) { family, shape in
      guard let least else { return false }
      // A field that takes anything would take what stands before the dots of any page.
      let fields = shape.fields + (family.pattern.components.last?.fields ?? []).dropLast()
      return fields.allSatisfy { !$0.kind.takesAnything }
        && (family.pattern.components.last?.literalCount ?? 0) + shape.component.literalCount
          > least
    }
  }

  private static func candidates(
    _ layout: Layout, where isWanted: (Family, Shape) -> Bool
  ) -> [Candidate] {
    layout.families.compactMap { family in
      guard let reduced = family.telling(where: { isWanted(family, $0) }) else { return nil }
      let row = PlacedRow(
        family: 0, component: family.pattern.components.count - 1, bound: [], tail: [])
      return Candidate(family: family.name, row: row, matcher: Matcher(Layout([reduced])))
    }
  }

  /// The families of which a name is.
  mutating func families(of name: UnsafeBufferPointer<UInt8>) -> [String] {
    Self.match(name, &telling)
  }

  /// The same by the shapes that say more than any name of a page does.
  mutating func families(ofMoreTelling name: UnsafeBufferPointer<UInt8>) -> [String] {
    Self.match(name, &moreTelling)
  }

  private static func match(
    _ name: UnsafeBufferPointer<UInt8>, _ candidates: inout [Candidate]
  ) -> [String] {
    var families: [String] = []
    for index in candidates.indices
    where candidates[index].matcher.match(name, candidates[index].row, { _, _ in }) == true {
      families.append(candidates[index].family)
    }
    return families
  }
}

extension Family {
  /// Whether it takes every name that looks like a page, in whatever folder: what is left of the
  /// ports tree when the ports have theirs.
  var takesAllNames: Bool {
    clearing == .knownShapes && pattern.components.last?.spansComponents == true
  }

  /// The family with those shapes only whose names tell it; nil when there are none. Where there
  /// are no shapes, the last component is one.
  fileprivate func telling(where isWanted: (Shape) -> Bool) -> Family? {
    if shapes.isEmpty {
      guard let last = pattern.components.last, last.isTelling,
        let shape = try? Shape(pattern.description.lastComponent), isWanted(shape)
      else { return nil }
      return self
    }
    let telling = shapes.filter { $0.component.isTelling && isWanted($0) }
    guard !telling.isEmpty else { return nil }
    return try? Family(
      name, pattern.description, shapes: telling.map(\.description), clearing: .knownShapes)
  }
}

extension ComponentPattern {
  /// Whether a name of this form can hardly be anything else: `{port}.html` may be any page.
  fileprivate var isTelling: Bool { tokens.count >= 3 || literal?.isEmpty == false }

  /// How many bytes stand in it as they are.
  fileprivate var literalCount: Int {
    tokens.reduce(0) { count, token in
      if case .literal(let text) = token { count + text.count } else { count }
    }
  }
}

extension FieldKind {
  fileprivate var takesAnything: Bool { self == .name || spansComponents }
}

extension String {
  fileprivate var lastComponent: String {
    split(separator: "/").last.map(String.init) ?? self
  }
}
