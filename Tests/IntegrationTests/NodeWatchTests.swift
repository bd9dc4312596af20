// SPDX-License-Identifier: BSD-2-Clause
//
// What stats and verify say of many nodes: of those that keep up, of one that is behind, and of one
// whose rows are gone from the log; and nothing on a site that has none.

import Foundation
import Testing

@testable import TestSupport

@Suite struct NodeWatchTests {
  /// A database with three nodes that no process stands behind: one at the end of a log of nine rows, one
  /// three rows and ten minutes behind, one that was away for too long.
  private func makeDatabase() throws -> TestDatabase {
    let database = try PostgresServer.shared.makeDatabase()
    try database.prepareForNodes()
    try database.sql(
      """
      INSERT INTO fpcache_log SELECT n, 'cache_clearing_ports', '{a,b}', now() - interval '10 minutes'
      FROM generate_series(4, 9) AS n;
      UPDATE fpcache_head SET last_id = 9, trimmed_to = 3, mover = 'web1';
      INSERT INTO fpcache_node (name, token, cursor, must_empty, seen_at) VALUES
      ('web1', 'a', 9, false, now()), ('web2', 'b', 6, false, now()),
      ('web3', 'c', 1, false, now() - interval '2 days');
      """)
    return database
  }

  private func run(
    _ arguments: [String], _ database: TestDatabase, as role: String = "listening"
  ) throws -> CommandResult {
    let tree = try TemporaryTree()
    return try Command.fpcache(
      arguments + [
        "--cache-dir", tree.path, "--dsn", database.server.dsn(database.name, as: role),
      ], in: tree)
  }

