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
          "news.{format}.{branch}.xml",
          "news.{format}.{branch}.{flavor}.xml",
          "news.{watchlist}.{format}.{branch}.xml",
          "index-html-{branch}-pagesize{size:number}-pagenum{number}-html",
          "index-html-{branch}-{user:number}-pagesize{size:number}-pagenum{number}-html",
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
          return try Family(row.name, row.pattern, shapes: row.shapes, clearing: row.clearing)
        } catch {
          // A constant of this file; LayoutTests compiles every row.
          preconditionFailure("family \(row.name): \(error)")
        }
      })
  }()

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

  /// One commit's pages, by its message id as the site names its folder: lower-cased, each run
  /// of other than a-z and 0-9 turned into one `-`.
  /// - Throws: ``KeyError`` when the id is empty or too long for a folder's name, or is itself longer
  ///   than a path: then it may have been cut off.
  public func commit(messageID: [UInt8]) throws(KeyError) -> CacheKey {
    guard messageID.count <= FieldKind.longestPath else {
      throw .badValue(messageID, field: "id", kind: .messageID)
    }
    var folder: [UInt8] = []
    for byte in messageID {
      let lower = byte.isLetter ? byte | 0x20 : byte
      if lower.isLowerCase || lower.isDigit {
        folder.append(lower)
      } else if folder.last != UInt8(ascii: "-") {
        folder.append(UInt8(ascii: "-"))
      }
    }
    return try key("commits", [("id", folder)])
  }

  /// The history pages of one file, by its path below the ports tree (`net/openmpi3/Makefile`).
  /// - Throws: ``KeyError`` when the path is absolute, empty, or holds `.` or `..`.
  public func file(path: [UInt8]) throws(KeyError) -> CacheKey {
    guard FieldKind.isBelowAPort(path) else { return try key("files", [("path", path)]) }
    let parts = path.split(
      separator: UInt8(ascii: "/"), maxSplits: 2, omittingEmptySubsequences: false
    ).map(Array.init)
    return try key("ports", [("category", parts[0]), ("port", parts[1]), ("file", parts[2])])
  }

  /// The report of commits that failed their sanity test, and its page of each commit.
  /// - Throws: ``KeyError`` when the site's layout has no general family.
  public func sanityTestFailures() throws(KeyError) -> CacheKey {
    try key("general", [("report", Array("sanity_test_failures".utf8))])
  }

  /// A whole family.
  /// - Throws: ``KeyError`` when the layout has none of that name.
  public func all(of family: String) throws(KeyError) -> CacheKey { try key(family, []) }
}
