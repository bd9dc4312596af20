// SPDX-License-Identifier: BSD-2-Clause
//
// Rows of a queue that the server keeps, on a site with nodes.

import Testing

@testable import TestSupport

@Suite struct NodeKeptTests {
  @Test(
    "more rows than a batch has that a trigger keeps: those behind them are served, in few lines")
  func kept() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.prepareForNodes()
    let node = try TestNode("web1", database)
    try database.sql(
      """
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER keep BEFORE DELETE ON cache_clearing_ports
        FOR EACH ROW WHEN (OLD.category = 'kept') EXECUTE FUNCTION keep();
      INSERT INTO cache_clearing_ports (port_id, category, port)
        SELECT n, 'kept', 'p' || n FROM generate_series(1, 1100) AS n;
      """)
    let listener = try node.startAndSettle(["--settle", "0", "--poll-interval", "0.3"])
    for page in ["ports/kept/p1/page", "ports/www/nginx/page"] {
      try node.tree.write(page, bytes: 1)
    }
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (2000, 'www', 'nginx');
      NOTIFY port_updated
      """)
    try eventually("the row behind them is moved and cleared", details: "\(node)") {
      try database.count("cache_clearing_ports") == 1100 && node.tree.files() == []
    }
    let line = try listener.waitForLog(containing: "the server did not delete the row")
    #expect(line.contains("(and 999 more: "), "\(node)")
    try database.sql("DROP TRIGGER keep ON cache_clearing_ports")
    try eventually(timeout: .seconds(30), "they go by themselves", details: "\(node)") {
      try database.count("cache_clearing_ports") == 0
    }
    #expect(listener.lines.count { $0.contains(" error: ") } <= 2, "\(node)")
  }
}
