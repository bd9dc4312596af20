// SPDX-License-Identifier: BSD-2-Clause
//
// One cell of the table: a listener, the triggers, whether the listener is killed in every
// burst, and how long renders take. Rounds of a burst and a rest; at rest every page is judged.

import Foundation
import PGQueue
import TestSupport

/// What a cell is about.
struct Cell: Sendable {
  enum Listener: String, CaseIterable, Sendable {
    case fpcache
    /// The comparison (RowAtATime.swift).
    case rowAtATime = "row-at-a-time"
  }

  enum Fate: String, CaseIterable, Sendable {
    case left
    case killed
  }

  /// The triggers of the site.
  enum Triggers: Sendable {
    /// FreshPorts' own.
    case shape(TriggerShape)
    /// Those that `fpcache sql` prints, for another site.
    case printed(TriggerMutant? = nil)

    /// For instance `3`, `sql` and `sql-new-only`.
    var name: String {
      switch self {
      case .shape(let shape): "\(shape.rawValue)"
      case .printed(let mutant):
        (["sql"] + (mutant.map { [$0.rawValue] } ?? [])).joined(separator: "-")
      }
    }
  }

  let listener: Listener
  let triggers: Triggers
  let fate: Fate
  let renderMilliseconds: Int
  /// How many web nodes share the database, each with a listener and a tree of its own.
  var nodes = 1

  /// For instance `fpcache-3-killed-20`.
  var name: String {
    "\(listener.rawValue)-\(triggers.name)-\(fate.rawValue)-\(renderMilliseconds)"
  }

  /// What a cell has to show, or else the table proves nothing.
  enum Expectation {
    case noStalePage
    case stalePages
    /// The comparison where it may do without: nothing is lost here.
    case anything
  }

  /// The old shape loses invalidations where writers may leave a row out that they see pending, and where a render
  /// outlives the clearing of its page. With many nodes it does so everywhere: each row is served by one of them.
  var expectation: Expectation {
    switch (listener, triggers) {
    case (_, .printed(_?)): .stalePages
    case (.fpcache, _): .noStalePage
    case (.rowAtATime, .shape(.plain)) where renderMilliseconds == 0 && nodes == 1: .anything
    case (.rowAtATime, _): .stalePages
    }
  }

  /// Whether the server is restarted in some rounds, instead of the killed listener.
  var restartsServer: Bool {
    guard listener == .fpcache, fate == .killed else { return false }
    if case .printed = triggers { return true }
    return nodes > 1
  }

  /// The whole table, in the order in which it is printed.
  static let all = shapes(of: .fpcache) + printed + shapes(of: .rowAtATime)

  private static func shapes(of listener: Listener) -> [Cell] {
    TriggerShape.allCases.flatMap { cells(listener, .shape($0)) }
  }

  private static let printed =
    cells(.fpcache, .printed())
    + TriggerMutant.allCases.map {
      Cell(listener: .fpcache, triggers: .printed($0), fate: .left, renderMilliseconds: 20)
    }

  private static func cells(_ listener: Listener, _ triggers: Triggers) -> [Cell] {
    Fate.allCases.flatMap { fate in
      [0, 20].map {
        Cell(listener: listener, triggers: triggers, fate: fate, renderMilliseconds: $0)
      }
    }
  }
}

/// How hard a cell is driven.
struct Load: Sendable {
  var rounds = 100
  var ports = 4
  var writers = 4
  var visitors = 3
  /// One round of so many has a writer whose transaction outlasts the settle time.
  var roundsPerLateWriter = 4
  /// How long writers write before all comes to rest, in milliseconds.
  var burstMilliseconds = 100.0...250.0
  /// Where the server is restarted in place of the listener: in one round of so many.
  var roundsPerRestart = 8
  /// `--settle`: longer than any render here, and short, so that rounds are.
  var settle = Duration.milliseconds(300)
  var seed: UInt64 = 1
  /// The share of transactions that are rolled back.
  var rollbacks = 0.125
}

/// What came of a cell.
struct CellResult: Sendable {
  let cell: Cell
  var rounds = 0
  /// Rounds in which a render took as long as the settle time, for which nothing is promised:
  /// they are not counted and others take their place.
  var voidRounds = 0
  var inspection = Inspection()
  var changes = 0
  /// How long the writers were at work.
  var writing = Duration.zero
  var renders = 0
  var slowestRender = Duration.zero
  var drains = 0
  var kills = 0
  /// How often the server was restarted.
  var restarts = 0
}

/// Everybody on a cell's site but the listener.
private struct Crews {
  let writers: Crew
  let lateWriter: Crew
  let visitors: Crew

  init(_ site: Site, _ deeds: Deeds, _ load: Load, _ cell: Cell) {
    writers = Crew(load.writers) {
      Writer(
        site, deeds, rollbacks: load.rollbacks, SeededGenerator(load.seed, stream: 100 + $0))
    }
    lateWriter = Crew(1) { _ in
      LateWriter(site, deeds, settle: load.settle, SeededGenerator(load.seed, stream: 150))
    }
    visitors = Crew(load.visitors) {
      Visitor(
        site, deeds, renderMilliseconds: cell.renderMilliseconds,
        SeededGenerator(load.seed, stream: 200 + $0))
    }
  }

