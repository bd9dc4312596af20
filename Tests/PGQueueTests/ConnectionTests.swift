// SPDX-License-Identifier: BSD-2-Clause
//
// The one wrapper of libpq, and the queue's statements, on a real PostgreSQL.

import Foundation
import Testing

@testable import Basics
@testable import PGQueue
@testable import TestSupport

@Suite struct ConnectionTests {
  private func connect(_ database: TestDatabase) throws -> Connection {
    try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
  }

  @Test("values come back as bytes, NULL as nil, and what is not there as nil")
  func values() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let connection = try connect(database)
    let rows = try connection.query("SELECT $1::text, NULL, E'a\\nb'", ["x'y\"z"])
    #expect(rows.count == 1)
    #expect(rows[0, 0] == Array("x'y\"z".utf8))
    #expect(rows[0, 1] == nil)
    #expect(rows.text(0, 2) == "a\nb")
    #expect(rows[1, 0] == nil && rows[0, 3] == nil && rows[-1, 0] == nil)
  }

  @Test("what the server refuses is told with its state, and the connection stays usable")
  func refused() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let connection = try connect(database)
    #expect {
      try connection.query("SELECT * FROM nowhere")
    } throws: { error in
      guard case .refused(let reason) = error as? DatabaseError else { return false }
      return reason.isMissingTable && reason.message.contains("nowhere")
    }
    #expect {
      try connection.query("SELECT * FROM ports")
    } throws: { error in
      guard case .refused(let reason) = error as? DatabaseError else { return false }
      return reason.isPermissionDenied
    }
    #expect(try connection.query("SELECT 1").text(0, 0) == "1")
  }

  @Test("a connection that the server ends while it is idle is lost for the server's reason")
  func lastWords() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let connection = try connect(database)
    _ = try database.sql("SELECT pg_terminate_backend(\(connection.backend))")
    var loss: DatabaseError?
    try eventually("the connection is lost") {
      do throws(DatabaseError) {
        _ = try connection.takeNotifications()
      } catch {
        loss = error
      }
      return loss != nil
    }
    guard case .lost(let message) = loss else {
      Issue.record("\(String(describing: loss))")
      return
    }
    #expect(message == "terminating connection due to administrator command")
  }

  @Test("a connection that the server ends is lost; one that cannot be made is unreachable")
  func lost() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let connection = try connect(database)
    _ = try database.sql("SELECT pg_terminate_backend(\(connection.backend))")
    #expect {
      try connection.query("SELECT 1")
    } throws: { error in
      if case .lost = error as? DatabaseError { true } else { false }
    }
    #expect {
      _ = try Connection(ConnectionParameters([("host", "/nowhere"), ("dbname", "x")]))
    } throws: { error in
      guard case .unreachable(let message) = error as? DatabaseError else { return false }
      return message.contains("/nowhere/.s.PGSQL.5432")
    }
    #expect(throws: DatabaseError.badConnectionString) {
      try ConnectionParameters.check("host=x password")
    }
  }

  @Test(
    "any name can be a channel's",
    arguments: ["port_updated", "Robert'); DROP TABLE x;--", "a\"b\"\"", "é", "with space"])
  func channels(name: String) throws {
    let database = try PostgresServer.shared.makeDatabase()
    let connection = try connect(database)
    try connection.listen(to: Array(name.utf8))
    try connection.query("NOTIFY \(connection.quoted(identifier: name)), 'ignored'")
    #expect(try connection.takeNotifications().map(\.channel) == [Array(name.utf8)])
    #expect(try connection.takeNotifications().isEmpty)
  }

  @Test("a name that the server cuts short is still the channel's")
  func longChannel() {
    let long = String(repeating: "l", count: 70)
    let channel = Channel(name: long, scriptName: "listen_port")
    #expect(channel.isNamed(Array(long.utf8.prefix(63))))
    #expect(!channel.isNamed(Array(long.utf8.prefix(20))))
    #expect(!Channel(name: "port_updated", scriptName: "").isNamed(Array("port".utf8)))
  }

  @Test("batches go by number, not by text, and hold what the key needs")
  func batches() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    _ = try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port)
        SELECT i, 'www', 'p' || i FROM generate_series(1, 25) i;
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES (NULL), ('2020-01-21'), ('infinity');
      """)
    let connection = try connect(database)
    let queue = Queue(.ports, on: connection)
    let first = try queue.batch(after: nil, limit: 10)
    let second = try queue.batch(after: first.last?.place, limit: 100)
    #expect(first.map(\.position) == (1...10).map(String.init))
    #expect(second.map(\.position) == (11...25).map(String.init))
    #expect(first.first?.key == [Array("www".utf8), Array("p1".utf8)])
    let dates = try Queue(.dates, on: connection).batch(after: nil, limit: 10)
    #expect(dates.map(\.key) == [[nil], [Array("2020-01-21".utf8)], [nil]])
  }

  @Test("the lock waits for no one longer than 50 ms, and just the rows it is given are deleted")
  func lockAndRetire() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    _ = try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1,'a','b'),(2,'c','d')")
    let queue = Queue(.ports, on: try connect(database))
    let writer = try database.session()
    _ = try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (3,'e','f')")
    #expect(try queue.lock([]) == .contended)
    _ = try writer.sql("COMMIT")
    #expect(try queue.lock([]) == .granted)
    let rows = try queue.batch(after: nil, limit: 10)
    #expect(rows.count == 3)
    #expect(try queue.delete(queue.deletion(of: Array(rows.dropFirst()))) == 2)
    #expect(try database.count("cache_clearing_ports") == 3, "not yet")
    try queue.undelete()
    #expect(try queue.delete(queue.deletion(of: Array(rows.dropFirst(2)))) == 1)
    let late = try database.session()
    try late.sql("SET lock_timeout = '1ms'")
    #expect(throws: (any Error).self, "the lock is kept") {
      try late.sql(
        "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (4, 'g', 'h')")
    }
    try queue.commit()
    #expect(try database.count("cache_clearing_ports") == 2)
  }

  @Test(
    "the server is at a script while we do something else, however long its text",
    arguments: [0, 4_000_000])
  func meanwhile(padding: Int) throws {
    let database = try PostgresServer.shared.makeDatabase()
    let connection = try connect(database)
    let other = try database.session()
    try other.sql("SELECT pg_advisory_lock(1)")
    let comment = "/*\(String(repeating: "x", count: padding))*/"
    let script = try connection.script("SELECT 7; SELECT pg_advisory_lock(1) \(comment)") {
      // Were it not under way by now, nobody would ever wait for the lock.
      do {
        try eventually("the statement waits") {
          try database.count("pg_locks WHERE NOT granted AND pid = \(connection.backend)") == 1
        }
        try other.sql("SELECT pg_advisory_unlock(1)")
      } catch {
        Issue.record(error)
      }
    }
    #expect(script.count == 2)
    #expect(script.first?.text(0, 0) == "7")
  }

  @Test("once a stop was asked for, all statements of all connections together have 3 s")
  func stopping() throws {
    let database = try PostgresServer.shared.makeDatabase()
    var pipe: [CInt] = [-1, -1]
    try #require(Foundation.pipe(&pipe) == 0)
    defer { for descriptor in pipe { close(descriptor) } }
    let parameters = ConnectionParameters([("dbname", database.listenerDSN)])
    let stop = StopDeadline(descriptor: pipe[0])
    let connection = try Connection(parameters, stop: stop)
    let other = try Connection(parameters, stop: stop)
    try connection.script("SELECT pg_sleep(0)")
    #expect(stop.deadline == nil)
    try #require(write(pipe[1], "x", 1) == 1)
    try connection.script("SELECT pg_sleep(2)")
    #expect(throws: DatabaseError.lost("no answer in time")) {
      try other.script("SELECT pg_sleep(2)")
    }
  }

  @Test("what stands in a row's place by now is not retired for it")
  func placeOfAnother() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    let add = "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES"
    _ = try database.sql("\(add) (1,'a','b'),(2,'c','d')")
    let queue = Queue(.ports, on: try connect(database))
    let seen = try queue.batch(after: nil, limit: 10)
    // VACUUM gives the places free, and the next rows take them.
    _ = try database.sql("DELETE FROM cache_clearing_ports WHERE port_id = 1")
    _ = try database.sql("VACUUM cache_clearing_ports")
    _ = try database.sql("\(add) (3,'e','f')")
    let now = try queue.batch(after: nil, limit: 10)
    #expect(
      now.compactMap(\.version?.offset).sorted() == seen.compactMap(\.version?.offset).sorted())
    #expect(try queue.lock(seen) == .granted)
    #expect(try queue.delete(queue.deletion(of: seen)) == 1)
    try queue.commit()
    #expect(try database.sql("SELECT port FROM cache_clearing_ports") == "f")
  }

  @Test("a table that was rewritten is not locked for rows that were read before")
  func rewritten() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    let queue = Queue(.ports, on: try connect(database))
    for rewrite in ["VACUUM FULL cache_clearing_ports", "TRUNCATE cache_clearing_ports"] {
      // Were the transaction before not over, this would fail.
      _ = try database.sql(
        """
        SET lock_timeout = '1s';
        INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b'), (2, 'c', 'd');
        """)
      let rows = try queue.batch(after: nil, limit: 10)
      #expect(!rows.isEmpty)
      _ = try database.sql(rewrite)
      #expect(try queue.lock(rows) == .rewritten)
    }
  }

  @Test("a row's version is three numbers and nothing else")
  func version() {
    func version(_ place: String, _ writer: String) -> QueueRow.Version? {
      Array(place.utf8).withUnsafeBytes { place in
        Array(writer.utf8).withUnsafeBytes { QueueRow.Version(place, $0, table: 1, file: 2) }
      }
    }
    let version12 = version("(12,3)", "745")
    #expect(version12?.block == 12 && version12?.offset == 3 && version12?.writer == 745)
    for text in ["", "12,3", "(a,1)", "(1,70000)", "(1,2,3)", "(1)", "(-1,2)", "(,)", "(1,", "("] {
      #expect(version(text, "1") == nil, "\(text)")
    }
    for text in ["", "-1", "x", "4294967296", "1 "] {
      #expect(version("(1,1)", text) == nil, "\(text)")
    }
  }

  @Test("a backlog has an age only where date_added is a timestamp")
  func backlog() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    _ = try database.sql(
      """
      ALTER TABLE cache_clearing_dates ALTER date_added DROP DEFAULT,
        ALTER date_added TYPE time USING date_added::time;
      INSERT INTO cache_clearing_dates (date_to_clear, date_added) VALUES ('2020-01-21', '10:00');
      INSERT INTO cache_clearing_ports (port_id, category, port, date_added)
        VALUES (1, 'a', 'b', now() - interval '2 days');
      """)
    var look = BacklogLook()
    let backlog = try look.measure(QueueTable.all, on: connect(database))
    let dates = try #require(backlog.first { $0.table == .dates })
    let ports = try #require(backlog.first { $0.table == .ports })
    #expect(dates.rows == 1 && dates.oldestAge == nil)
    #expect(ports.rows == 1 && abs((ports.oldestAge ?? 0) - 172_800) < 3_600)
  }
}
