// SPDX-License-Identifier: BSD-2-Clause
//
// The listener on a wiki's own queues and events, on a real PostgreSQL: one run, a live one with
// NOTIFY, hostile rows, many nodes, and what stats and verify say of its tables.

import Foundation
import Testing

@testable import TestSupport

@Suite("Listening for a wiki") struct WikiListenTests {
  private func database() throws -> TestDatabase {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(WikiSite.schema)
    return database
  }

  private static let change = """
    INSERT INTO wiki.page_changes (ns, title) VALUES ('Main', 'Home'), ('Main', 'A.B (C), d');
    INSERT INTO wiki.day_changes (day) VALUES ('2020-01-21');
    INSERT INTO media_changes (file) VALUES ('cat.jpg');
    """
  private static let gone = [
    "wiki/Main/Home.en.html", "wiki/Main/Home.de.html", "wiki/Main/A.B (C), d.en.html",
    "history/Main/Home/17.en.html", "history/Main/Home/diff.16.17.en.html", "media/120px/cat.jpg",
    "media/800px/cat.jpg", "changes/2020/01-21.en.html", "feeds/recent.atom", "feeds/by/user.rss",
    "sitemap.xml",
  ]

  @Test("listen --once serves what waits in every queue")
  func once() throws {
    let (wiki, database) = (try WikiSite(), try database())
    try database.sql(Self.change)
    let dry = try wiki.run(["listen", "--once", "-n", "--settle", "0"], database: database)
    #expect(dry.status == 0 && wiki.gone == [], "\(dry)")
    let result = try wiki.run(
      ["listen", "--once", "--settle", "0", "--format", "json"], database: database)
    #expect(result.status == 0, "\(result)")
    #expect(result.stdout.contains(#""rows":4,"keys":7,"files_removed":11,"#), "\(result)")
    #expect(wiki.gone == Self.gone)
    for table in ["wiki.page_changes", "wiki.day_changes", "media_changes"] {
      #expect(try database.count(table) == 0)
    }
    for path in WikiSite.bystanders { #expect(wiki.tree.exists("cache/" + path), "\(path)") }
  }

  @Test("a live listener: each event does what the file says")
  func live() throws {
    let (wiki, database) = (try WikiSite(), try database())
    let listener = try wiki.listen(database, ["--settle", "0"])
    try listener.waitForLog(containing: "drained: ")
    try listener.waitForLog(
      containing: "ready: listening on 4 channels: page, upload, skin, rename")
    // At connect the news goes, as after every drain, and what an event alone empties does not.
    #expect(wiki.gone == ["feeds/recent.atom", "feeds/by/user.rss"], "\(listener)")
    func notify(_ sql: String, _ gone: String, kept: String) throws {
      try wiki.tree.write("cache/feeds/recent.atom", bytes: 1)
      try database.sql(sql)
      try eventually("\(gone) goes", details: "\(listener)") {
        !wiki.tree.exists("cache/" + gone)
      }
      #expect(wiki.tree.exists("cache/" + kept), "\(listener)")
    }
    try notify(
      "INSERT INTO wiki.page_changes (ns, title) VALUES ('Main', 'Home'); NOTIFY page",
      "wiki/Main/Home.en.html", kept: "wiki/Help/Home.en.html")
    try eventually("the news goes after it") { !wiki.tree.exists("cache/feeds/recent.atom") }
    try notify(
      "INSERT INTO media_changes VALUES ('dog.jpg'); NOTIFY upload", "media/120px/dog.jpg",
      kept: "media/120px/cat.jpg")
    try eventually("the news goes after it") { !wiki.tree.exists("cache/feeds/recent.atom") }
    try notify("NOTIFY rename", "feeds/recent.atom", kept: "wiki/Help/Home.en.html")
    // An event that empties families does so and no more.
    try notify("NOTIFY skin", "wiki/Help/Home.en.html", kept: "feeds/recent.atom")
    try eventually { !wiki.tree.exists("cache/history/Main/Other/3.en.html") }
    #expect(wiki.tree.exists("cache/changes/2020/01-21.en.html"))
    try eventually { try database.count("wiki.page_changes") == 0 }
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test("a row that names nothing is refused, and harms nothing")
  func hostileRows() throws {
    let (wiki, database) = (try WikiSite(), try database())
    try database.sql(
      """
      INSERT INTO wiki.page_changes (ns, title) VALUES ('..', 'Home'), ('Main', '../../secret'),
        ('Main', NULL), ('Main', ''), ('Main/x', 'y'), ('Main', repeat('x', 256));
      INSERT INTO wiki.day_changes (day) VALUES (NULL), ('infinity');
      INSERT INTO media_changes (file) VALUES ('..'), ('a/b'), (E'new\\nline');
      """)
    let result = try wiki.run(["listen", "--once", "--settle", "0"], database: database)
    #expect(result.status == 0, "\(result)")
    #expect(result.stdout.contains("10 refused"), "\(result)")
    for words in [
      "wiki.page_changes: row 2 \"../../secret\" is not a valid title: expected",
      "wiki.page_changes: row 3 holds NULL; nothing to clear, the row is deleted",
      "media_changes: row .. \"..\" is not a valid file: expected",
      " (and 1 more: row a/b)",
    ] { #expect(result.stderr.contains(words), "\(words) \(result)") }
    #expect(wiki.left.count == WikiSite.pages.count - 3, "\(wiki.gone)")
    #expect(try database.count("wiki.page_changes") == 0)
  }

  @Test("what is not the site's is not looked for: no queue of FreshPorts is asked")
  func statsAndVerify() throws {
    let (wiki, database) = (try WikiSite(), try database())
    try database.sql(
      "INSERT INTO wiki.page_changes (ns, title, changed) VALUES ('Main', 'Home', now() - interval '3 days')"
    )
    let stats = try wiki.run(["stats"], database: database)
    #expect(stats.status == 0, "\(stats)")
    for line in [
      "  oldest Main/Home, 3 d ago; newest Main/Home, 3 d ago",
      "page     what wiki.page_changes names of articles and history, what wiki.day_changes",
      "upload   what media_changes names of media and sitemap, the news",
      "skin     the articles, the history", "rename   the news",
      "1 wiki.page_changes key has waited 3 d: nobody is listening",
    ] { #expect(stats.stdout.contains(line), "\(line)\n\(stats)") }
    #expect(!stats.stdout.contains("cache_clearing"), "\(stats)")
    let verify = try wiki.run(
      [
        "verify", "--only", "pending,missing-table,unknown-event,no-permission,backlog",
        "--max-backlog", "0",
      ],
      database: database)
    #expect(verify.status == 1, "\(verify)")
    #expect(
      verify.stdout.contains("wiki.page_changes: has 1 row waiting; 0 are allowed"), "\(verify)")
    #expect(
      verify.stdout.contains("  wiki/Main/Home.de.html: has waited in wiki.page_changes since "),
      "\(verify)")
    #expect(!verify.stdout.contains("missing-table"), "\(verify)")
    try database.sql("DROP TABLE media_changes; REVOKE DELETE ON wiki.day_changes FROM listening")
    let faults = try wiki.run(
      ["verify", "--only", "missing-table,no-permission"], database: database)
    #expect(faults.stdout.contains("media_changes"), "\(faults)")
    #expect(faults.stdout.contains("wiki.day_changes: lacks DELETE"), "\(faults)")
    try database.sql("REVOKE USAGE ON SCHEMA wiki FROM listening")
    let schema = try wiki.run(["verify", "--only", "no-permission"], database: database)
    #expect(
      schema.stdout.contains("wiki.page_changes: lacks USAGE of its schema for "), "\(schema)")
    let refused = try wiki.run(["stats"], database: database)
    #expect(refused.status == 1, "\(refused)")
    #expect(refused.stderr.contains("wiki.page_changes: "), "\(refused)")
  }

  @Test("many nodes: the log carries the configured queues to each")
  func nodes() throws {
    let (one, two, database) = (try WikiSite(), try WikiSite(), try database())
    try database.prepareForNodes()
    let listeners = try [("a", one), ("b", two)].map { name, wiki in
      let listener = try wiki.listen(database, ["--settle", "0", "--node", name])
      try listener.waitForLog(containing: "emptied its cache: ")
      return listener
    }
    for wiki in [one, two] {
      // What no row or event could ask for is left.
      #expect(wiki.left == ["search/cats.1.html"])
      for path in WikiSite.pages { try wiki.tree.write("cache/" + path, bytes: 1) }
    }
    try database.sql(Self.change + "NOTIFY page; NOTIFY upload;")
    for wiki in [one, two] {
      try eventually("both are cleared", details: "\(listeners)") { wiki.gone == Self.gone }
    }
    try eventually { try database.count("wiki.page_changes") == 0 }
    #expect(
      try database.sql("SELECT DISTINCT queue FROM fpcache_log ORDER BY 1")
        .split(separator: "\n").allSatisfy { $0.contains("changes") })
  }

