// SPDX-License-Identifier: BSD-2-Clause
//
// Which families a name fits, in whatever place it lies. It separates a page in the wrong folder from an
// unknown file.

/// Recognizes families by file names alone.
struct NameTeller: Sendable {
  /// A family with only some of its shapes.
  private struct Candidate {
    let family: String
    let row: PlacedRow
    var matcher: Matcher
  }

  /// The shapes whose names identify a family.
  private var telling: [Candidate]
  /// The shapes that are more specific than a family whose pages may have any name.
  private var moreTelling: [Candidate]

  init(_ layout: Layout) {
    telling = Self.candidates(layout) { _, _ in true }
    let least =
      layout.families.filter(\.takesAllNames).flatMap(\.shapes).map(\.component.literalCount).max()
    moreTelling = Self.candidates(layout) { family, shape in
      guard let least else { return false }
      // A field that accepts anything would match the part before the dots of any page's name.
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

  /// The families that a name fits.
  mutating func families(of name: UnsafeBufferPointer<UInt8>) -> [String] {
    Self.match(name, &telling)
  }

  /// The same, with only the shapes that are more specific than any page's name.
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
  /// Whether it matches every name that looks like a page, in any folder: the rest of the ports tree beside
  /// the ports.
  var takesAllNames: Bool {
    clearing == .knownShapes && pattern.components.last?.spansComponents == true
  }

  /// The family with only those shapes whose names identify it; nil when there are none. Without shapes, the
  /// last component counts as one.
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
  /// Whether a name of this form is specific. `{port}.html` is not: it may be any page.
  fileprivate var isTelling: Bool { tokens.count >= 3 || literal?.isEmpty == false }

  /// The number of its literal bytes.
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
