// SPDX-License-Identifier: BSD-2-Clause
//
// A site's own queues among many nodes, and what becomes of rows in the log when [queues] names other
// columns than those that they were moved with.

import Foundation
import Testing

@testable import TestSupport

@Suite struct NodeColumnTests {
  private static let usual = "articles(namespace = ns, title), history(namespace = ns, title)"

  /// A node with a wiki's cache.
  private struct WikiNode {
    let name: String
    let site: WikiSite
    let database: TestDatabase
    let state: TemporaryTree

    init(_ name: String, _ database: TestDatabase) throws {
      self.name = name
      self.database = database
      (site, state) = (try WikiSite(), try TemporaryTree())
    }

    func run() throws -> CommandResult {
      try site.run(
        ["listen", "--once", "--settle", "0", "--node", name, "--state-dir", state.path],
        database: database)
    }

    /// Has every page there again, and columns as told.
    func fill(_ columns: String) throws {
      for page in WikiSite.pages { try site.tree.write("cache/" + page, bytes: 100) }
      let sections = WikiSite.sections.replacing(NodeColumnTests.usual, with: columns)
      try site.tree.write("wiki.ini", text: "[dirs]\nBASEDIR = \(site.tree.path)\n\(sections)")
    }
  }

  @Test(
    "rows are cleared by the columns that they were moved with; with others the cache is emptied",
    arguments: [
      (usual, true), ("history(namespace = ns, title), articles(namespace = ns, title)", true),
      ("articles(title, namespace = ns), history(title, namespace = ns)", false),
      ("articles(title)", false),
    ])
  func columns(columns: String, isSame: Bool) throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(WikiSite.schema)
    try database.prepareForNodes()
    let (mover, node) = (try WikiNode("web1", database), try WikiNode("web2", database))
    for node in [mover, node] {
      let first = try node.run()
      #expect(first.status == 0, "\(first)")
      try node.fill(Self.usual)
    }
    try database.sql("INSERT INTO wiki.page_changes (ns, title) VALUES ('Main', 'Home')")
    let moved = try mover.run()
    #expect(moved.status == 0 && !moved.stderr.contains("emptied"), "\(moved)")
    #expect(mover.site.gone.contains("wiki/Main/Home.en.html"))
    #expect(try database.sql("SELECT queue FROM fpcache_log") == "wiki.page_changes(ns, title)")

    try node.fill(columns)
    let result = try node.run()
    #expect(result.status == 0, "\(result)")
    #expect(node.site.gone.contains("wiki/Main/Home.en.html"), "\(result)")
    #expect(node.site.left.contains("wiki/Help/Home.en.html") == isSame, "\(result)")
    #expect(
      result.stderr.contains(
        "node web2: the log holds rows of wiki.page_changes with other columns than the "
          + "configuration has; emptying the cache") == !isSame, "\(result)")
    #expect(try database.lag(of: "web2") == 0)
    // It goes on with what is moved with its own columns.
    try node.fill(columns)
    try database.sql("INSERT INTO wiki.page_changes (ns, title) VALUES ('Help', 'Home')")
    let next = try node.run()
    #expect(next.status == 0 && !next.stderr.contains("emptied"), "\(next)")
    #expect(node.site.gone.contains("wiki/Help/Home.en.html"), "\(next)")
    #expect(node.site.left.contains("wiki/Main/A.B (C), d.en.html"), "\(next)")
  }
}
