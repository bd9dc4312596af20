// SPDX-License-Identifier: BSD-2-Clause
//
// Whether two families could both match some path. Every pair is checked when a site's own table is read.
// Otherwise a path with two owners would be cleared, counted and judged by the family that comes first.
//
// Each family becomes a small automaton over the bytes of whole paths, and the two automata run side by side.
// Rules of a kind for single bytes are exact. Rules for a whole value (the length of a name, the same field in
// two places) are not included, so an overlap may be reported where there is none.

extension Family {
  /// How two families relate.
  package enum Overlap: Equatable, Sendable {
    /// No path belongs to both.
    case none
    /// A path that belongs to both, or may belong to both.
    case path(CachePath, isCertain: Bool)
  }

  /// Whether a path could belong to this family and to another.
  package func overlap(with other: Family) -> Overlap {
    for own in automata {
      for its in other.automata {
        guard let path = own.commonPath(with: its).map({ CachePath($0) }) else { continue }
        let isCertain = [self, other].allSatisfy { family in
          var matcher = Matcher(Layout([family]))
          return matcher.classify(path).family != nil
        }
        return .path(path, isCertain: isCertain)
      }
    }
    return .none
  }

  /// One automaton; or one for each shape, when only pages of known shapes belong to the family.
  private var automata: [PathAutomaton] {
    guard clearing == .knownShapes, !shapes.isEmpty else {
      return [PathAutomaton(pattern.components.map(\.tokens))]
    }
    return shapes.map { shape in
      var components = pattern.components.map(\.tokens)
      if let last = components.indices.last, let place = Self.shapedToken(components[last]) {
        components[last].replaceSubrange(place...place, with: shape.component.tokens)
      }
      return PathAutomaton(components)
    }
  }

  /// The token of the last component that the shapes describe: `page`, or else its last field.
  static func shapedToken(_ tokens: [Token]) -> Int? {
    let fields = tokens.indices.filter { if case .field = tokens[$0] { true } else { false } }
    return fields.first { index in
      if case .field(let field) = tokens[index] { field.name == "page" } else { false }
    } ?? fields.last
  }
}

/// The paths of a pattern, as states with steps from one to the next.
private struct PathAutomaton {
  private var steps: [[(bytes: ByteSet, to: Int)]] = [[]]
  /// Steps that consume no byte.
  private var skips: [[Int]] = [[]]
  private var end = 0

  init(_ components: [[Token]]) {
    for (index, tokens) in components.enumerated() {
      if index > 0 { add(Self.slash) }
      for token in tokens {
        switch token {
        case .literal(let text): for byte in text { add(ByteSet { $0 == byte }) }
        case .field(let field): add(field.kind)
        }
      }
    }
  }

  private static let slash = ByteSet { $0 == UInt8(ascii: "/") }
  private static let name = FieldKind.name.bytes

  // MARK: Building

  private mutating func newState() -> Int {
    steps.append([])
    skips.append([])
    return steps.count - 1
  }

  /// One byte of a set.
  private mutating func add(_ bytes: ByteSet) {
    let next = newState()
    steps[end].append((bytes, next))
    end = next
  }

  /// Any number of bytes of a set, including none.
  private mutating func addRun(_ bytes: ByteSet) {
    let next = newState()
    skips[end].append(next)
    steps[next].append((bytes, next))
    end = next
  }

  /// One byte of the first set, then any number of the second.
  private mutating func add(_ first: ByteSet, then rest: ByteSet) {
    add(first)
    addRun(rest)
  }

  private mutating func add(_ kind: FieldKind) {
    let all = kind.bytes
    switch kind {
    case .branch: addBranch(quarter: UInt8(ascii: "Q"))
    case .lowerBranch: addBranch(quarter: UInt8(ascii: "q"))
    case .category: add(ByteSet { $0.isDigit || $0.isLowerCase }, then: all)
    case .port: add(ByteSet { kind.contains($0) && $0 != UInt8(ascii: ".") }, then: all)
    case .optionalWord, .optionalPort: addRun(all)
    case .format: add(ByteSet(where: \.isLetter), then: all)
    case .rest, .portsTreePath: addPath(Self.name)
    case .visibleRest:
      addPath(ByteSet { FieldKind.name.contains($0) && $0 != UInt8(ascii: ".") })
    default:
      guard let width = kind.fixedWidth else { return add(all, then: all) }
      for _ in 0..<width { add(all) }
    }
  }

  /// Names separated by slashes; the first begins with a byte of a set.
  private mutating func addPath(_ first: ByteSet) {
    add(first, then: Self.name)
    let last = end
    add(Self.slash)
    add(Self.name)
    skips[end].append(last)
    end = last
  }

  /// `head`, or a quarter.
  private mutating func addBranch(quarter: UInt8) {
    let start = end
    for byte in "head".utf8 { add(ByteSet { $0 == byte }) }
    let joint = end
    end = start
    for _ in 0..<4 { add(ByteSet(where: \.isDigit)) }
    add(ByteSet { $0 == quarter })
    add(ByteSet { (UInt8(ascii: "1")...UInt8(ascii: "4")).contains($0) })
    skips[end].append(joint)
    end = joint
  }

  // MARK: Running two

  private struct Pair: Hashable {
    let own: Int
    let other: Int
  }

  /// Far more than the patterns of any site need. It bounds the work for a hostile file.
  private static let mostPairs = 20_000

  /// The shortest path that both accept, or the path up to where the search stopped; nil when there is none.
  func commonPath(with other: Self) -> [UInt8]? {
    let start = Pair(own: 0, other: 0)
    var cameFrom: [Pair: (pair: Pair, byte: UInt8?)] = [start: (start, nil)]
    var queue = [start]
    var head = 0
    while head < queue.count {
      let pair = queue[head]
      head += 1
      if pair.own == end && pair.other == other.end || cameFrom.count > Self.mostPairs {
        return Self.way(to: pair, cameFrom)
      }
      func reach(_ next: Pair, _ byte: UInt8?) {
        guard cameFrom[next] == nil else { return }
        cameFrom[next] = (pair, byte)
        queue.append(next)
      }
      for next in skips[pair.own] { reach(Pair(own: next, other: pair.other), nil) }
      for next in other.skips[pair.other] { reach(Pair(own: pair.own, other: next), nil) }
      for step in steps[pair.own] {
        for its in other.steps[pair.other] {
          guard let byte = step.bytes.example(in: its.bytes) else { continue }
          reach(Pair(own: step.to, other: its.to), byte)
        }
      }
    }
    return nil
  }

  private static func way(
    to pair: Pair, _ cameFrom: [Pair: (pair: Pair, byte: UInt8?)]
  ) -> [UInt8] {
    var path: [UInt8] = []
    var pair = pair
    while let step = cameFrom[pair], step.pair != pair {
      if let byte = step.byte { path.append(byte) }
      pair = step.pair
    }
    return path.reversed()
  }
}

extension ByteSet {
  /// A byte that is in both sets, preferably a readable one.
  fileprivate func example(in other: ByteSet) -> UInt8? {
    for byte in "a1hnA".utf8 where contains(byte) && other.contains(byte) { return byte }
    return (UInt8.min...UInt8.max).first { contains($0) && other.contains($0) }
  }
}
