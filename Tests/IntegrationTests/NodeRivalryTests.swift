// SPDX-License-Identifier: BSD-2-Clause
//
// Nodes that all hold themselves for the one that moves rows, which custom alone prevents: nothing but
// time may depend on it.

import Foundation
import Testing

@testable import TestSupport

@Suite struct NodeRivalryTests {
  @Test("two nodes that both move the same rows, while writers add more: each row once in the log")
  func competition() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.prepareForNodes()
    // Keeps the log from being trimmed.
    try database.sql(
      "INSERT INTO fpcache_node (name, token, cursor, must_empty) VALUES ('keeper', '', 0, false)")
    let nodes = try (1...2).map { try TestNode("web\($0)", database) }
    for node in nodes { try node.startAndSettle() }
    for node in nodes {
      for writer in 1...4 {
        for number in 1...20 {
          let port = PortKey("writer\(writer)", "\(number)-1")
          try node.tree.write(IncidentTree.portPages(port)[0], bytes: 1)
        }
      }
    }

    // Nobody is known to move: whoever reads the log then takes it upon himself.
    let rivals = try database.session()
    let unnamed = "UPDATE fpcache_head SET mover = NULL; NOTIFY fpcache_log"
    try rivals.sql(unnamed)
    let (commits, perCommit) = (200, 10)
    let writers = try (1...4).map { _ in try database.session() }
    for (index, writer) in writers.enumerated() {
      try writer.begin(
        """
        DO $$ BEGIN FOR i IN 1..\(commits) LOOP
          INSERT INTO cache_clearing_ports (port_id, category, port)
          SELECT n, 'writer\(index + 1)', i || '-' || n FROM generate_series(1, \(perCommit)) AS n;
          NOTIFY port_updated; COMMIT;
        END LOOP; END $$
        """)
    }
    let expected = commits * perCommit * writers.count
    try eventually(timeout: .seconds(60), "all is moved", details: "\(nodes)") {
      let state = try rivals.sql(
        """
        \(unnamed);
        SELECT count(*), coalesce(max(id), 0), last_id FROM fpcache_log CROSS JOIN fpcache_head
        GROUP BY last_id
        """
      ).split(separator: "|").compactMap { Int($0) }
      // At each moment the log is whole up to its end.
      if state.count == 3, state[0] != state[1] || state[1] != state[2] {
        throw SupportError("the log has a gap: \(state)")
      }
      return state.first == expected
    }
    for writer in writers { try writer.finish() }
    for node in nodes {
      try eventually("\(node.name) has cleared all", details: "\(node)") {
        try database.lag(of: node.name) == 0 && node.tree.files() == []
      }
    }
    #expect(
      try database.sql("SELECT count(*), count(DISTINCT key), min(id), max(id) FROM fpcache_log")
        == "\(expected)|\(expected)|1|\(expected)")
    #expect(try database.count("cache_clearing_ports") == 0)

    // On a busy machine one of them may never have come first. Now each does, while the other stands still.
    for (node, other) in zip(nodes, nodes.reversed()) {
      let rival = try #require(other.daemon)
      rival.terminate(SIGSTOP)
      defer { rival.terminate(SIGCONT) }
      try rivals.sql(
        """
        \(unnamed); INSERT INTO cache_clearing_ports (port_id, category, port)
        VALUES (1, 'alone', '\(node.name)'); NOTIFY port_updated
        """)
      try eventually("\(node.name) moves it", details: "\(node)") {
        try database.count("cache_clearing_ports") == 0 && database.lag(of: node.name) == 0
      }
    }

    // Both did, and what each says it moved is all of it, once.
    var moved = 0
    for node in nodes {
      let daemon = try #require(node.daemon)
      try node.stop()
      let total = try #require(daemon.lines.last { $0.contains("stopping: ") }, "\(daemon)")
      let part = total.split(separator: ", ").first { $0.contains("moved into the log") }
      let count = part.flatMap { Int($0.filter(\.isNumber)) } ?? 0
      #expect(count > 0, "\(daemon)")
      moved += count
      #expect(
        !daemon.lines.contains { $0.contains("will retry") || $0.contains("database:") },
        "\(daemon)")
    }
    #expect(moved == expected + nodes.count)
  }
}
