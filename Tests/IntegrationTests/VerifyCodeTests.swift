// SPDX-License-Identifier: BSD-2-Clause
//
// A tree, or a database, for each code: what is in it, the audit's whole document on it, its status and
// the plugin's.

import Foundation
import Testing

@testable import TestSupport

/// One fault of one code.
private struct Fixture: CustomTestStringConvertible, Sendable {
  let code: String
  let severity: String
  let path: String
  let message: String
  let remedy: String
  /// How many files there are.
  var files: Int? = 1
  var flags: [String] = []
  /// Lines of the configuration, behind BASEDIR.
  var configuration = ""
  var queues = "{}"
  var clock = "null"
  /// Makes the fault, in a tree with every folder of the layout.
  var plant: @Sendable (TemporaryTree) throws -> Void = { _ in }
  /// Statements for a database, where the code wants one. Somebody listens there, unless it says no.
  var sql: String?
  var listens = true

  var testDescription: String { code }

  static let redo = "run fpcache verify --fix; the next visitor re-creates the page"
  static let byHand = "remove it by hand and find the program that wrote it"
  static let drain = "check that fpcache listen runs, or run fpcache listen --once"
  /// 2020-01-21T12:00:00Z.
  static let then = 1_579_608_000
}

extension Fixture {
  static let tree = [
    Fixture(
      code: "unknown", severity: "warning", path: "ports/net/a/core",
      message: "matches no pattern of the layout",
      remedy: "remove it by hand, or add it to the layout"
    ) { try $0.write("ports/net/a/core", bytes: 5) },
    Fixture(
      code: "misplaced", severity: "warning", path: "ports/21.daily.head",
      message: "is named like a page of daily, which lies in another folder",
      remedy: "if the configuration names the right folder, " + byHand
    ) { try $0.write("ports/21.daily.head", bytes: 5) },
    Fixture(
      code: "bad-date", severity: "warning", path: "daily/2020/02/30.daily.head",
      message: "names a date that does not exist", remedy: byHand
    ) { try $0.write("daily/2020/02/30.daily.head", bytes: 5) },
    Fixture(
      code: "future-date", severity: "warning", path: "daily/2999/12/31.daily.head",
      message: "names the day 2999-12-31, which is in the future",
      remedy: byHand + ", or set the clock"
    ) { try $0.write("daily/2999/12/31.daily.head", bytes: 5) },
    Fixture(
      code: "empty", severity: "critical", path: "html/a", message: "is a page of zero bytes",
      remedy: redo
    ) { try $0.write("html/a", bytes: 0) },
    Fixture(
      code: "stub", severity: "warning", path: "packages/net/a.html",
      message: "has 5 bytes; a page of its family has at least 1,000", remedy: redo,
      configuration: "[verify]\nPACKAGES_STUB = 1000"
    ) { try $0.write("packages/net/a.html", bytes: 5) },
    Fixture(
      code: "symlink", severity: "warning", path: "html/a",
      message: "is a symbolic link, which is never followed",
      remedy: "find out who put it there, and remove it by hand"
    ) { try $0.link("html/a", to: "b") },
    Fixture(
      code: "special", severity: "warning", path: "html/a", message: "is a socket, fifo or device",
      remedy: "find out who put it there, and remove it by hand"
    ) { tree in #expect(mkfifo(tree.fullPath("html/a"), 0o600) == 0) },
    Fixture(
      code: "unreadable", severity: "critical", path: "html/a",
      message: "cannot be read: Permission denied",
      remedy: "give the user who runs fpcache permission to read it", files: 0
    ) {
      try $0.makeDirectory("html/a")
      try $0.setMode("html/a", 0)
    },
    Fixture(
      code: "spool-leftover", severity: "warning", path: "spooling/a.tmpA1b2C3",
      message: "was being written at 2020-01-21T12:00:00Z and never finished",
      remedy: "run fpcache verify --fix, and look for what stopped the render"
    ) {
      try $0.write("spooling/a.tmpA1b2C3", bytes: 5)
      try $0.setTime("spooling/a.tmpA1b2C3", then)
    },
    Fixture(
      code: "empty-dir", severity: "notice", path: "ports/net/a",
      message: "is a folder that has been empty since 2020-01-21T12:00:00Z",
      remedy: "nothing to do; fpcache verify --fix removes it", files: 0
    ) {
      try $0.makeDirectory("ports/net/a")
      try $0.setTime("ports/net/a", then)
    },
    Fixture(
      code: "expired", severity: "warning", path: "packages/net/a.html",
      message: "was written at 2020-01-21T12:00:00Z, which is longer ago than allowed",
      remedy: redo, flags: ["--stale-after", "365d"]
    ) {
      try $0.write("packages/net/a.html", bytes: 5)
      try $0.setTime("packages/net/a.html", then)
    },
  ]

  static let configuration = [
    Fixture(
      code: "missing-dir", severity: "critical", path: "new",
      message: "is a configured folder that does not exist; did you mean news?",
      remedy: "correct the configuration, or create the folder", files: 0,
      configuration: "NEWS_CACHE_DIR = %(BASEDIR)s/cache/new/*"),
    Fixture(
      code: "odd-value", severity: "warning", path: "BASE/f.ini:4",
      message: "SETTLE is 0: a page that was being rendered while it was cleared stays stale",
      remedy: "correct the configuration", files: 0, configuration: "[listen]\nSETTLE = 0"),
    Fixture(
      code: "quoted-value", severity: "notice", path: "BASE/f.ini:4",
      message: "SETTLE is in quotes, which are ignored",
      remedy: "nothing to do; remove the quotes if no other program needs them", files: 0,
      configuration: "[listen]\nSETTLE = '5'"),
    Fixture(
      code: "unused-key", severity: "notice", path: "BASE/f.ini:3",
      message: "PKG_ZFS_SNAPSHOT is not used: fpcache empties the packages family instead, which "
        + "does the same",
      remedy: "nothing to do; remove the key if no other program needs it", files: 0,
      configuration: "PKG_ZFS_SNAPSHOT = tank/packages@empty"),
  ]

  private static let empty = queues()

  private static func queues(_ ports: Int = 0, _ dates: Int = 0) -> String {
    #"{"cache_clearing_ports":\#(ports),"cache_clearing_dates":\#(dates),"#
      + #""cache_clearing_commits":0,"cache_clearing_files":0}"#
  }

  static let database = [
    Fixture(
      code: "stale", severity: "critical",
      path: "categories/net/net.0.head.PageSize1.PageNum1.html",
      message: "was written at 2020-01-21T12:00:00Z; its content changed at "
        + "2020-01-22T12:00:00Z",
      remedy: "run fpcache verify --fix, and look for the trigger that queued nothing",
      configuration: """
        [verify]
        CATEGORIES = SELECT 'net' AS category, '2020-01-22 12:00Z'::timestamptz AS changed_at
        """, queues: empty, clock: "0.0",
      plant: {
        try $0.write("categories/net/net.0.head.PageSize1.PageNum1.html", bytes: 5)
        try $0.setTime("categories/net/net.0.head.PageSize1.PageNum1.html", then)
      }, sql: ""),
    Fixture(
      code: "orphan", severity: "warning", path: "commits/a/a...n.html",
      message: "shows what the database no longer has", remedy: "run fpcache verify --fix",
      configuration: "[verify]\nCOMMITS = SELECT 'b' AS id, now() AS changed_at",
      queues: empty, clock: "0.0",
      plant: {
        try $0.write("commits/a/a...n.html", bytes: 5)
        try $0.setTime("commits/a/a...n.html", then)
      }, sql: ""),
    Fixture(
      code: "pending", severity: "critical", path: "daily/2020/01/21.daily.head",
      message: "has waited in cache_clearing_dates since 2020-01-21T12:00:00Z to be cleared",
      remedy: drain, queues: queues(0, 1),
      plant: { try $0.write("daily/2020/01/21.daily.head", bytes: 5) },
      sql: """
        INSERT INTO cache_clearing_dates (date_to_clear, date_added)
        VALUES ('2020-01-21', '2020-01-21 12:00Z'::timestamptz)
        """),
    Fixture(
      code: "backlog", severity: "critical", path: "cache_clearing_ports",
      message: "has 1,234 rows waiting; 1,000 are allowed", remedy: drain, files: 0,
      flags: ["--max-backlog", "1000"], queues: queues(1234),
      sql: """
        INSERT INTO cache_clearing_ports (port_id, category, port)
        SELECT n, 'net', 'p' || n FROM generate_series(1, 1234) AS n
        """),
    Fixture(
      code: "no-listener", severity: "critical", path: "listen_for",
      message: "has no listener on its channels: no session of the role listening or of "
        + "another visible role",
      remedy: "start fpcache listen and read its log", files: 0, queues: empty, sql: "",
      listens: false),
    Fixture(
      code: "unknown-event", severity: "critical", path: "new_thing",
      message: "names the event listen_new_thing, which fpcache does not know",
      remedy: "correct script_name in listen_for", files: 0, queues: empty,
      sql: "INSERT INTO listen_for (name, script_name) VALUES ('new_thing', 'listen_new_thing')"),
    Fixture(
      code: "missing-table", severity: "warning", path: "cache_clearing_files",
      message: "is a table that this database does not have",
      remedy: "create it, or remove its event from listen_for", files: 0,
      queues: #"{"cache_clearing_ports":0,"cache_clearing_dates":0,"cache_clearing_commits":0}"#,
      sql: "DROP TABLE cache_clearing_files"),
    Fixture(
      code: "no-permission", severity: "critical", path: "cache_clearing_files",
      message: "lacks DELETE for the listener's role",
      remedy: "GRANT DELETE ON cache_clearing_files TO listening;",
      files: 0, queues: empty, sql: "REVOKE DELETE ON cache_clearing_files FROM listening"),
  ]

  static let trigger = Fixture(
    code: "risky-trigger", severity: "warning", path: "ports_clear_cache()",
    message: "reads cache_clearing_ports in one statement and adds its row in another",
    remedy: "add the row by one INSERT ... ON CONFLICT DO NOTHING: see docs/drain-protocol.md",
    files: 0, queues: empty, sql: PlantedFaults.looksFirst("ports_clear_cache"))

  static let all = tree + configuration + database + [trigger]
}

@Suite struct VerifyCodeTests {
  @Test("the whole document of each code, and the statuses", arguments: Fixture.all)
  private func document(_ fixture: Fixture) throws {
    let base = try TemporaryTree()
    let tree = try TemporaryTree()
    try base.write(
      "f.ini", text: "[dirs]\nBASEDIR = \(base.path)\n\(fixture.configuration)\n", mode: 0o644)
    for folder in AuditedSite.folders { try tree.makeDirectory(folder) }
    try fixture.plant(tree)
    let database = try fixture.sql.map { sql in
      let database = try PostgresServer.shared.makeDatabase()
      try database.sql(sql)
      return database
    }
    let listener = fixture.listens ? try database?.session(as: "listening") : nil
    try listener?.sql("LISTEN port_updated")
    try tree.give(to: .unprivileged)
    let before = try tree.snapshot()

    func verify(_ format: String) throws -> CommandResult {
      // The cache directory moves to where the configuration says it is.
      try Command.fpcache(
        ["verify", "--config", base.fullPath("f.ini"), "--cache-dir", tree.path]
          + ["--format", format] + fixture.flags
          + (database.map { ["--dsn", $0.listenerDSN] } ?? ["--no-database"]),
        in: tree, as: .unprivileged)
    }
    let json = try verify("json")
    let path = fixture.path.replacing("BASE", with: base.path)
    // How long the oldest rows have waited is another's to test.
    let document = json.stdout.replacing(
      #/,"queue_oldest_seconds":\{[^}]*\},"backlog":\[.*\]\}/#, with: "}")
    #expect(
      document
        == #"{"version":1,"dry_run":false,"files":\#(fixture.files ?? 0),"#
        + #""counts":{"\#(fixture.code)":1},"findings":[{"code":"\#(fixture.code)","#
        + #""severity":"\#(fixture.severity)","path":"\#(path)","#
        + #""message":"\#(fixture.message)","remedy":"\#(fixture.remedy)"}],"#
        + #""database_error":null,"not_checked":[],"queues":\#(fixture.queues),"#
        + #""clock_difference_seconds":\#(fixture.clock)}"# + "\n", "\(json)")
    #expect(json.status == 1 && json.stderr.isEmpty, "\(json)")
    let nagios = try verify("nagios")
    let states: [String: (Int32, String)] = [
      "notice": (0, "OK"), "warning": (1, "WARNING"), "critical": (2, "CRITICAL"),
    ]
    let state = try #require(states[fixture.severity])
    #expect(nagios.status == state.0, "\(nagios)")
    // A remedy that is not the code's own.
    let own = fixture.remedy.hasPrefix("GRANT") ? "; \(fixture.remedy)" : ""
    #expect(
      nagios.stdout.hasPrefix("FPCACHE \(state.1) - \(fixture.code)=1\(own) | findings=1;;;0 "),
      "\(nagios)")
    // The details come after the first line.
    let details = nagios.stdout.split(separator: "\n").dropFirst()
    #expect(
      details.first?.hasPrefix("\(fixture.code) (\(fixture.severity)): 1") == true, "\(nagios)")
    try tree.setMode("html", 0o755)
    #expect(try tree.snapshot().differences(from: before).filter { !$0.hasPrefix("html:") } == [])
  }

