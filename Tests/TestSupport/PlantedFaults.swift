// SPDX-License-Identifier: BSD-2-Clause
//
// Faults of every kind, planted in a site without faults, and exactly what an audit must report for each.

import Foundation

/// The planted faults.
public struct PlantedFaults: Sendable {
  /// The subjects of the findings that an audit must report, by code.
  public private(set) var expected: [String: Set<String>] = [:]
  /// The audit's additional arguments.
  public let arguments = ["--stale-after", "365d", "--max-backlog", "0"]

  private let site: AuditedSite

  public var count: Int { expected.values.reduce(0) { $0 + $1.count } }

  /// Plants about this many faults: one of each kind in turn, and the faults that can exist only once.
  ///
  /// The account that runs the audit becomes the owner of the cache.
  public init(_ count: Int, in site: AuditedSite) throws {
    self.site = site
    let kinds = site.database == nil ? PlantedFaults.treeKinds : PlantedFaults.allKinds
    for number in 0..<count { try kinds[number % kinds.count](&self, number) }
    try plantConfiguration()
    if let database = site.database { try plantDatabase(database) }
    try site.base.give(to: .unprivileged)
    if getuid() == 0 { try plantForeign() }
  }

  private mutating func expect(_ code: String, _ subject: String) {
    expected[code, default: []].insert(subject)
  }

  private func write(_ path: String, bytes: Int = 300, age: Duration? = nil) throws {
    try site.base.write("cache/" + path, bytes: bytes)
    if let age { try site.base.setAge("cache/" + path, age) }
  }

  /// Plants one fault. The number makes it different from the others.
  private typealias Kind = @Sendable (inout PlantedFaults, Int) throws -> Void

  private static let allKinds = treeKinds + pageKinds

  // MARK: In the tree

  private static let treeKinds: [Kind] = [
    { faults, number in
      let path = [
        "core\(number)", "news/.hidden\(number)", "ports/\(faults.site.ports[number])/core",
        "ports/Mk/plain\(number).mk", "daily/2020/notes\(number).txt", "odd\nname\(number)/x",
      ][number % 6]
      try faults.write(path)
      faults.expect("unknown", path.replacing("\n", with: "\\x0a"))
    },
    { faults, number in
      let path = [
        "daily/news.rss2.0.head.\(number)-html/21.daily.head", "ports/net\(number)/21.daily.2020Q1",
        "packages/net/net.\(number).head.PageSize100.PageNum1.html/Detail.PageSize100.PageNum1.html",
        "ports/net/Detail.Part1.head.PageSize\(number).PageNum1.html",
        "ports/Mk/net.\(number).head.PageSize100.PageNum1.html",
        "commits/ports-net-x.tmpAbCd\(number % 10)\(number / 10 % 10)",
      ][number % 6]
      try faults.write(path)
      faults.expect("misplaced", path)
    },
    { faults, number in
      let path =
        "daily/20\(10 + number / 20)/\(number % 2 == 0 ? "02/30" : "13/01")"
        + ".daily.20\(10 + number % 20)Q1"
      try faults.write(path)
      faults.expect("bad-date", path)
    },
    { faults, number in
      if number % 2 == 0 {
        try faults.write("daily/20\(90 - number % 30)/01/01.daily.20\(10 + number / 3)Q1")
        faults.expect(
          "future-date", "daily/20\(90 - number % 30)/01/01.daily.20\(10 + number / 3)Q1")
      } else {
        try faults.write("html/tomorrow\(number)", age: .seconds(-200_000))
        faults.expect("future-date", "html/tomorrow\(number)")
      }
    },
    { faults, number in
      let path = number % 2 == 0 ? "html/empty\(number)" : "packages/net/empty\(number).html"
      try faults.write(path, bytes: 0)
      faults.expect("empty", path)
    },
    { faults, number in
      try faults.write("packages/net/stub\(number).html", bytes: 10)
      faults.expect("stub", "packages/net/stub\(number).html")
    },
    { faults, number in
      try faults.site.base.link("cache/html/link\(number)", to: "stats.html")
      faults.expect("symlink", "html/link\(number)")
    },
    { faults, number in
      guard mkfifo(faults.site.path("pages/fifo\(number)"), 0o600) == 0 else {
        throw SupportError.system("mkfifo", "pages/fifo\(number)")
      }
      faults.expect("special", "pages/fifo\(number)")
    },
    { faults, number in
      try faults.write("html/fixed\(number)/page.html")
      try faults.site.base.setMode("cache/html/fixed\(number)", 0o555)
      faults.expect("not-clearable", "html/fixed\(number)")
    },
    { faults, number in
      try faults.write("html/closed\(number)/page.html")
      try faults.site.base.setMode("cache/html/closed\(number)", 0)
      faults.expect("unreadable", "html/closed\(number)")
    },
    { faults, number in
      try faults.write("spooling/left\(number).tmpAbCdEf", bytes: number % 2, age: .seconds(7200))
      faults.expect("spool-leftover", "spooling/left\(number).tmpAbCdEf")
    },
    { faults, number in
      let path = number % 2 == 0 ? "html/void\(number)" : "ports/graphics/void\(number)"
      try faults.site.base.makeDirectory("cache/" + path)
      try faults.site.base.setAge("cache/" + path, .seconds(7200))
      faults.expect("empty-dir", path)
    },
    { faults, number in
      try faults.write("general/old.\(number).PageSize1.PageNum1.html", age: .seconds(400 * 86_400))
      faults.expect("expired", "general/old.\(number).PageSize1.PageNum1.html")
    },
  ]

