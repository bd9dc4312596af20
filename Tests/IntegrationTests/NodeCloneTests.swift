// SPDX-License-Identifier: BSD-2-Clause
//
// A machine that was copied, state directory and cache with it: one of the two takes the cursor on, the
// other is found out, whichever comes first; and what a start does to the token survives each crash.

import Foundation
import Testing
import fpcache

@testable import Listening
@testable import TestSupport

private let port = PortKey("graphics", "py-pygeoapi")
private let page = IncidentTree.portPages(port)[0]
/// What goes only when a cache is emptied.
private let old = "daily/2020/01/21.daily.head"
private let stranger = "node web1: the name belongs to another cache"

@Suite struct NodeCloneTests {
  private let database: TestDatabase
  private let node: TestNode

  init() throws {
    database = try PostgresServer.shared.makeDatabase()
    try database.prepareForNodes()
    node = try TestNode("web1", database)
  }

  /// Has the node registered and its cache emptied, and then filled.
  private func register() throws {
    try node.startAndSettle()
    try node.stop()
    for page in [page, old] { try node.tree.write(page, bytes: 1) }
  }

  /// Another machine with the same name, the same pages and the same state directory.
  private func copy() throws -> TestNode {
    let copy = try TestNode("web1", database)
    for page in [page, old] where node.tree.exists(page) { try copy.tree.write(page, bytes: 1) }
    try copy.state.write("node", text: node.state.read("node"))
    return copy
  }

