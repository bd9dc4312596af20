// SPDX-License-Identifier: BSD-2-Clause
//
// One run of all of the site's queries, on its own thread and connection.

import Basics
import CacheFS
import PGQueue

/// What to ask, and what is already known.
struct RecheckLook: Sendable {
  /// A page that was written up to this long after a burst was seen may not show it: a render may have been running.
  private static let renderMargin: Int64 = 5_000_000_000

  struct Outcome: Sendable {
    var families: [FamilyLook] = []
    /// Why a family could not be compared; safe to display.
    var failures: [String: String] = [:]
    /// Why no query could be asked; safe to display.
    var failure: String?
    /// How far the database's clock is ahead of the file system's, in nanoseconds.
    var lead: Int64 = 0
    var duration = Duration.zero
  }

  let plan: RecheckPlan
  let ledgers: [String: ChangeLedger]

  /// Runs the queries, one after the other.
  /// - Parameter asking: runs the code that asks the database.
  func run(_ asking: LookThread<Outcome>.Asking) -> Outcome {
    var outcome = Outcome()
    let began = ContinuousClock.now
    // The drain reports whether the directory exists.
    guard let root = plan.place.open() else { return outcome }
    asking {
      do throws(DatabaseError) {
        // `ask` closes the connection before it returns.
        try ask(root, &outcome)
      } catch {
        outcome.failure = error.explanation
      }
    }
    for index in outcome.families.indices {
      let family = outcome.families[index]
      guard let burst = ledgers[family.query.family]?.burst else { continue }
      outcome.families[index].endsBurst =
        plan.decision(family) != .refuse && isOver(burst, family.query.family, root)
    }
    outcome.duration = began.duration(to: .now)
    return outcome
  }

  private func ask(_ root: Directory, _ outcome: inout Outcome) throws(DatabaseError) {
    let (connection, clocks) = try plan.place.connect(for: "recheck", root)
    outcome.lead = clocks.lead
    for query in plan.queries {
      do throws(DatabaseError) {
        let look = try FamilyLook(
          query, ledgers[query.family] ?? ChangeLedger(), plan,
          takenAt: root.fileSystemTime() ?? currentTime(), on: connection)
        if let problem = look.problem {
          outcome.failures[query.family] = "the query of \(query.place) \(problem)"
        } else {
          outcome.families.append(look)
        }
      } catch {
        guard case .refused(let reason) = error else { throw error }
        outcome.failures[query.family] = reason.explanation + reason.grantRemedy(on: connection)
      }
    }
  }

  /// Whether no page of the family is left that existed when the burst was seen.
  private func isOver(_ burst: ChangeLedger.Burst, _ family: String, _ root: Directory) -> Bool {
    let oldest = FamilyAge(of: family, in: root, plan.layout).oldest
    return oldest.map { $0 > clampedSum(burst.seenAt, Self.renderMargin) } ?? true
  }
}