  // MARK: Against the database

  private static let pageKinds: [Kind] = [
    { faults, number in
      let page = [
        IncidentTree.portPages(faults.site.ports[number])[number % 3],
        "commits/\(AuditedSite.folder(ofCommit: faults.site.commits[number]))/"
          + "\(AuditedSite.folder(ofCommit: faults.site.commits[number]))"
          + ".\(faults.site.ports[number].category)"
          + ".\(faults.site.ports[number].port.lowercased()).n.html",
      ][number % 2]
      try faults.site.base.setAge("cache/" + page, .seconds(2 * 86_400))
      faults.expect("stale", page)
    },
    { faults, number in
      let path = [
        "ports/graphics/gone\(number)/Detail.PageSize100.PageNum1.html",
        "commits/gone-\(number)/gone-\(number)...n.html",
        "categories/gone\(number)/gone\(number).0.head.PageSize1.PageNum1.html",
      ][number % 3]
      try faults.write(path, age: .seconds(3600))
      faults.expect("orphan", path)
    },
    { faults, number in
      let day = faults.site.days[number % faults.site.days.count]
      try faults.site.database?.sql(
        """
        INSERT INTO cache_clearing_dates (date_to_clear, date_added)
        VALUES ('\(day)', now() - interval '5 minutes') ON CONFLICT DO NOTHING
        """)
      for branch in ["head", "2020Q1"] {
        faults.expect("pending", IncidentTree.dailyPage(day, branch: branch))
      }
    },
    { faults, number in
      try faults.site.database?.sql(
        "INSERT INTO listen_for (name, script_name) VALUES ('event\(number)', 'listen_no\(number)')"
      )
      faults.expect("unknown-event", "event\(number)")
    },
  ]

  /// Plants the faults that can exist only once. No listener runs either.
  private mutating func plantDatabase(_ database: TestDatabase) throws {
    try database.sql(
      """
      DROP TABLE cache_clearing_commits;
      REVOKE DELETE ON cache_clearing_files FROM listening;
      """)
    expect("missing-table", "cache_clearing_commits")
    expect("no-permission", "cache_clearing_files")
    expect("no-listener", "listen_for")
    try database.sql(
      """
      \(PlantedFaults.looksFirst("site_looks_first"));
      \(PlantedFaults.catchesViolation("site_catches"));
      CREATE TRIGGER a AFTER UPDATE ON categories
        FOR EACH ROW EXECUTE FUNCTION site_looks_first();
      CREATE TRIGGER b AFTER UPDATE ON categories FOR EACH ROW EXECUTE FUNCTION site_catches();
      """)
    for name in ["looks_first", "catches"] { expect("risky-trigger", "site_\(name)()") }
    if expected["pending"] != nil { expect("backlog", "cache_clearing_dates") }
  }

