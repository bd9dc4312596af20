// The table of the FreshPorts cache (docs/freshports.md, section 2) and the keys its site uses.

extension Layout {
  /// The tree of FreshPorts, old shapes included.
  public static let freshPorts: Layout = {
    let table: [(name: String, pattern: String, shapes: [String], clearing: Family.Clearing)] = [
      ("daily", "daily/{year}/{month}/{day}.daily.{branch}", [], .everything),
      (
        "ports", "ports/{category}/{port}/{page...}",
        [
          "Detail.Part{part:number}.{branch}.PageSize{size:number}.PageNum{number}.html",
          "Detail.PageSize{size:number}.PageNum{number}.html",  // before 2022
          "{file...}.PageSize{size:number}.PageNum{number}.html",
        ], .everything
      ),
      (
        "files", "ports/{page:tree-path...}",
        ["{path...}.PageSize{size:number}.PageNum{number}.html"], .knownShapes
      ),
      (
        "categories", "categories/{category}/{page...}",
        ["{category}.{user:number}.{branch}.PageSize{size:number}.PageNum{number}.html"],
        .everything
      ),
      (
        "commits", "commits/{id}/{page...}",
        ["{id}.{category:word?}.{port:port?}.{files:flag}.html"], .everything
      ),
      ("packages", "packages/{category}/{port}.html", [], .everything),
      (
        "news", "news/{page:visible...}",
        [
          "news.{format}",
          "news.{format}.{branch}.xml",
          "news.{format}.{branch}.{flavor}.xml",
          "news.{watchlist}.{format}.{branch}.xml",
          "index-html-{branch}-pagesize{size:number}-pagenum{number}-html",
          "index-html-{branch}-{user:number}-pagesize{size:number}-pagenum{number}-html",
          "index-html-{branch:lowerbranch}-pagesize{size:number}-pagenum{number}-html",
          "index-html-{branch:lowerbranch}-{user:number}-pagesize{size:number}-pagenum{number}-html",
        ], .everything
      ),
      (
        "general", "general/{report}.{page:name}",
        [
          "PageSize{size:number}.PageNum{number}.html",
          "{commit:name}.PageSize{size:number}.PageNum{number}.html",
        ], .everything
      ),
      ("pages", "pages/{page...}", [], .everything),
      ("html", "html/{page...}", [], .everything),
      (
        "spooling", "spooling/{page:name}",
        [
          "{key:name}.tmp{suffix}",
          "{key:cutkey}{suffix}",  // tempnam has cut the .tmp of a long key
        ], .knownShapes
      ),
      ("searchlog", "searchlog.txt", [], .never),
    ]
    return Layout(
      table.map { row in
        do throws(PatternProblem) {
          return try Family(
            row.name, row.pattern, shapes: row.shapes, clearing: row.clearing,
            isRecreated: !writtenByOthers.contains(row.name))
        } catch {
          // A constant of this file; LayoutTests compiles every row.
          preconditionFailure("family \(row.name): \(error)")
        }
      })
  }()

  /// Families whose pages are made by a deploy or by cron, and by no visitor.
  private static let writtenByOthers = ["pages", "html", "searchlog"]

  /// The family of pages that are being written, by its index; nil when the layout has none.
  public var spool: Int? { families.firstIndex { $0.name == "spooling" } }

  /// One port's folder: every page in it, of whatever shape.
  /// - Throws: ``KeyError`` when either name is none of FreeBSD's.
  public func port(category: [UInt8], port: [UInt8]) throws(KeyError) -> CacheKey {
    try key("ports", [("category", category), ("port", port)])
  }

  /// Every port's folder of one category.
  /// - Throws: ``KeyError``.
  public func ports(of category: [UInt8]) throws(KeyError) -> CacheKey {
    try key("ports", [("category", category)])
  }

  /// One category's own pages.
  /// - Throws: ``KeyError``.
  public func category(_ category: [UInt8]) throws(KeyError) -> CacheKey {
    try key("categories", [("category", category)])
  }

  /// The pages of a day, every branch.
  /// - Throws: ``KeyError`` when the site's layout has no daily family.
  public func day(_ date: CalendarDate) throws(KeyError) -> CacheKey {
    try key("daily", [("year", date.yearText), ("month", date.monthText), ("day", date.dayText)])
  }

  /// The pages of a month, every day and branch.
  /// - Throws: ``KeyError`` when the site's layout has no daily family.
  public func month(year: Int, month: Int) throws(KeyError) -> CacheKey {
    try key(
      "daily",
      [
        ("year", CalendarDate.text(year, digits: 4)),
        ("month", CalendarDate.text(month, digits: 2)),
      ])
  }

  /// The pages of a year, every day and branch.
  /// - Throws: ``KeyError`` when the site's layout has no daily family.
  public func year(_ year: Int) throws(KeyError) -> CacheKey {
    try key("daily", [("year", CalendarDate.text(year, digits: 4))])
  }

  /// A commit's message id as the site names its folder: lower-cased, each run of other than a-z and
  /// 0-9 turned into one `-`.
  static func folder(messageID: [UInt8]) -> [UInt8] {
    // Longer than a path: it may have been cut off, and is no name as it stands.
    guard messageID.count <= FieldKind.longestPath else { return messageID }
    var folder: [UInt8] = []
    folder.reserveCapacity(messageID.count)
    for byte in messageID {
      let lower = byte.isLetter ? byte | 0x20 : byte
      if lower.isLowerCase || lower.isDigit {
        folder.append(lower)
      } else if folder.last != UInt8(ascii: "-") {
        folder.append(UInt8(ascii: "-"))
      }
    }
    return folder
  }

  /// A whole family.
  /// - Throws: ``KeyError`` when the layout has none of that name.
  public func all(of family: String) throws(KeyError) -> CacheKey { try key(family, []) }
}

extension KeyRule.Part {
  /// What a row of each of the site's queues names (docs/freshports.md, section 3).
  public enum FreshPorts {
    /// A category and a port: the port's pages and its category's.
    public static let ports: [KeyRule.Part] = [
      .family("ports", [.init("category", .value(0)), .init("port", .value(1))]),
      .family("categories", [.init("category", .value(0))]),
    ]
    /// A day: its pages of every branch.
    public static let dates: [KeyRule.Part] = [
      .family("daily", [.init("year", .year(0)), .init("month", .month(0)), .init("day", .day(0))])
    ]
    /// The report of commits that failed their sanity test.
    public static let sanityReport = "sanity_test_failures"
    /// A message id: that commit's pages, and the report with its page of each commit.
    public static let commits = commits(andReports: [sanityReport])
    /// The same with reports that a site has under other names.
    public static func commits(andReports reports: [String]) -> [KeyRule.Part] {
      [.family("commits", [.init("id", .messageID(0))])]
        + reports.map { .family("general", [.init("report", .constant(Array($0.utf8)))]) }
    }
    /// A path of the site's repositories, in which the ports tree lies in a folder.
    public static let files: [KeyRule.Part] = [
      .portsTree(head: Array("/ports/head/".utf8), value: 0)
    ]
  }
}
