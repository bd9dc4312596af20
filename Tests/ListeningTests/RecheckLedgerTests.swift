// SPDX-License-Identifier: BSD-2-Clause
//
// What a recheck makes of what a query gave, as tables: from when the next look asks, what was seen, what is
// too much at once, and what some queue should have told of. No clock, no database.

import Testing

@testable import CacheFS
@testable import Listening
@testable import PGQueue

@Suite struct RecheckLedgerTests {
  private static let second: Int64 = 1_000_000_000
  /// Seconds, on a scale where now is 10,000 and the overlap 900.
  private static let overlap = 900 * second

  private static func horizon(
    _ now: Int64, oldest: Int64? = nil, isComplete: Bool = true, prepared: Set<String> = []
  ) -> ChangeHorizon {
    ChangeHorizon(
      now: now * second, oldest: oldest.map { $0 * second }, isComplete: isComplete,
      prepared: prepared)
  }

  private static func look(
    _ horizon: ChangeHorizon, _ changes: [UInt64: Int64] = [:], keys: Int? = nil
  ) -> ChangeLedger.Look {
    ChangeLedger.Look(
      horizon: horizon, fingerprints: changes.mapValues { $0 * second },
      keys: keys ?? changes.count, takenAt: horizon.now)
  }

  @Test(
    "dear looks take a tenth of the time at most",
    arguments: [(20, 0), (1000, 0), (1001, 9009), (10_000, 90_000)])
  func rest(_ look: Int, _ rest: Int) {
    #expect(LookPace.rest(after: .milliseconds(look)) == .milliseconds(rest))
  }

  // MARK: The lower bound

  struct BoundCase: CustomTestStringConvertible, Sendable {
    let name: String
    var before: Int64?
    let horizon: ChangeHorizon
    let since: Int64
    let after: Int64
    var testDescription: String { name }
  }

  static let bounds = [
    BoundCase(
      name: "the first look goes back by the overlap", horizon: horizon(10_000), since: 9100,
      after: 9990),
    BoundCase(
      name: "nothing is open: up to now, but for the slack", before: 9500, horizon: horizon(10_000),
      since: 9500, after: 9990),
    BoundCase(
      name: "a transaction is open: up to its begin", before: 9500,
      horizon: horizon(10_000, oldest: 9700), since: 9500, after: 9690),
    BoundCase(
      name: "one that began before the last bound holds it where it is", before: 9500,
      horizon: horizon(10_000, oldest: 4000), since: 9500, after: 9500),
    BoundCase(
      name: "not all is to be seen: the overlap", before: 9000,
      horizon: horizon(10_000, isComplete: false), since: 9000, after: 9100),
    BoundCase(
      name: "not all is to be seen, and what is began before", before: 8000,
      horizon: horizon(10_000, oldest: 8500, isComplete: false), since: 8000, after: 8490),
    BoundCase(
      name: "what was seen before stays seen, whatever the overlap", before: 9800,
      horizon: horizon(10_000, isComplete: false), since: 9800, after: 9800),
    BoundCase(
      name: "a prepared transaction: nobody knows when it began, but not before the last bound",
      before: 9500, horizon: horizon(10_000, prepared: ["7"]), since: 9500, after: 9500),
    BoundCase(
      name: "a bound that is still to come is another clock's", before: 20_000,
      horizon: horizon(10_000), since: 9100, after: 9990),
  ]

  @Test(arguments: bounds) func bound(_ row: BoundCase) {
    var ledger = ChangeLedger(bound: row.before.map { $0 * Self.second })
    #expect(ledger.since(row.horizon, overlap: Self.overlap) == row.since * Self.second)
    ledger.accept(Self.look(row.horizon), .clear, overlap: Self.overlap)
    #expect(ledger.bound == row.after * Self.second)
  }

  @Test("each prepared transaction holds the bound at where it was when it was first met")
  func preparedOnes() {
    var ledger = ChangeLedger(bound: 1000 * Self.second)
    let looks: [(now: Int64, prepared: Set<String>, bound: Int64)] = [
      (2000, ["a"], 1000), (3000, ["a", "b"], 1000), (4000, ["b"], 1000), (5000, [], 4990),
      (6000, ["c"], 4990), (7000, ["d"], 4990), (8000, ["d"], 4990), (9000, [], 8990),
    ]
    for row in looks {
      ledger.accept(
        Self.look(Self.horizon(row.now, prepared: row.prepared)), .clear, overlap: Self.overlap)
      #expect(ledger.bound == row.bound * Self.second, "\(row)")
    }
  }

  // MARK: What was seen

  @Test("a change is remembered as long as it may be given again, and no longer")
  func seen() {
    var ledger = ChangeLedger(bound: 9000 * Self.second)
    let open = Self.horizon(10_000, oldest: 9510)
    ledger.accept(
      Self.look(open, [1: 9400, 2: 9499, 3: 9500, 4: 9990]), .clear, overlap: Self.overlap)
    #expect((1...4).map { ledger.hasSeen($0) } == [false, false, true, true])
    ledger.accept(Self.look(Self.horizon(10_100)), .clear, overlap: Self.overlap)
    #expect((3...4).map { ledger.hasSeen($0) } == [false, false])
  }

