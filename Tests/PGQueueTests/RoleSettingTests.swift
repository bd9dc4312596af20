// SPDX-License-Identifier: BSD-2-Clause
//
// What administrators set for a role with ALTER ROLE: each setting either does no harm or is told of.

import Foundation
import Testing

@testable import Basics
@testable import PGQueue
@testable import TestSupport

@Suite struct RoleSettingTests {
  /// Settings that would end or falsify a listener's session, or read and write values otherwise.
  static let harmless = [
    ("statement_timeout", "300ms", 12), ("lock_timeout", "1ms", 12),
    ("idle_in_transaction_session_timeout", "300ms", 12), ("idle_session_timeout", "300ms", 14),
    ("transaction_timeout", "300ms", 17), ("exit_on_error", "on", 12),
    ("default_transaction_read_only", "on", 12),
    ("default_transaction_isolation", "serializable", 12),
    ("default_transaction_deferrable", "on", 12), ("DateStyle", "SQL, DMY", 12),
    ("DateStyle", "German", 12), ("IntervalStyle", "sql_standard", 12),
    ("TimeZone", "Asia/Kathmandu", 12), ("extra_float_digits", "-15", 12),
    ("bytea_output", "escape", 12), ("standard_conforming_strings", "off", 12),
    ("client_encoding", "SJIS", 12), ("client_min_messages", "debug5", 12),
    ("quote_all_identifiers", "on", 12), ("transform_null_equals", "on", 12),
    ("array_nulls", "off", 12), ("row_security", "off", 12), ("enable_seqscan", "off", 12),
    ("jit_above_cost", "0", 12), ("session_replication_role", "replica", 12),
    ("lc_messages", "C", 12), ("search_path", "elsewhere, \"$user\", public", 12),
  ]

  @Test("a role's setting changes nothing of what is read, moved and deleted")
  func harmless() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    let version = (Int(try database.sql("SHOW server_version_num")) ?? 0) / 10_000
    try database.sql(NodeSchema.sql)
    let role = "ALTER ROLE listening IN DATABASE \(database.name)"
    for (name, value, since) in Self.harmless where version >= since {
      let listed = name == "search_path" ? value : "'\(value)'"
      try database.sql("\(role) SET \(name) = \(listed)")
      try database.sql(
        """
        INSERT INTO cache_clearing_dates (date_to_clear, date_added) VALUES ('2020-01-02', now());
        INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, E'a\\\\b', 'c');
        """)
      let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
      try serve(connection, name, value)
      #expect(try database.count("cache_clearing_dates") == 0, "\(name) = \(value)")
      #expect(try database.count("cache_clearing_ports") == 0, "\(name) = \(value)")
      try database.sql("\(role) RESET ALL; DELETE FROM fpcache_node")
    }
  }

  private func serve(_ connection: Connection, _ name: String, _ value: String) throws {
    let told = "\(name) = \(value)"
    try connection.listen(to: Array("port_updated".utf8))
    let dates = Queue(.dates, on: connection)
    let waiting = try #require(try dates.waiting(after: nil, limit: 10).first, "\(told)")
    #expect(waiting.row.key == [Array("2020-01-02".utf8)], "\(told)")
    // A time of day and zone that is not known: what it is taken for may be a day off, not a month.
    #expect(abs(waiting.age ?? .infinity) < 86_400, "\(told)")
    var look = BacklogLook()
    #expect(try look.measure([.dates], on: connection).first?.rows == 1, "\(told)")
    let survey = try QueueSurvey.all(of: [.dates], on: connection).first
    #expect(survey?.contents?.rows == 1, "\(told)")
    let now = try connection.serverTime().seconds
    #expect(now > 1_600_000_000 && now != now.rounded(), "\(told)")
    let rows = try dates.batch(after: nil, limit: 10)
    #expect(try dates.lock(rows) == .granted, "\(told)")
    #expect(try dates.delete(dates.deletion(of: rows)) == 1, "\(told)")
    try dates.commit()
    let node = try #require(Node(name: "web1", token: "t"))
    let log = NodeLog(node, on: Queue(.log, on: connection), tables: QueueTable.all)
    try log.register(as: "t")
    let ports = try Queue(.ports, on: connection).batch(after: nil, limit: 10)
    #expect(try log.move(ports, of: .ports) == 1, "\(told)")
    guard case .batch(let batch) = try log.read(after: nil, limit: 10) else {
      Issue.record("no batch: \(told)")
      return
    }
    #expect(batch.rows.last?.key == [Array(#"a\b"#.utf8), [0x63]], "\(told)")
    // Idle, at work and in a transaction for longer than any timeout above: the time is what is tested.
    if name.hasSuffix("timeout") {
      try connection.query("SELECT pg_catalog.pg_sleep(0.4)")
      usleep(400_000)
      try connection.script("BEGIN; SELECT 1")
      usleep(400_000)
      try connection.script("COMMIT")
    }
  }
}
