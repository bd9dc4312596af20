// SPDX-License-Identifier: BSD-2-Clause
//
// The drain batch by batch, by hand: what becomes of rows when their table, or the cache directory,
// is not what it was when the batch began.

import Foundation
import Logging
import Synchronization
import SystemPackage
import Testing

@testable import CacheFS
@testable import Listening
@testable import PGQueue
@testable import TestSupport

@Suite struct DrainStepTests {
  private static let ports = 2000
  private let database: TestDatabase
  private let tree: TemporaryTree
  private let queue: Queue

  init() throws {
    tree = try TemporaryTree()
    try tree.makeDirectory("cache/ports/www")
    database = try PostgresServer.shared.makeDatabase(shape: .plain)
    // By one transaction, so that places alone tell the rows apart.
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port)
        SELECT i, 'www', 'p' || i FROM generate_series(1, \(Self.ports)) i
      """)
    let parameters = ConnectionParameters([("dbname", database.listenerDSN)])
    queue = Queue(.ports, on: try Connection(parameters))
  }

  private func writePage(of port: String) throws {
    try tree.write("cache/ports/www/\(port)/Detail.html", bytes: 1)
  }

  private var pages: [String] { get throws { try tree.files(below: "cache") } }

  private func drain(
    _ kernel: Kernel = .real, remembering most: Int = 1000,
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  ) throws -> Drain {
    let root = try Directory(root: FilePath(tree.fullPath("cache")), kernel: kernel)
    return Drain(
      Clearer(root, layout: .freshPorts, kernel: kernel), .freshPorts(.freshPorts), ClearMemory(),
      logger,
      remembering: most)
  }

  private func drainAll(_ drain: Drain) throws {
    while try drain.step(queue, .whole) == .more {}
  }

  @Test("a table rewritten between reading and locking: no row goes whose pages were not cleared")
  func rewritten() throws {
    try writePage(of: "p1")
    try writePage(of: "p1500")
    let isDone = Mutex(false)
    let database = database
    var kernel = Kernel.real
    kernel.unlinkat = { folder, name, flags in
      let isFirst = isDone.withLock { isDone in
        defer { isDone = true }
        return !isDone
      }
      if isFirst {
        // Later rows now stand in the places of those that are being cleared.
        do {
          try database.sql("DELETE FROM cache_clearing_ports WHERE id BETWEEN 2 AND 900")
          try database.sql("VACUUM FULL cache_clearing_ports")
        } catch {
          Issue.record(error)
        }
      }
      return Kernel.real.unlinkat(folder, name, flags)
    }
    let drain = try drain(kernel)
    #expect(try drain.step(queue, .whole) == .more)
    #expect(isDone.withLock { $0 })
    #expect(drain.pages.tally.rows == 0, "the batch is read anew before any of it is retired")
    try drainAll(drain)
    #expect(drain.pages.tally.rows == Self.ports - 899)
    #expect(try queue.count() == 0)
    #expect(try pages == [])
  }

  @Test(
    "partitions and heirs have the same places: no row goes whose pages were not cleared",
    arguments: [
      """
      ALTER TABLE cache_clearing_ports RENAME TO old;
      CREATE TABLE cache_clearing_ports (LIKE old INCLUDING DEFAULTS) PARTITION BY RANGE (id);
      CREATE TABLE low PARTITION OF cache_clearing_ports FOR VALUES FROM (1) TO (1500);
      CREATE TABLE high PARTITION OF cache_clearing_ports DEFAULT;
      GRANT SELECT, DELETE ON cache_clearing_ports TO listening;
      INSERT INTO cache_clearing_ports SELECT * FROM old;
      """,
      """
      CREATE TABLE heir () INHERITS (cache_clearing_ports);
      WITH moved AS (DELETE FROM ONLY cache_clearing_ports RETURNING *),
        low AS (INSERT INTO cache_clearing_ports SELECT * FROM moved WHERE id < 1500)
        INSERT INTO heir SELECT * FROM moved WHERE id >= 1500;
      VACUUM FULL cache_clearing_ports;
      """,
    ])
  func partsOfATable(sql: String) throws {
    try database.sql(sql)
    #expect(try queue.count() == Self.ports)
    try writePage(of: "p1")
    try writePage(of: "p1800")
    let drain = try drain()
    #expect(try drain.step(queue, .whole) == .more)
    #expect(drain.pages.tally.rows == BatchSize.least)
    #expect(try queue.count() == Self.ports - BatchSize.least)
    try drainAll(drain)
    #expect(drain.pages.tally.rows == Self.ports)
    #expect(try queue.count() == 0)
    #expect(try pages == [])
  }

  /// Half as many ports as rows, each with a row in the first batch and one in the second.
  private func nameEachPortTwice() throws {
    try database.sql(
      """
      UPDATE cache_clearing_ports SET port = 'p' || id % \(Self.ports / 2);
      VACUUM FULL cache_clearing_ports
      """)
  }

  @Test("what a pass has cleared and a later batch names again is looked for under the lock only")
  func namedAgain() throws {
    try nameEachPortTwice()
    try writePage(of: "p1")
    let wasLocked = Mutex<[Bool]>([])
    let database = database
    var kernel = Kernel.real
    kernel.unlinkat = { folder, name, flags in
      do {
        let isLocked =
          try database.count(
            "pg_locks JOIN pg_database ON database = pg_database.oid "
              + "WHERE datname = current_database() AND mode = 'ShareRowExclusiveLock' AND granted"
          ) == 1
        wasLocked.withLock { $0.append(isLocked) }
      } catch {
        Issue.record(error)
      }
      return Kernel.real.unlinkat(folder, name, flags)
    }
    let drain = try drain(kernel)
    #expect(try drain.step(queue, .whole) == .more)
    #expect(wasLocked.withLock { $0 } == [false], "at once")
    try writePage(of: "p1")
    try drainAll(drain)
    #expect(wasLocked.withLock { $0 } == [false, true])
    #expect(try queue.count() == 0)
    #expect(try pages == [])
  }

  @Test("while the lock is not to be had, what a pass has cleared is looked for all the same")
  func namedAgainAndHeld() throws {
    try nameEachPortTwice()
    let drain = try drain()
    #expect(try drain.step(queue, .whole) == .more)
    try writePage(of: "p1")
    let writer = try database.session()
    try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (0, 'own', 'own')")
    #expect(try drain.step(queue, .whole) == .contended)
    for _ in 0..<2 {
      #expect(try drain.step(queue, .whole) == .contended)
      #expect(try pages == [], "by the next try, and by each after it")
      try writePage(of: "p1")
    }
    #expect(try queue.count() == Self.ports / 2)
    try writer.sql("COMMIT")
    try drainAll(drain)
    #expect(try queue.count() == 0)
    #expect(try pages == [])
  }

  @Test("while a writer holds the queue, the pages of all its rows are cleared again and again")
  func rotation() throws {
    let writer = try database.session()
    try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (0, 'own', 'own')")
    let drain = try drain()
    for _ in 0..<3 {
      for port in ["p1", "p1001", "p2000"] { try writePage(of: port) }
      for _ in 0..<2 { #expect(try drain.step(queue, .whole) == .contended) }
      #expect(try pages == [])
    }
  }

  @Test("whoever holds the queue for long is named")
  func holder() throws {
    let writer = try database.session()
    let process = try writer.sql("SET application_name = 'slow'; SELECT pg_backend_pid()")
    try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (0, 'own', 'own')")
    let drain = try drain()
    #expect(try drain.step(queue, .whole) == .contended)
    #expect(drain.heldQueues == [])
    drain.holdPatience = .zero
    #expect(try drain.step(queue, .whole) == .contended)
    #expect(
      drain.heldQueues.map(\.holder) == ["process \(process) (slow, role postgres)"])
    try writer.sql("COMMIT")
    try drainAll(drain)
    #expect(drain.heldQueues == [])
  }

  @Test("what a trigger keeps from being deleted stays, holds up nothing and is told of once")
  func kept() throws {
    try database.sql(
      """
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER keep BEFORE DELETE ON cache_clearing_ports
        FOR EACH ROW WHEN (OLD.id % 100 = 0) EXECUTE FUNCTION keep();
      """)
    try writePage(of: "p100")
    let drain = try drain()
    try drainAll(drain)
    #expect(try queue.count() == Self.ports / 100)
    #expect(drain.pages.tally.rows == Self.ports - Self.ports / 100)
    #expect(drain.rowsKept == Self.ports / 100)
    #expect(try pages == [])
    // A new change that gives way to a row that is kept is served all the same.
    try writePage(of: "p100")
    guard case .drained(let retry) = try drain.step(queue, .whole) else {
      Issue.record("more")
      return
    }
    #expect(retry != nil)
    #expect(try pages == [])
    try database.sql("DROP TRIGGER keep ON cache_clearing_ports")
    try eventually("they go by themselves") {
      try drainAll(drain)
      return try queue.count() == 0
    }
    #expect(drain.rowsKept == 0)
  }

  @Test("of more rows than are remembered none is lost: the queue has them")
  func overflow() throws {
    for port in 1...20 { try writePage(of: "p\(port)") }
    let isStuck = Mutex(true)
    var kernel = Kernel.real
    kernel.unlinkat = { folder, name, flags in
      guard isStuck.withLock({ $0 }) else { return Kernel.real.unlinkat(folder, name, flags) }
      errno = EACCES
      return -1
    }
    let drain = try drain(kernel, remembering: 5)
    try drainAll(drain)
    #expect(try queue.count() == 20)
    #expect(drain.retriesWaiting == 5 && drain.pages.tally.failures == 20)
    isStuck.withLock { $0 = false }
    try eventually("all go") {
      guard case .drained(let retry) = try drain.step(queue, .whole) else { return false }
      return try retry == nil && queue.count() == 0
    }
    #expect(try pages == [])
    #expect(drain.retriesWaiting == 0)
  }

  @Test("a page comes under way and cannot go: its row stays, and no other")
  func stuckUnderTheLock() throws {
    try tree.makeDirectory("cache/ports/www/p2")
    let page = tree.fullPath("cache/ports/www/p2/Detail.html")
    let looks = Mutex(0)
    let look = { @Sendable in
      looks.withLock { looks in
        looks += 1
        return looks
      }
    }
    var kernel = Kernel.real
    kernel.openFolder = { folder, name, mounts in
      if String(cString: name) == "p2", look() == 2 { close(open(page, O_CREAT | O_WRONLY, 0o644)) }
      return Kernel.real.openFolder(folder, name, mounts)
    }
    kernel.unlinkat = { _, _, _ in
      errno = EACCES
      return -1
    }
    let drain = try drain(kernel)
    #expect(try drain.step(queue, .whole) == .more)
    #expect(drain.pages.tally.rows == BatchSize.least - 1)
    #expect(try queue.count() == Self.ports - BatchSize.least + 1)
    #expect(drain.retriesWaiting == 1)
    try drainAll(drain)
    #expect(drain.pages.tally.rows == Self.ports - 1)
    #expect(try database.sql("SELECT port FROM cache_clearing_ports") == "p2")
    #expect(try pages == ["cache/ports/www/p2/Detail.html"])
  }

  @Test("a page that cannot go is tried again after a second, however many rows name it")
  func manyRowsOfOneName() throws {
    try database.sql("UPDATE cache_clearing_ports SET port = 'same'")
    try writePage(of: "same")
    var kernel = Kernel.real
    kernel.unlinkat = { _, _, _ in
      errno = EACCES
      return -1
    }
    let drain = try drain(kernel)
    #expect(try drain.step(queue, .whole) == .more)
    #expect(drain.pages.retries.count == 1)
    #expect(try #require(drain.pages.retries.next()) <= .now + .seconds(1))
    #expect(drain.pages.tally.failures == 1)
  }

  /// A kernel that cannot unlink while `isStuck`.
  private func kernel(unlinks: @escaping @Sendable () -> Bool) -> Kernel {
    var kernel = Kernel.real
    kernel.unlinkat = { folder, name, flags in
      guard !unlinks() else { return Kernel.real.unlinkat(folder, name, flags) }
      errno = EACCES
      return -1
    }
    return kernel
  }

  @Test("a page that cannot go is tried again after a second, however long the try has taken")
  func slowTry() throws {
    try database.sql("DELETE FROM cache_clearing_ports WHERE id > 1")
    try writePage(of: "p1")
    let database = database
    let drain = try drain(
      kernel {
        // A slow disk.
        do { try database.sql("SELECT pg_sleep(0.2)") } catch { Issue.record(error) }
        return false
      })
    guard case .drained(let retry?) = try drain.step(queue, .whole) else {
      Issue.record("nothing waits")
      return
    }
    #expect(retry <= .seconds(1))
  }

  @Test("a row is cleared at last when its deletion is committed, and not before")
  func clearedAtLast() throws {
    try database.sql(
      """
      DELETE FROM cache_clearing_ports WHERE id > 2;
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER keep BEFORE DELETE ON cache_clearing_ports
        FOR EACH ROW WHEN (OLD.id = 2) EXECUTE FUNCTION keep();
      """)
    for port in ["p1", "p2"] { try writePage(of: port) }
    let isStuck = Mutex(true)
    let lines = Messages()
    let drain = try drain(kernel { !isStuck.withLock { $0 } }, logger: lines.logger)
    try drainAll(drain)
    #expect(drain.retriesWaiting == 2 && lines.all.count == 1)
    isStuck.withLock { $0 = false }
    let writer = try database.session()
    try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (0, 'own', 'own')")
    try eventually("the pages go") {
      #expect(try drain.step(queue, .whole) != .more)
      return try pages == []
    }
    let held = lines.all.filter { $0.contains("at last") }
    #expect(try held == [] && database.count("cache_clearing_ports") == 2)
    try writer.sql("ROLLBACK")
    try drainAll(drain)
    #expect(try database.sql("SELECT id FROM cache_clearing_ports") == "2")
    #expect(
      lines.all.filter { $0.contains("at last") }
        == ["cache_clearing_ports: www/p1: cleared at last"])
    #expect(drain.pages.tally.recovered == 1)
  }

  @Test("a folder that is refilled under the lock is left to a later try, and holds up no other")
  func refilledUnderTheLock() throws {
    try database.sql("DELETE FROM cache_clearing_ports WHERE id > 3")
    for port in ["p1", "p2", "p3"] { try writePage(of: port) }
    let looks = Mutex(0)
    let patience = Duration.milliseconds(100)
    let tree = tree
    var kernel = Kernel.real
    kernel.openFolder = { folder, name, mounts in
      let isUnderLock =
        String(cString: name) == "p2"
        && looks.withLock { looks in
          looks += 1
          return looks == 2
        }
      if isUnderLock {
        // Until the time is up.
        let until = ContinuousClock.now + patience
        do {
          for page in 0..<5000 {
            try tree.write("cache/ports/www/p2/some-quite-long-name-of-a-page-\(page)", bytes: 1)
          }
        } catch {
          Issue.record(error)
        }
        while ContinuousClock.now < until {}
      }
      return Kernel.real.openFolder(folder, name, mounts)
    }
    let lines = Messages()
    let drain = try drain(kernel, logger: lines.logger)
    drain.pages.lockPatience = patience
    try drainAll(drain)
    #expect(looks.withLock { $0 } >= 2)
    #expect(try database.sql("SELECT port FROM cache_clearing_ports") == "p2")
    #expect(drain.retriesWaiting == 1 && drain.pages.tally.rows == 2)
    #expect(
      lines.all.filter { !$0.contains(": cleared ") } == [
        "cache_clearing_ports: www/p2: ports/www/p2: other programs write to it faster than it can be cleared; "
          + "the row stays; will retry"
      ])
    drain.pages.lockPatience = .seconds(60)
    try eventually("it goes by itself") {
      try drainAll(drain)
      return try queue.count() == 0
    }
    #expect(try pages == [])
  }

  @Test("the cache directory was away in mid-pass: the next pass begins at the start")
  func away() throws {
    let drain = try drain()
    #expect(try drain.step(queue, .whole) == .more)
    #expect(rename(tree.fullPath("cache"), tree.fullPath("elsewhere")) == 0)
    #expect(try drain.step(queue, .whole) == .drained(retryAfter: .seconds(1)))
    // Given its number earlier, and committed now: it stands before what was served.
    try database.sql(
      "INSERT INTO cache_clearing_ports (id, port_id, category, port) VALUES (0, 0, 'www', 'late')")
    #expect(rename(tree.fullPath("elsewhere"), tree.fullPath("cache")) == 0)
    try writePage(of: "late")
    try drainAll(drain)
    #expect(try queue.count() == 0)
    #expect(try pages == [])
  }

  @Test("a queue whose rows may be read and not deleted stays refused until they may")
  func refused() throws {
    try database.sql("REVOKE DELETE ON cache_clearing_ports FROM listening")
    let drain = try drain()
    #expect(try drain.step(queue, .whole) == .drained(retryAfter: nil))
    #expect(drain.refusedQueues == ["cache_clearing_ports"])
    #expect(try drain.step(queue, .pagesOnly) == .prompted)
    #expect(drain.refusedQueues == ["cache_clearing_ports"])
    try database.sql("GRANT DELETE ON cache_clearing_ports TO listening")
    #expect(try drain.step(queue, .whole) == .more)
    #expect(drain.refusedQueues == [])
  }

  @Test(
    "rows that another server keeps stay, since no lock of ours holds off those who write there",
    .enabled(
      if: try PostgresServer.shared.offers(extension: "postgres_fdw"),
      "the server comes without postgres_fdw"))
  func foreign() throws {
    let far = try PostgresServer.shared.makeDatabase(shape: .plain)
    try far.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'www', 'far')")
    let server = try PostgresServer.shared
    try database.sql(
      """
      CREATE EXTENSION postgres_fdw;
      CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
        host '\(server.socketDirectory)', port '\(server.port)', dbname '\(far.name)');
      CREATE USER MAPPING FOR listening SERVER far
        OPTIONS (user 'postgres', password_required 'false');
      ALTER TABLE cache_clearing_ports RENAME TO old;
      CREATE TABLE cache_clearing_ports (LIKE old INCLUDING DEFAULTS) PARTITION BY RANGE (id);
      CREATE FOREIGN TABLE part PARTITION OF cache_clearing_ports DEFAULT
        SERVER far OPTIONS (table_name 'cache_clearing_ports');
      GRANT SELECT, DELETE ON cache_clearing_ports TO listening;
      """)
    try writePage(of: "far")
    let drain = try drain()
    #expect(try drain.step(queue, .whole) == .drained(retryAfter: nil))
    #expect(drain.refusedQueues == ["cache_clearing_ports"])
    #expect(try pages == [])
    #expect(try far.count("cache_clearing_ports") == 1)
  }
}
