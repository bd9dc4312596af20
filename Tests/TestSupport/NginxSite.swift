// SPDX-License-Identifier: BSD-2-Clause
//
// A shop whose pages nginx caches. It has a table of pages, a queue of their paths with its trigger, and the
// configuration that docs/nginx.md builds; or no queue, and the query that says when each page was changed.

import Foundation

/// The shop's database and the folder of its cache.
public final class NginxSite: Sendable {
  /// How the listener learns what has changed.
  public enum Source: Sendable {
    case queue
    /// By a query of [verify] alone; with these lines of [listen].
    case query(listen: String)
  }

  public let database: TestDatabase
  public let tree: TemporaryTree

  /// The configuration, as docs/nginx.md has it.
  public static func sections(vary: Bool, _ source: Source) -> String {
    let layout = """
      [layout]
      pages = proxy/{key:nginx...}
      pages.levels = 1:2
      pages.vary = \(vary ? "yes" : "no")

      """
    switch source {
    case .queue:
      return layout + """
        [queues]
        page_changes = pages(key = 'https://shop.example' || path) by seq since changed
        [events]
        page_saved = drain page_changes

        """
    case .query:
      return layout + """
        [verify]
        PAGES = SELECT 'https://shop.example' || path AS key, changed_at FROM pages

        """
    }
  }

  /// The pages were changed long ago.
  private static let table = """
    CREATE TABLE pages (
      path text PRIMARY KEY, version bigint NOT NULL DEFAULT 1,
      changed_at timestamptz NOT NULL DEFAULT now() - interval '1 day');
    GRANT SELECT ON pages TO listening;
    """

  private static let queue = """
    DELETE FROM listen_for;
    INSERT INTO listen_for (name, script_name) VALUES ('page', 'page_saved');
    CREATE TABLE page_changes (
      seq bigserial PRIMARY KEY, path text NOT NULL, changed timestamptz NOT NULL DEFAULT now());
    CREATE FUNCTION page_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        INSERT INTO page_changes (path) VALUES (NEW.path);
        NOTIFY page;
        RETURN NULL;
      END $$;
    CREATE TRIGGER page_changed AFTER UPDATE ON pages FOR EACH ROW EXECUTE FUNCTION page_changed();
    GRANT SELECT, DELETE ON page_changes TO listening;
    """

  public init(vary: Bool, pages: [String], _ source: Source = .queue) throws {
    database = try PostgresServer.shared.makeDatabase()
    tree = try TemporaryTree()
    try database.sql(Self.table)
    if case .queue = source { try database.sql(Self.queue) }
    for page in pages { try database.sql("INSERT INTO pages (path) VALUES ('\(page)')") }
    var text = Self.sections(vary: vary, source)
    if case .query(let listen) = source { text += "[listen]\n\(listen)\n" }
    try tree.write("site.ini", text: text)
  }

  public var configuration: String { tree.fullPath("site.ini") }

  /// Options of fpcache that name the configuration and the cache.
  public var options: [String] { ["--config", configuration, "--cache-dir", tree.path] }

  /// An application that asks the database for the version of a page.
  public func application(
    _ form: UnixApplication.Form = .proxy, headers: [String: String] = [:]
  ) throws -> UnixApplication {
    let database = database
    return try UnixApplication(form) { path in
      let version = try? database.sql("SELECT version FROM pages WHERE path = '\(path)'")
      if version == "" { return .missing }
      return version.map { UnixApplication.Answer("version \($0)\n", headers: headers) }
    }
  }

  /// How many files `fpcache stats` counts for each status of a response.
  public func filesByStatus() throws -> [String: Int] {
    let stats = try fpcache([
      "stats", "--group-by", "status", "--no-database", "--format", "json",
    ])
    let document = try JSONSerialization.jsonObject(with: Data(stats.stdout.utf8)) as? [String: Any]
    guard let groups = document?["groups"] as? [[String: Any]] else {
      throw SupportError("\(stats)")
    }
    return groups.reduce(into: [:]) { files, group in
      if let value = group["value"] as? String { files[value] = group["files"] as? Int }
    }
  }

  /// Starts `fpcache listen` on the cache, as nginx's user.
  public func listen(_ arguments: [String] = []) throws -> Daemon {
    try Daemon.listen(
      on: tree, database, ["--config", configuration] + arguments, as: .unprivileged)
  }

  /// Runs fpcache on the cache, as nginx's user.
  public func fpcache(_ arguments: [String]) throws -> CommandResult {
    try Command.fpcache(arguments + options, in: tree, as: .unprivileged)
  }

  public static func change(_ path: String) -> String {
    "UPDATE pages SET version = version + 1, changed_at = now() WHERE path = '\(path)'"
  }
}
