// SPDX-License-Identifier: BSD-2-Clause
//
// What the values of a queue's row mean: keys of one or several families. A rule is compiled once for a layout,
// because a drain applies it to a million rows.

/// How the values of a row become the keys of pages.
package struct KeyRule: Equatable, Sendable {
  /// Where the value of a field comes from.
  package enum Source: Hashable, Sendable {
    /// A value of the row.
    case value(Int)
    /// The same value for every row.
    case constant([UInt8])
    /// Values of the row and texts, one after the other.
    case joined([Source])
    /// A part of the row's value that is a date.
    case year(Int)
    case month(Int)
    case day(Int)
    /// A message id, folded to the name of its folder on the site.
    case messageID(Int)
  }

  /// One family that the row refers to.
  package enum Part: Hashable, Sendable {
    case family(String, [Binding])
    /// A path in the site's repositories: the history of a file, or of a port. The folder of the ports tree
    /// is cut off. A file outside the ports tree keeps its whole path, below that of the ports.
    case portsTree(head: [UInt8], value: Int)
  }

  package struct Binding: Hashable, Sendable {
    package let field: String
    package let source: Source

    package init(_ field: String, _ source: Source) {
      self.field = field
      self.source = source
    }
  }

  /// Why a row names nothing that can be cleared. No path is ever built from it.
  package enum Problem: Error, Equatable, Sendable {
    case null
    case badDate([UInt8])
    case relative([UInt8])
    case badKey(KeyError)
  }

  fileprivate enum Compiled: Equatable, Sendable {
    /// - Parameter date: the index of the value that holds the date.
    case recipe(KeyRecipe, [Source], date: Int?)
    /// - Parameter port: nil where the histories of ports' files lie in the family of all files.
    case portsTree(head: [UInt8], value: Int, port: KeyRecipe?, file: KeyRecipe)
    /// The layout lacks what the part needs; this is reported for each row.
    case impossible(KeyError)
  }

  private let parts: [Compiled]
  /// How many values a row must have.
  private let width: Int

  /// - Parameter width: how many values a row has.
  package init(_ parts: [Part], width: Int, _ layout: Layout) {
    self.width = width
    self.parts = parts.map { part in
      do throws(KeyError) {
        switch part {
        case .family(let family, let bindings):
          let sources = bindings.map(\.source)
          return .recipe(
            try layout.recipe(family, bindings.map(\.field)), sources,
            date: sources.lazy.compactMap(\.dateValue).first)
        case .portsTree(let head, let value):
          return .portsTree(
            head: head, value: value,
            port: layout.hasHistoriesOfPortsApart
              ? try layout.recipe("ports", ["category", "port", "file"]) : nil,
            file: try layout.recipe("files", ["path"]))
        }
      } catch {
        return .impossible(error)
      }
    }
  }

  /// The keys that a row names.
  /// - Throws: ``Problem``.
  package func keys(_ values: [[UInt8]?]) throws(Problem) -> [CacheKey] {
    guard values.count >= width else { throw .null }
    for value in values where value == nil { throw .null }
    var keys: [CacheKey] = []
    keys.reserveCapacity(parts.count)
    for part in parts { keys.append(try part.key(values)) }
    return keys
  }

  /// Keys of everything that any row could name. Only values that are the same for every row are bound.
  package func everything(_ layout: Layout) -> [CacheKey] {
    parts.flatMap { part -> [CacheKey] in
      switch part {
      case .impossible: return []
      case .portsTree(_, _, let port, let file):
        return [port?.family, file.family].compactMap { $0 }
          .map { CacheKey(family: $0, bindings: []) }
      case .recipe(let recipe, let sources, _):
        let bindings = zip(recipe.fields, sources).compactMap { field, source in
          if case .constant(let value) = source {
            BoundField(field: field.name, value: value)
          } else {
            nil
          }
        }
        return [CacheKey(family: recipe.family, bindings: bindings, recipe.hashed)]
      }
    }
  }
}

extension KeyRule.Compiled {
  fileprivate func key(_ values: [[UInt8]?]) throws(KeyRule.Problem) -> CacheKey {
    switch self {
    case .recipe(let recipe, let sources, nil):
      return try Self.checked { () throws(KeyError) in
        try recipe.key { sources[$0].value(values) }
      }
    case .recipe(let recipe, let sources, let place?):
      let text = values[place] ?? []
      guard let date = CalendarDate(text) else { throw .badDate(text) }
      return try Self.checked { () throws(KeyError) in
        try recipe.key { sources[$0].value(values, date) }
      }
    case .portsTree(let head, let place, let port, let file):
      let path = values[place] ?? []
      guard path.first == UInt8(ascii: "/") else { throw .relative(path) }
      let tail = Array(path.dropFirst(path.starts(with: head) ? head.count : 1))
      return try Self.checked { () throws(KeyError) in try Self.key(tail, port, file) }
    case .impossible(let error): throw .badKey(error)
    }
  }

  /// The history pages of one file, by its path below the ports tree (`net/openmpi3/Makefile`).
  private static func key(
    _ path: [UInt8], _ port: KeyRecipe?, _ file: KeyRecipe
  ) throws(KeyError) -> CacheKey {
    guard let port, FieldKind.isBelowAPort(path) else { return try file.key { _ in path } }
    let parts = path.split(
      separator: UInt8(ascii: "/"), maxSplits: 2, omittingEmptySubsequences: false
    ).map(Array.init)
    return try port.key { parts[$0] }
  }

  @inline(__always)
  private static func checked(
    _ make: () throws(KeyError) -> CacheKey
  ) throws(KeyRule.Problem) -> CacheKey {
    do throws(KeyError) { return try make() } catch { throw .badKey(error) }
  }
}

extension Layout {
  /// Whether the histories of files below a port lie in that port's folder, and only other histories lie in
  /// the family of files.
  fileprivate var hasHistoriesOfPortsApart: Bool {
    family(named: "files")?.pattern.fields.first?.kind == .portsTreePath
  }
}

extension KeyRule.Source {
  /// The index of the row's date value, for a source that is part of a date.
  fileprivate var dateValue: Int? {
    switch self {
    case .year(let value), .month(let value), .day(let value): value
    case .value, .constant, .joined, .messageID: nil
    }
  }

  private static func text(of pieces: [Self], _ values: [[UInt8]?]) -> [UInt8] {
    pieces.flatMap { $0.value(values) }
  }

  /// - Parameter date: the row's date; the epoch where the row has none.
  @inline(__always)
  fileprivate func value(
    _ values: [[UInt8]?], _ date: CalendarDate = .epoch
  ) -> [UInt8] {
    switch self {
    case .value(let place): values[place] ?? []
    case .constant(let value): value
    case .joined(let pieces): Self.text(of: pieces, values)
    case .year: date.yearText
    case .month: date.monthText
    case .day: date.dayText
    case .messageID(let place): Layout.folder(messageID: values[place] ?? [])
    }
  }
}
