// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache status before a real PostgreSQL: its statuses in every format, what it may not read, what hangs.

import Foundation
import Testing

@testable import TestSupport

@Suite struct StatusCommandTests {
  private static let formats = ["text", "json", "nagios"]

  private func status(
    _ arguments: String..., dsn: String, file: String? = nil
  ) throws -> CommandResult {
    try Command.fpcache(
      ["status", "--dsn", dsn] + arguments.flatMap { $0.split(separator: " ").map(String.init) }
        + (file.map { ["--status-file", $0] } ?? []),
      environment: ["FPCACHE_DIR": "/nonexistent/cache"])
  }

  private func row(_ database: TestDatabase, seconds: Int, _ port: String = "a") throws {
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port, date_added)
      VALUES (1, 'net', '\(port)', localtimestamp - interval '\(seconds) seconds')
      """)
  }

  /// The same status in every format, and in each the same words.
  private func expect(
    _ expected: Int32, _ words: String, _ flags: String = "", dsn: String, file: String? = nil
  ) throws {
    for format in Self.formats {
      let result = try status("--format \(format) \(flags)", dsn: dsn, file: file)
      #expect(result.status == expected, "\(result)")
      let text = result.stdout.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(text.contains(words), "\(result)")
      #expect(result.stderr.isEmpty, "\(result)")
    }
  }

  @Test("well, late, past a limit, nobody: the statuses 0, 1, 2, 2 in every format")
  func statuses() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let dsn = database.listenerDSN
    try expect(2, "nobody is listening: nothing waits yet", dsn: dsn)
    let state = try Scratch.makeFolder("status")
    let file = state + "/status.json"
    let daemon = try Daemon.listen(on: TemporaryTree(), database, ["--status-file", file])
    try eventually("the listener is healthy") {
      try status(dsn: dsn, file: file).status == 0
    }
    try expect(0, "fpcache is listening, and nothing waits", dsn: dsn, file: file)
    // Nothing takes the row away while it is locked; so it grows old.
    let lock = try database.session()
    try lock.sql("BEGIN; LOCK TABLE cache_clearing_ports IN ROW EXCLUSIVE MODE")
    try row(database, seconds: 500)
    try expect(1, "late: 1 row in cache_clearing_ports, the oldest for 8 min", dsn: dsn)
    try expect(
      2, "has waited 8 min; the limit is 300 s", "--max-wait 5m", dsn: dsn)
    try expect(2, "1 row in cache_clearing_ports; the limit is 0", "--max-backlog 0", dsn: dsn)
    try expect(0, "1 row waits", "--warning 600 --critical 900,5", dsn: dsn)
    try expect(2, "the limit is @400:600 s", "-c @400:600", dsn: dsn)
    try lock.sql("ROLLBACK")
    daemon.terminate()
    try daemon.waitForExit()
    try database.sql("DELETE FROM cache_clearing_ports")
    try row(database, seconds: 500)
    try expect(
      2, "nobody is listening: 1 row waits, the oldest for 8 min", dsn: dsn, file: file)
    // The plugin's first line, and its numbers.
    let nagios = try status("--format nagios --max-wait 10m --max-backlog 5", dsn: dsn)
    #expect(nagios.firstLine.hasPrefix("FPCACHE CRITICAL - nobody is listening: "), "\(nagios)")
    #expect(
      nagios.firstLine.contains(
        #/ \| cache_clearing_ports=1;;5;0 .* cache_clearing_ports_oldest=50\ds;;600;0 /#),
      "\(nagios)")
    #expect(nagios.firstLine.contains(" sessions_listening=0;;;0 "), "\(nagios)")
  }

  @Test("what may not be read is never well, and the GRANT is said; as told, it is granted")
  func rights() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let role = "watching_\(database.name)"
    try database.sql("CREATE ROLE \(role) LOGIN")
    defer { _ = try? database.sql("DROP OWNED BY \(role); DROP ROLE \(role)") }
    let listener = try database.session(as: "listening")
    try listener.sql("LISTEN port_updated")
    let dsn = database.server.dsn(database.name, as: role)
    try expect(3, "cannot see who listens: permission denied", dsn: dsn)
    var grants: Set<String> = []
    let document = try status("--format json", dsn: dsn)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(document.outputBytes)) as? [String: Any])
    for table in try #require(object["not_checked"] as? [[String: Any]]) {
      grants.insert(try #require(table["grant"] as? String))
    }
    #expect(grants.count == 5, "\(grants)")
    for grant in grants {
      #expect(try status(dsn: dsn).status == 3)
      try database.sql(grant)
    }
    try expect(3, "GRANT pg_read_all_stats TO \(role);", dsn: dsn)
    try database.sql("GRANT pg_read_all_stats TO \(role)")
    try expect(0, "is listening, and nothing waits", dsn: dsn)
  }

  @Test("no database, or one that holds its table: status 3, in time")
  func unreachable() throws {
    try expect(3, "cannot see: cannot connect: ", dsn: "host=/nonexistent")
    let database = try PostgresServer.shared.makeDatabase()
    let holder = try database.session()
    try holder.sql("BEGIN; LOCK TABLE cache_clearing_dates")
    let held = try status("--timeout 3", dsn: database.listenerDSN)
    #expect(held.status == 2 && held.stdout.contains("nobody is listening"), "\(held)")
    #expect(held.stdout.contains("cannot see cache_clearing_dates: "), "\(held)")
    // A connection that dies without a word.
    let server = try PostgresServer.shared
    let proxy = try TCPProxy(to: server.port)
    proxy.freeze()
    let dsn = "host=127.0.0.1 port=\(proxy.port) dbname=\(database.name) user=listening password=x"
    for format in Self.formats {
      let silent = try status("--timeout 1 --format \(format)", dsn: dsn)
      #expect(silent.status == 3, "\(silent)")
      #expect(silent.stdout.contains("no answer in time"), "\(silent)")
    }
  }

  @Test("whatever hangs, a monitor gets its answer")
  func hangs() throws {
    // libpq itself hangs: it reads its service file as if it were none that never ends.
    let folder = try Scratch.makeFolder("pipe")
    #expect(mkfifo(folder + "/never", 0o600) == 0)
    for command in ["status", "verify --only backlog"] {
      let arguments = command.split(separator: " ").map(String.init)
      let result = try Command.fpcache(
        arguments + ["--format", "nagios", "--timeout", "1", "--dsn", "service=x"],
        environment: ["PGSERVICEFILE": folder + "/never"])
      #expect(result.status == 3, "\(result)")
      #expect(
        result.stdout == "FPCACHE UNKNOWN - no answer within 1 s; raise --timeout\n", "\(result)")
    }
  }

  @Test(
    "wrong usage is UNKNOWN to a monitor, and a usage error to everybody else",
    arguments: [
      ("--bogus", "unknown option '--bogus'"),
      ("--warning x", "--warning x: expected a range such as 600, 10:600 or @10:20"),
      ("--critical 5:1", "--critical 5:1: expected a range such as"),
      ("--max-backlog=-1", "--max-backlog -1: expected a number from 0"),
      ("-c 5 --max-wait 5m", "--critical cannot be used together with --max-wait or --max-backlog"),
      ("--timeout 0", "--timeout 0: expected seconds from 1 to 3600"),
      ("--watch 0", "--watch 0: expected seconds from 0.1 to 86400"),
      ("--dsn postgres://%zz", "--dsn: not a libpq connection string or URI"),
    ])
  func usage(_ flags: String, _ words: String) throws {
    let arguments = ["status"] + flags.split(separator: " ").map(String.init)
    let monitor = try Command.fpcache(arguments + ["--format", "nagios"])
    #expect(monitor.status == 3, "\(monitor)")
    #expect(monitor.firstLine.hasPrefix("FPCACHE UNKNOWN - \(words)"), "\(monitor)")
    #expect(monitor.stderr.isEmpty, "\(monitor)")
    let person = try Command.fpcache(arguments)
    #expect(person.status == 64 && person.stdout.isEmpty, "\(person)")
  }

  @Test("wrong usage of verify, help and a watch are UNKNOWN to a monitor, too")
  func otherUsage() throws {
    for flags in [
      "verify --only nonsense", "verify --config /nonexistent", "status --help", "status --watch 1",
    ] {
      let arguments = flags.split(separator: " ").map(String.init)
      let result = try Command.fpcache(arguments + ["--format=nagios"])
      #expect(result.status == 3 && result.stdout.hasPrefix("FPCACHE UNKNOWN - "), "\(result)")
      #expect(result.stderr.isEmpty, "\(result)")
    }
  }

  @Test("names that would speak to a terminal or a monitor")
  func hostile() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port, date_added)
      VALUES (1, E'a|b\\nc', E'\\u001b]0;owned\\u0007' || repeat('x', 100000), localtimestamp - interval '1 h');
      INSERT INTO listen_for (name, script_name) VALUES (E'\\u001b[2J|\\n', E'x\\u202ey');
      """)
    let session = try database.session(as: "listening")
    try session.sql("SET application_name = 'fpcache listen'; LISTEN \"a|b\"")
    for format in Self.formats {
      let result = try status("--format \(format)", dsn: database.listenerDSN)
      #expect(result.status == 1, "\(result)")
      for scalar in result.stdout.unicodeScalars where scalar != "\n" {
        let category = scalar.properties.generalCategory
        #expect(category != .control && category != .format, "\(result)")
      }
      if format == "nagios" {
        #expect(result.stdout.utf8.count { $0 == UInt8(ascii: "|") } == 1, "\(result)")
      }
      if format == "text" {
        for line in result.stdout.split(separator: "\n") { #expect(line.count <= 80, "\(result)") }
      }
    }
  }

  @Test("through a pooler", .enabled(if: PgBouncer.isInstalled))
  func pooler() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let bouncer = try PgBouncer(before: database.server)
    let result = try status(dsn: bouncer.dsn(database))
    #expect(result.status == 2 && result.stdout.contains("nobody is listening"), "\(result)")
  }
}
