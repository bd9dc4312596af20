// SPDX-License-Identifier: BSD-2-Clause
//
// The rows of a queue and how long they have waited, in every shape of table that there is.

import TestSupport
import Testing

@testable import PGQueue

@Suite struct WaitingRowTests {
  private func rows(_ table: QueueTable, _ database: TestDatabase) throws -> [WaitingRow] {
    let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
    var all: [WaitingRow] = []
    while true {
      let rows = try Queue(table, on: connection).waiting(
        after: all.last?.row.position, limit: 2)
      all += rows
      if rows.count < 2 { return all }
    }
  }

  private func text(_ row: WaitingRow) -> String {
    row.row.key.map { $0.map { String(decoding: $0, as: UTF8.self) } ?? "NULL" }
      .joined(separator: "/") + " " + (row.age.map { "\(Int($0.rounded()))" } ?? "nil")
  }

  @Test func everyQueue() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port, date_added)
        SELECT 1, 'net', 'p' || n, localtimestamp - n * interval '1 minute'
        FROM generate_series(1, 5) AS n;
      INSERT INTO cache_clearing_dates (date_to_clear, date_added)
        VALUES ('2020-01-21', localtimestamp - interval '1 day'), (NULL, NULL);
      INSERT INTO cache_clearing_commits VALUES ('a@b', localtimestamp - interval '2 minutes');
      INSERT INTO cache_clearing_files (pathname, date_added)
        VALUES ('/ports/head/MOVED', localtimestamp - interval '90 seconds');
      """)
    func ages(_ table: QueueTable) throws -> [String] {
      try rows(table, database).map { row in
        // A second or two may pass while we look.
        text(row).replacing(/\d+$/) { "\(((Int($0.output) ?? 0) + 5) / 10 * 10)" }
      }
    }
    #expect(
      try ages(.ports) == ["net/p1 60", "net/p2 120", "net/p3 180", "net/p4 240", "net/p5 300"])
    #expect(try ages(.dates) == ["2020-01-21 86400", "NULL nil"])
    #expect(try ages(.commits) == ["a@b 120"])
    #expect(try ages(.files) == ["/ports/head/MOVED 90"])
  }

  /// Older schemas keep a time of day, from which no age can be told, or nothing at all.
  @Test func withoutATime() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(
      """
      ALTER TABLE cache_clearing_dates DROP COLUMN date_added;
      ALTER TABLE cache_clearing_dates ADD COLUMN date_added time DEFAULT localtime;
      ALTER TABLE cache_clearing_files DROP COLUMN date_added;
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
      INSERT INTO cache_clearing_files (pathname) VALUES ('/ports/head/MOVED');
      """)
    #expect(try rows(.dates, database).map(text) == ["2020-01-21 nil"])
    #expect(try rows(.files, database).map(text) == ["/ports/head/MOVED nil"])
  }

  @Test func timesWithAZone() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(
      """
      ALTER TABLE cache_clearing_ports ALTER COLUMN date_added TYPE timestamptz;
      INSERT INTO cache_clearing_ports (port_id, category, port, date_added)
        VALUES (1, 'net', 'a', now() - interval '1 hour'), (2, 'net', 'b', 'infinity');
      """)
    let ages = try rows(.ports, database).map(\.age)
    #expect(abs((ages[0] ?? 0) - 3600) < 10 && ages[1] == -.infinity)
  }
}
