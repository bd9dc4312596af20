// SPDX-License-Identifier: BSD-2-Clause
//
// What `listen --once` leaves in a queue, and says so.

import Foundation
import Testing

@testable import TestSupport

@Suite struct OnceRestTests {
  private let database: TestDatabase
  private let tree: TemporaryTree

  init() throws {
    database = try PostgresServer.shared.makeDatabase(shape: .plain)
    tree = try TemporaryTree()
    try tree.write("daily/2020/01/21.daily.head", bytes: 1)
  }

  private func once(_ arguments: [String] = ["--format", "json"]) throws -> CommandResult {
    try Command.fpcache(
      ["listen", "--once", "--settle", "0", "--dsn", database.listenerDSN] + arguments, in: tree,
      environment: ["FPCACHE_DIR": tree.path])
  }

  @Test("2,500 rows of one number and some of none: all go")
  func repeated() throws {
    try database.sql(
      """
      ALTER TABLE cache_clearing_dates ALTER id DROP NOT NULL;
      INSERT INTO cache_clearing_dates (id, date_to_clear)
        SELECT 7, '2020-01-01'::date + n % 30 FROM generate_series(1, 2500) AS n;
      INSERT INTO cache_clearing_dates (id, date_to_clear)
        SELECT NULL, '2020-01-21' FROM generate_series(1, 1500);
      """)
    let result = try once()
    #expect(result.status == 0 && result.stdout.contains("\"rows\":4000,"), "\(result)")
    #expect(try database.count("cache_clearing_dates") == 0)
    #expect(!tree.exists("daily/2020/01/21.daily.head"))
  }

  @Test(
    "rows that a trigger, a rule or row-level security keeps: status 1, counted, and one error",
    arguments: [
      """
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER keep BEFORE DELETE ON cache_clearing_dates FOR EACH ROW EXECUTE FUNCTION keep();
      """,
      "CREATE RULE keep AS ON DELETE TO cache_clearing_dates DO INSTEAD NOTHING",
      """
      ALTER TABLE cache_clearing_dates ENABLE ROW LEVEL SECURITY;
      CREATE POLICY look ON cache_clearing_dates FOR SELECT USING (true);
      """,
    ])
  func kept(_ sql: String) throws {
    try database.sql(
      """
      \(sql);
      INSERT INTO cache_clearing_dates (date_to_clear) SELECT '2020-01-21' FROM generate_series(1, 30);
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES (NULL);
      """)
    let result = try once()
    #expect(result.status == 1, "\(result)")
    #expect(
      result.stdout.contains("\"rows\":0,") && result.stdout.contains("\"rows_kept\":31,"),
      "\(result)")
    #expect(
      result.stderr.split(separator: "\n").count { $0.contains(" error: ") } == 1, "\(result)")
    #expect(result.stderr.contains("the server did not delete the row"), "\(result)")
    #expect(!tree.exists("daily/2020/01/21.daily.head"), "its page goes all the same")
    #expect(try once([]).stdout.contains("31 kept by the server"))
  }

  @Test("a trigger that changes rows instead of deleting them: status 1, and they are counted")
  func changed() throws {
    try database.sql(
      """
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN UPDATE cache_clearing_dates SET date_added = now() WHERE id = OLD.id; RETURN NULL; END $$;
      CREATE TRIGGER keep BEFORE DELETE ON cache_clearing_dates FOR EACH ROW EXECUTE FUNCTION keep();
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
      """)
    let result = try once()
    #expect(result.status == 1 && result.stdout.contains("\"rows_left\":1,"), "\(result)")
  }

  @Test("a stop while a writer holds a queue: that one and those behind it are named, status 1")
  func stopped() throws {
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'www', 'nginx');
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
      """)
    try tree.write("ports/www/nginx/page", bytes: 1)
    let writer = try database.session()
    try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (2, 'www', 'own')")
    let once = try Daemon.listen(
      on: tree, database, ["--once", "--settle", "0", "--format", "json"])
    try eventually("it waits for the writer", details: "\(once)") {
      !tree.exists("ports/www/nginx/page")
    }
    once.terminate()
    let result = try once.waitForExit()
    #expect(result.status == 1, "\(result)")
    #expect(
      result.stdout.contains(
        #""queues_unfinished":["cache_clearing_ports","cache_clearing_dates","#
          + #""cache_clearing_commits","cache_clearing_files"]"#), "\(result)")
    #expect(try database.count("cache_clearing_dates") == 1)
    #expect(tree.exists("daily/2020/01/21.daily.head"))
  }

  @Test("the listener tells of rows that are kept once, however often it looks")
  func daemon() throws {
    try database.sql(
      """
      CREATE RULE keep AS ON DELETE TO cache_clearing_dates DO INSTEAD NOTHING;
      INSERT INTO cache_clearing_dates (date_to_clear) SELECT '2020-01-21' FROM generate_series(1, 30);
      """)
    let listener = try Daemon.listen(
      on: tree, database, ["--settle", "0", "--poll-interval", "0.1"])
    let line = try listener.waitForLog(containing: "the server did not delete the row")
    #expect(line.contains("(and 29 more: "), "\(line)")
    for round in 0..<5 {
      try tree.write("daily/2020/01/21.daily.head", bytes: 1)
      try eventually("round \(round)") { !tree.exists("daily/2020/01/21.daily.head") }
    }
    try database.sql("DROP RULE keep ON cache_clearing_dates")
    try eventually(timeout: .seconds(20), "they go", details: "\(listener)") {
      try database.count("cache_clearing_dates") == 0
    }
    try listener.waitForLog(containing: "rows can be deleted again")
    #expect(listener.lines.count { $0.contains(" error: ") } == 1, "\(listener)")
  }

  @Test("a long drain of what no queue names has its time in the log")
  func packages() throws {
    let listener = try Daemon.listen(on: tree, database, ["--settle", "0"])
    try listener.waitForLog(containing: "drained: ")
    for page in 0..<2000 { try tree.write("packages/www/p\(page).html", bytes: 1) }
    try database.sql("NOTIFY packages_imported")
    let line = try listener.waitForLog(containing: "2,000 files")
    #expect(!line.contains("0.000 s"), "\(line)")
  }
}
