// SPDX-License-Identifier: BSD-2-Clause
//
// A site whose queues and triggers are what `fpcache sql` prints for its configuration, or a mutant of that. Its
// writers do what these triggers must see: they change keys, so that the page of the old key and that of the new one
// are out of date, move rows between pages, delete and insert them, and truncate a table.

import Foundation
import TestSupport

/// A way to write the printed triggers wrong. Each must show stale pages, or the table proves nothing about the
/// printed ones.
enum TriggerMutant: String, CaseIterable, Sendable {
  /// Queues the key that a row has after the change, and not the one that it had before.
  case newOnly = "new-only"
  /// Looks in a separate statement whether the key waits already, which no lock can see.
  case lookFirst = "look-first"
  /// Looks for the keys of a truncated table when they are gone.
  case afterTruncate = "after-truncate"

  /// What it replaces, and by what.
  private var change: (pattern: String, replacement: String) {
    switch self {
    case .newOnly: (#"\(OLD\."\w+"\), \(NEW"#, "(NEW")
    case .lookFirst:
      (
        #"INSERT INTO (\S+) \(("\w+")\)\s+SELECT k1 [^;]*;"#,
        "IF NOT EXISTS (SELECT FROM $1 WHERE $2 IN (OLD.$2, NEW.$2)) THEN $0 END IF;"
      )
    case .afterTruncate: ("BEFORE TRUNCATE", "AFTER TRUNCATE")
    }
  }

  /// - Throws: `SupportError` when the script no longer has what the mutant changes.
  func applied(to script: String) throws -> String {
    let (pattern, replacement) = change
    let expression = try NSRegularExpression(pattern: pattern)
    let whole = NSRange(script.startIndex..., in: script)
    guard expression.numberOfMatches(in: script, range: whole) > 0 else {
      throw SupportError("\(rawValue): the printed SQL has nothing to change\n\(script)")
    }
    return expression.stringByReplacingMatches(
      in: script, range: whole, withTemplate: replacement)
  }
}

extension Site {
  private static let rules = """
    [layout]
    items = items/{sku:name}.html
    shelves = shelves/{shelf:name}.html
    notes = notes/{topic:name}.html
    front = index.html
    [queues]
    item_changes = items(sku)
    shelf_changes = shelves(shelf)
    note_changes = notes(topic)
    front_changes = front
    [events]
    item_changed = drain item_changes
    shelf_changed = drain shelf_changes, front_changes
    note_changed = drain note_changes
    [triggers]
    items = item_changes(sku) on price, shelf_changes(shelf) on price, front_changes on price
    notes = note_changes(topic)

    """

  /// A price is used once, so no page of an earlier state looks like one of a later state.
  private static let tables = """
    DROP TABLE listen_for, cache_clearing_ports, cache_clearing_dates, cache_clearing_commits,
      cache_clearing_files CASCADE;
    CREATE SEQUENCE prices;
    CREATE TABLE items (
      id int PRIMARY KEY, sku text NOT NULL UNIQUE, shelf text NOT NULL,
      price bigint NOT NULL DEFAULT nextval('prices'), hits int NOT NULL DEFAULT 0);
    CREATE TABLE notes (topic text NOT NULL, version bigint NOT NULL DEFAULT nextval('prices'));
    INSERT INTO items (id, sku, shelf) VALUES (1, 'anvil', 'left'), (2, 'rope', 'right'),
      (3, 'lamp', 'left'), (4, 'bell', 'right'), (5, 'late', 'attic');
    INSERT INTO items (id, sku, shelf) SELECT 10 + n, 'draft' || n, 'left' FROM generate_series(1, 8) AS n;
    """

  /// Some keys change all the time, and others so seldom that no later change of the same key repairs what a wrong
  /// trigger leaves.
  private static let changes =
    repeatElement(hotChanges, count: 4).flatMap(\.self) + seldom.flatMap(\.self)

  /// Of those whose rows go from shelf to shelf, one goes in the other direction.
  private static let hotChanges =
    ["anvil", "rope"].map(priceChange)
    + ["lamp", "bell"].map {
      "UPDATE items SET shelf = CASE shelf WHEN 'left' THEN 'right' ELSE 'left' END WHERE sku = '\($0)'"
    }

  private static let seldom = [
    numbers.map {
      """
      UPDATE items SET sku = CASE sku WHEN 'draft\($0)' THEN 'final\($0)' ELSE 'draft\($0)' END,
        price = nextval('prices') WHERE id = 10 + \($0)
      """
    },
    guests.map {
      "INSERT INTO items (id, sku, shelf) VALUES (20 + \($0), 'guest\($0)', 'right') ON CONFLICT DO NOTHING"
    }, guests.map { "DELETE FROM items WHERE sku = 'guest\($0)'" },
    numbers.map { "INSERT INTO notes (topic) VALUES ('topic\($0)')" },
    ["TRUNCATE notes", "UPDATE items SET hits = hits + 1 WHERE sku = 'anvil'"],
  ]

  private static let numbers = 1...8
  private static let guests = 1...4

  private static func priceChange(_ sku: String) -> String {
    "UPDATE items SET price = nextval('prices') WHERE sku = '\(sku)'"
  }

  private static func page(
    _ path: String, _ table: String, sumOf column: String, where condition: String
  )
    -> HotPage
  {
    HotPage(
      path: path,
      versionQuery: "SELECT coalesce(sum(\(column)), 0) FROM \(table) WHERE \(condition)")
  }

  /// A page of what does not exist has version 0: the site's visitors get a page that says so.
  private static let pages =
    items.map { page("items/\($0).html", "items", sumOf: "price", where: "sku = '\($0)'") }
    + ["left", "right", "attic"].map {
      page("shelves/\($0).html", "items", sumOf: "price", where: "shelf = '\($0)'")
    }
    + numbers.map {
      page("notes/topic\($0).html", "notes", sumOf: "version", where: "topic = 'topic\($0)'")
    } + [page("index.html", "items", sumOf: "price", where: "true")]

  private static let items =
    ["anvil", "rope", "late"] + numbers.flatMap { ["draft\($0)", "final\($0)"] }
    + guests.map { "guest\($0)" }

  /// Makes the site, and has the SQL for it printed and run.
  static func printed(on server: PostgresServer, _ mutant: TriggerMutant?) throws -> Site {
    let database = try server.makeDatabase()
    let tree = try TemporaryTree()
    try tree.write("fpcache.ini", text: rules)
    let options = ["--config", tree.fullPath("fpcache.ini")]
    let printed = try Command.fpcache(["sql"] + options, in: tree)
    guard printed.status == 0 else { throw SupportError("fpcache sql failed\n\(printed)") }
    try database.sql(tables)
    try database.sql(mutant.map { try $0.applied(to: printed.stdout) } ?? printed.stdout)
    return try Site(
      database, [tree],
      Traffic(pages: pages, changes: changes, lateChange: priceChange("late")),
      queues: ["item_changes", "shelf_changes", "note_changes", "front_changes"],
      arguments: options)
  }
}
