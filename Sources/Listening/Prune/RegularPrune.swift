// SPDX-License-Identifier: BSD-2-Clause
//
// The prunes that the listener runs by itself: PRUNE of its configuration. Each runs on its own thread at idle priority
// and waits during a drain.

import Basics
import CacheFS
import Logging

/// Prunes at each interval.
package final class RegularPrune {
  /// The prunes of many nodes are spread over this part of the interval.
  private static let spread = 24

  private let looker: Looker
  private var plan: RegularPrunePlan?
  private let thread = LookThread<PruneLook.Outcome>()
  private var gate: LookGate?
  private var isDraining = false
  /// Whether a drain has completed, after which prunes may begin.
  private var hasDrained = false
  /// When the next prune is due; nil while one runs, and before the first drain.
  private var due: ContinuousClock.Instant?
  private var failure: String?
  /// Nil where there is no rule.
  private(set) var health: PruneHealth?

  package init(_ looker: Looker) { self.looker = looker }

  /// Applies the current configuration; nil for no prune.
  package func follow(_ plan: RegularPrunePlan?) {
    let isOther = plan?.rules != self.plan?.rules || plan?.interval != self.plan?.interval
    let wasAtWork = thread.isUnderWay
    gate?.giveUp()
    thread.makeObsolete()
    self.plan = plan
    health = plan == nil ? nil : health ?? PruneHealth()
    if plan == nil { due = nil }
    if isOther || wasAtWork { plan.map(beginSoon) }
  }

  private func beginSoon(_ plan: RegularPrunePlan) {
    guard hasDrained else { return }
    due = .now + plan.interval / Self.spread * Double.random(in: 0...1)
  }

  // MARK: Drains

  /// The walk waits during a drain.
  func note(isDraining: Bool) {
    self.isDraining = isDraining
    gate?.note(isDraining: isDraining)
  }

  /// The queues come first.
  func noteDrain() {
    guard looker.run == .staying, !hasDrained else { return }
    hasDrained = true
    plan.map(beginSoon)
  }

  // MARK: Time

  /// Begins a prune that is due, if none is running.
  func begin() {
    guard let plan, let due, due <= .now, !isDraining, !thread.isUnderWay else { return }
    let gate = LookGate(isDraining: false)
    let look = PruneLook(plan: plan, gate: gate)
    if thread.begin(.idle, wake: plan.wake, { _ in look.run() }) {
      self.gate = gate
      self.due = nil
    } else {
      self.due = .now + LookPace.waitAfterFailure(plan.interval)
    }
  }

  /// Takes the result of a prune that has ended.
  /// - Returns: whether there was one.
  func take() -> Bool {
    guard let outcome = thread.take(), let plan else { return false }
    gate = nil
    if let failure = outcome.failure {
      let wait = LookPace.waitAfterFailure(plan.interval)
      if failure != self.failure {
        looker.logger.warning("prune: \(failure); trying again in \(wait.text)")
      }
      due = .now + wait
    } else {
      // Prunes take at most a tenth of the time.
      due = .now + max(plan.interval, LookPace.rest(after: outcome.duration))
      for pruned in outcome.pruned { tell(pruned) }
      health?.note(outcome.pruned.map(\.report), outcome.duration, dryRun: looker.dryRun)
    }
    failure = outcome.failure
    return true
  }

  /// When to call again; nil when nothing is due by time.
  var next: Duration? {
    guard !thread.isUnderWay, !isDraining, let due else { return nil }
    return max(.zero, ContinuousClock.now.duration(to: due))
  }

  func leave() {
    gate?.giveUp()
    thread.leave()
  }

  /// Logs a prune that has removed something, or could not.
  private func tell(_ pruned: PruneLook.Pruned) {
    let (report, failures) = (pruned.report, pruned.report.failures)
    guard report.filesRemoved > 0 || !failures.isEmpty else { return }
    let verb = looker.dryRun == .yes ? "would remove" : "removed"
    let remains = pruned.left.map { left in
      "; \(counted(left.files, "page")) \(left.files == 1 ? "remains" : "remain"), \(sizeText(left.bytes))"
    }
    let line =
      "prune: \(verb) \(counted(report.filesRemoved, "page")) of \(listed(pruned.rule.families, "and")), "
      + "\(sizeText(report.bytesRemoved)), in \(pruned.duration.text)\(remains ?? "")"
    guard let first = failures.first else { return looker.logger.notice("\(line)") }
    looker.logger.warning(
      "\(line); \(grouped(failures.count)) could not be removed: \(first.explanation)")
  }
}
