// SPDX-License-Identifier: BSD-2-Clause
//
// "From one node to two" of docs/nodes.md, step by step, while the site goes on changing: no page of
// either cache is older than the database at the end.

import Foundation
import Testing

@testable import TestSupport

@Suite struct NodeMigrationTests {
  /// A site that changes ports and renders their pages into every cache that serves.
  private final class Site {
    let database: TestDatabase
    let ports: [PortKey]
    private(set) var version = 1

    init() throws {
      database = try PostgresServer.shared.makeDatabase()
      let incident = try IncidentTree(ports: 5, days: 1)
      ports = incident.ports
      try incident.register(in: database)
    }

    /// Renders every port's page that is missing, with the version that the database has.
    func render(_ tree: TemporaryTree) throws {
      for port in ports where !tree.exists(page(port)) {
        let version = try database.sql("SELECT version FROM ports WHERE name = '\(port.port)'")
        try tree.write(page(port), text: version)
      }
    }

    /// Changes every port, and so queues every port.
    func change() throws {
      version += 1
      try database.sql("UPDATE ports SET version = '\(version)'")
    }

    /// The pages that tell less than the database does.
    func stale(_ tree: TemporaryTree) -> [String] {
      ports.filter { read($0, tree).map { $0 != "\(version)" } ?? false }.map { "\($0)" }
    }

    /// Copies the pages, as somebody would who saves the second node the renders.
    func copy(_ tree: TemporaryTree, to other: TemporaryTree) throws {
      for port in ports {
        if let text = read(port, tree) { try other.write(page(port), text: text) }
      }
    }

    /// Nil when it is not there: a listener may be clearing it for the second time.
    private func read(_ port: PortKey, _ tree: TemporaryTree) -> String? {
      try? tree.read(page(port))
    }

    private func page(_ port: PortKey) -> String { IncidentTree.portPages(port)[0] }
  }

  private func waitUntilRight(_ site: Site, _ trees: [TemporaryTree], _ step: String) throws {
    try eventually(timeout: .seconds(20), "no page is stale after: \(step)") {
      trees.allSatisfy { site.stale($0).isEmpty }
    }
  }

  @Test("the steps of the document, with changes before, between and during each of them")
  func steps() throws {
    let site = try Site()
    let node = try TestNode("web1", site.database)
    let trees = try (node.tree, TemporaryTree())

    // The running site.
    let old = try Daemon.listen(
      on: trees.0, site.database, ["--settle", "0"], stateDirectory: node.state.path)
    try old.waitForLog(containing: "drained: ")
    try site.render(trees.0)
    try site.change()
    try waitUntilRight(site, [trees.0], "the start")

    // 1. The schema; the old listener goes on.
    try site.render(trees.0)
    try site.database.prepareForNodes()
    try site.change()
    try waitUntilRight(site, [trees.0], "the schema")

    // 2. The first node gets its name. While it is down, rows wait.
    old.terminate()
    try old.waitForExit()
    try site.render(trees.0)
    try site.change()
    #expect(site.stale(trees.0).count == site.ports.count)
    try node.startAndSettle()
    try waitUntilRight(site, [trees.0], "the first node's restart")
    try site.render(trees.0)
    try site.change()
    try waitUntilRight(site, [trees.0], "the first node at work")

    // 3. The second one's listener, on a copy of the cache that is out of date by then.
    try site.render(trees.0)
    try site.copy(trees.0, to: trees.1)
    try site.change()
    let second = try TestNode("web2", site.database, tree: trees.1)
    try second.startAndSettle()
    try waitUntilRight(site, [trees.0, trees.1], "the second node's start")
    for _ in 0..<3 {
      for tree in [trees.0, trees.1] { try site.render(tree) }
      try site.change()
      try waitUntilRight(site, [trees.0, trees.1], "both at work")
    }

    // 4. Both without lag.
    for name in ["web1", "web2"] {
      try eventually("\(name) is at the end") { try site.database.lag(of: name) == 0 }
    }
    let stats = try Command.fpcache(
      ["stats", "--cache-dir", trees.0.path, "--dsn", site.database.listenerDSN], in: trees.0)
    #expect(stats.stdout.contains("all 2 nodes are at the end of the log"), "\(stats)")
    #expect(try site.database.count("cache_clearing_ports") == 0)
  }
}
