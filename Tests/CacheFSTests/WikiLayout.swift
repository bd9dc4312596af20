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
