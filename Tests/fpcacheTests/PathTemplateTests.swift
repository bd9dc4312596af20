// SPDX-License-Identifier: BSD-2-Clause
//
// Two tables of fp-listen.ini's path templates: these give these patterns, these are refused with
// exactly this text. Each value goes the whole way, from the file's line to the layout.

import SystemPackage
import Testing

@testable import CacheFS
@testable import Listening
@testable import PGQueue
@testable import fpcache

/// A line of [dirs] and what comes of it.
struct TemplateRow: CustomTestStringConvertible {
  let rule: String
  let line: String
  let family: String
  /// The family's pattern, or the message behind `f.ini:LINE: KEY: `.
  let outcome: String
  var cacheDir: String?

  init(
    _ rule: String, _ line: String, _ family: String, _ outcome: String, cacheDir: String? = nil
  ) {
    self.rule = rule
    self.line = line
    self.family = family
    self.outcome = outcome
    self.cacheDir = cacheDir
  }

  /// A template that is refused.
  init(_ rule: String, _ line: String, _ outcome: String) { self.init(rule, line, "", outcome) }

  var testDescription: String { rule }

  /// Resolves a file with BASEDIR and this one line, which is the third.
  func resolve() throws -> Config {
    try Config.resolve(
      flags: Config.Flags(config: "f.ini", cacheDir: cacheDir), environment: [:],
      files: .holding(["f.ini": "[dirs]\nBASEDIR = /var/fp\n\(line)"]))
  }

  private static let allOfNews = "news/{page:visible...}"
  private static let allOfAPort = "ports/{category}/{port}/{page...}"

