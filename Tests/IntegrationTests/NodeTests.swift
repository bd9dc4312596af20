// SPDX-License-Identifier: BSD-2-Clause
//
// Many nodes on one database: what is queued reaches each of them once, whoever moves it, and a
// node that comes, goes, or was away is never stale in silence.

import Foundation
import Testing

@testable import TestSupport

/// A database with nodes on it.
private struct Fleet {
  let database: TestDatabase
  let nodes: [TestNode]

  init(_ count: Int, shape: TriggerShape = .onConflict) throws {
    database = try PostgresServer.shared.makeDatabase(shape: shape)
    try database.prepareForNodes()
    nodes = try (1...count).map { [database] in try TestNode("web\($0)", database) }
  }

  /// Starts all of them and waits until they rest.
  func start() throws { for node in nodes { try node.startAndSettle() } }

  /// Has a port's pages on every node.
  func publish(_ port: PortKey) throws {
    for node in nodes {
      for page in IncidentTree.portPages(port) { try node.tree.write(page, bytes: 10) }
    }
  }

  func queue(_ port: PortKey, notify: Bool = true) throws {
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port)
      VALUES (1, '\(port.category)', '\(port.port)'); \(notify ? "NOTIFY port_updated;" : "")
      """)
  }

  func waitUntilGone(_ port: PortKey, _ among: [TestNode]? = nil) throws {
    for node in among ?? nodes {
      try eventually("\(port) goes on \(node.name)", details: "\(self)") {
        !node.tree.exists(IncidentTree.portPages(port)[0])
      }
    }
  }

  /// Waits until no node is behind and no queue holds a row.
  func waitForRest(_ among: [TestNode]? = nil) throws {
    for node in among ?? nodes {
      try eventually(timeout: .seconds(20), "\(node.name) is at the end", details: "\(self)") {
        try database.count("cache_clearing_ports") == 0 && database.lag(of: node.name) == 0
      }
    }
  }
}

extension Fleet: CustomStringConvertible {
  var description: String {
    let tables = try? database.sql(
      "SELECT * FROM fpcache_head; SELECT * FROM fpcache_node ORDER BY name")
    return "\(tables ?? "")\n" + nodes.map { "\($0)" }.joined(separator: "\n")
  }
}

private let port = PortKey("graphics", "py-pygeoapi")

@Suite struct NodeTests {
  @Test(
    "a change clears the page on every node, under every shape", arguments: TriggerShape.allCases)
  func change(shape: TriggerShape) throws {
    let fleet = try Fleet(3, shape: shape)
    let incident = try IncidentTree(ports: 3, days: 1)
    try incident.register(in: fleet.database)
    try fleet.start()
    for round in 1...3 {
      try fleet.publish(port)
      try fleet.database.sql("UPDATE ports SET version = '2.\(round)' WHERE name = '\(port.port)'")
      try fleet.waitUntilGone(port)
      try fleet.waitForRest()
    }
    #expect(try fleet.database.sql("SELECT last_id FROM fpcache_head") == "3", "\(fleet)")
    for node in fleet.nodes { try node.stop() }
  }

  @Test(
    "events without a queue reach every node, which empties on its own",
    arguments: [("vuxml", "news"), ("packages_imported", "packages")])
  func eventsWithoutQueue(channel: String, family: String) throws {
    let fleet = try Fleet(2)
    try fleet.start()
    let (news, packages) = ("news/news.rss2.0.head.xml", "packages/www/page.html")
    for node in fleet.nodes {
      for page in [news, packages] { try node.tree.write(page, bytes: 1) }
    }
    try fleet.database.sql("NOTIFY \(channel)")
    let (gone, kept) = family == "news" ? (news, packages) : (packages, news)
    for node in fleet.nodes {
      try eventually("\(gone) goes on \(node.name)", details: "\(fleet)") {
        !node.tree.exists(gone)
      }
      #expect(node.tree.exists(kept))
    }
  }

  @Test("20,508 ports and 290 days: each row is in the log once, and every node clears all of it")
  func incident() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.prepareForNodes()
    // All of them start at the same time and try to move the same rows; a session keeps the log.
    try database.sql(
      "INSERT INTO fpcache_node (name, token, cursor, must_empty) VALUES ('keeper', '', 0, false)")
    let incidents = try (0..<3).map { _ in try IncidentTree(ports: 2000, days: 290) }
    try incidents[0].queue(in: database)
    let nodes = try incidents.enumerated().map {
      try TestNode("web\($0)", database, tree: $1.tree)
    }
    for node in nodes {
      try database.sql("NOTIFY port_updated; NOTIFY date_updated")
      try node.start()
    }
    for (node, incident) in zip(nodes, incidents) {
      try eventually(timeout: .seconds(60), "\(node.name) has cleared all", details: "\(node)") {
        try database.lag(of: node.name) == 0 && database.count("cache_clearing_ports") == 0
          && incident.remainingPages().isEmpty
      }
    }
    let logged = try database.sql(
      """
      SELECT queue, count(*), count(DISTINCT key) FROM fpcache_log GROUP BY queue ORDER BY queue;
      SELECT count(*), min(id), max(id) FROM fpcache_log; SELECT last_id FROM fpcache_head
      """)
    #expect(
      logged
        == "cache_clearing_dates|290|290\ncache_clearing_ports|2000|2000\n2290|1|2290\n2290")
  }

  @Test("the first start empties the cache once; a restart replays and empties nothing")
  func registration() throws {
    let fleet = try Fleet(2)
    let (stays, node) = (fleet.nodes[0], fleet.nodes[1])
    try stays.startAndSettle()
    let old = "commits/202001211234-abc/202001211234-abc.devel.x.n.html"
    for page in [old, "packages/www/page.html", "pages/commits.html", "searchlog.txt"] {
      try node.tree.write(page, bytes: 1)
    }
    try node.startAndSettle()
    try node.daemon?.waitForLog(containing: "node web2: emptied its cache: 2 files")
    #expect(try node.tree.files() == ["pages/commits.html", "searchlog.txt"])

    try node.stop()
    try fleet.publish(port)
    try node.tree.write(old, bytes: 1)
    try fleet.queue(port)
    try fleet.waitUntilGone(port, [stays])
    #expect(node.tree.exists(IncidentTree.portPages(port)[0]))
    try node.startAndSettle()
    try fleet.waitUntilGone(port)
    #expect(node.tree.exists(old), "nothing was emptied: \(fleet)")
  }

  @Test("a node that was away for longer than the log is kept says so, empties, and goes on")
  func lost() throws {
    let fleet = try Fleet(2)
    try fleet.start()
    let (stays, away) = (fleet.nodes[0], fleet.nodes[1])
    try away.stop()
    let old = "daily/2020/01/21.daily.head"
    try away.tree.write(old, bytes: 1)
    try fleet.database.sql("UPDATE fpcache_head SET keep_rows = 2")
    for number in 0..<5 { try fleet.queue(PortKey("www", "port\(number)")) }
    try fleet.waitForRest([stays])
    // The mover trims when it polls, and at each connect.
    try stays.stop()
    try stays.startAndSettle(["--settle", "0", "--poll-interval", "1"])
    try eventually("the log is trimmed", details: "\(fleet)") {
      try fleet.database.count("fpcache_log") == 2
    }
    #expect(away.tree.exists(old))

    try away.startAndSettle()
    try away.daemon?.waitForLog(
      containing: "web2: 3 rows of the log are gone before this node read them; emptying its cache")
    #expect(!away.tree.exists(old))
    try fleet.publish(port)
    try fleet.queue(port)
    try fleet.waitUntilGone(port)
  }

  @Test("when the node that moves is killed, another takes over, and nothing waits for the poll")
  func takeover() throws {
    let fleet = try Fleet(3)
    try fleet.start()
    try fleet.publish(port)
    try fleet.queue(port)
    try fleet.waitUntilGone(port)
    try fleet.waitForRest()
    let name = try fleet.database.sql("SELECT mover FROM fpcache_head")
    let others = fleet.nodes.filter { $0.name != name }
    let mover = try #require(fleet.nodes.first { $0.name == name })
    try mover.stop(SIGKILL)
    try fleet.publish(port)
    try fleet.queue(port)
    try fleet.waitUntilGone(port, others)
    try fleet.waitForRest(others)
    #expect(try fleet.database.sql("SELECT mover FROM fpcache_head") != name)
    #expect(
      others.count {
        $0.daemon?.lines.contains { $0.contains("moves the rows of the queues") } == true
      }
        == 1, "\(fleet)")
    // The one that was killed comes back as one of the others.
    try mover.startAndSettle()
    try fleet.waitUntilGone(port)
    try fleet.waitForRest()
    #expect(try fleet.database.sql("SELECT mover FROM fpcache_head") != name)
  }

  @Test("while a writer holds the queue, every node clears what it sees there, and moves it after")
  func heldQueue() throws {
    let fleet = try Fleet(3)
    try fleet.start()
    try fleet.publish(port)
    let writer = try fleet.database.session()
    try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b')")
    try fleet.queue(port)
    try fleet.waitUntilGone(port)
    #expect(try fleet.database.count("cache_clearing_ports") == 1)
    try writer.sql("COMMIT")
    try fleet.waitForRest()
    #expect(try fleet.database.sql("SELECT last_id FROM fpcache_head") == "2")
  }

  @Test("a number of the log is given only when the one before can be seen")
  func order() throws {
    let fleet = try Fleet(1)
    try fleet.start()
    // Another mover, between its move and its commit.
    let mover = try fleet.database.session()
    try mover.sql(
      """
      BEGIN; SELECT FROM fpcache_head FOR UPDATE;
      INSERT INTO fpcache_log SELECT last_id + 1, 'cache_clearing_dates', '{2020-01-21}', now()
      FROM fpcache_head; UPDATE fpcache_head SET last_id = last_id + 1, mover = 'other'
      """)
    try fleet.publish(port)
    let page = "daily/2020/01/21.daily.head"
    try fleet.nodes[0].tree.write(page, bytes: 1)
    try fleet.queue(port)
    // Its pages go, but it does not come into the log before the other one's row.
    try fleet.waitUntilGone(port)
    #expect(try fleet.database.count("fpcache_log") == 0)
    #expect(fleet.nodes[0].tree.exists(page))
    try mover.sql("COMMIT")
    try fleet.waitForRest()
    #expect(!fleet.nodes[0].tree.exists(page))
    #expect(try fleet.database.sql("SELECT last_id FROM fpcache_head") == "2")
  }
}
