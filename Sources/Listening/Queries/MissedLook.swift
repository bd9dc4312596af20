// SPDX-License-Identifier: BSD-2-Clause
//
// One look for pages that a missed notification should have cleared.

import Basics
import CacheFS
import PGQueue

/// What to look for, and where.
package struct MissedLook: Sendable {
  /// A page that was written up to this long after a change may not show the change. `changed_at` is mostly the start
  /// of the writer's transaction, and a page that was rendered before the commit is younger than that and still stale:
  /// so this must be longer than an import takes.
  static let margin = Duration.seconds(900)
  /// About 35 bytes are kept for each.
  private static let mostKeys = 1_000_000

  /// A family with pages to clear.
  struct Found: Sendable {
    let query: FamilyQuery
    let keys: StaleKeys
  }

  struct Outcome: Sendable {
    var found: [Found] = []
    /// Why a family could not be compared; safe to display.
    var failures: [String: String] = [:]
    /// Whether to look again: the server or the cache directory was away.
    var isUnfinished = false
  }

  let place: QueryPlace
  private let queries: [FamilyQuery]
  private let timeout: Duration

  /// Nil when no event without a queue empties a family with a query.
  /// - Parameter timeout: how long each query may take.
  package init?(_ queries: [FamilyQuery], timeout: Duration, of place: QueryPlace) {
    let emptied = Set(place.rules.events.flatMap(\.emptied))
    self.queries = queries.filter { emptied.contains($0.family) }
    guard !self.queries.isEmpty else { return nil }
    self.place = place
    self.timeout = timeout
  }

  /// Runs the queries, one after the other, and compares the pages with each.
  /// - Parameter asking: runs the code that asks the database.
  func run(_ asking: LookThread<Outcome>.Asking) -> Outcome {
    var outcome = Outcome()
    // The drain reports whether the directory exists.
    guard let root = place.open() else {
      return Outcome(isUnfinished: true)
    }
    var asked: [(query: FamilyQuery, table: ChangeTable)] = []
    var lead: Int64 = 0
    asking {
      do throws(DatabaseError) {
        // `ask` closes the connection before it returns.
        (asked, lead) = try ask(root, &outcome)
      } catch {
        outcome.isUnfinished = true
        for query in queries { outcome.failures[query.family] = error.explanation }
      }
    }
    for (query, table) in asked {
      let margin = nanoseconds(Self.margin.seconds)
      let keys = StaleKeys(in: root, place.layout, table, lead: lead, margin: margin)
      if keys.pages > 0 { outcome.found.append(Found(query: query, keys: keys)) }
    }
    return outcome
  }

  private func ask(
    _ root: Directory, _ outcome: inout Outcome
  ) throws(DatabaseError) -> ([(FamilyQuery, ChangeTable)], lead: Int64) {
    let (connection, clocks) = try place.connect(for: "queries", root)
    var asked: [(FamilyQuery, ChangeTable)] = []
    for query in queries {
      do throws(DatabaseError) {
        let changes = try FamilyChanges(
          query, place.layout, timeout: timeout, mostKeys: Self.mostKeys,
          on: connection)
        if let table = changes.table { asked.append((query, table)) }
        outcome.failures[query.family] = changes.problem.map { "the query of \(query.place) \($0)" }
      } catch {
        guard case .refused(let reason) = error else { throw error }
        outcome.failures[query.family] = reason.explanation + reason.grantRemedy(on: connection)
      }
    }
    return (asked, clocks.lead)
  }
}

extension ServerError {
  /// `; GRANT SELECT ON TABLE TO ROLE` where a permission is missing; empty for other errors. The server names the
  /// table only in its message, which is in the server's language.
  func grantRemedy(on connection: Connection) -> String {
    guard isPermissionDenied else { return "" }
    let role =
      (try? connection.query("SELECT pg_catalog.quote_ident(current_user)").text(0, 0)) ?? nil
    let to = escape(Array((role ?? "the role").utf8))
    guard let start = message.firstRange(of: "permission denied for table ")?.upperBound else {
      return "; GRANT SELECT ON what the query reads TO \(to)"
    }
    return "; GRANT SELECT ON \(escape(Array(message[start...].utf8))) TO \(to)"
  }
}
