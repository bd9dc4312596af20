// SPDX-License-Identifier: BSD-2-Clause
//
// The first look of a scrub: runs each query and compares the pages of its family with the result. It runs on its own
// thread, one family at a time, so that only one table is in memory.

import Basics
import CacheFS
import PGQueue

/// What to look at.
struct ScrubLook: Sendable {
  /// About 35 bytes are kept for each while a family is compared.
  private static let mostKeys = 2_000_000
  /// Beside other work, reading the rows may take this many times longer than the server may take to find them.
  private static let patience = 10.0

  /// The findings of one family.
  struct Family: Sendable {
    let name: String
    let pages: ChangedPages
  }

  struct Outcome: Sendable {
    var families: [Family] = []
    /// Why a family could not be compared; safe to display.
    var failures: [String: String] = [:]
    /// Why nothing could be compared; safe to display.
    var failure: String?
    var duration = Duration.zero

    /// How many pages were found, including those that are not kept.
    var found: Int { families.reduce(0) { $0 + $1.pages.count } }
    /// How many pages were compared.
    var files: Int { families.reduce(0) { $0 + $1.pages.files } }
  }

  let plan: ScrubPlan
  let gate: LookGate

  /// - Parameter asking: runs the code that asks the database.
  func run(_ asking: LookThread<Outcome>.Asking) -> Outcome {
    var outcome = Outcome()
    let began = ContinuousClock.now
    guard let root = plan.place.open() else {
      // The drain reports why the directory does not exist.
      outcome.failure = "the cache directory is not there"
      return outcome
    }
    var lost: DatabaseError?
    for query in plan.queries where gate.pass() {
      var asked: (table: ChangeTable, clocks: ClockComparison)?
      asking {
        do throws(DatabaseError) {
          // `ask` closes the connection before it returns.
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
    // No query is at fault when the server is away.
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
      // Without a row, every page of the family would be an orphan.
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