  static let good = [
    TemplateRow("a folder", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/news", "news", allOfNews),
    TemplateRow("a folder/", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/news/", "news", allOfNews),
    TemplateRow("a folder/*", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/news/*", "news", allOfNews),
    TemplateRow(
      "in single quotes", "NEWS_CACHE_DIR = '%(BASEDIR)s/cache/news/*'", "news", allOfNews),
    TemplateRow(
      "in double quotes", "NEWS_CACHE_DIR = \"%(BASEDIR)s/cache/news\"", "news", allOfNews),
    TemplateRow(
      "needless slashes and dots", "NEWS_CACHE_DIR = %(BASEDIR)s//./cache///news/./*", "news",
      allOfNews),
    TemplateRow(
      "below the default directory", "NEWS_CACHE_DIR = /var/db/freshports/cache/news", "news",
      allOfNews),
    TemplateRow(
      "below --cache-dir", "NEWS_CACHE_DIR = /mnt/copy/news/*", "news", allOfNews,
      cacheDir: "/mnt/copy"),
    TemplateRow(
      "below the file's directory, moved by --cache-dir",
      "NEWS_CACHE_DIR = %(BASEDIR)s/cache/news", "news", allOfNews, cacheDir: "/mnt/copy"),
    TemplateRow("relative", "NEWS_CACHE_DIR = news/*", "news", allOfNews),
    TemplateRow("a key in lower case", "news_cache_dir = news", "news", allOfNews),
    // What the site's own file said for years; verify tells that the folder is missing.
    TemplateRow(
      "another folder", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/new/*", "news",
      "new/{page:visible...}"),
    TemplateRow(
      "a folder further down", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/a/b", "news",
      "a/b/{page:visible...}"),
    TemplateRow(
      "a part of the folder", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/news/rss.*", "news",
      "news/rss.{page:name}"),
    TemplateRow(
      "ports", "PORT_CACHE_PATH = %(BASEDIR)s/cache/ports/%%s/%%s/*", "ports", allOfAPort),
    TemplateRow(
      "ports/ without a *", "PORT_CACHE_PATH = %(BASEDIR)s/cache/ports/%%s/%%s/", "ports",
      allOfAPort),
    TemplateRow(
      "ports elsewhere", "PORT_CACHE_PATH = %(BASEDIR)s/cache/p/%%s/x-%%s/Detail.*", "ports",
      "p/{category}/x-{port}/Detail.{page:name}"),
    TemplateRow(
      "categories", "CATEGORY_CACHE_PATH = %(BASEDIR)s/cache/categories/%%s/*", "categories",
      "categories/{category}/{page...}"),
    TemplateRow(
      "days", "DATE_CACHE_PATH = %(BASEDIR)s/cache/daily/%%s/%%s/%%s.daily.*", "daily",
      "daily/{year}/{month}/{day}.daily.{page:name}"),
    TemplateRow(
      "days of any form", "DATE_CACHE_PATH = %(BASEDIR)s/cache/daily/%%s/%%s/%%s.*", "daily",
      "daily/{year}/{month}/{day}.{page:name}"),
    TemplateRow(
      "days in one folder", "DATE_CACHE_PATH = %(BASEDIR)s/cache/daily/%%s-%%s-%%s*", "daily",
      "daily/{year}-{month}-{day}{page:name}"),
    TemplateRow(
      "commits", "COMMIT_CACHE_PATH = %(BASEDIR)s/cache/commits/%%s/", "commits",
      "commits/{id}/{page...}"),
    TemplateRow(
      "commits without a slash", "COMMIT_CACHE_PATH = %(BASEDIR)s/cache/commits/%%s", "commits",
      "commits/{id}/{page...}"),
    TemplateRow(
      "commits/*", "COMMIT_CACHE_PATH = %(BASEDIR)s/cache/commits/%%s/*", "commits",
      "commits/{id}/{page...}"),
    TemplateRow(
      "files", "FILE_CACHE_PATH = %(BASEDIR)s/cache/ports%%s.PageSize*", "files",
      "ports/{page:tree-path...}"),
    TemplateRow(
      "files by the beginning", "FILE_CACHE_PATH = ports/%%s.*", "files",
      "ports/{page:tree-path...}"),
    TemplateRow(
      "files elsewhere", "FILE_CACHE_PATH = %(BASEDIR)s/cache/a/history%%s.PageSize*", "files",
      "a/history/{page...}"),
    TemplateRow(
      "a commit's report",
      "SANITY_CACHE_PATH = %(BASEDIR)s/cache/general/sanity_test_failures.%%s.*",
      "general", "general/{report}.{page:name}"),
    TemplateRow(
      "the report", "SANITY_MAIN_CACHE_PATH = %(BASEDIR)s/cache/r/failed.PageSize*", "general",
      "r/{report}.{page:name}"),
  ]

  private static let outside =
    "is outside the cache directory; expected a path below /var/fp/cache"
  private static let noFolder =
    "has no folder of its own; write one below the cache directory, such as "
  private static let noFile =
    "is not a path of a file's pages; expected a folder, %%s and .PageSize*, such as ports%%s.PageSize*"
  private static let stars = "has more than one *, or one before the last /; expected one at most"

  static let bad = [
    TemplateRow(
      "empty", "NEWS_CACHE_DIR =",
      "is empty; write a path below the cache directory, or remove the key"),
    TemplateRow("another tree", "NEWS_CACHE_DIR = /var/www/news", outside),
    TemplateRow("the system's root", "NEWS_CACHE_DIR = /", outside),
    TemplateRow("beside the cache", "NEWS_CACHE_DIR = %(BASEDIR)s/cachet/news", outside),
    TemplateRow("above the cache", "NEWS_CACHE_DIR = %(BASEDIR)s/*", outside),
    TemplateRow("the cache itself", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/", outside),
    TemplateRow("'..'", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/../news", outside),
    TemplateRow("'..' that would come back", "NEWS_CACHE_DIR = x/../news", outside),
    TemplateRow("'..' behind a fancy slash", "NEWS_CACHE_DIR = x/../\u{301}y", outside),
    TemplateRow("all of the cache", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/*", noFolder + "news"),
    TemplateRow(
      "a field at the top", "PORT_CACHE_PATH = %(BASEDIR)s/cache/%%s/%%s/*", noFolder + "ports"),
    TemplateRow(
      "a field in the first name", "COMMIT_CACHE_PATH = %(BASEDIR)s/cache/c-%%s/*",
      noFolder + "commits"),
    TemplateRow(
      "another family's folder", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/ports",
      "is in the folder of ports; write another one, such as news"),
    TemplateRow(
      "below another family's folder", "COMMIT_CACHE_PATH = %(BASEDIR)s/cache/html/%%s/",
      "is in the folder of html; write another one, such as commits"),
    TemplateRow(
      "too few %s", "PORT_CACHE_PATH = %(BASEDIR)s/cache/ports/%%s/*",
      "has 1 %%s; expected 2: %%s (category), %%s (port)"),
    TemplateRow(
      "too many %s", "CATEGORY_CACHE_PATH = %(BASEDIR)s/cache/categories/%%s/%%s.*",
      "has 2 %%s; expected 1: %%s (category)"),
    TemplateRow(
      "no %s", "DATE_CACHE_PATH = %(BASEDIR)s/cache/daily/*",
      "has 0 %%s; expected 3: %%s (year), %%s (month), %%s (day)"),
    TemplateRow(
      "a %s in news", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/news/%%s", "has 1 %%s; expected 0"),
    TemplateRow("two *", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/news/*.*", stars),
    TemplateRow("a * above", "PORT_CACHE_PATH = %(BASEDIR)s/cache/ports/%%s/*/%%s.*", stars),
    TemplateRow("**", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/news/**", stars),
    TemplateRow(
      "a ?", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/new?",
      "holds ?; expected a path of plain names, %%s and *"),
    TemplateRow(
      "a bracket", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/[n]ews",
      "holds [; expected a path of plain names, %%s and *"),
    TemplateRow(
      "a brace", "NEWS_CACHE_DIR = %(BASEDIR)s/cache/{news}",
      "holds {; expected a path of plain names, %%s and *"),
    TemplateRow(
      "a file without a glob", "FILE_CACHE_PATH = %(BASEDIR)s/cache/ports%%s", noFile),
    TemplateRow(
      "a file with all that begins alike", "FILE_CACHE_PATH = %(BASEDIR)s/cache/ports%%s*", noFile),
    TemplateRow(
      "a file with another end", "FILE_CACHE_PATH = %(BASEDIR)s/cache/ports%%s.html*", noFile),
    TemplateRow(
      "a file in the cache itself", "FILE_CACHE_PATH = %(BASEDIR)s/cache%%s.PageSize*",
      "is outside the cache directory; expected a path below /var/fp/cache"),
    TemplateRow(
      "a report without a name", "SANITY_CACHE_PATH = %(BASEDIR)s/cache/general/%%s.*",
      "is not the name of a report; expected a folder, a name, a dot and globs, such as "
        + "general/sanity_test_failures.%%s.*"),
    TemplateRow(
      "a report in a folder of a commit", "SANITY_CACHE_PATH = %(BASEDIR)s/cache/general/%%s/x.*",
      "is not the name of a report; expected a folder, a name, a dot and globs, such as "
        + "general/sanity_test_failures.%%s.*"),
    TemplateRow(
      "two fields in one", "PORT_CACHE_PATH = %(BASEDIR)s/cache/ports/%%s%%s/*",
      "cannot be told apart into its fields; expected text between two %%s"),
  ]
}

@Suite("Template") struct PathTemplateTests {
  @Test("gives a pattern", arguments: TemplateRow.good)
  func good(_ row: TemplateRow) throws {
    let layout = try row.resolve().layout
    #expect(layout.clearedPattern(of: row.family)?.description == row.outcome)
    for family in layout.families where family.name != row.family {
      #expect(family == Layout.freshPorts.family(named: family.name))
    }
  }

  @Test("is refused", arguments: TemplateRow.bad)
  func bad(_ row: TemplateRow) throws {
    let key = try #require(row.line.split(separator: " ").first)
    let error = #expect(throws: UserError.self) { try row.resolve() }
    #expect(error == UserError(.configuration, "f.ini:3: \(key): \(row.outcome)"))
  }

  @Test("every template's own default is the family's")
  func defaults() {
    for template in PathTemplate.all {
      #expect(Layout.freshPorts.family(named: template.family) != nil)
      #expect(template.key == template.key.uppercased())
    }
    #expect(Set(PathTemplate.all.map(\.key)).count == PathTemplate.all.count)
  }

  @Test(
    "a template of days changes what is cleared, and not what a day's page is",
    arguments: ["%%s.daily.*", "%%s.*", "%%s*", "%%s.d*"])
  func branchOfADay(_ glob: String) throws {
    let line = "DATE_CACHE_PATH = %(BASEDIR)s/cache/daily/%%s/%%s/\(glob)"
    let layout = try TemplateRow("", line, "").resolve().layout
    var matcher = Matcher(layout)
    let page = CachePath(Array("daily/2020/01/21.daily.2020Q1".utf8))
    #expect(matcher.fields(of: page)["branch"] == Array("2020Q1".utf8))
    #expect(matcher.classify(page).hasKnownShape)
    #expect(matcher.classify(CachePath(Array("daily/2020/01/21.other".utf8))).family == nil)
  }

  @Test("two keys of the report of failed commits are of one folder")
  func reports() throws {
    func resolve(_ main: String) throws -> Config {
      try TemplateRow(
        "", "SANITY_CACHE_PATH = general/failed.%%s.*\nSANITY_MAIN_CACHE_PATH = \(main)", ""
      ).resolve()
    }
    let rules = try resolve("general/list.PageSize*").rules
    let row = QueueRow(.commits, key: [Array("A@b".utf8)])
    var reader = RowReader(rules)
    #expect(
      try reader.pages(row).map(Layout.freshPorts.text)
        == ["commits\tid=a-b", "general\treport=failed", "general\treport=list"])
    let error = #expect(throws: UserError.self) { try resolve("other/list.PageSize*") }
    #expect(
      error?.message
        == "f.ini:4: SANITY_MAIN_CACHE_PATH: is in another folder than SANITY_CACHE_PATH; "
        + "expected the same")
  }
}
