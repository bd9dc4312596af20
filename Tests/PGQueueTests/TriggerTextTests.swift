// SPDX-License-Identifier: BSD-2-Clause
//
// What the text of a trigger's function shows: each shape that is served, and each habit that no lock can see.

import TestSupport
import Testing

@testable import PGQueue

@Suite struct TriggerTextTests {
  private static let insert = "INSERT INTO cache_clearing_ports (port) VALUES (NEW.name)"
  private static let look = "SELECT 1 FROM cache_clearing_ports WHERE port = NEW.name"

  static let harmless = [
    "\(insert); NOTIFY x;",
    "INSERT INTO cache_clearing_ports SELECT 1 WHERE NOT EXISTS (\(look)); IF FOUND THEN NOTIFY x; END IF;",
    "\(insert) ON CONFLICT DO NOTHING; NOTIFY x;",
    "IF NEW.a <> OLD.a THEN \(insert) ON CONFLICT DO NOTHING; ELSIF b THEN \(insert); END IF;",
    "-- IF NOT EXISTS (\(look)) THEN\n /* a /* b */ EXCEPTION WHEN OTHERS THEN */ \(insert);",
    """
    INSERT INTO cache_clearing_ports SELECT CASE WHEN a THEN 'it''s; IF' ELSE $q$; FROM cache_clearing_ports $q$ END
    FROM t WHERE NOT EXISTS (\(look)); IF FOUND THEN NOTIFY x; END IF;
    """,
    // To save the notification, not the row.
    "SELECT count(*) INTO n FROM cache_clearing_ports; \(insert); IF n = 0 THEN NOTIFY x; END IF;",
    // The row or the table is held, so that the drain waits.
    "UPDATE cache_clearing_ports SET date_added = now(); IF NOT FOUND THEN \(insert); END IF;",
    "PERFORM \(look.dropFirst(7)) FOR UPDATE; IF NOT FOUND THEN \(insert); END IF;",
    """
    LOCK TABLE cache_clearing_ports IN ROW EXCLUSIVE MODE;
    PERFORM \(look.dropFirst(7)); IF NOT FOUND THEN \(insert); END IF;
    """,
    """
    LOOP UPDATE cache_clearing_ports SET date_added = now(); IF found THEN RETURN NULL; END IF;
    BEGIN \(insert); RETURN NULL; EXCEPTION WHEN unique_violation THEN NULL; END; END LOOP;
    """,
    "BEGIN \(insert); EXCEPTION WHEN unique_violation THEN RAISE; END;",
    "BEGIN \(insert); EXCEPTION WHEN foreign_key_violation THEN NULL; END;",
    "BEGIN \(insert) ON CONFLICT DO NOTHING; EXCEPTION WHEN OTHERS THEN NULL; END;",
    // Another table's.
    "IF NOT EXISTS (SELECT FROM cache_clearing_dates) THEN \(insert); END IF;",
  ]

  static let looksFirst = [
    "PERFORM \(look.dropFirst(7)); IF NOT FOUND THEN \(insert); END IF;",
    "IF NOT EXISTS (\(look)) THEN \(insert) ON CONFLICT DO NOTHING; END IF;",
    "if exists (select from public.\"cache_clearing_ports\" p) then return null; end if; \(insert);",
    "SELECT count(*) INTO n FROM t, cache_clearing_ports; IF a THEN NULL; ELSIF n = 0 THEN \(insert); END IF;",
    "CASE (SELECT count(*) FROM cache_clearing_ports) WHEN 0 THEN \(insert); ELSE NULL; END CASE;",
  ]

  static let catchesViolation = [
    "BEGIN \(insert); EXCEPTION WHEN unique_violation THEN NULL; END; NOTIFY x;",
    "BEGIN \(insert); EXCEPTION WHEN foreign_key_violation OR OTHERS THEN RAISE NOTICE 'x'; END;",
    "BEGIN \(insert); EXCEPTION WHEN SQLSTATE '23505' THEN NULL; END;",
    "BEGIN IF a THEN \(insert); END IF; EXCEPTION WHEN others THEN NULL; END;",
  ]

