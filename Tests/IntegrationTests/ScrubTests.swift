// SPDX-License-Identifier: BSD-2-Clause
//
// The daily comparison of the tree with the database, by the listener: what it clears, what it must not, and that
// nobody waits for it.

import Foundation
import Testing

@testable import TestSupport

@Suite struct ScrubTests {
  /// Three products that changed a day ago, and pages of them: `stale` is older, `fresh` is not, `gone` is no product.
  private func site(_ listen: String, _ query: String = ShopSite.query) throws -> ShopSite {
    let site = try ShopSite()
    try site.configure(
      query, listen: listen + "\nSTATUS_FILE = \(site.tree.fullPath("status.json"))", skus: "port")
    try site.stock(["stale", "fresh"])
    try site.render(["fresh"])
    try site.plant(["stale", "gone"], hoursAgo: 48)
    return site
  }

  private func scrubbed(_ site: ShopSite) throws -> [String: Any]? {
    guard site.tree.exists("status.json") else { return nil }
    let data = Data(try site.tree.read("status.json").utf8)
    let status = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    return status?["scrub"] as? [String: Any]
  }

  private func verify(_ site: ShopSite, _ arguments: [String]) throws -> CommandResult {
    try Command.fpcache(
      [
        "verify", "--config", site.tree.fullPath("shop.ini"), "--dsn", site.database.listenerDSN,
      ] + arguments, in: site.tree)
  }

