// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache sql on a real server: what it prints makes a working listener of a configuration, may be run again, and
// queues what matters and nothing else.

import Foundation
import Synchronization
import Testing

@testable import TestSupport

@Suite("The SQL of a site") struct SiteSQLTests {
  private let tree: TemporaryTree
  private let database: TestDatabase

  private static let rules = """
    [layout]
    products = products/{sku:name}.html
    days = days/{year}-{month}-{day}.html
    front = index.html
    [queues]
    product_changes = products(sku)
    shop.day_changes = days(year-month-day = day)
    front_changes = front
    [events]
    product_changed = drain product_changes
    other_changed = drain shop.day_changes, front_changes
    stock_taken = empty products
    [triggers]
    products = product_changes(sku) on price, name, shop.day_changes(day = sold), front_changes on price

    """

  init() throws {
    tree = try TemporaryTree()
    database = try PostgresServer.shared.makeDatabase()
    try database.sql(
      """
      DROP TABLE IF EXISTS listen_for, cache_clearing_ports, cache_clearing_dates, cache_clearing_commits,
        cache_clearing_files CASCADE;
      CREATE SCHEMA shop;
      CREATE TABLE products (
        sku int PRIMARY KEY, name text, price numeric, details json, hits int DEFAULT 0, sold timestamptz);
      """)
    try configure(Self.rules)
  }

  private func configure(_ rules: String) throws {
    try tree.write(
      "shop.ini", text: "[dirs]\nBASEDIR = \(tree.path)\n[listen]\nSETTLE = 0\n\(rules)")
  }

  private func fpcache(_ arguments: [String]) throws -> CommandResult {
    try Command.fpcache(arguments + ["--config", tree.fullPath("shop.ini")], in: tree)
  }

  /// Has the SQL printed, and runs it.
  private func install() throws {
    let printed = try fpcache(["sql"])
    #expect(printed.status == 0 && printed.stderr.isEmpty, "\(printed)")
    try database.sql(printed.stdout)
  }

  private func fill(_ pages: String...) throws {
    for page in pages { try tree.write("cache/\(page).html", bytes: 10) }
  }

  /// What a change removes of a few pages.
  private func cleared(by change: String) throws -> [String] {
    let pages = [
      "products/1", "products/2", "products/3", "days/2020-01-21", "days/2020-01-22", "index",
    ]
    for page in pages { try tree.write("cache/\(page).html", bytes: 10) }
    try database.sql(change)
    let once = try fpcache(
      ["listen", "--once", "--dsn", database.listenerDSN, "--state-dir", tree.path])
    #expect(once.status == 0, "\(once)")
    return pages.filter { !tree.exists("cache/\($0).html") }
  }

