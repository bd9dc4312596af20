// SPDX-License-Identifier: BSD-2-Clause
//
// The sample's queries as they stand, on the site's own names of tables and columns: each cause of a
// stale page that no trigger queues is brought about, and seen to be found.

import Foundation
import Testing

@testable import TestSupport

@Suite("The sample's queries") struct SampleQueryTests {
  /// A cache whose pages were written two hours ago, and a database in which what they show was
  /// changed before that.
  struct Site {
    let base = Result { try TemporaryTree() }
    let database: TestDatabase

    static let pages = [
      "ports/net/a/Detail.Part1.head.PageSize1.PageNum1.html",
      "ports/net/a/Makefile.PageSize1.PageNum1.html",
      "ports/www/b/Detail.Part1.head.PageSize1.PageNum1.html",
      "ports/MOVED.PageSize1.PageNum1.html", "ports/Mk/Uses/cargo.mk.PageSize1.PageNum1.html",
      "ports/net/Makefile.PageSize1.PageNum1.html",
      "ports/ports/branches/2020Q1/MOVED.PageSize1.PageNum1.html",
      "categories/net/net.0.head.PageSize1.PageNum1.html",
      "categories/www/www.0.head.PageSize1.PageNum1.html",
      "categories/python/python.0.head.PageSize1.PageNum1.html",
      "commits/1-old-example-org/1-old-example-org...n.html",
      "daily/2020/01/21.daily.head", "news/news.rss2.0.head.xml", "packages/net/a.html",
      "packages/www/b.html",
    ]

    init() throws {
      database = try PostgresServer.shared.makeDatabase()
      try database.makeFreshPorts()
      try database.sql(Self.fill)
      for page in Self.pages {
        try tree.write("cache/" + page, bytes: 100)
        try tree.setAge("cache/" + page, .seconds(7200))
      }
      try tree.write(
        "f.ini",
        text: "[dirs]\nBASEDIR = \(tree.path)\n\(try SampleConfiguration.freshPortsQueries)")
    }

    var tree: TemporaryTree { get throws { try base.get() } }

    private static let fill = """
      INSERT INTO categories (name, is_primary) VALUES
        ('net', true), ('www', true), ('security', true), ('python', false);
      INSERT INTO element (name, directory_file_flag) VALUES
        ('a', 'D'), ('b', 'D'), ('vuxml', 'D'), ('MOVED', 'F'), ('cargo.mk', 'F'), ('Makefile', 'F');
      INSERT INTO element_pathname VALUES (1, '/ports/head/net/a'), (2, '/ports/head/www/b'),
        (3, '/ports/head/security/vuxml'), (4, '/ports/head/MOVED'),
        (5, '/ports/head/Mk/Uses/cargo.mk'), (6, '/ports/head/net/Makefile');
      INSERT INTO commit_log (message_id, commit_date, date_added)
        VALUES ('1.Old@example.org', '2020-01-21 12:00Z', now() - interval '3 hours');
      INSERT INTO commit_log_elements (commit_log_id, element_id) VALUES (1, 4), (1, 5), (1, 6);
      INSERT INTO ports (element_id, category_id, last_commit_id, date_added) VALUES
        (1, 1, 1, '2020-01-01Z'), (2, 2, 1, '2020-01-01Z'), (3, 3, 1, '2020-01-01Z');
      INSERT INTO ports_categories VALUES (1, 1), (2, 2), (3, 3);
      INSERT INTO commit_log_ports (commit_log_id, port_id) VALUES (1, 1), (1, 2), (1, 3);
      INSERT INTO packages_last_checked VALUES (1, 'latest', now(), now() - interval '3 hours');
      """

    func verify(_ codes: String = "stale,orphan") throws -> AuditDocument {
      try AuditDocument(
        Command.fpcache(
          [
            "verify", "--config", tree.fullPath("f.ini"), "--format", "json", "--only", codes,
            "--dsn", database.listenerDSN,
          ], in: tree))
    }

    /// `CODE PATH`, sorted.
    func found() throws -> [String] {
      let document = try verify()
      #expect(document.notChecked.isEmpty, "\(document.notChecked)")
      return document.findings.map { "\($0.code) \($0.path)" }.sorted()
    }
  }

  /// What makes pages stale on the site, and which.
  struct Cause: CustomStringConvertible, Sendable {
    let testDescription: String
    /// What is there already, as far as it matters, and accuses no page of `finds`.
    var before = ""
    let happens: String
    let finds: [String]

    var description: String { testDescription }
  }

