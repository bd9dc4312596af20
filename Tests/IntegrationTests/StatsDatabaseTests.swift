// SPDX-License-Identifier: BSD-2-Clause
//
// stats before a real PostgreSQL: what waits and since when, who listens, and the verdict.

import Foundation
import Testing

@testable import TestSupport

@Suite struct StatsDatabaseTests {
  private func stats(
    _ database: TestDatabase, _ arguments: [String] = [], dsn: String? = nil,
    in tree: TemporaryTree? = nil
  ) throws -> CommandResult {
    let tree = try tree ?? TemporaryTree()
    return try Command.fpcache(
      ["stats", "--dsn", dsn ?? database.listenerDSN] + arguments, in: tree,
      environment: ["FPCACHE_DIR": tree.path])
  }

  private func document(
    _ database: TestDatabase, _ arguments: [String] = [], dsn: String? = nil
  ) throws -> [String: Any] {
    let result = try stats(database, arguments + ["--format", "json"], dsn: dsn)
    return try #require(
      try JSONSerialization.jsonObject(with: Data(result.outputBytes)) as? [String: Any],
      "\(result)")
  }

  private func queue(_ document: [String: Any], _ name: String) throws -> [String: Any] {
    try #require((document["queues"] as? [String: [String: Any]])?[name])
  }

  private func verdict(_ document: [String: Any]) throws -> [String] {
    try #require(document["verdict"] as? [[String: String]]).compactMap { $0["text"] }
  }

  /// The two days without a listener.
  @Test("the incident: 20,508 ports have waited 2 days")
  func incident() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port, date_added)
      SELECT n, 'category' || n % 55, 'p5-Tool-Box' || n, now() - interval '50 hours' + n * interval '1 s'
      FROM generate_series(1, 20508) AS n;
      """)
    let tree = try TemporaryTree()
    try tree.write("html/stats.html", bytes: 500)
    let ports = try stats(database, in: tree)
    #expect(ports.status == 0 && ports.stderr.isEmpty, "\(ports)")
    #expect(
      ports.stdout.hasSuffix("\n\n20,508 ports have waited 2 d: nobody is listening\n"),
      "\(ports)")
    try database.sql(
      """
      INSERT INTO cache_clearing_dates (date_to_clear, date_added)
      SELECT date '2019-04-07' + n, now() - interval '49 hours' FROM generate_series(0, 289) AS n
      """)
    let both = try stats(database, in: tree).stdout
    #expect(both.contains("20,508 ports and 290 dates have waited 2 d: nobody is listening\n"))
    #expect(
      both.contains(
        """
        QUEUE                     ROWS    KEYS  OLDEST  NEWEST
        cache_clearing_ports    20,508  20,508     2 d    44 h
          oldest category1/p5-Tool-Box1, 2 d ago;
          newest category48/p5-Tool-Box20508, 44 h ago
          first category1/p5-Tool-Box1 category2/p5-Tool-Box2 category3/p5-Tool-Box3
                category4/p5-Tool-Box4 category5/p5-Tool-Box5
        cache_clearing_dates       290     290     2 d     2 d
          oldest 2019-04-07, 2 d ago; newest 2020-01-21, 2 d ago
          first 2019-04-07 2019-04-08 2019-04-09 2019-04-10 2019-04-11
        cache_clearing_commits       0       0       -       -
        cache_clearing_files         0       0       -       -

        CHANNEL            CLEARS
        port_updated       the port, its category, the news
        date_updated       that day, the news
        ports_moved        the news
        ports_updating     the news
        vuxml              the news
        category_new       the news
        commit_updated     that commit, sanity failures, the news
        file_updated       that file, the news
        packages_imported  the packages

        listening: none
        notification queue: 0 % full

        """), "\(both)")
  }

  @Test("a queue in JSON: rows, keys, both ends, the first five")
  func queues() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port, date_added) VALUES
        (1, 'net', 'b', now() - interval '1 hour'), (2, 'net', 'a', now() - interval '3 hours'),
        (3, 'net', 'b', now() - interval '2 hours'), (4, 'x11', E'\\033[2J', now()),
        (5, 'net', 'd', now()), (6, 'net', 'e', now()), (7, 'net', 'f', now());
      INSERT INTO cache_clearing_commits (commit_to_clear) VALUES ('zz@x'), ('aa@x');
      INSERT INTO cache_clearing_files (pathname, date_added) VALUES
        (NULL, NULL), (NULL, NULL), ('/ports/head/MOVED', NULL);
      DROP TABLE cache_clearing_dates CASCADE;
      """)
    let document = try document(database)
    let ports = try queue(document, "cache_clearing_ports")
    #expect(Set(ports.keys) == ["rows", "keys", "oldest", "newest", "first_keys"])
    #expect(ports["rows"] as? Int == 7 && ports["keys"] as? Int == 6)
    #expect(
      ports["first_keys"] as? [String] == ["net/b", "net/a", "net/b", #"x11/\x1b[2J"#, "net/d"])
    let oldest = try #require(ports["oldest"] as? [String: Any])
    #expect(Set(oldest.keys) == ["key", "added", "age_seconds"])
    #expect(oldest["key"] as? String == "net/a")
    let age = try #require(oldest["age_seconds"] as? Double)
    #expect(age >= 10_800 && age < 10_900)
    #expect((ports["newest"] as? [String: Any])?["key"] as? String == "net/f")
    let commits = try queue(document, "cache_clearing_commits")
    #expect(commits["first_keys"] as? [String] == ["aa@x", "zz@x"])
    let files = try queue(document, "cache_clearing_files")
    #expect(files["rows"] as? Int == 3 && files["keys"] as? Int == 2)
    #expect(files["first_keys"] as? [String] == ["NULL", "NULL", "/ports/head/MOVED"])
    #expect((files["oldest"] as? [String: Any])?["age_seconds"] is NSNull)
    #expect(try queue(document, "cache_clearing_dates")["rows"] is NSNull)
    #expect(
      try verdict(document) == [
        "6 ports, 2 commits and 2 files have waited 3 h: "
          + "nobody is listening"
      ])
  }

  /// The older schema: a time of day, of which no age can be told.
  @Test("where date_added is a time, the order is the queue's and the age unknown")
  func timeOfDay() throws {
    let database = try PostgresServer.shared.makeDatabase(shape: .plain)
    try database.sql(
      """
      ALTER TABLE cache_clearing_dates DROP COLUMN date_added;
      ALTER TABLE cache_clearing_dates ADD COLUMN date_added time DEFAULT now();
      INSERT INTO cache_clearing_dates (date_to_clear, date_added) VALUES
        ('2020-01-23', '12:00'), (NULL, '01:00'), ('2020-01-21', '23:00');
      ALTER TABLE cache_clearing_files DROP COLUMN date_added;
      INSERT INTO cache_clearing_files (pathname) VALUES ('/ports/head/b'), ('/ports/head/a');
      INSERT INTO cache_clearing_ports (port_id, category, port, date_added)
        VALUES (1, 'a', 'b', 'infinity'), (2, 'a', 'c', '-infinity');
      """)
    let document = try document(database)
    let dates = try queue(document, "cache_clearing_dates")
    let oldest = try #require(dates["oldest"] as? [String: Any])
    #expect(oldest["key"] as? String == "2020-01-23" && oldest["age_seconds"] is NSNull)
    #expect(oldest["added"] as? String == "12:00:00")
    #expect((dates["newest"] as? [String: Any])?["key"] as? String == "2020-01-21")
    #expect(dates["first_keys"] as? [String] == ["2020-01-23", "NULL", "2020-01-21"])
    let files = try queue(document, "cache_clearing_files")
    #expect((files["oldest"] as? [String: Any])?["key"] as? String == "/ports/head/b")
    #expect((files["oldest"] as? [String: Any])?["added"] is NSNull)
    let ports = try queue(document, "cache_clearing_ports")
    #expect((ports["oldest"] as? [String: Any])?["age_seconds"] is NSNull)
    #expect((ports["newest"] as? [String: Any])?["key"] as? String == "a/b")
    #expect(
      try verdict(document) == [
        "2 ports, 3 dates and 2 files wait, since when is unknown: nobody is listening"
      ])
    let text = try stats(database).stdout
    #expect(
      text.contains("  oldest 2020-01-23, unknown age; newest 2020-01-21, unknown age\n"), "\(text)"
    )
  }

  @Test("who listens is found by name, whatever the role may see")
  func listeners() throws {
    let server = try PostgresServer.shared
    let database = try server.makeDatabase()
    let tree = try TemporaryTree()
    let status = tree.fullPath("status.json")
    let listener = try Daemon.listen(on: tree, database, ["--status-file", status])
    try eventually("it is healthy", details: "\(listener)") {
      try tree.read("status.json").contains(#""healthy_at":"2"#)
    }
    let stranger = try database.session()
    _ = try stranger.sql("LISTEN something")
    // A role of its own, which is no member of any other.
    try database.sql(
      """
      CREATE ROLE onlooker_\(database.name) LOGIN;
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO onlooker_\(database.name);
      """)
    defer {
      _ = try? database.sql("DROP OWNED BY onlooker_\(database.name)")
      _ = try? database.sql("DROP ROLE onlooker_\(database.name)")
    }
    for (role, hidden) in [("listening", 1), ("postgres", 0), ("onlooker_\(database.name)", 1)] {
      let document = try document(
        database, ["--status-file", status], dsn: server.dsn(database.name, as: role))
      let sessions = try #require(document["listening"] as? [[String: Any]])
      let ours = sessions.filter { $0["fpcache"] as? Bool == true }
      #expect(ours.count == 2, "\(role): \(sessions)")
      for session in ours {
        #expect(session["application_name"] as? String == "fpcache listen")
        #expect(session["role"] as? String == "listening")
        #expect((session["connected_seconds"] is NSNull) == role.hasPrefix("onlooker"))
      }
      #expect(sessions.count - ours.count == 1 - hidden, "\(role): \(sessions)")
      #expect(document["sessions_hidden"] as? Int == hidden, "\(role)")
      #expect(try verdict(document) == ["nothing waits, and fpcache is listening"])
      let file = try #require(document["status_file"] as? [String: Any])
      #expect(file["process"] as? Int == Int(listener.pid) && file["running"] as? Bool == true)
      #expect(file["state"] as? String == "listening" && file["error"] is NSNull)
    }
    listener.terminate()
    _ = try listener.waitForExit()
    let document = try document(database, ["--status-file", status])
    #expect(
      try verdict(document) == [
        "nothing waits, but nobody is listening, as far as this role may see",
        "the listener has stopped",
      ])
    let text = try stats(database, ["--status-file", status], dsn: database.dsn).stdout
    #expect(text.contains("nothing waits, and process "), "\(text)")
    #expect(text.contains("status file \(status): process \(listener.pid) (gone),"), "\(text)")
  }

  @Test("a listener that was killed is missed")
  func killed() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    let listener = try Daemon.listen(
      on: tree, database, ["--status-file", tree.fullPath("status.json")])
    try eventually("it is healthy", details: "\(listener)") {
      try tree.read("status.json").contains(#""healthy_at":"2"#)
    }
    listener.terminate(SIGKILL)
    _ = try listener.waitForExit()
    try eventually("the server has noticed") { try database.backends().isEmpty }
    let document = try document(database, ["--status-file", tree.fullPath("status.json")])
    #expect(
      try verdict(document) == [
        "nothing waits, but nobody is listening",
        "the status file says listening, but process \(listener.pid) is gone",
      ])
  }

  @Test("what may not be read is told, and the rest counted")
  func refused() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(
      """
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
      REVOKE ALL ON cache_clearing_ports, listen_for FROM listening;
      """)
    let result = try stats(database)
    #expect(result.status == 1, "\(result)")
    #expect(
      result.stderr
        == "fpcache: cache_clearing_ports: permission denied for table cache_clearing_ports; "
        + "GRANT SELECT ON cache_clearing_ports TO listening;\n"
        + "fpcache: listen_for: permission denied for table listen_for; "
        + "GRANT SELECT ON listen_for TO listening;\n", "\(result)")
    #expect(result.stdout.contains("cache_clearing_dates"), "\(result)")
    #expect(result.stdout.contains("1 date has waited "), "\(result)")
    let document = try document(database)
    #expect(document["channels"] is NSNull)
    #expect(try queue(document, "cache_clearing_ports")["rows"] is NSNull)
    #expect((document["database_error"] as? String)?.hasPrefix("cache_clearing_ports: ") == true)
  }

  @Test("a table that somebody holds does not keep us waiting")
  func held() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let holder = try database.session()
    _ = try holder.sql("BEGIN; LOCK TABLE cache_clearing_commits")
    let result = try stats(database, ["--format", "prometheus"])
    #expect(result.status == 1, "\(result)")
    #expect(result.stderr.contains("cache_clearing_commits: canceling statement"), "\(result)")
    #expect(result.stdout.contains("fpcache_queue_rows{queue=\"cache_clearing_files\"} 0\n"))
    #expect(!result.stdout.contains("{queue=\"cache_clearing_commits\"}"), "\(result)")
    #expect(try prometheusComplaints(result.stdout) == [])
  }

  @Test("a script_name that nobody knows, and a database that is none of the site's")
  func strange() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(
      "INSERT INTO listen_for (name, script_name) VALUES (E'evil\\033[2J', 'listen_moon')")
    let text = try stats(database).stdout
    #expect(text.contains("evil\\x1b[2J        nothing: fpcache knows no listen_moon\n"), "\(text)")
    #expect(
      text.hasSuffix(
        "the channel evil\\x1b[2J clears nothing: fpcache knows no listen_moon\n"), "\(text)")
    let other = try stats(
      database, dsn: try PostgresServer.shared.dsn("postgres", as: "postgres"))
    #expect(other.status == 1, "\(other)")
    #expect(other.stdout.contains("\nthis database has none of the queues\n"), "\(other)")
  }

  @Test("a database that nobody named and that is not there is no failure; one named is")
  func absent() throws {
    let tree = try TemporaryTree()
    let none = try Command.fpcache(
      ["stats", "--format", "prometheus"], in: tree, environment: ["FPCACHE_DIR": tree.path])
    #expect(none.status == 0, "\(none)")
    #expect(none.stderr.contains("queues not counted"), "\(none)")
    #expect(none.stdout.contains("\nfpcache_database_up 0\n"), "\(none)")
    let named = try Command.fpcache(
      ["stats", "--dsn", "host=/nonexistent"], in: tree, environment: ["FPCACHE_DIR": tree.path])
    #expect(named.status == 69, "\(named)")
    #expect(named.stdout.hasSuffix("\nthe queues could not be read\n"), "\(named)")
  }
}