  @Test("where there are too many to remember the oldest are forgotten")
  func forgotten() {
    var ledger = ChangeLedger(bound: 0)
    let changes = Dictionary(uniqueKeysWithValues: (1...100).map { (UInt64($0), Int64($0)) })
    ledger.accept(
      Self.look(Self.horizon(200, oldest: 1), changes), .clear, overlap: Self.overlap, mostSeen: 10)
    #expect(ledger.seen.count == 10)
    #expect((91...100).allSatisfy { ledger.hasSeen($0) })
  }

  // MARK: Too many at once

  @Test func decisions() {
    #expect(ChangeLedger.decision(10, most: 10, isEmptiedWhole: false) == .clear)
    #expect(ChangeLedger.decision(11, most: 10, isEmptiedWhole: false) == .refuse)
    #expect(ChangeLedger.decision(11, most: 10, isEmptiedWhole: true) == .clearFamily)
    #expect(ChangeLedger.decision(0, most: 10, isEmptiedWhole: true) == .clear)
  }

  @Test("a burst holds the bound that a restart begins with, and no later change")
  func burst() {
    var ledger = ChangeLedger(bound: 9500 * Self.second)
    ledger.accept(
      Self.look(Self.horizon(10_000), [1: 9995], keys: 20_000), .refuse, overlap: Self.overlap)
    #expect(ledger.burst?.keys == 20_000 && ledger.burst?.seenAt == 10_000 * Self.second)
    #expect(ledger.survivingBound == 9500 * Self.second)
    // It is told and refused once.
    #expect(ledger.bound == 9990 * Self.second && ledger.hasSeen(1))
    // What changes later is cleared, and moves nothing that survives.
    ledger.accept(Self.look(Self.horizon(11_000), [2: 10_500]), .clear, overlap: Self.overlap)
    #expect(ledger.bound == 10_990 * Self.second && ledger.survivingBound == 9500 * Self.second)
    // One more adds up, and its pages count from when it was seen.
    ledger.accept(Self.look(Self.horizon(12_000), keys: 5), .refuse, overlap: Self.overlap)
    #expect(
      ledger.burst
        == .init(keys: 20_005, bound: 9500 * Self.second, seenAt: 12_000 * Self.second))
    var cleared = ledger
    cleared.endBurst()
    #expect(cleared.survivingBound == cleared.bound)
    ledger.reopenBurst()
    #expect(ledger == ChangeLedger(bound: 9500 * Self.second))
  }

  // MARK: What nobody queued

  private let layout = Layout.freshPorts

  private func port(_ category: String, _ port: String) throws -> CacheKey {
    try layout.port(category: Array(category.utf8), port: Array(port.utf8))
  }

  @Test("a key is requested by itself, by its family, by a part of what it binds")
  func requested() throws {
    let requested = RequestedKeys(now: 100)
    let nginx = try port("www", "nginx")
    requested.note([nginx], layout, now: 200)
    #expect(requested.isRequested(nginx, since: 200, layout) == true)
    #expect(requested.isRequested(nginx, since: 201, layout) == false)
    #expect(try requested.isRequested(port("www", "apache24"), since: 150, layout) == false)
    // Nothing is known of what came before.
    #expect(try requested.isRequested(port("www", "apache24"), since: 99, layout) == nil)
    requested.note([try layout.key("ports", [("category", Array("www".utf8))])], layout, now: 300)
    #expect(try requested.isRequested(port("www", "apache24"), since: 250, layout) == true)
    #expect(try requested.isRequested(port("net", "rsync"), since: 250, layout) == false)
    requested.note([try layout.all(of: "ports")], layout, now: 400)
    #expect(try requested.isRequested(port("net", "rsync"), since: 350, layout) == true)
  }

  @Test("what is forgotten accuses nobody")
  func requestedBounded() throws {
    let requested = RequestedKeys(now: 0, most: 10)
    for number in 1...20 {
      requested.note([try port("www", "p\(number)")], layout, now: Int64(number))
    }
    #expect(try requested.isRequested(port("www", "p20"), since: 20, layout) == true)
    #expect(try requested.isRequested(port("www", "p1"), since: 1, layout) == nil)
    #expect(try requested.isRequested(port("www", "x"), since: 20, layout) == false)
  }

  @Test("a change is judged once all queues were asked for, and named in one line")
  func judged() throws {
    let slack = MissedInvalidations.slack
    let requested = RequestedKeys(now: 0)
    var missed = MissedInvalidations()
    let names = ["a", "b", "c", "d", "e", "f", "g"]
    missed.add(
      try names.map {
        .init(family: "ports", key: try port("www", $0), changed: 100 * slack)
      })
    // Within what clocks differ by.
    requested.note([try port("www", "g")], layout, now: 99 * slack)
    #expect(missed.judge(requested, layout, verb: "cleared").isEmpty)
    missed.notePoll()
    #expect(
      missed.judge(requested, layout, verb: "cleared") == [
        "ports: 6 keys changed and nothing was queued (www/a, www/b, www/c, www/d, www/e and 1 more): "
          + "cleared; look for the trigger"
      ])
    #expect(missed.counts == ["ports": 6] && missed.isEmpty)
    // Once.
    missed.notePoll()
    #expect(missed.judge(requested, layout, verb: "cleared").isEmpty)
    #expect(
      MissedInvalidations.line("packages", ["all of it"], verb: "would be cleared")
        == "packages: 1 key changed and nothing was queued (all of it): would be cleared; look for the trigger"
    )
  }
}
