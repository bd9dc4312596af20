// SPDX-License-Identifier: BSD-2-Clause
//
// The second layout: the wiki's table, as its configuration has it.

import TestSupport

@testable import CacheFS

extension Layout {
  static let wiki = Layout(
    WikiSite.families.map { row in
      let clearing: Family.Clearing =
        switch row.clearing {
        case "never": .never
        case "shapes": .knownShapes
        default: .everything
        }
      do {
        return try Family(
          row.name, row.pattern, shapes: row.shapes, clearing: clearing, isConfigured: true)
      } catch {
        preconditionFailure("\(row.name): \(error)")
      }
    })
}

extension Layout {
  /// Tiles by zoom, column and row, the plainest of layouts, beside a family with a number of another kind.
  static let tiles: Layout = {
    do {
      return Layout([
        try Family("tiles", "tiles/{z:number}/{x:number}/{y:number}.png", isConfigured: true),
        try Family("scaled", "tiles/{z:number}/{x:number}/{y:number}@{scale:number}x.png"),
      ])
    } catch {
      preconditionFailure("tiles: \(error)")
    }
  }()
}
