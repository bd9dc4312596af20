// SPDX-License-Identifier: BSD-2-Clause
//
// The first look of a scrub: each query asked, and the pages of its family compared with it. On a thread of its own,
// one family at a time, so that no more than one table is in memory.

import Basics
import CacheFS
import PGQueue

/// What to look at.
struct ScrubLook: Sendable {
  /// Some 35 bytes each are kept while a family is looked at.
  private static let mostKeys = 2_000_000
  /// Beside others' work it may take so much longer to read the rows than the server may take to find them.
  private static let patience = 10.0

  /// What was found of one family.
  struct Family: Sendable {
    let name: String
    let pages: ChangedPages
  }

  struct Outcome: Sendable {
    var families: [Family] = []
    /// Why a family could not be looked at; fit to be shown.
    var failures: [String: String] = [:]
    /// Why nothing could be looked at; fit to be shown.
    var failure: String?
    var duration = Duration.zero

    /// How many pages were found, those that are not kept included.
    var found: Int { families.reduce(0) { $0 + $1.pages.count } }
    /// How many pages were looked at.
    var files: Int { families.reduce(0) { $0 + $1.pages.files } }
  }

  let plan: ScrubPlan
  let gate: ScrubGate

  /// - Parameter asking: runs what asks the database.
  func run(_ asking: LookThread<Outcome>.Asking) -> Outcome {
    var outcome = Outcome()
    let began = ContinuousClock.now
    guard let root = plan.place.open() else {
      // Why it is not there is told by the drain.
      outcome.failure = "the cache directory is not there"
      return outcome
    }
    var lost: DatabaseError?
    for query in plan.queries where gate.pass() {
      var asked: (table: ChangeTable, clocks: ClockComparison)?
      asking {
        do throws(DatabaseError) {
          // The connection is closed in here.
          asked = try ask(query, root, &outcome)
        } catch {
          outcome.failures[query.family] = error.explanation
          lost = error
        }
      }
      guard let (table, clocks) = asked else { continue }
      let room = max(0, plan.limits.most - outcome.families.reduce(0) { $0 + $1.pages.pages.count })
      let pages = ChangedPages(
        in: root, plan.place.layout, table, clocks, most: room, while: gate.pass)
      outcome.families.append(Family(name: query.family, pages: pages))
    }
    // A server that is away is no fault of any query.
    if outcome.families.isEmpty, let lost { outcome.failure = "database: \(lost.explanation)" }
    outcome.duration = began.duration(to: .now)
    return outcome
  }

  private func ask(
    _ query: FamilyQuery, _ root: Directory, _ outcome: inout Outcome
  ) throws(DatabaseError) -> (ChangeTable, ClockComparison)? {
    let (connection, clocks) = try plan.place.connect(for: "scrub", root)
    do throws(DatabaseError) {
      let changes = try FamilyChanges(
        query, plan.place.layout, timeout: plan.limits.timeout, mostKeys: Self.mostKeys,
        patience: plan.limits.timeout * Self.patience, on: connection)
      // Without a row every page of the family would be an orphan.
      let isEmpty = changes.table?.count == 0
      let problem = changes.problem ?? (isEmpty ? "gives no row" : nil)
      outcome.failures[query.family] = problem.map { "the query of \(query.place) \($0)" }
      return isEmpty ? nil : changes.table.map { ($0, clocks) }
    } catch {
      guard case .refused(let reason) = error else { throw error }
      outcome.failures[query.family] = reason.explanation + reason.grantRemedy(on: connection)
      return nil
    }
  }
}
