// SPDX-License-Identifier: BSD-2-Clause
//
// A prune from its families to its exit status. It works as clear does, for the pages that a plan names.

import Basics
import CacheFS

extension ClearCommand {
  /// Removes the oldest pages of families.
  /// - Parameter isAsked: whether fpcache asks a person at a terminal first.
  func runPrune(
    _ families: [String], _ bound: PruneBound, by order: PruneOrder, isAsked: Bool
  ) throws {
    let config = try common.resolve()
    let keys = try Self.keys(families, config.layout)
    let clearer = try clearer(config)
    let pruner = Pruner(clearer, keys, by: order)
    let asks = isAsked && !common.dryRun && BigPurge.canAsk
    let plan = try withProgress({ "counted \(counted(pruner.pagesSeen, "page"))" }) {
      () throws(UserError) in pruner.plan(bound, counting: asks)
    }
    if asks, let measured = plan.measured, measured.going.files > 0 {
      try BigPurge.confirm(Self.question(families, measured))
    }
    try perform(clearer, keysGiven: keys.count) { run in run.add(pruner.remove(plan)) }
  }

  /// Whole families, each once.
  /// - Throws: ``UserError`` with status 64.
  private static func keys(
    _ names: [String], _ layout: Layout
  ) throws(UserError) -> [CacheKey] {
    var keys: [CacheKey] = []
    for (place, name) in names.enumerated() {
      _ = try Clear.family(name, layout)
      guard !names[..<place].contains(name) else {
        throw UserError(.usage, "\(name): is given twice; give it once")
      }
      do throws(KeyError) {
        keys.append(try layout.all(of: name))
      } catch {
        throw UserError(.usage, error.explanation)
      }
    }
    return keys
  }

  private static func question(_ families: [String], _ measured: PrunePlan.Measured) -> String {
    let (going, total) = (measured.going, measured.total)
    return "Remove the oldest \(grouped(going.files)) of \(counted(total.files, "page")) of "
      + "\(listed(families, "and")) (\(sizeText(going.bytes)) of \(sizeText(total.bytes)))? [y/N] "
  }
}