  /// How many sessions ask for a scrub.
  private func asking(_ database: TestDatabase) throws -> Int {
    try Int(
      database.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fpcache listen (scrub)' "
          + "AND datname = current_database()")) ?? -1
  }

  // MARK: What is cleared

  @Test("at the first start: what was out of date before goes, once, and accuses nobody")
  func firstStart() throws {
    let site = try site("SCRUB_INTERVAL = 3600")
    let listener = try site.listen()
    try eventually("the pages go", details: "\(listener)") {
      !site.has("stale") && !site.has("gone")
    }
    #expect(site.has("fresh"))
    let line = try listener.waitForLog(containing: "scrub: 3 pages in ")
    #expect(line.hasSuffix(": 2 cleared"), "\(line)")
    #expect(
      listener.lines.contains {
        $0.hasSuffix(
          "products: 2 pages out of date, 1 of them of what the database no longer has "
            + "(products/gone.html, products/stale.html): cleared")
          || $0.hasSuffix("(products/stale.html, products/gone.html): cleared")
      }, "\(listener)")
    try eventually("the status file tells") {
      try scrubbed(site)?["pages"] as? Int == 3 && scrubbed(site)?["cleared"] as? Int == 2
    }
    #expect(try verify(site, ["--only", "missed"]).status == 0)
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
    // The next process knows that it was done.
    try site.plant(["stale"], hoursAgo: 48)
    let next = try site.listen()
    for _ in 0..<3 { try site.awaitLook("\(next)") }
    #expect(site.has("stale") && !next.lines.contains { $0.contains("scrub: ") }, "\(next)")
    try eventually("the status file remembers") { try scrubbed(site)?["pages"] as? Int == 3 }
  }

  @Test("again and again: what is out of date since, whoever put it there")
  func interval() throws {
    let site = try site("SCRUB_INTERVAL = 0.5")
    let listener = try site.listen()
    try eventually("the pages go", details: "\(listener)") { !site.has("stale") }
    try site.plant(["stale"], hoursAgo: 48)
    try eventually("the page goes again", details: "\(listener)") { !site.has("stale") }
    #expect(site.has("fresh"))
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
    #expect(!listener.lines.contains { $0.contains("error") || $0.contains("warning") })
  }

  @Test("a page that is rewritten between the two looks stays, and so does what a recheck clears")
  func rewritten() throws {
    let site = try site(
      "SCRUB_INTERVAL = 3600",
      """
      SELECT sku, changed_at FROM products, (SELECT count(*) FROM walk) AS w
      PRODUCTS_SINCE = SELECT sku, changed_at FROM products, (SELECT count(*) FROM seen) AS s
      """)
    try site.database.sql(
      "CREATE TABLE walk (); CREATE TABLE seen (); GRANT SELECT ON walk, seen TO listening")
    let (first, second) = (try site.database.session(), try site.database.session())
    try first.sql("BEGIN; LOCK TABLE walk")
    try second.sql("BEGIN; LOCK TABLE seen")
    let listener = try site.listen()
    try eventually("both are asked", details: "\(listener)") {
      try asking(site.database) == 1 && listener.threads() == 3
    }
    // The first look: while the recheck that the second waits for is held up.
    try first.sql("COMMIT")
    try eventually("the first look has ended", details: "\(listener)") {
      try asking(site.database) == 0 && listener.threads() == 2
    }
    #expect(site.has("stale") && site.has("gone"))
    try site.render(["stale"])
    try second.sql("COMMIT")
    try listener.waitForLog(containing: "scrub: 3 pages in ")
    #expect(site.has("stale") && site.has("fresh") && !site.has("gone"), "\(listener)")
  }

  // MARK: What is not

  @Test("too many: nothing is cleared, one error, a finding; cleared once SCRUB_MOST is raised")
  func tooMany() throws {
    let site = try site("SCRUB_INTERVAL = 3600\nSCRUB_MOST = 1")
    let listener = try site.listen()
    try listener.waitForLog(
      containing:
        "scrub: 2 pages out of date (products 2), more than SCRUB_MOST allows (1): none was cleared. "
        + "Probably a query or a clock is wrong: run fpcache verify --only stale,orphan. If the pages are out of "
        + "date, run it with --fix, or raise SCRUB_MOST and send SIGHUP")
    #expect(site.has("stale") && site.has("gone"))
    try eventually("the status file tells") { try scrubbed(site)?["refused"] as? Int == 2 }
    let found = try verify(site, ["--only", "missed"])
    #expect(
      found.status == 1
        && found.stdout.contains(
          "products: has 2 pages out of date; all families together had more"),
      "\(found)")
    // Nobody can acknowledge a decision that was not made.
    #expect(try verify(site, ["--only", "missed", "--fix"]).status == 1)
    try site.configure(
      listen:
        "SCRUB_INTERVAL = 3600\nSCRUB_MOST = 2\nSTATUS_FILE = \(site.tree.fullPath("status.json"))",
      skus: "port")
    listener.terminate(SIGHUP)
    try eventually("the pages go", details: "\(listener)") {
      !site.has("stale") && !site.has("gone")
    }
    try eventually("the status file tells") { try scrubbed(site)?["refused"] as? Int == 0 }
    #expect(listener.lines.count { $0.contains("SCRUB_MOST") } == 1, "\(listener)")
  }

  @Test("SCRUB = report tells and clears nothing")
  func report() throws {
    let site = try site("SCRUB_INTERVAL = 3600\nSCRUB = report\nSCRUB_MOST = 1")
    let listener = try site.listen()
    let line = try listener.waitForLog(containing: "scrub: 3 pages in ")
    #expect(line.hasSuffix(": 2 not cleared (SCRUB = report)"), "\(line)")
    #expect(site.has("stale") && site.has("gone"))
  }

  @Test(
    "a query that cannot be used: its family is passed over, told once, and others are served",
    arguments: [
      ("SELECT sku FROM products", "has no column changed_at"),
      ("SELECT sku AS page, changed_at FROM products", "which is not a field of others"),
      ("SELECT sku, changed_at FROM products WHERE false", "gives no row"),
      (
        "SELECT n::text AS sku, now() AS changed_at FROM generate_series(1, 2100000) AS n",
        "gives more than 2,000,000 keys"
      ),
      ("SELECT sku, changed_at FROM products, pg_sleep(60)\nTIMEOUT = 1", "canceling statement"),
      ("SELECT sku, changed_at FROM nothing", "does not exist"),
    ])
  func useless(_ query: String, _ reason: String) throws {
    let site = try ShopSite()
    try site.configure(
      "\(ShopSite.query)\nOTHERS = \(query)", listen: "RECHECK_INTERVAL = 0\nSCRUB_INTERVAL = 0.5")
    let file = try site.tree.read("shop.ini")
    try site.tree.write(
      "shop.ini",
      text: file.replacing("[listen]", with: "others = others/{sku:name}.html\n[listen]"))
    try site.tree.write("cache/others/a.html", text: "1")
    try site.tree.setAge("cache/others/a.html", .seconds(48 * 3600))
    try site.stock(["stale"])
    try site.plant(["stale"], hoursAgo: 48)
    let listener = try site.listen()
    try listener.waitForLog(containing: reason, timeout: .seconds(60))
    try eventually("the others are served", details: "\(listener)") { !site.has("stale") }
    try site.plant(["stale"], hoursAgo: 48)
    try eventually(timeout: .seconds(60), "and again", details: "\(listener)") {
      !site.has("stale")
    }
    #expect(site.tree.exists("cache/others/a.html"))
    #expect(listener.lines.count { $0.contains(reason) } == 1, "\(listener)")
    #expect(
      listener.lines.contains {
        $0.contains("others: cannot be scrubbed: ")
          && $0.hasSuffix("; its pages are not compared with the database")
      }, "\(listener)")
    #expect(try listener.peakMemory() < 400 << 20)
  }

  // MARK: Nobody waits

  @Test(
    "a drain goes on beside it, a stop ends it at once, and what it finds of a queue's was missed")
  func beside() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.makeFreshPorts()
    try database.sql(
      """
      CREATE TABLE changes (category text, port text, changed_at timestamptz DEFAULT now());
      INSERT INTO changes VALUES ('www', 'nginx', now() - interval '1 day');
      GRANT SELECT ON changes TO listening;
      """)
    let tree = try TemporaryTree()
    func configure(_ interval: Double) throws {
      try tree.write(
        "f.ini",
        text: """
          [dirs]
          BASEDIR = \(tree.path)
          [listen]
          SETTLE = 0.2
          POLL_INTERVAL = 0.3
          RECHECK_INTERVAL = 0.2
          SCRUB_INTERVAL = \(interval)
          STATE_DIR = \(tree.path)
          [verify]
          PORTS = SELECT * FROM changes
          PORTS_SINCE = SELECT 'www' AS category, 'x' AS port, NULL::timestamptz AS changed_at

          """)
    }
    func listen() throws -> Daemon {
      try Daemon(
        Command(
          try Command.fpcachePath(),
          ["listen", "--config", tree.fullPath("f.ini"), "--dsn", database.listenerDSN]))
    }
    try configure(3600)
    try tree.makeDirectory("cache/ports")
    let (page, queued) = (
      "cache/ports/www/nginx/Detail.Part1.head.PageSize1.PageNum1.html",
      "cache/ports/net/a/Detail.head.html"
    )
    let holder = try database.session()
    try holder.sql("BEGIN; LOCK TABLE changes")
    let listener = try listen()
    try eventually("it asks", details: "\(listener)") { try asking(database) == 1 }
    try tree.write(queued, bytes: 9)
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'a');
      NOTIFY port_updated
      """)
    try eventually("the page goes", details: "\(listener)") { !tree.exists(queued) }
    #expect(try asking(database) == 1)
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
    try holder.sql("COMMIT")

    // From when to ask is known by now: what a scrub finds was missed.
    try tree.write(page, bytes: 9)
    try tree.setAge(page, .seconds(48 * 3600))
    try configure(0.5)
    let second = try listen()
    let line = try second.waitForLog(containing: "nothing was queued")
    #expect(
      line.hasSuffix(
        "ports: 1 page older than what it shows (ports/www/nginx/Detail.Part1.head.PageSize1.PageNum1.html): cleared; nothing was queued, "
          + "look for the trigger"), "\(line)")
    #expect(!tree.exists(page))
    let found = try Command.fpcache(
      [
        "verify", "--only", "missed", "--config", tree.fullPath("f.ini"), "--dsn",
        database.listenerDSN,
      ],
      in: tree)
    #expect(found.stdout.contains("ports: has 1 page that a scrub found out of date"), "\(found)")
  }

  @Test("a stop in the middle of the walk ends it at once, and clears nothing")
  func stopped() throws {
    let site = try site("SCRUB_INTERVAL = 3600")
    for folder in 0..<40 {
      for page in 0..<500 { try site.tree.write("cache/products/\(folder)/\(page).html", bytes: 1) }
    }
    let held = try site.database.session()
    try held.sql("BEGIN; LOCK TABLE products")
    let listener = try site.listen()
    try eventually("it asks", details: "\(listener)") { try asking(site.database) == 1 }
    // It gets the rows and the order to stop at the same moment: it walks while it leaves.
    listener.terminate(SIGSTOP)
    try held.sql("COMMIT")
    listener.terminate()
    listener.terminate(SIGCONT)
    #expect(try listener.waitForExit().status == 0)
    #expect(!listener.lines.contains { $0.contains("scrub: ") }, "\(listener)")
    #expect(site.has("stale") && site.has("gone") && site.has("fresh"))
    // It is done at the next start.
    let next = try site.listen()
    try eventually("the pages go", details: "\(next)") { !site.has("stale") && !site.has("gone") }
  }

  // MARK: Once

  @Test("--once scrubs the first time only, and tells what it would do with -n")
  func once() throws {
    let site = try site("SCRUB_INTERVAL = 3600")
    let dry = try site.once(["-n"])
    #expect(dry.status == 0 && dry.stderr.contains(": 2 would be cleared"), "\(dry)")
    #expect(site.has("stale") && site.has("gone"))
    let result = try site.once()
    #expect(result.status == 0 && result.stderr.contains(": 2 cleared"), "\(result)")
    #expect(!site.has("stale") && !site.has("gone") && site.has("fresh"))
    try site.plant(["stale"], hoursAgo: 48)
    let again = try site.once()
    #expect(again.status == 0 && !again.stderr.contains("scrub"), "\(again)")
    #expect(site.has("stale"))
  }
}
