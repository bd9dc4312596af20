// SPDX-License-Identifier: BSD-2-Clause
//
// Somebody swaps folders of the cache for links to a canary while everything that deletes runs: the
// clears here, and the program's listener, its stats and its verify --fix beside them.

import ArgumentParser
import CacheFS
import Foundation
import PGQueue
import Synchronization
import SystemPackage
import TestSupport

struct Attack: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Folders swapped for links to a canary in a tight loop: nothing of it may go.")

  @Option(help: "How many keys are cleared.") var clears = 200_000

  func validate() throws {
    guard clears > 0, SwapAttack.isPossible else {
      throw ValidationError("expected --clears above 0, and a system that has renameat2(2)")
    }
  }

  func run() throws {
    let isSafe = try assault()
    let isReal = try control()
    guard isSafe, isReal else { throw ExitCode.failure }
  }

  /// The attack on the program as it is.
  private func assault() throws -> Bool {
    let attack = try SwapAttack()
    let database = try PostgresServer.shared.makeDatabase()
    let state = try TemporaryTree()
    let listener = try Daemon.listen(
      on: attack.cache, database, ["--settle", "0.2", "--poll-interval", "0.5"],
      stateDirectory: state.path)
    let auditor = Auditor(attack.cache)
    let auditors = Crew(1) { _ in auditor }
    let writers = Crew(1) { _ in QueueWriter(database) }
    let clearing = Clearing(attack.cache, .real)
    try attack.run {
      auditors.work()
      writers.work()
      while clearing.keys < clears { try clearing.step() }
      try writers.rest()
      try auditors.rest()
    }
    for crew in [auditors, writers] { crew.dismiss() }
    listener.terminate()
    let status = try listener.waitForExit().status
    let drains = listener.lines.count { $0.contains("drained: ") }
    let losses = try attack.losses()
    print(
      """
      \(clearing.keys) clears: \(clearing.files) files went, \(clearing.links) clears met a link
      \(drains) drains, \(auditor.runs) runs each of stats and verify --fix beside them
      \(attack.swaps) times a folder and a link changed places
      canary: \(losses.isEmpty ? "whole" : "LOST\n  " + losses.joined(separator: "\n  "))
      """)
    // A clear that never came through, or never met a link, has proved nothing.
    return losses.isEmpty && status == 0 && clearing.files > 0 && clearing.links > 0 && drains > 0
  }

  /// The same clears, following links: the canary has to go, or the attack is none.
  private func control() throws -> Bool {
    var kernel = Kernel.real
    kernel.openFolder = { directory, name, _ in
      openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    let attack = try SwapAttack()
    let clearing = Clearing(attack.cache, kernel)
    try attack.run {
      while clearing.keys < clears {
        try clearing.step()
        if clearing.keys.isMultiple(of: 100), try !attack.losses().isEmpty { return }
      }
    }
    let isLost = try !attack.losses().isEmpty
    print("without O_NOFOLLOW: canary \(isLost ? "lost" : "WHOLE") after \(clearing.keys) clears")
    return isLost
  }
}

/// Clears one key after the other, as a command of its own would.
private final class Clearing {
  private let path: FilePath
  private let kernel: Kernel
  private let wanted: [CacheKey]
  private(set) var keys = 0
  private(set) var files = 0
  private(set) var links = 0

  init(_ tree: TemporaryTree, _ kernel: Kernel) {
    path = FilePath(tree.path)
    self.kernel = kernel
    let layout = Layout.freshPorts
    let (net, name) = (Array("net".utf8), Array("a".utf8))
    wanted = [
      try? layout.port(category: net, port: name), try? layout.ports(of: net),
      try? layout.month(year: 2020, month: 1), try? layout.year(2020), try? layout.all(of: "news"),
    ].compactMap { $0 }
  }

  func step() throws {
    let root = try Directory(root: path, kernel: kernel)
    let clearer = Clearer(root, layout: .freshPorts)
    for key in wanted {
      let report = clearer.clear(key)
      keys += 1
      files += report.filesRemoved
      links += report.failures.contains { $0.error == .notDirectory } ? 1 : 0
    }
  }
}

/// Runs stats and verify --fix.
private final class Auditor: Worker, Sendable {
  private let tree: TemporaryTree
  private let count = Atomic<Int>(0)

  init(_ tree: TemporaryTree) { self.tree = tree }

  var runs: Int { count.load(ordering: .relaxed) }

  func step() throws {
    for command in [["stats"], ["verify", "--fix"]] {
      let result = try Command.fpcache(
        command + ["-q", "--no-database", "--cache-dir", tree.path])
      // 1: a link in a folder's place is told of.
      guard [0, 1].contains(result.status) else { throw SupportError("\(result)") }
    }
    count.add(1, ordering: .relaxed)
  }
}

/// Queues a port and a day, and says so.
private final class QueueWriter: Worker {
  private let session: Session

  init(_ database: TestDatabase) { session = Session(database.dsn) }

  func step() throws {
    _ = try session.insist { connection in
      try connection.script(
        """
        INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'a') ON CONFLICT DO NOTHING;
        INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21')
        ON CONFLICT DO NOTHING;
        NOTIFY port_updated; NOTIFY date_updated
        """)
    }
    pause(.milliseconds(20))
  }
}