  /// A commit an hour ago: the second one.
  private static let commit = """
    INSERT INTO commit_log (message_id, commit_date, date_added)
      VALUES ('2.New@example.org', now() - interval '70 minutes', now() - interval '1 hour');
    """
  private static let a = [
    "stale ports/net/a/Detail.Part1.head.PageSize1.PageNum1.html",
    "stale ports/net/a/Makefile.PageSize1.PageNum1.html",
  ]
  private static let b = ["stale ports/www/b/Detail.Part1.head.PageSize1.PageNum1.html"]
  private static let net = ["stale categories/net/net.0.head.PageSize1.PageNum1.html"]
  private static let www = ["stale categories/www/www.0.head.PageSize1.PageNum1.html"]
  private static let python = ["stale categories/python/python.0.head.PageSize1.PageNum1.html"]
  private static let vuxmlCommit =
    commit + "UPDATE ports SET last_commit_id = 2 WHERE id = 3; "
    + "INSERT INTO commit_log_ports (commit_log_id, port_id) VALUES (2, 3);"

  /// An entry that affects net/a, with these dates.
  private static func entry(_ date: String, modified: String = "NULL") -> String {
    """
    INSERT INTO vuxml (vid, date_entry, date_modified) VALUES ('v', \(date), \(modified));
    INSERT INTO commit_log_ports_vuxml (commit_log_id, port_id, vuxml_id) VALUES (1, 1, 1);
    """
  }

  private static let commitDay = "to_char(now() - interval '70 minutes', 'YYYY-MM-DD')"
  private static let dayBefore = "to_char(now() - interval '70 minutes 1 day', 'YYYY-MM-DD')"

  private static func history(of element: Int) -> String {
    "INSERT INTO commit_log_elements (commit_log_id, element_id) VALUES (2, \(element));"
  }

  static let causes = [
    Cause(
      testDescription: "a commit",
      happens: commit + "UPDATE ports SET last_commit_id = 2 WHERE id = 1;",
      finds: a + net + ["stale news/news.rss2.0.head.xml"]),
    Cause(
      testDescription: "14: another port began to depend on it",
      before: commit + "UPDATE ports SET last_commit_id = 2 WHERE id = 2;",
      happens: "INSERT INTO port_dependencies VALUES (2, 1, 'R');", finds: a),
    Cause(
      testDescription: "70: an entry of vuxml, on the day of its commit", before: vuxmlCommit,
      happens: entry(commitDay), finds: a + net),
    Cause(
      testDescription: "70: an entry of vuxml, on the day before its commit", before: vuxmlCommit,
      happens: entry(dayBefore), finds: a + net),
    Cause(
      testDescription: "70: an entry of vuxml that was modified", before: vuxmlCommit,
      happens: entry("'2015-02-01'", modified: commitDay), finds: a + net),
    Cause(
      testDescription: "70: an entry of vuxml of long ago, and with dates that are none",
      before: vuxmlCommit, happens: entry("'2015-02-31 or so'", modified: "''"), finds: []),
    Cause(
      testDescription: "373: a commit to a port, for its second category",
      before: "INSERT INTO ports_categories VALUES (2, 4);",
      happens: commit + "UPDATE ports SET last_commit_id = 2 WHERE id = 2;",
      finds: b + www + python + ["stale news/news.rss2.0.head.xml"]),
    Cause(
      testDescription: "56: MOVED", before: commit, happens: history(of: 4),
      finds: ["stale ports/MOVED.PageSize1.PageNum1.html"]),
    Cause(
      testDescription: "468: Mk/Uses/cargo.mk", before: commit, happens: history(of: 5),
      finds: ["stale ports/Mk/Uses/cargo.mk.PageSize1.PageNum1.html"]),
    Cause(
      testDescription: "468: net/Makefile", before: commit, happens: history(of: 6),
      finds: ["stale ports/net/Makefile.PageSize1.PageNum1.html"]),
    Cause(
      testDescription: "464: new for ten days, which ended an hour ago",
      before: "UPDATE ports SET date_added = now() - interval '239 hours' WHERE id = 1;",
      happens: "UPDATE ports SET date_added = now() - interval '241 hours' WHERE id = 1;",
      finds: a + net),
    Cause(
      testDescription: "591: packages were imported",
      happens: """
        INSERT INTO packages_last_checked VALUES (2, 'latest', now(), now() - interval '1 hour')
        """,
      finds: ["stale packages/net/a.html", "stale packages/www/b.html"]),
    Cause(
      testDescription: "17: an amended commit that came again under another id",
      happens: """
        UPDATE commit_log SET message_id = '1.Amended@example.org'
        """,
      finds: ["orphan commits/1-old-example-org/1-old-example-org...n.html"]),
    Cause(
      testDescription: "17: an amended commit that came again under its own id",
      happens: "UPDATE commit_log SET date_added = now() - interval '1 hour'",
      finds: pagesOfTheOldCommit),
    Cause(
      testDescription: "30: a port without a row", happens: "DELETE FROM ports WHERE id = 2",
      finds: [
        "orphan packages/www/b.html",
        "orphan ports/www/b/Detail.Part1.head.PageSize1.PageNum1.html",
      ]),
  ]