  @Test("SIGHUP takes another layout; keys of the old one are not taken for keys of the new")
  func reload() throws {
    let (wiki, database) = (try WikiSite(), try database())
    let listener = try wiki.listen(database, ["--settle", "1"])
    try listener.waitForLog(containing: "drained: ")
    try database.sql(
      "INSERT INTO wiki.page_changes (ns, title) VALUES ('Main', 'Home'); NOTIFY page")
    try eventually { !wiki.tree.exists("cache/wiki/Main/Home.en.html") }
    // The settle list holds keys of articles by now; the new table begins with another family.
    let mark = listener.lines.count
    try wiki.tree.write(
      "wiki.ini",
      text: """
        [dirs]
        BASEDIR = \(wiki.tree.path)
        [layout]
        robots = robots.txt
        media = media/{width:number}px/{file:name}
        articles = wiki/{namespace}/{title:name}.{lang}.html
        [queues]
        media_changes = media(file) by file text
        [events]
        file_uploaded = drain media_changes

        """)
    listener.terminate(SIGHUP)
    try listener.waitForLog(containing: "ready: ", after: mark)
    try wiki.tree.write("cache/wiki/Main/Home.en.html", bytes: 1)
    try database.sql("INSERT INTO media_changes VALUES ('dog.jpg'); NOTIFY upload")
    try eventually("the new table is served", details: "\(listener)") {
      !wiki.tree.exists("cache/media/120px/dog.jpg")
    }
    #expect(wiki.tree.exists("cache/robots.txt") && wiki.tree.exists("cache/media/120px/cat.jpg"))
    let other = listener.lines.count
    try wiki.tree.write("wiki.ini", text: "[layout]\npages = {page...}\n")
    listener.terminate(SIGHUP)
    try listener.waitForLog(containing: "keeping the old configuration", after: other)
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }
}
