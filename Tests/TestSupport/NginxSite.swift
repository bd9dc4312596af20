// SPDX-License-Identifier: BSD-2-Clause
//
// A shop whose pages nginx caches. It has a table of pages, a queue of their keys with its trigger, and the
// configuration that docs/nginx.md builds.

import Foundation

/// The shop's database and the folder of its cache.
public final class NginxSite: Sendable {
  public let database: TestDatabase
  public let tree: TemporaryTree

  /// The configuration besides `levels`.
  public static func sections(vary: Bool) -> String {
    """
    [layout]
    pages = proxy/{key:nginx...}
    pages.levels = 1:2
    pages.vary = \(vary ? "yes" : "no")
    [queues]
    page_changes = pages(key) by seq since changed
    [events]
    page_saved = drain page_changes

    """
  }

  public static let schema = """
    DELETE FROM listen_for;
    INSERT INTO listen_for (name, script_name) VALUES ('page', 'page_saved');
    CREATE TABLE pages (path text PRIMARY KEY, version bigint NOT NULL DEFAULT 1);
    CREATE TABLE page_changes (
      seq bigserial PRIMARY KEY, key text NOT NULL, changed timestamptz NOT NULL DEFAULT now());
    CREATE FUNCTION page_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        INSERT INTO page_changes (key) VALUES ('https://\(NginxServer.host)' || NEW.path);
        NOTIFY page;
        RETURN NULL;
      END $$;
    CREATE TRIGGER page_changed AFTER UPDATE ON pages FOR EACH ROW EXECUTE FUNCTION page_changed();
    GRANT SELECT, DELETE ON page_changes TO listening;
    """

  public init(vary: Bool, pages: [String]) throws {
    database = try PostgresServer.shared.makeDatabase()
    tree = try TemporaryTree()
    try database.sql(Self.schema)
    for page in pages { try database.sql("INSERT INTO pages (path) VALUES ('\(page)')") }
    try tree.write("site.ini", text: Self.sections(vary: vary))
  }

  public var configuration: String { tree.fullPath("site.ini") }

  /// Options of fpcache that name the configuration and the cache.
  public var options: [String] { ["--config", configuration, "--cache-dir", tree.path] }

  public static func change(_ path: String) -> String {
    "UPDATE pages SET version = version + 1 WHERE path = '\(path)'"
  }
}