  private func document(_ result: CommandResult) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(result.outputBytes)) as? [String: Any],
      "\(result)")
  }

  @Test("stats has a line for each node within 60 columns, and a verdict")
  func text() throws {
    let result = try run(["stats"], makeDatabase())
    #expect(result.status == 0, "\(result)")
    let lines = result.stdout.split(separator: "\n", omittingEmptySubsequences: false)
    let from = try #require(lines.firstIndex { $0.hasPrefix("NODE") }, "\(result)")
    #expect(
      lines[from..<(from + 4)].map { $0.split(separator: " ").joined(separator: " ") } == [
        "NODE BEHIND SINCE OWED SEEN", "web1 0 - 0 0 s moves rows", "web2 3 10 min 0 0 s",
        "web3 8 10 min 0 2 d lost",
      ], "\(result)")
    #expect(lines[from..<(from + 4)].allSatisfy { $0.count <= 60 }, "\(result)")
    #expect(
      result.stdout.contains(
        "node web3 must empty its cache: the log no longer has rows that it has not read"),
      "\(result)")
    #expect(result.stdout.contains("node web2 is behind by 3 rows and 10 min"), "\(result)")
  }

  @Test("the numbers are in JSON and for Prometheus")
  func numbers() throws {
    let database = try makeDatabase()
    let nodes = try #require(
      try document(run(["stats", "--format", "json"], database))["nodes"] as? [[String: Any]])
    #expect(nodes.map { $0["name"] as? String } == ["web1", "web2", "web3"])
    #expect(nodes.map { $0["lag_rows"] as? Int } == [0, 3, 8])
    #expect(nodes.map { $0["lost_rows"] as? Int } == [0, 0, 2])
    #expect(nodes.map { $0["mover"] as? Bool } == [true, false, false])
    let seconds = nodes.compactMap { $0["lag_seconds"] as? Double }
    #expect(seconds.count == 3 && seconds[0] == 0 && seconds[1] >= 600, "\(nodes)")
    let metrics = try run(["stats", "--format", "prometheus"], database).stdout
    for line in [
      #"fpcache_node_lag_rows{node="web2"} 3"#,
      #"fpcache_node_lost_rows{node="web3"} 2"#, #"fpcache_node_must_empty{node="web1"} 0"#,
    ] {
      #expect(metrics.contains(line + "\n"), "\(line) in\n\(metrics)")
    }
    // A node that has cleared all has no oldest row.
    #expect(metrics.contains(/_node_oldest_row_timestamp_seconds{node="web2"} [0-9]{10}\n/))
    #expect(!metrics.contains(#"_node_oldest_row_timestamp_seconds{node="web1"}"#))
  }

  @Test(
    "verify accuses the node that is behind and the one that is lost, and neither when all is well")
  func verify() throws {
    let database = try makeDatabase()
    let codes = ["verify", "--only", "node-lag,node-lost", "--format"]
    let bad = try run(codes + ["json"], database)
    #expect(bad.status == 1)
    let findings = try #require(try document(bad)["findings"] as? [[String: Any]])
    #expect(
      findings.map { "\($0["code"] ?? "") \($0["path"] ?? "")" }
        == ["node-lag web2", "node-lag web3", "node-lost web3"])
    #expect(
      bad.stdout.hasPrefix(
        #"""
        {"version":1,"dry_run":false,"files":null,"counts":{"node-lag":2,"node-lost":1},"findings":[\#
        {"code":"node-lag","severity":"critical","path":"web2",\#
        "message":"has 3 rows of the log to clear, the first for 10 min",\#
        "remedy":"check that fpcache listen runs on it, and read its log"},\#
        {"code":"node-lag","severity":"critical","path":"web3",\#
        "message":"has 8 rows of the log to clear, the first for 10 min",\#
        "remedy":"check that fpcache listen runs on it, and read its log"},\#
        {"code":"node-lost","severity":"critical","path":"web3",\#
        "message":"has not seen 2 rows that the log no longer has; it empties its cache when it comes back",\#
        "remedy":"start fpcache listen on it, or retire it: DELETE FROM fpcache_node WHERE name = ..."}]
        """#), "\(bad)")
    let nagios = try run(codes + ["nagios"], database)
    #expect(nagios.status == 2 && nagios.stdout.contains("node-lag=2 node-lost=1"), "\(nagios)")

    try database.sql(
      """
      UPDATE fpcache_node SET cursor = 9, seen_at = now();
      INSERT INTO fpcache_owed VALUES ('web2', 5, 'cache_clearing_ports', '{a,b}')
      """)
    let owed = try run(codes + ["text"], database)
    #expect(owed.status == 1 && owed.stdout.contains("could not clear 1 row"), "\(owed)")
    try database.sql("DELETE FROM fpcache_owed")
    #expect(try run(codes + ["text"], database).status == 0)
    // More rows than allowed are too many, however young they are.
    try database.sql(
      "UPDATE fpcache_node SET cursor = 6 WHERE name = 'web2'; UPDATE fpcache_log SET moved_at = now()"
    )
    #expect(try run(codes + ["text"], database).status == 0)
    #expect(try run(codes + ["text", "--max-backlog", "2"], database).status == 1)
  }

  @Test("a name that a terminal would obey is written out, in every format")
  func hostileName() throws {
    let database = try makeDatabase()
    try database.sql("UPDATE fpcache_node SET name = E'web\\x1b[2J\\n\"' WHERE name = 'web2'")
    for arguments in [
      ["stats"], ["stats", "--format", "json"], ["stats", "--format", "prometheus"],
      ["verify", "--only", "node-lag"], ["verify", "--only", "node-lag", "--format", "json"],
      ["verify", "--only", "node-lag", "--format", "nagios"],
    ] {
      let result = try run(arguments, database)
      #expect(!result.outputBytes.contains(0x1B), "\(result)")
      #expect(!result.stdout.contains("2J\n"), "\(result)")
    }
    let nodes = try #require(
      try document(run(["stats", "--format", "json"], database))["nodes"] as? [[String: Any]])
    let names = nodes.compactMap { $0["name"] as? String }
    #expect(names.contains { $0.hasPrefix("web\\x1b[2J") }, "\(names)")
  }

  @Test("without nodes, or without leave to see them, nobody is told of any")
  func noNodes() throws {
    let database = try PostgresServer.shared.makeDatabase()
    func check(_ comment: Comment) throws {
      let stats = try run(["stats"], database)
      #expect(stats.status == 0 && stats.stderr.isEmpty && !stats.stdout.contains("NODE"), comment)
      #expect(!stats.stdout.contains("node"), comment)
      let verify = try run(["verify", "--skip", "no-listener"], database)
      #expect(verify.status == 0 && !verify.stdout.contains("node"), "\(comment) \(verify)")
    }
    try check("no tables")
    try database.prepareForNodes()
    try check("no nodes")
    try database.sql("REVOKE ALL ON fpcache_node, fpcache_log, fpcache_owed FROM listening")
    try check("no leave")
    // What is asked for by name is said to be not checked.
    let asked = try run(["verify", "--only", "node-lag"], database)
    #expect(asked.status == 1 && asked.stdout.contains("permission denied"), "\(asked)")
  }

  @Test(
    "a log that ends before the cursor is another one: the cache is emptied, and no row is passed over"
  )
  func anotherLog() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.prepareForNodes()
    let node = try TestNode("web1", database)
    try node.startAndSettle()
    try node.stop()
    try database.sql("UPDATE fpcache_node SET cursor = 100")
    try node.tree.write("daily/2020/01/21.daily.head", bytes: 1)
    let listener = try node.startAndSettle()
    try listener.waitForLog(containing: "the log ends before the rows already read")
    #expect(try node.tree.files() == [])
    let port = PortKey("a", "b")
    try node.tree.write(IncidentTree.portPages(port)[0], bytes: 1)
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b');
      NOTIFY port_updated
      """)
    try eventually("the page goes", details: "\(node)") { try node.tree.files() == [] }
    #expect(try database.lag(of: "web1") == 0)
  }
}
