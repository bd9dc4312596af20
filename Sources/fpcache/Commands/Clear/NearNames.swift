// SPDX-License-Identifier: BSD-2-Clause
//
// What a mistyped port may mean: names that exist in the tree and differ only a little.

import Basics
import CacheFS

/// Finds ports of the tree with a spelling close to a port that does not exist.
struct NearNames {
  /// How many names are suggested.
  private static let told = 3

  private let names: FieldValues
  private let layout: Layout

  init(_ names: FieldValues, _ layout: Layout) {
    self.names = names
    self.layout = layout
  }

  /// The nearest `CATEGORY/PORT` names, best first. Empty when the port's folder exists: then the name was spelled
  /// right and the folder is only empty.
  /// - Parameter port: nil for all of a category.
  func near(_ category: [UInt8], _ port: [UInt8]?) -> [String] {
    let categories = names.values(of: "category", in: "ports")
    guard let port else {
      return categories.contains(category)
        ? [] : best(Self.near(category, categories).map { ($0.0, text($0.1) + "/*") })
    }
    if has(category, port) { return [] }
    var found: [(Int, String)] = []
    if categories.contains(category) {
      let ports = names.values(of: "port", in: "ports", given: [("category", category)])
      found = Self.near(port, ports).map { ($0.0, text(category) + "/" + text($0.1)) }
    }
    // Ports move between categories, so a port may be in another category.
    for other in categories where other != category && has(other, port) {
      found.append((editDistance(category, other, atMost: 3) ?? 3, text(other) + "/" + text(port)))
    }
    if found.isEmpty {
      for (distance, other) in Self.near(category, categories) where other != category {
        let ports = names.values(of: "port", in: "ports", given: [("category", other)])
        found += Self.near(port, ports).map {
          (distance + $0.0, text(other) + "/" + text($0.1))
        }
      }
    }
    return best(found)
  }

  private func has(_ category: [UInt8], _ port: [UInt8]) -> Bool {
    guard let key = try? layout.port(category: category, port: port) else { return false }
    return names.hasFolder(of: key)
  }

  private func best(_ found: [(Int, String)]) -> [String] {
    found.sorted { $0 < $1 }.prefix(Self.told).map(\.1)
  }

  private func text(_ name: [UInt8]) -> String { escape(name) }

  /// The names that differ from `wanted` by a few typing errors, with the number of errors. An additional prefix, as
  /// in `R-cran-knitr` for `knitr`, counts as two.
  static func near(_ wanted: [UInt8], _ names: some Sequence<[UInt8]>) -> [(Int, [UInt8])] {
    let limit = wanted.count <= 3 ? 1 : wanted.count <= 6 ? 2 : 3
    return names.compactMap { name in
      if let distance = editDistance(wanted, name, atMost: limit) { return (distance, name) }
      let isSuffix =
        wanted.count > 2 && name.count > wanted.count + 1
        && name.suffix(wanted.count).elementsEqual(wanted)
        && name[name.count - wanted.count - 1] == UInt8(ascii: "-")
      return isSuffix ? (2, name) : nil
    }
  }
}