  @Test("each change clears what it must, and a change of other columns nothing")
  func changes() throws {
    try install()
    let all = try cleared(
      by:
        "INSERT INTO products (sku, price) VALUES (1, 5), (2, 6); INSERT INTO products (sku, sold) VALUES (3, '2020-01-21 12:00Z')"
    )
    #expect(all == ["products/1", "products/2", "products/3", "days/2020-01-21", "index"])
    for (change, expected) in [
      ("UPDATE products SET hits = hits + 1, details = '{}' WHERE sku = 1", [String]()),
      ("UPDATE products SET price = price", []),
      ("UPDATE products SET name = 'Anvil' WHERE sku = 1", ["products/1"]),
      ("UPDATE products SET name = NULL, price = 7 WHERE sku = 2", ["products/2", "index"]),
      (
        "UPDATE products SET sold = '2020-01-22 12:00Z' WHERE sku = 3",
        ["days/2020-01-21", "days/2020-01-22"]
      ),
      ("UPDATE products SET sku = 9 WHERE sku = 2", ["products/2"]),
      ("DELETE FROM products WHERE sku = 1", ["products/1", "index"]),
      ("BEGIN; UPDATE products SET price = 99; ROLLBACK", []),
      ("INSERT INTO products (sku) VALUES (2)", ["products/2", "index"]),
      ("TRUNCATE products", ["products/2", "products/3", "days/2020-01-22", "index"]),
    ] {
      // A day's rows are queued by every change, as nothing stands behind `on`.
      let days = expected.filter { $0.hasPrefix("days/") }
      let found = try cleared(by: change)
      #expect(
        found.filter { !$0.hasPrefix("days/") } == expected.filter { !$0.hasPrefix("days/") },
        "\(change)")
      #expect(Set(days).isSubset(of: found), "\(change)")
    }
  }

  @Test("a second run changes nothing and loses no row, and verify finds no risk")
  func again() throws {
    try install()
    try database.sql("INSERT INTO products (sku, price) VALUES (1, 5)")
    func state() throws -> String {
      try database.sql(
        """
        SELECT 'row ' || sku || ' ' || id || ' ' || date_added FROM product_changes
        UNION ALL SELECT 'channel ' || name || ' ' || script_name || ' ' || id FROM listen_for
        UNION ALL SELECT 'trigger ' || oid || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'class ' || oid || ' ' || relname || ' ' || coalesce(relacl::text, '')
          FROM pg_class WHERE relnamespace::regnamespace::text IN ('public', 'shop')
        UNION ALL SELECT 'function ' || oid || ' ' || prosrc || coalesce(proacl::text, '') FROM pg_proc
          WHERE proname LIKE 'fpcache%' ORDER BY 1
        """)
    }
    let before = try state()
    #expect(before.contains("fpcache_truncated") && before.contains("row 1 "))
    try install()
    #expect(try state() == before)
    let verify = try fpcache(["verify", "--only", "risky-trigger", "--dsn", database.listenerDSN])
    #expect(verify.status == 0, "\(verify)")
    // Other columns: the triggers stay, and do what the file says now.
    try configure(Self.rules.replacing("on price, name,", with: "on hits,"))
    try install()
    #expect(try cleared(by: "UPDATE products SET hits = 5 WHERE sku = 1").contains("products/1"))
  }

  @Test("whoever may write the table needs no right on a queue, and cannot call what fills it")
  func rights() throws {
    try install()
    try database.sql(
      """
      DO $$ BEGIN CREATE ROLE shopkeeper; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
      GRANT SELECT, INSERT ON products TO shopkeeper;
      SET ROLE shopkeeper;
      CREATE TEMP TABLE product_changes (sku text);
      INSERT INTO products (sku) VALUES (1);
      """)
    #expect(try database.sql("SELECT sku FROM product_changes") == "1")
    #expect(
      try database.sql(
        "SELECT has_function_privilege('shopkeeper', 'fpcache_products()', 'EXECUTE')") == "f")
    #expect(
      try database.sql(
        """
        SELECT string_agg(privilege_type, ',' ORDER BY privilege_type) FROM information_schema.role_table_grants
        WHERE grantee = 'listening' AND table_name IN ('listen_for', 'product_changes', 'day_changes', 'products')
        """) == "DELETE,DELETE,SELECT,SELECT,SELECT")
  }

  @Test(
    "a column that is missing or of another type is found by the script, and nothing is changed")
  func missing() throws {
    for (rules, message) in [
      (Self.rules.replacing("on price, name,", with: "on prize,"), "prize"),
      (Self.rules.replacing("day = sold", with: "day = details"), "details"),
    ] {
      try configure(rules)
      let printed = try fpcache(["sql"])
      #expect(throws: (any Error).self, "\(message)") { try database.sql(printed.stdout) }
      #expect(
        try database.sql("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'fpcache%'") == "0")
      #expect(try database.sql("SELECT to_regclass('product_changes') IS NULL") == "t")
    }
  }

  @Test("keys are queued in one order, so two transactions do not wait for each other")
  func order() throws {
    try install()
    try database.sql("INSERT INTO products (sku) VALUES (2); DELETE FROM product_changes")
    let first = try database.session()
    try first.sql("BEGIN; INSERT INTO product_changes (sku) VALUES ('1')")
    // It takes its row from page 2 to page 1, which it has to wait for, and must not hold page 2 meanwhile.
    let mover = try database.session()
    try mover.begin("UPDATE products SET sku = 1")
    try eventually("the mover waits") {
      try database.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE%' "
          + "AND datname = current_database()") == "1"
    }
    try database.sql("SET lock_timeout = '5s'; INSERT INTO product_changes (sku) VALUES ('2')")
    try first.sql("COMMIT")
    try mover.finish()
    #expect(
      try database.sql("SELECT string_agg(sku, ',' ORDER BY sku) FROM product_changes") == "1,2")
  }

  @Test("while many write the same keys, no change is lost")
  func race() throws {
    try configure(Self.rules.replacing("[triggers]", with: "[verify]\n[triggers]"))
    try install()
    try database.sql(
      "INSERT INTO products (sku, price) SELECT n, 0 FROM generate_series(1, 4) AS n")
    try tree.makeDirectory("cache/products")
    var command = Command(
      try Command.fpcachePath(),
      [
        "listen", "--config", tree.fullPath("shop.ini"), "--dsn", database.listenerDSN,
        "--state-dir",
        tree.path, "--settle", "3",
      ])
    command.tree = tree
    let listener = try Daemon(command)
    let isOver = Atomic(false)
    let group = DispatchGroup()
    for writer in 0..<3 {
      DispatchQueue.global().async(group: group) {
        for round in 0..<40 {
          let sku = (round + writer) % 4 + 1
          _ = try? database.sql(
            "BEGIN; UPDATE products SET price = price + 1 WHERE sku = \(sku); SELECT pg_sleep(0.005); COMMIT"
          )
        }
      }
    }
    let visitors = DispatchGroup()
    DispatchQueue.global().async(group: visitors) {
      while !isOver.load(ordering: .relaxed) { try? render() }
    }
    group.wait()
    isOver.store(true, ordering: .relaxed)
    visitors.wait()
    let missed = try fpcache([
      "stats", "--queues", "--dsn", database.listenerDSN, "--format", "json",
    ])
    #expect(missed.status == 0, "\(missed)")
    try eventually(timeout: .seconds(60), "no page is older than the database") {
      guard try database.sql("SELECT count(*) FROM product_changes") == "0" else { return false }
      return try (1...4).allSatisfy { sku in
        guard tree.exists("cache/products/\(sku).html") else { return true }
        return try tree.read("cache/products/\(sku).html")
          == database.sql("SELECT price FROM products WHERE sku = \(sku)")
      }
    }
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  /// What visitors do: a page that is not there is written from what is committed.
  private func render() throws {
    for sku in 1...4 where !tree.exists("cache/products/\(sku).html") {
      let price = try database.sql("SELECT price FROM products WHERE sku = \(sku)")
      try tree.write("cache/products/\(sku).html", text: price)
    }
  }

  private static let refused: [(rules: String, status: Int32, message: String)] = [
    (
      "[triggers]\nproducts = product_changes(sku)\n", 78,
      "[triggers]: is for a site's own layout"
    ),
    (
      rules.replacing(
        "product_changes(sku) on", with: "product_changes(sku; DROP TABLE products) on"), 78,
      "\";\" is not understood; expected a comma or a closing parenthesis"
    ),
    (
      rules.replacing("\nproducts = product_changes", with: "\npro\"ducts = product_changes"), 78,
      "is not a valid table name"
    ),
    (
      rules.replacing("product_changes(sku) on", with: "product_changes on"), 78,
      "does not fill sku of product_changes; expected sku"
    ),
    (
      rules.replacing("product_changes(sku) on", with: "product_changes(title) on"), 78,
      "asks product_changes for no column title"
    ),
    (
      rules.replacing("product_changes(sku) on", with: "elsewhere(sku) on"), 78,
      "[queues] has no elsewhere"
    ),
    (
      rules.replacing("on price\n", with: "on price, product_changes(sku)\n"), 78,
      "fills product_changes twice"
    ),
    (
      rules.replacing("product_changed = drain product_changes", with: "x = nothing"), 78,
      "[events]: no event drains product_changes"
    ),
    (rules.replacing("stock_taken", with: "stock'; --"), 78, "no name for a channel"),
  ]

  @Test("names that could be SQL, and rules that fit no queue, are refused")
  func refusals() throws {
    for row in Self.refused {
      try configure(row.rules)
      let result = try fpcache(["sql"])
      #expect(result.status == row.status && result.stdout.isEmpty, "\(result)")
      #expect(result.stderr.contains(row.message), "\(result)")
    }
    try configure(Self.rules)
    for arguments in [["--role", "x\"; DROP ROLE y"], ["--schema", "a b"], ["--role", ""]] {
      let result = try fpcache(["sql"] + arguments)
      #expect(result.status == 64 && result.stdout.isEmpty, "\(result)")
    }
  }

  @Test("names with a dollar end no quotation, and long ones make a name of their own")
  func oddNames() throws {
    let long = String(repeating: "l", count: 63)
    try database.sql("CREATE TABLE \(long) (\"a$fpcache$b\" int, \"Select\" int)")
    try configure(
      Self.rules + "\(long) = product_changes(sku = a$fpcache$b) on Select\n")
    try install()
    #expect(
      try cleared(by: "INSERT INTO \(long) VALUES (3, 1); UPDATE \(long) SET \"Select\" = 2") == [
        "products/3"
      ])
  }

  @Test("a key that no index takes keeps nobody from writing")
  func longKeys() throws {
    try database.sql("CREATE TABLE notes (title text)")
    try configure(Self.rules + "notes = product_changes(sku = title)\n")
    try install()
    let long = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) AS n)"
    #expect(try cleared(by: "INSERT INTO notes VALUES (\(long)), (NULL), ('1')") == ["products/1"])
    #expect(try cleared(by: "TRUNCATE notes") == ["products/1"])
  }

  @Test("FreshPorts' own schema has all but the rights")
  func freshPorts() throws {
    try tree.write("fresh.ini", text: "[dirs]\nBASEDIR = \(tree.path)\n")
    let result = try Command.fpcache(
      ["sql", "--config", tree.fullPath("fresh.ini"), "--role", "fresh"], in: tree)
    #expect(result.status == 0, "\(result)")
    #expect(
      result.stdout.hasSuffix(
        """
        GRANT SELECT ON "public"."listen_for" TO "fresh";
        GRANT SELECT, DELETE ON "public"."cache_clearing_ports" TO "fresh";
        GRANT SELECT, DELETE ON "public"."cache_clearing_dates" TO "fresh";
        GRANT SELECT, DELETE ON "public"."cache_clearing_commits" TO "fresh";
        GRANT SELECT, DELETE ON "public"."cache_clearing_files" TO "fresh";

        """), "\(result)")
  }
}
