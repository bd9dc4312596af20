// SPDX-License-Identifier: BSD-2-Clause
//
// One of many nodes on one database: a listener with a name, its own cache tree and its own state directory. Both
// outlive its process.

import Foundation

extension TestDatabase {
  /// Makes what nodes need, as the site's owner.
  public func prepareForNodes() throws {
    let schema = try Command.fpcache(["listen", "--print-schema"], in: TemporaryTree())
    guard schema.status == 0 else { throw SupportError("--print-schema failed\n\(schema)") }
    try sql(schema.stdout)
  }

  /// How many rows a node is behind the end of the log; nil when it is not registered.
  public func lag(of node: String) throws -> Int? {
    Int(
      try sql(
        """
        SELECT last_id - cursor FROM fpcache_node CROSS JOIN fpcache_head
        WHERE name = '\(node)' AND NOT must_empty
        """))
  }
}

/// A node.
public final class TestNode: CustomStringConvertible {
  public let name: String
  public let database: TestDatabase
  public let tree: TemporaryTree
  public let state: TemporaryTree
  public let account: Account
  public private(set) var daemon: Daemon?

  /// - Parameter tree: its cache; by default a new one.
  public init(
    _ name: String, _ database: TestDatabase, tree: TemporaryTree? = nil,
    as account: Account = .current
  ) throws {
    self.name = name
    self.database = database
    self.account = account
    self.tree = try tree ?? TemporaryTree()
    state = try TemporaryTree()
    try state.give(to: account)
  }

  /// Starts its listener.
  @discardableResult
  public func start(
    _ arguments: [String] = ["--settle", "0"], environment: [String: String?] = [:]
  ) throws -> Daemon {
    let daemon = try Daemon.listen(
      on: tree, database, ["--node", name] + arguments, stateDirectory: state.path,
      environment: environment, as: account)
    self.daemon = daemon
    return daemon
  }

  /// Starts its listener and waits until it has nothing more to do.
  @discardableResult
  public func startAndSettle(_ arguments: [String] = ["--settle", "0"]) throws -> Daemon {
    let daemon = try start(arguments)
    try daemon.waitForLog(containing: "drained: ", timeout: .seconds(20))
    return daemon
  }

  /// Ends it.
  public func stop(_ signal: Int32 = SIGTERM) throws {
    guard let daemon else { return }
    daemon.terminate(signal)
    try daemon.waitForExit()
    self.daemon = nil
  }

  /// Its log.
  public var description: String { "\(name): \(daemon.map { "\($0)" } ?? "not running")" }
}
