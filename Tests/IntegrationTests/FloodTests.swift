// SPDX-License-Identifier: BSD-2-Clause
//
// More of everything than a site ever has: rows of megabytes, channels by the thousand,
// notifications without end. The listener serves what there is to serve, and stays small.

import Foundation
import Testing

@testable import TestSupport

@Suite struct FloodTests {
  /// A listener that serves 100 ports has some 20 MB; a sanitizer's has several times that.
  private static let enough = 256 << 20

  @Test("rows of 4 MB are refused like any that name nothing, and are not taken in whole")
  func largeRows() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    let tree = try TemporaryTree()
    try tree.write("ports/net/a/page", bytes: 1)
    let kept = "commits/a-/a-.net.a.n.html"
    try tree.write(kept, bytes: 1)
    // Cut off, the message id would be that of the commit whose page is there.
    _ = try database.sql(
      """
      ALTER TABLE cache_clearing_commits DROP CONSTRAINT cache_clearing_commits_pkey;
      INSERT INTO cache_clearing_ports (port_id, category, port)
        SELECT n, repeat('x', 4000000), n FROM generate_series(1, 200) AS n;
      INSERT INTO cache_clearing_files (pathname)
        SELECT '/ports/head/' || repeat('y', 4000000) FROM generate_series(1, 200);
      INSERT INTO cache_clearing_commits (commit_to_clear)
        VALUES ('a' || repeat('!', 100000) || 'b');
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'a');
      """)
    let listener = try Daemon.listen(on: tree, database, ["--settle", "0"])
    let drained = try listener.waitForLog(containing: "drained: ", timeout: .seconds(60))
    #expect(drained.contains("401 refused"), "\(drained)")
    #expect(!tree.exists("ports/net/a/page"))
    #expect(tree.exists(kept))
    #expect(try listener.peakMemory() < Self.enough)
    listener.terminate()
    let result = try listener.waitForExit()
    #expect(result.errorBytes.count < 401 * 10_000)
  }

  @Test("10,000 channels, some with names of 4 KB: all are heard, and the log names some of them")
  func manyChannels() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    _ = try database.sql(
      """
      INSERT INTO listen_for (name, script_name) SELECT 'c' || n, 'listen_vuxml'
        FROM generate_series(1, 9990) AS n;
      INSERT INTO listen_for (name, script_name) SELECT n || repeat('l', 4000), repeat('s', 4000)
        FROM generate_series(1, 10) AS n;
      """)
    let listener = try Daemon.listen(on: tree, database, ["--settle", "0"])
    let ready = try listener.waitForLog(containing: "ready: ", timeout: .seconds(60))
    #expect(ready.hasSuffix(" and 9909 more") && ready.utf8.count < 5_000, "\(ready)")
    try listener.waitForLog(containing: "drained: ")
    try tree.write("news/page", bytes: 1)
    _ = try database.sql("NOTIFY c9990")
    try eventually("the news goes", details: "\(listener)") { !tree.exists("news/page") }
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test("notifications without end: rows are served, and nothing heaps up or fills the log")
  func notifications() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    _ = try database.sql(
      """
      INSERT INTO listen_for (name, script_name) VALUES ('odd', 'listen_nonsense');
      CREATE PROCEDURE flood(n integer) LANGUAGE plpgsql AS $$ BEGIN
        FOR i IN 1..n LOOP
          PERFORM pg_notify('port_updated', i::text), pg_notify('odd', i || repeat('x', 7000)),
            pg_notify('date_updated', i::text);
          COMMIT;
        END LOOP;
      END $$
      """)
    let listener = try Daemon.listen(on: tree, database, ["--settle", "0"])
    try listener.waitForLog(containing: "drained: ")
    let before = try listener.peakMemory()
    let lines = listener.lines.count
    let flood = DispatchGroup()
    for _ in 0..<2 {
      DispatchQueue.global().async(group: flood) { _ = try? database.sql("CALL flood(5000)") }
    }
    for round in 0..<5 {
      let page = "ports/net/p\(round)/page"
      try tree.write(page, bytes: 1)
      _ = try database.sql(
        "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'p\(round)')")
      try eventually("\(page) goes", details: "\(listener)") { !tree.exists(page) }
    }
    flood.wait()
    _ = try database.sql(
      "INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21'); NOTIFY date_updated")
    try eventually("the last row goes", details: "\(listener)") {
      try database.count("cache_clearing_dates") == 0
    }
    #expect(try listener.peakMemory() - before < 64 << 20)
    #expect(listener.lines.count - lines < 50, "\(listener)")
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }
}