  @Test("there is a fixture for every code, but for those that a table has of their own")
  func everyCodeHasAFixture() throws {
    let help = try Command.fpcache(["verify", "--help"]).stdout
    let codes = help.split(separator: "\n").drop { $0 != "CODES" }.dropFirst()
      .prefix { $0.hasPrefix("  ") }.compactMap { $0.split(separator: ":").first }
      .map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(codes.count == 30)
    let others = ["not-clearable", "missed", "held-queue", "node-lag", "node-lost"]
    #expect(Set(codes) == Set(Fixture.all.map(\.code) + others))
  }

  @Test("an unknown code: usage, and the nearest or all that there are")
  func unknownCodes() throws {
    for flag in ["--only", "--skip"] {
      for list in ["stael", "stale,", "", "stale,em\u{1B}pty"] {
        let result = try Command.fpcache(["verify", flag, list])
        #expect(result.status == 64 && result.stdout.isEmpty, "\(result)")
        let advice = [
          "stael": "did you mean stale?", "stale,em\u{1B}pty": "did you mean empty?",
        ]
        #expect(
          result.stderr.contains(
            "no such code; " + (advice[list] ?? "expected one of unknown, misplaced, bad-date, ")),
          "\(result)")
        #expect(!result.stderr.contains("\u{1B}"))
      }
    }
  }
}

extension TemporaryTree {
  /// Gives a file or folder a time of last modification, in seconds since the epoch.
  func setTime(_ path: String, _ seconds: Int) throws {
    let time = timeval(tv_sec: seconds, tv_usec: 0)
    guard utimes(fullPath(path), [time, time]) == 0 else {
      throw SupportError.system("utimes", fullPath(path))
    }
  }
}
