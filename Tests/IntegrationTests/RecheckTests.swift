// SPDX-License-Identifier: BSD-2-Clause
//
// The invalidation that nobody queued: a site without a trigger, a queue or a channel is served by its own query.

import Foundation
import Testing

@testable import Listening
@testable import TestSupport

@Suite struct RecheckTests {
  // MARK: A site without a queue

  @Test("what changes is cleared, what does not stays, and the log says so")
  func noQueue() throws {
    let site = try ShopSite()
    try site.stock(["a", "b", "c"])
    try site.render(["a", "b", "c"])
    let listener = try site.listen()
    try site.awaitLook("\(listener)")
    #expect(site.has("a") && site.has("b") && site.has("c"), "\(listener)")
    try site.database.sql(ShopSite.update(["a", "b"]))
    try eventually("the pages go", details: "\(listener)") { !site.has("a") && !site.has("b") }
    try listener.waitForLog(containing: "recheck: cleared: products: 2 keys (2 files)")
    // Once: a page that was rendered since stays, though its change is asked for again.
    try site.awaitLook()
    Thread.sleep(forTimeInterval: 0.5)
    try site.render(["a", "b"])
    try site.awaitLook()
    #expect(site.has("a") && site.has("b") && site.has("c"), "\(listener)")
    // The audit and the overview miss no table that such a site does not have.
    for command in ["verify", "stats"] {
      let result = try Command.fpcache(
        [command, "--config", site.tree.fullPath("shop.ini"), "--dsn", site.database.listenerDSN],
        in: site.tree)
      #expect(result.status == 0 && result.stderr.isEmpty, "\(result)")
    }
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
    #expect(
      !listener.lines.contains { $0.contains("error") || $0.contains("warning") }, "\(listener)")
  }

  @Test("--once does the same, and says what it would do with -n")
  func once() throws {
    let site = try ShopSite()
    try site.stock(["a", "b"])
    try site.render(["a", "b"])
    #expect(try site.once().status == 0)
    #expect(site.has("a") && site.has("b"))
    try site.database.sql(ShopSite.update(["a"]))
    let dry = try site.once(["-n"])
    #expect(
      dry.status == 0 && dry.stderr.contains("recheck: would be cleared: products: 1 key"), "\(dry)"
    )
    #expect(site.has("a"))
    let result = try site.once()
    #expect(result.status == 0 && result.stdout.contains(", 1 rechecked"), "\(result)")
    #expect(!site.has("a") && site.has("b"))
  }

  @Test("what changed while nobody listened is found at the next start")
  func restart() throws {
    let site = try ShopSite()
    try site.stock(["a", "b"])
    try site.render(["a", "b"])
    #expect(try site.once().status == 0)
    // Longer ago than the overlap: the bound alone knows of it.
    try site.database.sql(ShopSite.update(["a"]))
    try site.configure(listen: "RECHECK_OVERLAP = 1")
    let listener = try site.listen()
    try eventually("the page goes", details: "\(listener)") { !site.has("a") }
    #expect(site.has("b"))
  }

  @Test("a look that takes long wakes the listener once: when it ends")
  func wakeUps() throws {
    let site = try ShopSite("SELECT sku, changed_at FROM products, pg_sleep(600)\nTIMEOUT = 900")
    try site.stock(["a"])
    let listener = try site.listen()
    func isAsking() throws -> Bool {
      try site.database.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fpcache listen (recheck)' "
          + "AND state = 'active' AND datname = current_database()") == "1"
    }
    try eventually("the query runs", details: "\(listener)") { try isAsking() }
    // The status file, the probe and what the start left to do.
    usleep(1_500_000)
    let before = try listener.wakeUps()
    usleep(1_000_000)
    #expect(try listener.wakeUps() - before < 5, "\(listener)")
    #expect(try isAsking())
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  // MARK: When a change is to be seen

  /// A listener that goes by the page's time leaves this page, and so does one that asks from the last change that
  /// it has seen.
  @Test(
    "a page rendered while its writer's transaction was open is younger than the change, and goes")
  func longTransaction() throws {
    let site = try ShopSite(listen: "RECHECK_OVERLAP = 60")
    try site.stock(["a", "b"])
    let listener = try site.listen()
    try site.awaitLook("\(listener)")
    let writer = try site.database.session()
    try writer.sql("BEGIN; \(ShopSite.update(["a"]))")
    // Meanwhile: the old price is rendered, and a later change is committed and seen.
    try site.render(["a", "b"])
    try site.database.sql(ShopSite.update(["b"]))
    try eventually("the later change is seen", details: "\(listener)") { !site.has("b") }
    try site.awaitLook("\(listener)")
    #expect(site.has("a"))
    try writer.sql("COMMIT")
    try eventually("the page goes", details: "\(listener)") { !site.has("a") }
  }

  @Test("with the right to see it, an open transaction holds the bound, and nothing else does")
  func bound() throws {
    let server = try PostgresServer(settings: ["max_prepared_transactions": "2"])
    let site = try ShopSite(on: server)
    func now() throws -> Double {
      try #require(Double(try site.database.sql("SELECT extract(epoch FROM clock_timestamp())")))
    }
    func age() throws -> Double { try now() - Double(site.bound() ?? 0) / 1e9 }
    try site.stock(["a"])
    let idle = try site.database.session()
    try idle.sql("SELECT 1")
    let listener = try site.listen()
    try site.awaitLook("\(listener)")
    // Another role's session: nobody may know what it has open.
    #expect(try (890...910).contains(age()))
    try server.sql("GRANT pg_read_all_stats TO listening")
    try eventually("the bound follows", details: "\(listener)") { try age() < 15 }
    // Two-phase commit: prepared at a later time than it began.
    let began = try now()
    try idle.sql("BEGIN; \(ShopSite.update(["a"]))")
    try site.awaitLook("\(listener)")
    try idle.sql("PREPARE TRANSACTION 'late'")
    try site.render(["a"])
    for _ in 0..<3 { try site.awaitLook("\(listener)") }
    #expect(site.has("a"))
    #expect(try Double(site.bound() ?? 0) / 1e9 <= began)
    try idle.sql("COMMIT PREPARED 'late'")
    try eventually("the page goes", details: "\(listener)") { !site.has("a") }
    listener.terminate()
    _ = try listener.waitForExit()
  }

  // MARK: Crashes

  #if DEBUG
    @Test(
      "killed at any step, nothing is lost",
      arguments: [CrashPoint.changesFound, .changesCleared, .changesSettled, .boundWritten])
    func killed(_ point: CrashPoint) throws {
      let site = try ShopSite(listen: "RECHECK_OVERLAP = 1")
      try site.stock(["a", "b"])
      try site.render(["a", "b"])
      #expect(try site.once().status == 0)
      // Older than the overlap by the time that anybody looks again.
      try site.database.sql(ShopSite.update(["a"]))
      let listener = try site.listen(environment: ["FPCACHE_CRASH_AT": point.rawValue])
      #expect(try listener.waitForExit(timeout: .seconds(30)).exit == .signal(9))
      if point != .changesFound { #expect(!site.has("a")) }
      // A slow render ends behind the clear.
      try site.tree.write(ShopSite.page("a"), text: "1")
      let next = try site.listen()
      try eventually("the page goes", details: "\(next)") { !site.has("a") }
      #expect(site.has("b"))
    }
  #endif

  // MARK: Too many at once

  @Test("a burst: nothing is cleared, one error; fpcache clear ends it")
  func burst() throws {
    let site = try ShopSite(listen: "RECHECK_MOST = 3\nSTATUS_FILE = \("status.json")")
    try site.configure(
      listen: "RECHECK_MOST = 3\nSTATUS_FILE = \(site.tree.fullPath("status.json"))")
    let skus = ["a", "b", "c", "d"]
    try site.stock(skus + ["e"])
    try site.render(skus + ["e"])
    let listener = try site.listen()
    try site.awaitLook("\(listener)")
    let before = try #require(try site.bound())
    try site.database.sql(ShopSite.update(skus))
    try listener.waitForLog(
      containing:
        "products: 4 keys changed at once, more than RECHECK_MOST allows (3): cleared none of "
        + "them. Run fpcache clear products, or raise RECHECK_MOST and send SIGHUP")
    #expect(skus.allSatisfy { site.has($0) }, "\(listener)")
    func refused() throws -> Int? {
      let data = Data(try site.tree.read("status.json").utf8)
      let status = try JSONSerialization.jsonObject(with: data) as? [String: Any]
      let recheck = status?["recheck"] as? [String: Any]
      return ((recheck?["families"] as? [[String: Any]])?.first)?["refused"] as? Int
    }
    try eventually("the status file tells") { try refused() == 4 }
    // What changes later is served, and the bound that survives waits.
    try site.database.sql(ShopSite.update(["e"]))
    try eventually("the next change is served", details: "\(listener)") { !site.has("e") }
    #expect(skus.allSatisfy { site.has($0) }, "\(listener)")
    #expect(try abs((site.bound() ?? 0) - before) < 5_000_000_000)
    let clear = try Command.fpcache(
      ["clear", "products", "--config", site.tree.fullPath("shop.ini"), "--yes"], in: site.tree)
    #expect(clear.status == 0, "\(clear)")
    try listener.waitForLog(containing: "products: no page is left from before")
    try eventually("the status file tells") { try refused() == 0 }
    #expect(listener.lines.count { $0.contains("changed at once") } == 1, "\(listener)")
  }

  @Test("a burst is cleared once RECHECK_MOST is raised")
  func raised() throws {
    let site = try ShopSite(listen: "RECHECK_MOST = 3")
    let skus = ["a", "b", "c", "d"]
    try site.stock(skus)
    try site.render(skus)
    let listener = try site.listen()
    try site.awaitLook("\(listener)")
    try site.database.sql(ShopSite.update(skus))
    try listener.waitForLog(containing: "products: 4 keys changed at once")
    try site.configure(listen: "RECHECK_MOST = 4")
    listener.terminate(SIGHUP)
    try eventually("the pages go", details: "\(listener)") { !skus.contains { site.has($0) } }
  }

  // MARK: What cannot be used

  struct Useless: CustomTestStringConvertible, Sendable {
    let query: String
    let reason: String
    var testDescription: String { reason }

    static let all = [
      Useless(query: "SELECT sku, no_such_column FROM products", reason: "does not exist"),
      Useless(query: "SELECT sku FROM products", reason: "shop.ini:11 has no column changed_at"),
      Useless(
        query: "SELECT sku AS page, changed_at FROM products",
        reason: "cannot be asked for keys: the family products has no field page"),
      Useless(query: "SELECT sku, sku AS changed_at FROM products", reason: "invalid input syntax"),
      Useless(
        query: "SELECT sku, changed_at FROM products, pg_sleep(60)\nTIMEOUT = 1",
        reason: "canceling statement due to statement timeout"),
      Useless(
        query: "SELECT E'x/../y' AS sku, now() AS changed_at",
        reason: "gives 1 row that name no page"),
      Useless(
        query: "SELECT 'a' AS sku, 'infinity'::timestamptz AS changed_at",
        reason: "which is in the future"),
      Useless(
        query: "SELECT n::text AS sku, now() AS changed_at FROM generate_series(1, 1200000) AS n",
        reason: "changed at once, more than RECHECK_MOST allows"),
    ]
  }

  @Test(
    "a query that cannot be used is told of once, and nothing else suffers", arguments: Useless.all)
  func useless(_ useless: Useless) throws {
    let site = try ShopSite(useless.query)
    try site.stock(["a", "b"])
    try site.render(["b"])
    let listener = try site.listen()
    try listener.waitForLog(containing: useless.reason, timeout: .seconds(60))
    try site.configure()
    listener.terminate(SIGHUP)
    try site.awaitLook("\(listener)")
    try site.database.sql(ShopSite.update(["b"]))
    try eventually("the page goes", details: "\(listener)") { !site.has("b") }
    #expect(try listener.peakMemory() < 300 << 20)
    if !useless.reason.contains("at once") {
      #expect(listener.lines.count { $0.contains(useless.reason) } == 1, "\(listener)")
    }
  }

  @Test("NULL says nothing, and FAMILY_SINCE is asked in place of the whole query")
  func since() throws {
    let site = try ShopSite(
      """
      SELECT 'never asked' AS nothing
      PRODUCTS_SINCE = SELECT sku, changed_at FROM products WHERE changed_at > $1
          UNION ALL SELECT NULL, now() UNION ALL SELECT 'c', NULL
      """)
    try site.stock(["a", "b", "c"])
    try site.render(["a", "b", "c"])
    let listener = try site.listen()
    try site.awaitLook("\(listener)")
    try site.database.sql(ShopSite.update(["a"]))
    try eventually("the page goes", details: "\(listener)") { !site.has("a") }
    #expect(site.has("b") && site.has("c"), "\(listener)")
    #expect(!listener.lines.contains { $0.contains("warning") }, "\(listener)")
  }
}
