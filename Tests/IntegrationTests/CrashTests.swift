// SPDX-License-Identifier: BSD-2-Clause
//
// SIGKILL at each step of a drain and of the settle list's writing: after a restart every page is
// gone and every row too.

import Testing
import fpcache

@testable import Listening
@testable import TestSupport

@Suite struct CrashTests {
  /// The steps that a drain of a few rows comes by; the list is copied only when it is long.
  private static let steps = CrashPoint.allCases.filter {
    $0 != .settleCompacted && !ofNodes.contains($0) && !ofRechecks.contains($0)
      && !ofEvents.contains($0)
  }
  /// Those of one of many nodes (NodeFaultTests.swift).
  static let ofNodes: [CrashPoint] = [
    .tokenDrawn, .tokenRenewed, .tokenKept, .registered, .emptied, .moved, .logRead, .logCleared,
    .advanced,
  ]

  /// Those of a line of the events file (EventTests.swift).
  static let ofEvents: [CrashPoint] = [.eventsTorn, .eventsWritten]

  /// Those of a recheck (RecheckTests.swift).
  static let ofRechecks: [CrashPoint] = [
    .changesFound, .changesCleared, .changesSettled, .boundWritten,
  ]

  @Test("killed at a step, then started again: no page and no row is left", arguments: steps)
  func killed(step: CrashPoint) throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 30, days: 3)
    try incident.queue(in: database)
    let state = try TemporaryTree()

    let doomed = try Daemon.listen(
      on: incident.tree, database, ["--settle", "0.2"], stateDirectory: state.path,
      environment: ["FPCACHE_CRASH_AT": step.rawValue])
    let death = try doomed.waitForExit(timeout: .seconds(20))
    #expect(death.exit == .signal(9), "\(step): \(death)")

    // A visitor may have brought a page back from old data just before the crash.
    let page = IncidentTree.portPages(incident.ports[0])[0]
    let isSettleDue = [.retired, .finished, .settled, .settledAgain].contains(step)
    if isSettleDue { try incident.tree.write(page, bytes: 10) }

    let listener = try Daemon.listen(
      on: incident.tree, database, ["--settle", "0.2"], stateDirectory: state.path)
    try listener.waitForLog(containing: "drained: ")
    try eventually("all is gone after \(step)", details: "\(listener)") {
      let waits =
        try database.count("cache_clearing_ports") + database.count("cache_clearing_dates")
      return try waits == 0 && incident.remainingPages().isEmpty
    }
    try eventually("the settle list is empty after \(step)", details: "\(listener)") {
      try state.read("settle").isEmpty
    }
    #expect(incident.missingBystanders() == [])
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }
}
