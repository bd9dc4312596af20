// SPDX-License-Identifier: BSD-2-Clause
//
// Another role may create functions, operators and types in a schema that our role searches, and even before the
// server's own. None of them is ever used: each statement is run where whatever it does not qualify fails.

import Testing

@testable import Basics
@testable import PGQueue
@testable import TestSupport

@Suite struct HijackTests {
  /// A schema with a trap for all functions, operators and types of the server that can be had as one.
  private static let traps = """
    CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO listening;
    SET search_path = pg_catalog;
    DO $$ DECLARE made record; BEGIN
      FOR made IN SELECT proname, oidvectortypes(proargtypes) AS types, format_type(prorettype, NULL) AS result
        FROM pg_proc JOIN pg_type ON pg_type.oid = prorettype
        WHERE pronamespace = 'pg_catalog'::regnamespace AND typtype <> 'p' AND NOT EXISTS (
          SELECT FROM unnest(proargtypes) AS taken JOIN pg_type AS type ON type.oid = taken WHERE type.typtype = 'p')
      LOOP
        EXECUTE format('CREATE OR REPLACE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS '
          '''BEGIN RAISE ''''hijacked''''; END''', made.proname, made.types, made.result);
      END LOOP;
      FOR made IN SELECT oprname, format_type(oprleft, NULL) AS l, format_type(oprright, NULL) AS r,
          format_type(oprresult, NULL) AS result, row_number() OVER () AS number
        FROM pg_operator WHERE oprleft <> 0 AND oprright <> 0 AND NOT EXISTS (
          SELECT FROM pg_type WHERE oid IN (oprleft, oprright, oprresult) AND typtype = 'p')
      LOOP
        EXECUTE format('CREATE FUNCTION evil.trap_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS '
          '''BEGIN RAISE ''''hijacked''''; END''', made.number, made.l, made.r, made.result);
        EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.trap_%s, LEFTARG = %s, RIGHTARG = %s)',
          made.oprname, made.number, made.l, made.r);
      END LOOP;
      CREATE FUNCTION evil.pg_typeof(timestamp) RETURNS regtype LANGUAGE plpgsql AS 'BEGIN RAISE ''hijacked''; END';
      CREATE FUNCTION evil.unnest(oid[]) RETURNS SETOF oid LANGUAGE plpgsql AS 'BEGIN RAISE ''hijacked''; END';
      FOR made IN SELECT unnest(ARRAY['text', 'oid', 'xid', 'tid', 'timestamptz', 'timestamp', 'regtype', 'int8',
          'int4', 'int2', 'bool', 'name']) AS name
      LOOP
        EXECUTE format('CREATE DOMAIN evil.%I AS text CHECK (evil.version() IS NULL)', made.name);
      END LOOP;
    END $$;
    """

  private static let own = QueueTable(
    SQLIdentifier(known: "own"),
    key: [.text(SQLIdentifier(known: "title")), .day(SQLIdentifier(known: "day"))],
    order: .text(SQLIdentifier(known: "title")), added: QueueTable.usualAdded)

  /// The search path of the role, and of its sessions, with the traps first.
  private func database(on server: PostgresServer) throws -> TestDatabase {
    let database = try server.makeDatabase(shape: .plain)
    try database.sql(
      """
      \(NodeSchema.sql)
      CREATE TABLE own (title text, day timestamp, date_added timestamptz DEFAULT now());
      GRANT SELECT, DELETE ON own TO listening;
      INSERT INTO own VALUES ('a', '2020-01-21'), ('b', '2020-01-22');
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'b'), (2, 'c', 'd');
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
      INSERT INTO cache_clearing_commits VALUES ('m'); INSERT INTO cache_clearing_files (pathname) VALUES ('/x');
      """)
    try database.sql(Self.traps)
    try database.sql(
      """
      ALTER ROLE listening IN DATABASE \(database.name) SET search_path = evil, pg_catalog, public
      """)
    return database
  }

  private func connect(_ database: TestDatabase) throws -> Connection {
    try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
  }