  func dismiss() {
    for crew in [writers, lateWriter, visitors] { crew.dismiss() }
  }
}

/// A cell at work.
final class CellRun {
  private let cell: Cell
  private let load: Load
  private let site: Site
  private let subject: any Subject
  private let session: Session
  private let deeds = Deeds()
  private var random: SeededGenerator
  private var result: CellResult

  init(_ cell: Cell, _ load: Load) throws {
    self.cell = cell
    self.load = load
    // Restarts are felt by everybody on a server; and what was committed must outlive them, or
    // pages would be newer than it.
    let server =
      cell.nodes == 1 && !cell.restartsServer
      ? try PostgresServer.shared : try PostgresServer(settings: ["synchronous_commit": "on"])
    switch cell.triggers {
    case .shape(let shape):
      site = try Site(server.makeDatabase(shape: shape), ports: load.ports, nodes: cell.nodes)
    case .printed(let mutant): site = try Site.printed(on: server, mutant)
    }
    session = Session(site.database.dsn)
    random = SeededGenerator(load.seed, stream: 0)
    result = CellResult(cell: cell)
    switch cell.listener {
    case .fpcache where cell.nodes > 1: subject = try NodesSubject(site, settle: load.settle)
    case .fpcache: subject = try FpcacheSubject(site, settle: load.settle)
    case .rowAtATime where cell.nodes > 1:
      subject = Subjects(site.trees.map { [site] in RowAtATimeSubject(site, tree: $0) })
    case .rowAtATime: subject = RowAtATimeSubject(site, tree: site.tree)
    }
  }

  /// Plays all rounds.
  /// - Throws: `SupportError` when the listener leaves by itself, or does not come to rest.
  func run() throws -> CellResult {
    let crews = Crews(site, deeds, load, cell)
    defer { crews.dismiss() }
    try subject.start()
    while result.rounds < load.rounds {
      try playRound(crews)
      guard result.voidRounds <= load.rounds else {
        throw SupportError("\(cell.name): every other render takes longer than the settle time")
      }
    }
    try (subject as? FpcacheSubject)?.waitForIdleStatus()
    try (subject as? NodesSubject)?.checkLog()
    result.drains = subject.drains
    result.changes = deeds.changes
    result.renders = deeds.renders
    try subject.stop()
    return result
  }

  private func playRound(_ crews: Crews) throws {
    crews.visitors.work()
    try burst(crews)
    // Visitors go on until the listener has nothing left to do: a page that is cleared late is
    // rendered again, and is judged too.
    try waitForRest()
    try crews.visitors.rest()
    let slowest = deeds.takeSlowestRender()
    result.slowestRender = max(result.slowestRender, slowest)
    let inspection = try site.inspect(session)
    // A stale page would be stale in the next round too, and be counted twice.
    for page in inspection.stale { site.trees[page.node].remove(page.path) }
    if cell.listener == .fpcache, load.settle > .zero, slowest >= load.settle {
      result.voidRounds += 1
      return
    }
    result.rounds += 1
    result.inspection.add(inspection)
  }

  private func burst(_ crews: Crews) throws {
    let length = random.duration(milliseconds: load.burstMilliseconds)
    let killAfter = length * Double.random(in: 0..<1, using: &random)
    let began = ContinuousClock.now
    crews.writers.work()
    if Int.random(in: 0..<load.roundsPerLateWriter, using: &random) == 0 { crews.lateWriter.work() }
    if cell.fate == .killed {
      pause(killAfter)
      if cell.restartsServer, result.rounds % load.roundsPerRestart == load.roundsPerRestart - 1 {
        try restartServer()
      } else {
        try kill()
      }
    }
    pause(length - began.duration(to: .now))
    try crews.writers.rest()
    result.writing += began.duration(to: .now)
    try crews.lateWriter.rest()
    // And every other time once more, while keys wait to be cleared again.
    if cell.fate == .killed, Bool.random(using: &random) {
      pause(load.settle * Double.random(in: 0..<1, using: &random))
      try kill()
    }
  }

  private func kill() throws {
    try subject.killAndRestart()
    result.kills += 1
  }

  /// As by a crash and in order by turns.
  private func restartServer() throws {
    try site.database.server.restart(result.restarts.isMultiple(of: 2) ? .immediate : .fast)
    result.restarts += 1
  }

  /// How long the rest may be in coming: after a crash of the server a node may wait for half a
  /// minute before it tries to connect again.
  private var restTimeout: Duration { .seconds(cell.restartsServer ? 120 : 30) }

  /// Waits until no queue holds a row and the listener owes nothing for those that are gone.
  private func waitForRest() throws {
    try eventually(timeout: restTimeout, "\(cell.name) comes to rest", details: rowsAndLog) {
      try !site.hasRows(session) && subject.isSettled
    }
  }

  private var rowsAndLog: String {
    "\(site.database)\n\((subject as? FpcacheSubject)?.log ?? (subject as? NodesSubject)?.log ?? "")"
  }
}
