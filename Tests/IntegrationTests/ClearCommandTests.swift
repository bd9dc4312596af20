// SPDX-License-Identifier: BSD-2-Clause
//
// The clear commands as a script sees them: arguments, standard input, output to the letter,
// exit statuses, and what is left of the tree.

import Testing

@testable import TestSupport

@Suite struct ClearCommandTests {
  private static let port = "ports/graphics/py-pygeoapi/"
  private static let part = "Detail.Part1.head.PageSize100.PageNum1.html"
  private static let quarter = "Detail.Part1.2020Q1.PageSize100.PageNum1.html"
  private static let old = "Detail.PageSize100.PageNum1.html"
  private static let category = "categories/graphics/graphics.0.head.PageSize100.PageNum1.html"

  /// A small tree with pages of every sort that the commands touch, and some that they must not.
  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for page in [Self.part, Self.quarter, Self.old, "note"] {
      try tree.write(Self.port + page, bytes: 10)
    }
    for path in [
      Self.category, "ports/devel/libsigc++20/" + Self.part, "ports/graphics/gd.pm/" + Self.part,
      "daily/2020/01/21.daily.head", "daily/2020/01/21.daily.2020Q1", "daily/2020/01/22.daily.head",
      "daily/2020/02/01.daily.head", "daily/2021/01/21.daily.head", "news/news.rss2.0.head.xml",
      "news/.keep", "news/folder/inner", "packages/graphics/py-pygeoapi.html", "searchlog.txt",
    ] {
      try tree.write(path, bytes: 10)
    }
    return tree
  }

  private func fpcache(
    _ arguments: [String], _ tree: TemporaryTree, input: String = ""
  ) throws -> CommandResult {
    try Command.fpcache(
      arguments, in: tree, environment: ["FPCACHE_DIR": tree.path], input: input)
  }

  private static func json(
    dryRun: Bool = false, keys: Int, files: Int, withoutMatch: Int = 0, removed: [String]? = nil
  ) -> String {
    let list = removed.map { paths in
      ",\"removed\":[\(paths.map { "\"\($0)\"" }.joined(separator: ","))]"
    }
    return "{\"version\":1,\"dry_run\":\(dryRun),\"keys\":\(keys),\"files_removed\":\(files),"
      + "\"bytes_removed\":\(files * 10),\"keys_without_match\":\(withoutMatch),\"failures\":[]"
      + "\(list ?? "")}\n"
  }

  @Test(
    "arguments clear what they name, and nothing else",
    arguments: [
      (
        ["clear-date", "2020-01-21"],
        ["daily/2020/01/21.daily.2020Q1", "daily/2020/01/21.daily.head"]
      ),
      (["clear-date", "2020-01-21", "--branch", "head"], ["daily/2020/01/21.daily.head"]),
      (
        ["clear-date", "2020-01"],
        [
          "daily/2020/01/21.daily.2020Q1", "daily/2020/01/21.daily.head",
          "daily/2020/01/22.daily.head",
        ]
      ),
      (
        ["clear-date", "2020-01-22..2020-02-29"],
        ["daily/2020/01/22.daily.head", "daily/2020/02/01.daily.head"]
      ),
      (["clear-date", "2021"], ["daily/2021/01/21.daily.head"]),
      (
        ["clear-port", "graphics/py-pygeoapi"],
        [category, port + old, port + quarter, port + part, port + "note"]
      ),
      (
        ["clear-port", "--no-category", "graphics/py-pygeoapi", "--branch", "2020Q1"],
        [port + quarter]
      ),
      (["clear-port", "devel/libsigc++20"], ["ports/devel/libsigc++20/" + part]),
      (
        ["clear-port", "--no-category", "graphics/*"],
        [
          "ports/graphics/gd.pm/" + part, port + old, port + quarter, port + part, port + "note",
        ]
      ),
      (["clear-news"], ["news/folder/inner", "news/news.rss2.0.head.xml"]),
      (
        ["clear-date", "2021-01-21", "--news"],
        [
          "daily/2021/01/21.daily.head", "news/folder/inner", "news/news.rss2.0.head.xml",
        ]
      ),
    ])
  func clears(_ arguments: [String], _ gone: [String]) throws {
    let tree = try tree()
    let before = try tree.snapshot()
    let all = try tree.files()
    let gone = gone.sorted()

    let dry = try fpcache(arguments + ["-n", "-v", "--format", "json"], tree)
    #expect(dry.status == 0, "\(dry)")
    #expect(
      dry.stdout == Self.json(dryRun: true, keys: 1, files: gone.count, removed: gone), "\(dry)")
    #expect(try tree.snapshot() == before)

    let real = try fpcache(arguments + ["-v", "--format", "json"], tree)
    #expect(real.status == 0, "\(real)")
    #expect(real.stdout == Self.json(keys: 1, files: gone.count, removed: gone), "\(real)")
    #expect(real.stderr.isEmpty)
    #expect(try tree.files() == all.filter { !gone.contains($0) })
  }

  @Test(
    "keys on standard input, one a line (of Windows, too) or ended by NUL",
    arguments: ["\n", "\r\n", "\0"])
  func standardInput(separator: String) throws {
    let tree = try tree()
    let keys = ["graphics/py-pygeoapi", "devel/libsigc++20", "no/such"]
    let result = try fpcache(
      ["clear-port", "--no-category", "--format", "json", "-"] + (separator == "\0" ? ["-0"] : []),
      tree, input: keys.joined(separator: separator) + separator)
    #expect(result.status == 0, "\(result)")
    #expect(result.stdout == Self.json(keys: 3, files: 5, withoutMatch: 1), "\(result)")
  }

  @Test("text for people, one line, and none with -q")
  func text() throws {
    let tree = try tree()
    let dry = try fpcache(["clear-date", "-n", "2020-01-21"], tree)
    #expect(
      dry.stdout == "would remove 2 pages of 2020-01-21, 20 bytes\n")
    let quiet = try fpcache(["clear-date", "-q", "2020-01-21"], tree)
    #expect(quiet.stdout.isEmpty && quiet.stderr.isEmpty && quiet.status == 0, "\(quiet)")
    let again = try fpcache(["clear-date", "2020-01-21"], tree)
    #expect(again.stdout == "no page of 2020-01-21 in the cache\n")
  }

  @Test(
    "a bad key is a usage error and touches nothing, good keys before it notwithstanding",
    arguments: [
      (["clear-date", "2020-02-30"], "", "2020-02-30: no such day; expected 2020-01-21,"),
      (["clear-date", "2020-01-21", "soon"], "", "soon: is not a date; expected 2020-01-21,"),
      (["clear-date", "2020-02-01..2020-01-01"], "", "ends before it begins"),
      (["clear-port", "graphics/py-pygeoapi", "x"], "", "x: expected CATEGORY/PORT, such as"),
      (["clear-port", "graphics/.."], "", "\"..\" is not a valid port: expected letters, digits"),
      (
        ["clear-port", "../etc"], "", "\"..\" is not a valid category: expected lower-case letters"
      ),
      (["clear-port", "*/py-pygeoapi"], "", "\"*\" is not a valid category"),
      (["clear-port", "-"], "graphics/py-pygeoapi\na/b/c\n", "standard input, key 2: a/b/c:"),
      (["clear-date", "--branch", "trunk", "2020"], "", "expected head or a quarter"),
      (["clear-date", "--nonsense", "2020"], "", "--nonsense"),
    ])
  func usage(_ arguments: [String], _ input: String, _ message: String) throws {
    let tree = try tree()
    let before = try tree.snapshot()
    let result = try fpcache(arguments, tree, input: input)
    #expect(result.status == 64, "\(result)")
    #expect(result.stdout.isEmpty, "\(result)")
    #expect(result.stderr.contains(message), "\(result)")
    #expect(try tree.snapshot() == before)
  }

  @Test("--require-match tells of a key that matched nothing")
  func requireMatch() throws {
    let tree = try tree()
    let arguments = ["clear-port", "--require-match", "graphics/py-pygeoapi"]
    #expect(try fpcache(arguments, tree).status == 0)
    #expect(try fpcache(arguments, tree).status == 3)
    #expect(try fpcache(["clear-port", "graphics/py-pygeoapi"], tree).status == 0)
  }

  @Test("what cannot be cleared is told with its path and status 1; the rest goes")
  func failures() throws {
    let tree = try tree()
    try tree.give(to: .unprivileged)
    try tree.setMode("ports/graphics/py-pygeoapi", 0o555)
    let result = try Command.fpcache(
      ["clear-port", "--format", "json", "graphics/py-pygeoapi", "devel/libsigc++20"], in: tree,
      environment: ["FPCACHE_DIR": tree.path], as: .unprivileged)
    #expect(result.status == 1, "\(result)")
    #expect(
      result.stdout.contains(
        "{\"path\":\"\(Self.port)\(Self.old)\",\"error\":\"EACCES\",\"message\":\"Permission denied\"}"
      ), "\(result)")
    #expect(!tree.exists("ports/devel/libsigc++20/" + Self.part))
    #expect(tree.exists(Self.port + Self.part))
  }

  @Test("the cache directory: 66 when it is missing, 77 when it may not be read")
  func cacheDirectory() throws {
    let tree = try tree()
    let missing = try Command.fpcache(
      ["clear-news", "--cache-dir", tree.path + "/nowhere"], in: tree)
    #expect(missing.status == 66, "\(missing)")
    #expect(
      missing.stderr
        == "fpcache: cache directory \(tree.path)/nowhere (--cache-dir) does not exist; "
        + "name the right one with --cache-dir\n")
    try tree.give(to: .unprivileged)
    try tree.setMode("news", 0)
    let denied = try Command.fpcache(
      ["clear-news", "--cache-dir", tree.path + "/news"], in: tree, as: .unprivileged)
    #expect(denied.status == 77, "\(denied)")
    try tree.setMode("news", 0o755)
  }

  @Test("a wrong configuration: 78 with file, line and key; a missing one that was named, too")
  func configuration() throws {
    let tree = try tree()
    try tree.write("fp.ini", text: "[dirs]\nBASEDIR = /x\nNEWS_CACHE_DIR = %(BASEDR)s/cache/news\n")
    let file = tree.fullPath("fp.ini")
    let broken = try Command.fpcache(["clear-news", "--config", file], in: tree)
    #expect(broken.status == 78, "\(broken)")
    #expect(broken.stderr.hasPrefix("fpcache: \(file):3: NEWS_CACHE_DIR: "), "\(broken)")
    #expect(broken.stderr.lowercased().contains("basedir"), "\(broken)")
    let missing = try Command.fpcache(["clear-news", "--config", file + "x"], in: tree)
    #expect(missing.status == 78, "\(missing)")
    let named = try Command.fpcache(
      ["clear-news"], in: tree, environment: ["FPCACHE_CONFIG": file + "x"])
    #expect(named.status == 78, "\(named)")
  }

  @Test("the site's own file, unchanged, quotes included, says where the pages lie")
  func siteConfiguration() throws {
    let tree = try TemporaryTree()
    try tree.write("cache/news/news.rss2.0.head.xml", bytes: 10)
    try tree.write("cache/" + Self.port + Self.part, bytes: 10)
    try tree.write(
      "fp-listen.ini",
      text: """
        [database]
        HOST = pg01.example.org
        PASSWORD = secret
        [dirs]
        BASEDIR = \(tree.path)
        PORT_CACHE_PATH     = %(BASEDIR)s/cache/ports/%%s/%%s/*
        DATE_CACHE_PATH     = %(BASEDIR)s/cache/daily/%%s/%%s/%%s.daily.*
        NEWS_CACHE_DIR = '%(BASEDIR)s/cache/news/*'
        COMMIT_CACHE_PATH   = %(BASEDIR)s/cache/commits/%%s/
        """)
    let config = ["--config", tree.fullPath("fp-listen.ini"), "--format", "json"]
    let news = try Command.fpcache(["clear-news"] + config, in: tree)
    #expect(news.stdout == Self.json(keys: 1, files: 1), "\(news)")
    let port = try Command.fpcache(["clear-port", "graphics/py-pygeoapi"] + config, in: tree)
    #expect(port.stdout == Self.json(keys: 1, files: 1), "\(port)")
  }
}
