// SPDX-License-Identifier: BSD-2-Clause
//
// A site without faults: a cache tree with every form of name, old and new, and a database with the content of the
// pages. An audit must find nothing in it.

import Foundation

/// A tree and, if there is one, its database in FreshPorts' schema.
public struct AuditedSite: Sendable {
  /// The folder with the configuration, and the cache below it.
  public let base: TemporaryTree
  public let database: TestDatabase?
  /// The ports that have pages.
  public let ports: [PortKey]
  /// The message ids of the commits that have pages, as the database has them.
  public let commits: [String]
  /// The days that have a page and commits, as `2020-01-21`.
  public let days: [String]
  /// The number of files.
  public let files: Int

  /// The families' own folders, so that an audit finds none missing.
  public static let folders = [
    "daily", "ports", "categories", "commits", "packages", "news", "general", "pages", "html",
    "spooling",
  ]

  private static let pagesOfAPort = 6

  /// Makes a site of about this many files.
  /// - Parameter database: is filled with the content of the pages; its tables are the site's own.
  public init(files wanted: Int, database: TestDatabase? = nil) throws {
    let base = try TemporaryTree()
    self.base = base
    self.database = database
    let ports = AuditedSite.ports(max(12, wanted / (AuditedSite.pagesOfAPort + 2)))
    let commits = (0..<ports.count).map {
      "2020012112\(String(format: "%06d", $0)).00LC00ab\($0)@Repo.FreeBSD.org"
    }
    let days = AuditedSite.days(min(365, max(20, wanted / 200)))
    for folder in AuditedSite.folders { try base.makeDirectory("cache/" + folder) }
    let pages = AuditedSite.pages(ports, commits, days)
    for (index, page) in pages.enumerated() {
      try base.write("cache/" + page, bytes: 70 + index % 7 * 211)
    }
    self.ports = ports
    self.commits = commits
    self.days = days
    files = pages.count
    try database.map(fill)
    try configure("")
  }

  /// Writes the configuration: the sample's queries, followed by these lines.
  public func configure(_ lines: String) throws {
    try base.write(
      "fpcache.ini",
      text:
        "[dirs]\nBASEDIR = \(base.path)\n\(try SampleConfiguration.freshPortsQueries)\(lines)\n",
      mode: 0o644)
  }

  /// The full path of something in the cache.
  public func path(_ relative: String) -> String { base.fullPath("cache/" + relative) }

  /// Runs an audit as the listener's user and role, with all checks.
  public func verify(
    _ arguments: [String] = [], as account: Account = .unprivileged
  ) throws -> CommandResult {
    let place = database.map { ["--dsn", $0.listenerDSN] } ?? ["--no-database"]
    return try Command.fpcache(
      ["verify", "--config", base.fullPath("fpcache.ini")] + place + arguments, in: nil,
      as: account, timeout: .seconds(300))
  }

  // MARK: Pages

  /// Every form of the site's names, from before 2022 and since.
  private static func pages(_ ports: [PortKey], _ commits: [String], _ days: [String]) -> [String] {
    var pages = days.flatMap { day in
      ["head", "2020Q1"].map { IncidentTree.dailyPage(day, branch: $0) }
    }
    for (index, port) in ports.enumerated() {
      pages += IncidentTree.portPages(port)
      pages.append("ports/\(port)/Detail.Part1.2020Q1.PageSize50.PageNum2.html")
      pages.append("ports/\(port)/Detail.PageSize100.PageNum1.html")
      pages.append("ports/\(port)/Makefile.PageSize100.PageNum1.html")
      pages.append("packages/\(port).html")
      let id = folder(ofCommit: commits[index])
      pages.append("commits/\(id)/\(id).\(port.category).\(port.port.lowercased()).n.html")
    }
    for category in Set(ports.map(\.category)).sorted() {
      pages.append(IncidentTree.categoryPage(category))
      pages.append("categories/\(category)/\(category).1234.2020Q1.PageSize20.PageNum3.html")
    }
    let id = folder(ofCommit: commits[0])
    pages += [
      "commits/\(id)/\(id)...y.html",
      "ports/MOVED.PageSize100.PageNum1.html", "ports/Mk/Uses/cargo.mk.PageSize100.PageNum2.html",
      "ports/\(ports[0].category)/Makefile.PageSize100.PageNum1.html",
      "ports/\(ports[0])/files/patch-a_b.c.PageSize100.PageNum1.html",
      "news/news.rss2.0.head.xml", "news/news.rss0.91.2020Q1.xml", "news/news.atom.head.py.xml",
      "news/news.123.rss2.0.head.xml", "news/index-html-head-pagesize100-pagenum1-html",
      "news/index-html-2020Q1-42-pagesize100-pagenum1-html",
      "general/sanity_test_failures.PageSize100.PageNum1.html",
      "general/sanity_test_failures.\(commits[0]).PageSize100.PageNum1.html",
      "pages/commits.html", "html/stats.html", "searchlog.txt",
      "spooling/news-news-rss2-0-head-xml.tmpA1b2C3",
      "spooling/ports-graphics-py-pygeoapi-detail-part1-head-pagesize100-pagenuA1b2C3",
    ]
    return pages
  }

