// SPDX-License-Identifier: BSD-2-Clause
//
// SIGKILL while the settle file is being written or copied: what the file holds then, and that the
// next listener finishes it.

import CacheFS
import Testing
import fpcache

@testable import Listening
@testable import TestSupport

@Suite(.enabled(if: hasCrashPoints, "crash points are in debug builds only"))
struct SettleCrashTests {
  /// Runs the listener until it dies at the point.
  private func crash(
    at point: CrashPoint, _ tree: TemporaryTree, _ database: TestDatabase, _ state: TemporaryTree,
    _ arguments: [String] = ["--settle", "0.3"]
  ) throws {
    let listener = try Daemon.listen(
      on: tree, database, arguments, stateDirectory: state.path,
      environment: ["FPCACHE_CRASH_AT": point.rawValue])
    let result = try listener.waitForExit(timeout: .seconds(30))
    #expect(result.exit == .signal(9), "\(point): \(result)")
  }

  @Test("a line torn by the crash is dropped, and the row it was written for is still there")
  func tornLine() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 5, days: 0)
    let state = try TemporaryTree()
    try incident.queue(in: database)
    try crash(at: .settleTorn, incident.tree, database, state)

    let left = try state.read("settle")
    #expect(!left.isEmpty && !left.hasSuffix("\n"), "\(left)")
    #expect(try database.count("cache_clearing_ports") == 5)
  }

  @Test("killed while the settle file is being copied: nothing of the rest is lost")
  func compacted() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 2, days: 0)
    let state = try TemporaryTree()
    let layout = Layout.freshPorts
    func line(_ port: PortKey) throws -> String {
      let key = try layout.port(category: Array(port.category.utf8), port: Array(port.port.utf8))
      return "1\t\(layout.text(of: key))\n"
    }
    // It is copied when more than a megabyte of it is spent; the last line is not, then.
    let spent = try line(incident.ports[0])
    let count = (3 << 19) / spent.utf8.count
    try state.write(
      "settle", text: String(repeating: spent, count: count) + line(incident.ports[1]))

    try crash(at: .settleCompacted, incident.tree, database, state)
    #expect(try state.files() == ["settle", "settle.new"])
    #expect(!incident.tree.exists(IncidentTree.portPages(incident.ports[0])[0]))
    #expect(incident.tree.exists(IncidentTree.portPages(incident.ports[1])[0]))

    let listener = try Daemon.listen(
      on: incident.tree, database, ["--settle", "0.3"], stateDirectory: state.path)
    try eventually("the rest is cleared", details: "\(listener)") {
      try !incident.tree.exists(IncidentTree.portPages(incident.ports[1])[0])
        && state.read("settle") == ""
    }
  }
}
