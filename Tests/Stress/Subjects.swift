// SPDX-License-Identifier: BSD-2-Clause
//
// The two listeners that are put under stress: the program of this package, in a process of its
// own, and for comparison a plain one of the old shape (RowAtATime.swift).

import Foundation
import TestSupport

/// A listener that a cell may start, kill and wait for.
protocol Subject: AnyObject {
  func start() throws
  /// Ends it without warning, and starts it again at once.
  func killAndRestart() throws
  /// Whether it has nothing left to do for rows that were in the queues and are gone.
  var isSettled: Bool { get throws }
  /// Ends it for good.
  func stop() throws
  /// How many drains have retired rows so far.
  var drains: Int { get }
}

/// What the status file says.
struct ListenerStatus: Decodable {
  let pid: Int32
  let state: String
  let retriesWaiting: Int
  let settleWaiting: Int

  /// - Throws: when there is none yet.
  init(file: String) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(
      ListenerStatus.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
  }
}

/// `fpcache listen`, with a state directory that outlives its process.
final class FpcacheSubject: Subject {
  /// What its log must not say: the settle list has to be the one on disk.
  private static let troubles = ["will not survive", "keeping it in memory", "is not a key"]

  private let database: TestDatabase
  private let tree: TemporaryTree
  private let arguments: [String]
  private let settle: Duration
  private let account: Account
  private let state: TemporaryTree
  private var daemon: Daemon?
  private var earlierDrains = 0

  /// - Parameters:
  ///   - tree: which of the site's.
  ///   - arguments: further options.
  convenience init(
    _ site: Site, tree: TemporaryTree? = nil, _ arguments: [String] = [], settle: Duration,
    as account: Account = .current
  ) throws {
    try self.init(
      site.database, tree ?? site.tree, site.arguments + arguments, settle: settle, as: account)
  }

  /// On any site's database and tree.
  init(
    _ database: TestDatabase, _ tree: TemporaryTree, _ arguments: [String], settle: Duration,
    as account: Account
  ) throws {
    self.database = database
    self.tree = tree
    self.arguments = arguments
    self.settle = settle
    self.account = account
    state = try TemporaryTree()
    try state.give(to: account)
  }

  /// Its process id; nil when it is not running.
  var pid: pid_t? { daemon?.pid }

  var drains: Int { earlierDrains + (daemon.map(Self.drains) ?? 0) }

  private static func drains(_ daemon: Daemon) -> Int {
    daemon.lines.reduce(0) { sum, line in
      guard line.contains("drained: "), !line.contains("drained: 0 rows") else { return sum }
      // A line may stand for several.
      return sum + (line.firstMatch(of: #/ by ([0-9]+) drains? in /#).flatMap { Int($0.1) } ?? 1)
    }
  }

  func start() throws {
    daemon = try Daemon.listen(
      on: tree, database,
      ["--settle", "\(settle.seconds)", "--status-file", state.fullPath("status.json")] + arguments,
      stateDirectory: state.path, as: account)
  }

  func signal(_ signal: Int32) { daemon?.terminate(signal) }

  func killAndRestart() throws {
    signal(SIGKILL)
    try end()
    try start()
  }

  func stop() throws {
    signal(SIGTERM)
    let result = try end()
    guard result?.status ?? 0 == 0 else { throw SupportError("SIGTERM: \(result!)") }
  }

  @discardableResult
  private func end() throws -> CommandResult? {
    guard let daemon else { return nil }
    let result = try daemon.waitForExit(timeout: .seconds(10))
    for line in daemon.lines where Self.troubles.contains(where: line.contains) {
      throw SupportError("the listener says: \(line)")
    }
    earlierDrains += Self.drains(daemon)
    self.daemon = nil
    return result
  }

  /// Whether the settle list is empty. Its file is asked and not the status file, which is
  /// written once a second at most: keys are in it before their rows are committed away, and it
  /// is cut to nothing after the last of them was cleared again.
  var isSettled: Bool {
    get throws {
      guard let daemon, daemon.isRunning else {
        throw SupportError("the listener has left\n\(daemon.map { "\($0)" } ?? "")")
      }
      let attributes = try FileManager.default.attributesOfItem(atPath: state.fullPath("settle"))
      return attributes[.size] as? Int == 0
    }
  }

  /// Waits until the status file agrees that nothing waits.
  func waitForIdleStatus(timeout: Duration = .seconds(30)) throws {
    try eventually(timeout: timeout, "the status file shows rest", details: log) {
      let status = try ListenerStatus(file: state.fullPath("status.json"))
      return status.pid == pid && status.state == "listening" && status.retriesWaiting == 0
        && status.settleWaiting == 0
    }
  }

  /// The last that its process has logged, but for its drains.
  var tail: String {
    let lines = (daemon?.lines ?? []).filter { !$0.contains("drained: ") }
    return lines.suffix(12).map { "  \($0)" }.joined(separator: "\n")
  }

  /// What its process has logged so far.
  var log: String { daemon.map { "\($0)" } ?? "not running" }
}
