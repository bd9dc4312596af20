// SPDX-License-Identifier: BSD-2-Clause
//
// A site that is not at all like FreshPorts: a wiki with its own layout, queues and events. Its configuration is the
// one that docs/writing-a-layout.md builds.

import Foundation

/// A wiki's tree, its configuration and its tables.
public struct WikiSite {
  /// A family as the configuration writes it.
  public struct FamilyText: Sendable {
    public let name: String
    public let pattern: String
    public var shapes: [String] = []
    /// `everything`, `shapes` or `never`.
    public var clearing = "everything"
  }

  public static let families = [
    FamilyText(name: "articles", pattern: "wiki/{namespace}/{title:name}.{lang}.html"),
    FamilyText(
      name: "history", pattern: "history/{namespace}/{title:name}/{page...}",
      shapes: ["{revision:number}.{lang}.html", "diff.{old:number}.{revision:number}.{lang}.html"]),
    FamilyText(name: "media", pattern: "media/{width:number}px/{file:name}"),
    FamilyText(name: "daily", pattern: "changes/{year}/{month}-{day}.{lang}.html"),
    FamilyText(
      name: "search", pattern: "search/{page:name}", shapes: ["{query}.{number}.html"],
      clearing: "shapes"),
    FamilyText(name: "news", pattern: "feeds/{page:visible...}"),
    FamilyText(name: "sitemap", pattern: "sitemap.xml"),
    FamilyText(name: "robots", pattern: "robots.txt", clearing: "never"),
  ]

  /// The configuration besides [dirs].
  public static var sections: String {
    let rows = families.map { family in
      var lines = "\(family.name) = \(family.pattern)\n"
      if !family.shapes.isEmpty {
        lines += "\(family.name).shapes =\n" + family.shapes.map { "    \($0)\n" }.joined()
      }
      if family.clearing != "everything" {
        lines += "\(family.name).clearing = \(family.clearing)\n"
      }
      return lines
    }
    return "[layout]\n" + rows.joined() + rules
  }

  /// The queues and events alone.
  public static let rules = """
    [queues]
    wiki.page_changes = articles(namespace = ns, title), history(namespace = ns, title)
        by seq since changed
    wiki.day_changes = daily(year-month-day = day) by seq since changed
    media_changes = media(file), sitemap by file text since changed
    [events]
    page_saved    = drain wiki.page_changes, wiki.day_changes
    file_uploaded = drain media_changes
    skin_changed  = empty articles, history
    user_renamed  = nothing
    [listen]
    EMPTY_AFTER = news

    """

  /// The site's tables, for a database made by the tests.
  public static let schema = """
    DELETE FROM listen_for;
    INSERT INTO listen_for (name, script_name) VALUES ('page', 'page_saved'),
      ('upload', 'file_uploaded'), ('skin', 'skin_changed'), ('rename', 'user_renamed');
    DROP TABLE cache_clearing_ports, cache_clearing_dates, cache_clearing_commits,
      cache_clearing_files CASCADE;
    CREATE SCHEMA wiki;
    CREATE TABLE wiki.page_changes (
      seq bigserial PRIMARY KEY, ns text, title text, changed timestamptz DEFAULT now());
    CREATE TABLE wiki.day_changes (
      seq bigserial PRIMARY KEY, day date, changed timestamptz DEFAULT now());
    CREATE TABLE media_changes (file text PRIMARY KEY, changed timestamptz DEFAULT now());
    GRANT USAGE ON SCHEMA wiki TO listening;
    GRANT SELECT, DELETE ON wiki.page_changes, wiki.day_changes, media_changes TO listening;
    """

  /// Pages of every family, by name.
  public static let pages = [
    "wiki/Main/Home.en.html", "wiki/Main/Home.de.html", "wiki/Main/A.B (C), d.en.html",
    "wiki/Help/Home.en.html", "wiki/Help/Größe.de.html",
    "history/Main/Home/17.en.html", "history/Main/Home/diff.16.17.en.html",
    "history/Main/Other/3.en.html", "media/120px/cat.jpg", "media/800px/cat.jpg",
    "media/120px/dog.jpg", "changes/2020/01-21.en.html", "changes/2020/01-22.en.html",
    "search/cats.1.html", "feeds/recent.atom", "feeds/by/user.rss", "sitemap.xml",
  ]

  /// Files that must never be cleared.
  public static let bystanders = [
    "robots.txt", "feeds/.htaccess", "search/notes.txt", "wiki/README", "other/file",
  ]

  public let tree: TemporaryTree

  /// Makes a tree with all of the pages, and the configuration beside it.
  public init(_ sections: String = WikiSite.sections) throws {
    tree = try TemporaryTree()
    for path in Self.pages + Self.bystanders { try tree.write("cache/" + path, bytes: 100) }
    try tree.write("wiki.ini", text: "[dirs]\nBASEDIR = \(tree.path)\n\(sections)")
  }

  public var configuration: String { tree.fullPath("wiki.ini") }

  /// Runs fpcache with the configuration.
  public func run(
    _ arguments: [String], database: TestDatabase? = nil, input: String = ""
  ) throws -> CommandResult {
    try Command.fpcache(
      arguments + options(database), in: tree,
      environment: ["HOME": "/nonexistent"], input: input)
  }

  /// Starts the listener.
  public func listen(_ database: TestDatabase, _ arguments: [String] = []) throws -> Daemon {
    var command = Command(
      try Command.fpcachePath(),
      ["listen", "--state-dir", try Scratch.makeFolder("state")] + arguments + options(database))
    command.tree = tree
    return try Daemon(command)
  }

  private func options(_ database: TestDatabase?) -> [String] {
    ["--config", configuration] + (database.map { ["--dsn", $0.listenerDSN] } ?? [])
  }

  /// The pages that still exist, in order.
  public var left: [String] { Self.pages.filter { tree.exists("cache/" + $0) } }

  /// The pages that no longer exist.
  public var gone: [String] { Self.pages.filter { !tree.exists("cache/" + $0) } }
}
