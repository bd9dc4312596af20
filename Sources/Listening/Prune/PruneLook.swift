// SPDX-License-Identifier: BSD-2-Clause
//
// One prune of all rules, on its own thread: it waits during a drain, and ends when the listener does.

import Basics
import CacheFS

/// What to prune now.
struct PruneLook: Sendable {
  /// The result for one rule.
  struct Pruned: Sendable {
    let rule: PruneRule
    /// The sum of the families' reports.
    let report: ClearReport
    /// What remains; nil where it was not counted.
    let left: PageTally?
    let duration: Duration
  }

  struct Outcome: Sendable {
    var pruned: [Pruned] = []
    /// Why nothing was pruned; safe to display.
    var failure: String?
    var duration = Duration.zero
  }

  let plan: RegularPrunePlan
  let gate: LookGate

  func run() -> Outcome {
    var outcome = Outcome()
    let began = ContinuousClock.now
    guard let clearer = plan.open(ClearWatch { [gate] in !gate.pass() }) else {
      // The drain reports why.
      outcome.failure = "the cache directory is not there"
      return outcome
    }
    for rule in plan.rules where gate.pass() {
      let began = ContinuousClock.now
      // A reload makes a new plan for another layout.
      let keys = rule.families.compactMap { try? clearer.layout.all(of: $0) }
      let pruner = Pruner(clearer, keys, by: rule.order)
      let done = pruner.remove(pruner.plan(rule.bound(currentTime()), counting: false))
      var sum = ClearReport()
      for report in done.reports { sum.add(report) }
      outcome.pruned.append(
        Pruned(rule: rule, report: sum, left: done.left, duration: began.duration(to: .now)))
    }
    outcome.duration = began.duration(to: .now)
    return outcome
  }
}