  /// A trigger function that checks the queue before it adds a row.
  public static func looksFirst(_ name: String) -> String {
    function(
      name,
      """
      PERFORM 1 FROM cache_clearing_ports WHERE category = 'net' AND port = 'a';
      IF NOT FOUND THEN
        INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'a');
        NOTIFY port_updated;
      END IF;
      RETURN NULL;
      """)
  }

  /// A trigger function that catches the unique violation of its INSERT.
  public static func catchesViolation(_ name: String) -> String {
    function(
      name,
      """
      BEGIN
        INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'a');
      EXCEPTION WHEN unique_violation THEN NULL;
      END;
      NOTIFY port_updated;
      RETURN NULL;
      """)
  }

  static func function(_ name: String, _ body: String) -> String {
    "CREATE OR REPLACE FUNCTION \(name)() RETURNS trigger LANGUAGE plpgsql AS $site$ BEGIN\n\(body)\n"
      + "END $site$"
  }

  /// Writes a configuration with `new` instead of `news`, a value in quotes, and an unknown key.
  private mutating func plantConfiguration() throws {
    let text = try site.base.read("fpcache.ini").replacing(
      "[verify]", with: "NEWS_CACHE_DIR = %(BASEDIR)s/cache/new/*\n[verify]")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).count
    try site.base.write("fpcache.ini", text: text + "PACKAGES_STUB = '60'\nCOLOUR = red\n")
    expect("quoted-value", "\(site.base.fullPath("fpcache.ini")):\(lines)")
    expect("odd-value", "\(site.base.fullPath("fpcache.ini")):\(lines + 1)")
    expect("missing-dir", "new")
    for page in try site.base.files(below: "cache/news") {
      let path = page.replacing("cache/", with: "")
      if !path.contains(".hidden") { expect("misplaced", path) }
    }
  }

  /// A sticky folder and a file in it, both owned by another user.
  private mutating func plantForeign() throws {
    try write("html/sticky/page.html")
    try site.base.setMode("cache/html/sticky", 0o1777)
    for path in ["html/sticky", "html/sticky/page.html"] {
      guard chown(site.path(path), 0, 0) == 0 else { throw SupportError.system("chown", path) }
    }
    expect("not-clearable", "html/sticky/page.html")
  }
}

/// The findings of an audit, as in its JSON.
public struct AuditDocument: Decodable, Sendable {
  public struct Finding: Decodable, Sendable {
    public let code: String
    public let severity: String
    public let path: String
    public let message: String
    public let remedy: String
    public let fixed: Bool?
  }

  public struct NotChecked: Decodable, Sendable {
    public let subject: String
    public let codes: [String]
    public let message: String
  }

  public let version: Int
  public let dryRun: Bool
  public let files: Int?
  public let counts: [String: Int]
  public let findings: [Finding]
  public let databaseError: String?
  public let notChecked: [NotChecked]
  public let queues: [String: Int]
  public let clockDifferenceSeconds: Double?

  /// - Throws: when the output is not such a document.
  public init(_ result: CommandResult) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      self = try decoder.decode(AuditDocument.self, from: Data(result.outputBytes))
    } catch {
      throw SupportError("no audit: \(error)\n\(result)")
    }
  }

  /// The subjects of the findings, by code.
  public var subjects: [String: Set<String>] {
    findings.reduce(into: [:]) { $0[$1.code, default: []].insert($1.path) }
  }

  /// The findings that are missing and those that are unexpected, one line each; empty when all is as expected.
  public func differences(from expected: [String: Set<String>]) -> [String] {
    let found = subjects
    return Set(found.keys).union(expected.keys).sorted().flatMap { code in
      let (own, wanted) = (found[code] ?? [], expected[code] ?? [])
      return wanted.subtracting(own).sorted().map { "not found: \(code) \($0)" }
        + own.subtracting(wanted).sorted().map { "invented: \(code) \($0)" }
    }
  }
}
