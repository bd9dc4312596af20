// SPDX-License-Identifier: BSD-2-Clause
//
// The two days without a listener, rebuilt: every page that 20,508 ports and 290 days left stale, and the rows for
// them in the queues. Beside them are files that must not be touched.

import Foundation

/// A port, named as the site names it.
public struct PortKey: Hashable, Sendable, CustomStringConvertible {
  /// For instance `graphics`.
  public let category: String
  /// For instance `py-pygeoapi`.
  public let port: String

  /// A port of a category.
  public init(_ category: String, _ port: String) {
    self.category = category
    self.port = port
  }

  /// `graphics/py-pygeoapi`.
  public var description: String { "\(category)/\(port)" }
}

/// A cache tree in which everything of the families daily, ports, categories and news must be cleared, and nothing
/// else.
public struct IncidentTree: Sendable {
  /// How many ports were in the queue.
  public static let allPorts = 20_508
  /// How many days were in the queue.
  public static let allDays = 290

  /// The tree itself.
  public let tree: TemporaryTree
  /// Every port that has pages; the first is graphics/py-pygeoapi.
  public let ports: [PortKey]
  /// Every day that has a page, as `2020-01-21`: the latest days up to and including that day.
  public let days: [String]
  /// The categories of `ports`.
  public let categories: [String]
  /// The pages to clear, sorted: 61,871 of them when all ports and days are there.
  public let stalePages: [String]
  /// The files that must remain, sorted.
  public let bystanders: [String]

  /// Fills a tree.
  /// - Parameters:
  ///   - ports: the number of ports, with three pages each; their categories, 55 at most, have one page each.
  ///   - days: the number of days, with one page each.
  ///   - tree: the tree to fill; by default a new one.
  public init(
    ports portCount: Int = allPorts, days dayCount: Int = allDays, in tree: TemporaryTree? = nil
  ) throws {
    let tree = try tree ?? TemporaryTree()
    self.tree = tree
    ports = (0..<portCount).map(IncidentTree.port)
    categories = Array(IncidentTree.categoryNames.prefix(portCount))
    days = IncidentTree.daysUpTo2020January21(dayCount)

    var pages: [String] = []
    for day in days { pages.append(IncidentTree.dailyPage(day)) }
    for port in ports { pages += IncidentTree.portPages(port) }
    for category in categories { pages.append(IncidentTree.categoryPage(category)) }
    pages += ["news/news.rss2.0.head.xml", "news/index-html-head-pagesize100-pagenum1-html"]
    // A few sizes, from the page shell of a day without commits upwards, so that sums are meaningful.
    for (index, page) in pages.enumerated() { try tree.write(page, bytes: 70 + index % 7 * 211) }
    stalePages = pages.sorted()

    bystanders = [
      "commits/202001211200-00lc00ab000001-repo-freebsd-org/"
        + "202001211200-00lc00ab000001-repo-freebsd-org.graphics.py-pygeoapi.n.html",
      "general/sanity_test_failures.PageSize100.PageNum1.html",
      "html/stats.html",
      "packages/graphics/py-pygeoapi.html",
      "pages/commits.html",
      "searchlog.txt",
      "spooling/0123456789abcdef.tmpA1b2C3",
    ]
    for path in bystanders { try tree.write(path, bytes: 500) }
  }

  /// The pages of `stalePages` that are still there, sorted.
  public func remainingPages() throws -> [String] {
    let there = Set(try tree.files())
    return stalePages.filter(there.contains)
  }

  /// The bystanders that are gone, sorted.
  public func missingBystanders() -> [String] {
    bystanders.filter { !tree.exists($0) }
  }

  /// Adds a row for every port and every day to the queues, as they were that morning, without a notification.
  public func queue(in database: TestDatabase) throws {
    let portRows = ports.enumerated().map { "\($0 + 1)\t\($1.category)\t\($1.port)\n" }.joined()
    try database.sql(
      """
      COPY cache_clearing_ports (port_id, category, port) FROM STDIN;
      \(portRows)\\.
      COPY cache_clearing_dates (date_to_clear) FROM STDIN;
      \(days.map { $0 + "\n" }.joined())\\.
      """)
  }

  /// Adds the ports and their categories to the site's tables, so that an UPDATE of one of them fires the triggers.
  /// Queues and channels do not change.
  public func register(in database: TestDatabase) throws {
    try database.sql(
      """
      CREATE TEMP TABLE incoming (category text, port text);
      COPY incoming FROM STDIN;
      \(ports.map { "\($0.category)\t\($0.port)\n" }.joined())\\.
      INSERT INTO categories (name) SELECT DISTINCT category FROM incoming;
      INSERT INTO ports (category_id, name)
        SELECT categories.id, port FROM incoming JOIN categories ON name = category;
      """)
  }

  // MARK: Names

  /// The three parts of a port's page.
  public static func portPages(_ key: PortKey, branch: String = "head") -> [String] {
    (1...3).map { "ports/\(key)/Detail.Part\($0).\(branch).PageSize100.PageNum1.html" }
  }

  /// A category's page, as a visitor without a login sees it.
  public static func categoryPage(_ category: String, branch: String = "head") -> String {
    "categories/\(category)/\(category).0.\(branch).PageSize100.PageNum1.html"
  }

  /// The page of a day given as `2020-01-21`.
  public static func dailyPage(_ day: String, branch: String = "head") -> String {
    "daily/\(day.replacing("-", with: "/")).daily.\(branch)"
  }

  /// Names of all the kinds that the ports tree has, each one unique.
  private static func port(_ index: Int) -> PortKey {
    let category = categoryNames[index % categoryNames.count]
    if index == 0 { return PortKey(category, "py-pygeoapi") }
    let sorts = ["py-tool#", "p5-Tool-Box#", "R-cran-tool#", "libtool++#", "tool_#", "tool#.0"]
    let sort = sorts[index / categoryNames.count % sorts.count]
    return PortKey(category, sort.replacing("#", with: "\(index)"))
  }

  private static let categoryNames = """
    graphics accessibility archivers astro audio benchmarks biology cad chinese comms converters \
    databases deskutils devel dns editors emulators finance french ftp games german hebrew \
    hungarian irc japanese java korean lang mail math misc multimedia net net-im net-mgmt net-p2p \
    news polish ports-mgmt portuguese print russian science security shells sysutils textproc \
    ukrainian vietnamese www x11 x11-fonts x11-toolkits x11-wm
    """.split(separator: " ").map(String.init)

  private static func daysUpTo2020January21(_ count: Int) -> [String] {
    var result: [String] = []
    var (year, month, day) = (2020, 1, 21)
    while result.count < count {
      result.append(String(format: "%04d-%02d-%02d", year, month, day))
      day -= 1
      if day > 0 { continue }
      month -= 1
      if month == 0 { (year, month) = (year - 1, 12) }
      let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      day = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }
    return result.reversed()
  }
}