  /// A commit's folder, named as the site names it.
  public static func folder(ofCommit id: String) -> String {
    String(
      id.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        .joined(separator: "-"))
  }

  private static let sorts = [
    "py-tool#", "p5-Tool-Box#", "R-cran-tool#", "libtool++#", "tool_#", "tool#.0",
  ]
  private static let categories = [
    "graphics", "devel", "x11-toolkits", "net-p2p", "lang", "print", "www", "math",
  ]

  private static func ports(_ count: Int) -> [PortKey] {
    (0..<count).map { index in
      let sort = sorts[index / categories.count % sorts.count]
      return PortKey(categories[index % categories.count], sort.replacing("#", with: "\(index)"))
    }
  }

  /// Days of 2019, the latest first.
  private static func days(_ count: Int) -> [String] {
    (0..<min(count, 336)).map { index in
      let (month, day) = (12 - index / 28, 28 - index % 28)
      return String(format: "2019-%02d-%02d", month, day)
    }
  }

  // MARK: The database

  /// Files outside of any port's folder that have their own history.
  private static let files = ["MOVED", "Mk/Uses/cargo.mk", "graphics/Makefile"]

  private static func addition(of path: String) -> String {
    """
    WITH file AS (
      INSERT INTO element (name, directory_file_flag) VALUES ('\(path)', 'F') RETURNING id),
    named AS (INSERT INTO element_pathname SELECT id, '/ports/head/\(path)' FROM file)
    INSERT INTO commit_log_elements (commit_log_id, element_id) SELECT 1, id FROM file;
    """
  }

  /// Adds the content of the pages, last changed a day ago.
  private func fill(_ database: TestDatabase) throws {
    try database.makeFreshPorts()
    let rows = zip(ports, commits).map { "\($0.category)\t\($0.port)\t\($1)\n" }.joined()
    try database.sql(
      """
      CREATE TEMP TABLE incoming (category text, port text, commit text);
      COPY incoming FROM STDIN;
      \(rows)\\.
      INSERT INTO categories (name) SELECT DISTINCT category FROM incoming;
      INSERT INTO element (name) SELECT port FROM incoming;
      INSERT INTO commit_log (message_id, commit_date, date_added)
        SELECT commit, '2020-01-21 12:00Z', now() - interval '1 day' FROM incoming;
      INSERT INTO commit_log (message_id, commit_date, date_added)
        SELECT 'day ' || day, day::date + time '12:00', now() - interval '1 day'
        FROM unnest('{\(days.joined(separator: ","))}'::text[]) AS day;
      INSERT INTO ports (category_id, element_id, last_commit_id)
        SELECT categories.id, element.id, commit_log.id FROM incoming
        JOIN categories ON categories.name = category
        JOIN element ON element.name = port
        JOIN commit_log ON commit_log.message_id = incoming.commit;
      INSERT INTO ports_categories SELECT id, category_id FROM ports;
      INSERT INTO packages_last_checked VALUES (1, 'latest', now(), now() - interval '1 day');
      \(Self.files.map(Self.addition).joined(separator: "\n"))
      ANALYZE;
      """)
    try addTriggers(to: database)
  }

  /// Adds triggers of the three shapes. Comments in them contain text that would be a fault as code.
  private func addTriggers(to database: TestDatabase) throws {
    let insert = "INSERT INTO cache_clearing_ports (port_id, category, port)"
    let bodies = [
      "-- IF NOT EXISTS (SELECT FROM cache_clearing_ports) THEN\n\(insert) VALUES (1, 'net', 'a');",
      """
      \(insert) SELECT 1, 'net', 'a' WHERE NOT EXISTS (SELECT FROM cache_clearing_ports AS pending
        WHERE pending.category = 'net' AND pending.port = 'a');
      """,
      "\(insert) VALUES (1, 'net', 'a') ON CONFLICT DO NOTHING; /* EXCEPTION WHEN OTHERS THEN */",
    ]
    for (index, body) in bodies.enumerated() {
      try database.sql(
        """
        \(PlantedFaults.function("shape_\(index)", body + "\nNOTIFY port_updated; RETURN NULL;"));
        CREATE TRIGGER shape_\(index) AFTER UPDATE ON ports
          FOR EACH ROW EXECUTE FUNCTION shape_\(index)();
        """)
    }
  }
}
