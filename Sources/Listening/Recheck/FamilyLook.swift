// SPDX-License-Identifier: BSD-2-Clause
//
// One family's query: the changes that were not seen before.

import Basics
import CacheFS
import PGQueue

/// The result of one query.
struct FamilyLook: Sendable {
  /// Rows beyond this are not read.
  static let mostRows = 1_000_000
  /// A change that is dated this far ahead of the server's clock is reported.
  private static let mostAhead: Int64 = 3_600_000_000_000

  /// A key and when it was changed, by the server's clock.
  struct Change: Sendable {
    let key: CacheKey
    let changed: Int64
  }

  let query: FamilyQuery
  var look: ChangeLedger.Look
  /// The changes, up to the number that may be cleared.
  var changes: [Change] = []
  /// What is wrong with the query, as a predicate; nil when the query is usable.
  var problem: String?
  /// What is odd about its rows.
  var oddity: String?
  /// Whether a burst has ended: none of the pages that existed when it was seen is left.
  var endsBurst = false

  /// - Throws: ``DatabaseError``.
  init(
    _ query: FamilyQuery, _ ledger: ChangeLedger, _ plan: RecheckPlan, takenAt: Int64,
    on connection: Connection
  ) throws(DatabaseError) {
    self.query = query
    var reader = Reader(query.family, ledger, plan)
    let horizon = try ChangeQuery(query.sql, timeout: plan.limits.timeout).run(
      on: connection, since: { ledger.since($0, overlap: plan.overlap) },
      columns: { reader.begin($0, hasTime: $1) }, row: { reader.take($0) })
    look = ChangeLedger.Look(
      horizon: horizon, fingerprints: reader.fingerprints, keys: reader.keyCount, takenAt: takenAt)
    changes = reader.changes
    problem = reader.problem
    oddity = reader.oddity(now: horizon.now, Self.mostAhead)
  }

  /// Reads the rows.
  private struct Reader {
    private let family: String
    private let ledger: ChangeLedger
    private let layout: Layout
    private let most: Int
    private let deadline: ContinuousClock.Instant
    private let timeout: Duration
    private var recipe: KeyRecipe?
    private var rows = 0
    private var refused: (rows: Int, example: String)?
    private var latest = Int64.min
    private(set) var fingerprints: [UInt64: Int64] = [:]
    private var keys: Set<Int> = []
    private(set) var changes: [Change] = []
    private(set) var problem: String?

    init(_ family: String, _ ledger: ChangeLedger, _ plan: RecheckPlan) {
      self.family = family
      self.ledger = ledger
      layout = plan.layout
      most = plan.limits.most
      timeout = plan.limits.timeout
      deadline = .now + timeout
    }

    /// Rows that were not read may hold any number of keys.
    var keyCount: Int { rows > FamilyLook.mostRows ? max(keys.count, most + 1) : keys.count }

    mutating func begin(_ columns: [String], hasTime: Bool) -> Bool {
      guard hasTime else {
        problem = "has no column \(ChangeQuery.timeColumn)"
        return false
      }
      do throws(KeyError) {
        recipe = try layout.recipe(family, columns)
        return true
      } catch {
        problem = "cannot be asked for keys: \(error.explanation)"
        return false
      }
    }

    mutating func take(_ row: ChangeQuery.Row) -> Bool {
      rows += 1
      guard rows <= FamilyLook.mostRows else { return false }
      if rows % 4096 == 0, deadline <= .now {
        problem = "gives rows for longer than TIMEOUT allows (\(timeout.text))"
        return false
      }
      guard let time = row.changed, row.values.allSatisfy({ $0 != nil }) else { return true }
      let changed = nanoseconds(time)
      latest = max(latest, changed)
      let fingerprint = Self.fingerprint(row.values, changed)
      guard !ledger.hasSeen(fingerprint), fingerprints[fingerprint] == nil else { return true }
      guard let recipe else { return false }
      do throws(KeyError) {
        let key = try recipe.key { row.values[$0] ?? [] }
        fingerprints[fingerprint] = changed
        keys.insert(layout.coverFingerprint(of: key))
        if keys.count <= most { changes.append(Change(key: key, changed: changed)) }
      } catch {
        refused = ((refused?.rows ?? 0) + 1, refused?.example ?? error.explanation)
      }
      return true
    }

    private static func fingerprint(_ values: [[UInt8]?], _ changed: Int64) -> UInt64 {
      var hasher = Hasher()
      hasher.combine(changed)
      for value in values { hasher.combine(value) }
      return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    func oddity(now: Int64, _ ahead: Int64) -> String? {
      if let refused {
        return "gives \(counted(refused.rows, "row")) that name no page: \(refused.example)"
      }
      guard latest > clampedSum(now, ahead) else { return nil }
      return
        "dates a change at \(timestamp(latest)), which is in the future: later changes until then are not seen"
    }
  }
}