  /// What the server has refused since the mark.
  private func errors(_ server: PostgresServer, after mark: Int) -> [Substring] {
    server.log.split(separator: "\n").dropFirst(mark).filter {
      $0.contains("ERROR") || $0.contains("STATEMENT")
    }
  }

  @Test("no statement of a drain, a survey, an audit or a node uses what others have made")
  func everyStatement() throws {
    let server = try PostgresServer()
    let database = try database(on: server)
    let connection = try connect(database)
    let mark = server.log.split(separator: "\n").count
    #expect(throws: (any Error).self, "the traps are set") {
      try connection.query("SELECT now()")
    }
    #expect(errors(server, after: mark).first?.contains("hijacked") ?? false)
    let begin = server.log.split(separator: "\n").count
    let tables = QueueTable.all + [Self.own]
    _ = try Channel.all(of: SiteEvent.all, on: connection)
    var look = BacklogLook()
    #expect(try look.measure(tables, on: connection).count == tables.count)
    let surveys = try QueueSurvey.all(of: tables, on: connection)
    #expect(surveys.allSatisfy { $0.contents != nil })
    _ = try ServerSurvey(on: connection)
    #expect(try TableRights.all(of: tables, on: connection).allSatisfy { $0.missing.isEmpty })
    #expect(try TableRights.ofNodes(on: connection).count == 4)
    _ = try ListenerSessions.count(on: connection)
    #expect(try !RiskyTrigger.all(of: [.ports], on: connection).contains { $0.queue == "own" })
    _ = try connection.serverTime()
    try node(connection, tables)
    for table in tables {
      let queue = Queue(table, on: connection)
      try queue.requireRights()
      #expect(try queue.holder() == nil)
      let waiting = try queue.waiting(after: nil, limit: 10)
      #expect(waiting.count > 0 && waiting.allSatisfy { $0.age != nil })
      let rows = try queue.batch(after: nil, limit: 10)
      let place = try #require(rows.first?.place)
      #expect(try queue.batch(after: place, limit: 10).count == rows.count - 1)
      #expect(try queue.lock(rows) == .granted)
      #expect(try queue.delete(queue.deletion(of: rows)) == rows.count)
      #expect(try queue.remaining(of: rows).isEmpty)
      try queue.undelete()
      try queue.commit()
      #expect(try queue.count() == rows.count)
    }
    try ChangeQuery("SELECT title, date_added AS changed_at FROM own", timeout: .seconds(5)).run(
      on: connection
    ) { _, _ in
      true
    } row: { row in
      #expect(row.changed != nil)
      return true
    }
    #expect(errors(server, after: begin).isEmpty)
  }

  private func node(_ connection: Connection, _ tables: [QueueTable]) throws {
    #expect(try NodeLog.names(on: connection) == nil)
    let node = try #require(Node(name: "web1", token: "t"))
    let log = NodeLog(node, on: Queue(.log, on: connection), tables: tables)
    #expect(try log.lackingRight() == nil)
    try log.register(as: "s")
    #expect(try log.token() == "s")
    #expect(try log.renew("s", as: "t"))
    try log.noteEmptied()
    #expect(try log.noteSeen() == nil)
    #expect(try NodeLog.names(on: connection) == ["web1"])
    for table in [QueueTable.ports, Self.own] {
      let rows = try Queue(table, on: connection).batch(after: nil, limit: 1)
      #expect(try log.move(rows, of: table) == 1)
    }
    _ = try log.claim(from: "web1")
    #expect(try NodeBacklog.all(on: connection).map(\.rows) == [2])
    #expect(try log.waiting(after: nil, limit: 10).count == 2)
    guard case .batch(let batch) = try log.read(after: nil, limit: 10) else {
      Issue.record("no batch")
      return
    }
    #expect(try log.advance(behind: batch, owing: batch.rows))
    #expect(try !log.advance(behind: batch, owing: []), "already moved")
    try connection.query("UPDATE fpcache_node SET cursor = 0")
    #expect(try log.advance(behind: batch, owing: []))
    let owed = try log.owed(after: nil, limit: 10)
    #expect(owed.count == 2)
    try log.forgive(owed)
    #expect(try !log.trim())
  }
}