  private func change(notify: Bool = true) throws {
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port)
      VALUES (1, '\(port.category)', '\(port.port)'); \(notify ? "NOTIFY port_updated;" : "")
      """)
  }

  private func token() throws -> String { try database.sql("SELECT token FROM fpcache_node") }
  private func tokensOfFile() throws -> [Substring] {
    try node.state.read("node").split(whereSeparator: \.isWhitespace).dropFirst().map { $0 }
  }

  private func waitUntilEmpty(_ node: TestNode) throws {
    try eventually("\(node.name) is emptied", details: "\(node)") { try node.tree.files() == [] }
  }

  @Test("of two copies the first goes on where it was, the second is found out and emptied")
  func copied() throws {
    try register()
    let copy = try copy()
    try change(notify: false)

    let first = try node.startAndSettle()
    try eventually("the page goes", details: "\(node)") { !node.tree.exists(page) }
    #expect(node.tree.exists(old), "\(node)")
    #expect(copy.tree.exists(page))

    try copy.startAndSettle().waitForLog(containing: stranger)
    try waitUntilEmpty(copy)
    // And the first one, which has lost its name by that, says so with the next change.
    #expect(!first.lines.contains { $0.contains(stranger) })
    try change()
    try first.waitForLog(containing: stranger)
    try waitUntilEmpty(node)
  }

  @Test("a copy that is started beside its original is found out by the original")
  func copiedWhileRunning() throws {
    try register()
    let original = try node.startAndSettle()
    let copy = try copy()
    try copy.startAndSettle()
    try change()
    try original.waitForLog(containing: stranger)
    try waitUntilEmpty(node)
    // It took the name back; by the next change the copy is found out too.
    try change()
    try copy.daemon?.waitForLog(containing: stranger)
    try waitUntilEmpty(copy)
  }

  @Test("copies of a machine that died between two tokens are told apart too")
  func copiedAfterCrash() throws {
    try register()
    let doomed = try node.start(environment: [
      "FPCACHE_CRASH_AT": CrashPoint.tokenRenewed.rawValue
    ])
    try doomed.waitForExit()
    #expect(try tokensOfFile().count == 2)
    let copy = try copy()
    try node.startAndSettle()
    #expect(node.tree.exists(old), "\(node)")
    try copy.startAndSettle().waitForLog(containing: stranger)
    try waitUntilEmpty(copy)
  }

  @Test(
    "killed at a step of the token's change, it is known again and empties nothing",
    arguments: [CrashPoint.tokenDrawn, .tokenRenewed, .tokenKept])
  func killed(step: CrashPoint) throws {
    try register()
    let before = try token()
    for _ in 1...2 {
      let doomed = try node.start(environment: ["FPCACHE_CRASH_AT": step.rawValue])
      #expect(try doomed.waitForExit().exit == .signal(9))
      #expect(try tokensOfFile().count == (step == .tokenKept ? 1 : 2))
    }
    try change(notify: false)
    let listener = try node.startAndSettle()
    try eventually("the page goes", details: "\(node)") { !node.tree.exists(page) }
    #expect(node.tree.exists(old), "\(node)")
    #expect(!listener.lines.contains { $0.contains(stranger) || $0.contains("registers") })
    #expect(try token() != before)
    #expect(try tokensOfFile() == [Substring(token())])
  }

  @Test("killed just after it was registered, it is known again")
  func killedWhenRegistered() throws {
    try node.tree.write(old, bytes: 1)
    let doomed = try node.start(environment: ["FPCACHE_CRASH_AT": CrashPoint.registered.rawValue])
    try doomed.waitForExit()
    let listener = try node.startAndSettle()
    try waitUntilEmpty(node)
    #expect(!listener.lines.contains { $0.contains(stranger) || $0.contains("registers") })
  }

  @Test("-n changes no token, --once does at each run, and both know the cache")
  func once() throws {
    try register()
    try change(notify: false)
    let command = [
      "listen", "--once", "--settle", "0", "--node", "web1", "--dsn", database.listenerDSN,
      "--cache-dir", node.tree.path, "--state-dir", node.state.path,
    ]
    let (before, file) = try (token(), node.state.read("node"))
    let dry = try Command.fpcache(command + ["-n"], in: node.tree)
    #expect(dry.status == 0 && dry.stdout.hasPrefix("would drain 1 row,"), "\(dry)")
    #expect(try token() == before)
    #expect(try node.state.read("node") == file)
    #expect(try node.state.files() == ["node", "settle"])

    for _ in 1...2 {
      let last = try token()
      let result = try Command.fpcache(command, in: node.tree)
      #expect(result.status == 0 && !result.stderr.contains("emptied"), "\(result)")
      #expect(try token() != last)
    }
    #expect(!node.tree.exists(page))
    #expect(node.tree.exists(old))
  }

  @Test("-n of a node that nobody knows makes no state")
  func dryFirstStart() throws {
    let dry = try Command.fpcache(
      [
        "listen", "--once", "-n", "--node", "web1", "--dsn", database.listenerDSN,
        "--cache-dir", node.tree.path, "--state-dir", node.state.path,
      ], in: node.tree)
    #expect(dry.status == 0, "\(dry)")
    #expect(try node.state.files() == [])
    #expect(try database.count("fpcache_node") == 0)
  }

  @Test("where the token cannot be written it says so, and the next start is a first one")
  func unwritable() throws {
    let node = try TestNode("web1", database, tree: TemporaryTree(), as: .unprivileged)
    try node.tree.give(to: .unprivileged)
    try node.startAndSettle()
    try node.stop()
    func fill() throws {
      try node.tree.write(old, bytes: 1)
      try node.tree.give(to: .unprivileged)
    }
    let warning = "node web1 will not be recognised after a restart"
    try fill()
    try node.state.setMode("", 0o555)
    try node.startAndSettle().waitForLog(containing: warning)
    #expect(node.tree.exists(old), "it still knows the cache: \(node)")
    try node.stop()

    let next = try node.startAndSettle(["--settle", "0", "--poll-interval", "0.2"])
    try next.waitForLog(containing: stranger)
    try waitUntilEmpty(node)
    #expect(next.lines.count { $0.contains(warning) } == 1, "\(node)")
    // A disk is not full for ever: what could not be written is written when it can be.
    try node.state.setMode("", 0o755)
    try eventually("the token is written", details: "\(node)") {
      try node.state.read("node") == "web1 \(token())\n"
    }
    try node.stop()
    try fill()
    let known = try node.startAndSettle()
    #expect(!known.lines.contains { $0.contains(stranger) || $0.contains(warning) }, "\(node)")
    #expect(node.tree.exists(old), "\(node)")
  }

  @Test("two from one state directory: the second does not start, and the first is left in peace")
  func sharedState() throws {
    try register()
    let first = try node.startAndSettle()
    let before = try token()
    for name in ["web1", "web2"] {
      let second = try Command.fpcache(
        [
          "listen", "--once", "--settle", "0", "--node", name, "--dsn", database.listenerDSN,
          "--cache-dir", node.tree.path, "--state-dir", node.state.path,
        ], in: node.tree)
      #expect(second.status == 1, "\(second)")
      #expect(
        second.stderr == """
          fpcache: state directory \(node.state.path): another fpcache listen --node uses it; node \
          \(name) needs one of its own: name it with --state-dir

          """, "\(second)")
    }
    #expect(try token() == before)
    try change()
    try eventually("the page goes", details: "\(node)") { !node.tree.exists(page) }
    #expect(!first.lines.contains { $0.contains(stranger) })
    #expect(node.tree.exists(old))
  }
}