  /// All that the first commit has touched.
  private static let pagesOfTheOldCommit =
    a + b + net + www + [
      "stale commits/1-old-example-org/1-old-example-org...n.html",
      "stale daily/2020/01/21.daily.head", "stale news/news.rss2.0.head.xml",
      "stale ports/MOVED.PageSize1.PageNum1.html",
      "stale ports/Mk/Uses/cargo.mk.PageSize1.PageNum1.html",
      "stale ports/net/Makefile.PageSize1.PageNum1.html",
    ]

  @Test("go from silent to found", arguments: causes)
  func find(_ cause: Cause) throws {
    let site = try Site()
    if cause.before.isEmpty { #expect(try site.found() == []) }
    try site.database.sql(cause.before)
    let before = try Set(site.found())
    #expect(before.isDisjoint(with: cause.finds))
    try site.database.sql(cause.happens)
    #expect(try site.found().filter { !before.contains($0) } == cause.finds.sorted())
  }

  /// What the listener asks each minute may give more than the whole query has from then on, and must not give less.
  @Test("the SINCE of a family gives what its whole query gives from then on", arguments: causes)
  func since(_ cause: Cause) throws {
    let site = try Site()
    try site.database.sql(cause.before + ";" + cause.happens)
    func query(_ key: String) throws -> String {
      try String(SampleConfiguration.query(key).drop { $0 != "=" }.dropFirst())
    }
    for hours in [2.0, 0.5] {
      let since = "now() - interval '\(hours) hours'"
      for family in ["PORTS", "CATEGORIES", "FILES", "COMMITS", "DAILY"] {
        let whole = try "SELECT * FROM (\n\(query(family))\n) AS w WHERE changed_at > \(since)"
        let part = try query("\(family)_SINCE").replacing("$1", with: "(\(since))")
        let missing = "SELECT count(*) FROM ((\n\(whole)\n) EXCEPT (\n\(part)\n)) AS m"
        #expect(try site.database.sql(missing) == "0", "\(family) of the last \(hours) h")
        if hours < 1 {
          let rows = try site.database.sql("SELECT count(*) FROM (\n\(part)\n) AS r")
          #expect(rows == "0", "\(family): nothing has changed since")
        }
      }
    }
  }

  @Test("report no change before it has come: a port that is new for ten days")
  func noFuture() throws {
    let site = try Site()
    try site.database.sql(
      """
      UPDATE ports SET date_added = now() - interval '5 days' WHERE id = 1;
      UPDATE ports SET date_added = now() WHERE id = 2
      """)
    for family in SampleConfiguration.freshPortsFamilies {
      let lines = try SampleConfiguration.query(family.uppercased())
      let query = lines.drop { $0 != "=" }.dropFirst()
      let late = "SELECT count(*) FROM (\n\(query)\n) AS site WHERE changed_at > now()"
      #expect(try site.database.sql(late) == "0", "\(family)")
    }
  }

  /// A role with the sample's grants may run them all (the tests above), and none of these is too much.
  @Test("need every one of the sample's grants")
  func grants() throws {
    let site = try Site()
    let tables = try SampleConfiguration.grants.flatMap { grant in
      try #require(grant.wholeMatch(of: #/GRANT SELECT ON (.*) TO listening;/#)).1
        .split(separator: ", ").map(String.init)
    }
    #expect(Set(tables).count == tables.count && tables.count == 12)
    for table in tables {
      try site.database.sql("REVOKE SELECT ON \(table) FROM listening")
      let notChecked = try site.verify().notChecked.map(\.message)
      #expect(
        notChecked.contains { $0.hasPrefix("not checked: permission denied for table \(table)") },
        "\(table): \(notChecked)")
      try site.database.sql("GRANT SELECT ON \(table) TO listening")
    }
    #expect(try site.found() == [])
  }
}