  private func risks(_ body: String) -> Set<TriggerRisk> {
    TriggerText(
      "DECLARE n integer; BEGIN \(body) RETURN NULL; END", queue: "cache_clearing_ports"
    ).risks
  }

  @Test(arguments: harmless) func whatIsServed(_ body: String) { #expect(risks(body) == []) }
  @Test(arguments: looksFirst) func lookingFirst(_ body: String) {
    #expect(risks(body) == [.looksFirst])
  }
  @Test(arguments: catchesViolation) func catchingTheViolation(_ body: String) {
    #expect(risks(body) == [.catchesViolation])
  }

  @Test(arguments: [
    "", "BEGIN", "END; END; ELSE WHEN THEN", "IF ((( ; CASE END IF 'x", "$x$ $1 EXCEPTION WHEN",
    "$", "/*",
    "BEGIN IF CASE LOOP", String(repeating: "BEGIN ", count: 20_000),
    String(repeating: "IF a THEN ", count: 20_000),
  ])
  func whatIsNoFunctionEndsToo(_ text: String) {
    #expect(TriggerText(text, queue: "q").risks == [])
  }

  /// On a real server: of functions that triggers fire, or that these name, and of no others.
  @Test(arguments: TriggerShape.allCases) func functionsOfADatabase(_ shape: TriggerShape) throws {
    let database = try PostgresServer.shared.makeDatabase(shape: shape)
    let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
    func found() throws -> [String] {
      try RiskyTrigger.all(of: QueueTable.all, on: connection).map { "\($0.function) \($0.risk)" }
    }
    #expect(try found() == [])
    try database.sql(
      "\(PlantedFaults.looksFirst("unused")); \(PlantedFaults.catchesViolation("bad"))")
    #expect(try found() == [])
    try database.sql(
      "CREATE TRIGGER bad AFTER UPDATE ON ports FOR EACH ROW EXECUTE FUNCTION bad()")
    #expect(try found() == ["bad() catchesViolation"])
    try database.sql("ALTER TABLE ports DISABLE TRIGGER bad")
    #expect(try found() == [])
    try database.sql(
      """
      CREATE FUNCTION "Helper"() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        IF NOT EXISTS (SELECT FROM cache_clearing_dates) THEN
          INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
        END IF; END $$;
      CREATE FUNCTION calls() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM "Helper"(); RETURN NULL; END $$;
      CREATE TRIGGER calls AFTER UPDATE ON ports FOR EACH ROW EXECUTE FUNCTION calls();
      """)
    #expect(try found() == ["\"Helper\"() looksFirst"])
  }

  /// Why they are risky: the drain's lock is granted while the writer is still uncommitted.
  @Test(arguments: [
    PlantedFaults.looksFirst("ports_clear_cache"),
    PlantedFaults.catchesViolation("ports_clear_cache"),
  ])
  func noLockSeesTheWriter(_ function: String) throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(
      """
      \(function);
      INSERT INTO categories (name) VALUES ('net');
      INSERT INTO ports (category_id, name) VALUES (1, 'a');
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'a');
      """)
    let writer = try database.session()
    try writer.sql("BEGIN; UPDATE ports SET version = '2.0'")
    let connection = try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
    let queue = Queue(.ports, on: connection)
    let rows = try queue.batch(after: nil, limit: 10)
    guard case .granted = try queue.lock(rows) else {
      Issue.record("the lock waits for the writer")
      return
    }
    #expect(try queue.delete(queue.deletion(of: rows)) == 1)
    try queue.commit()
    try writer.sql("COMMIT")
    // What was changed is in no queue, and was not when its page was cleared.
    #expect(try database.count("cache_clearing_ports") == 0)
  }
}
