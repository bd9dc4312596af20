// SPDX-License-Identifier: BSD-2-Clause
//
// The site under stress: a database with its triggers, a cache tree for each web node, and the few hot pages that
// every writer changes and every visitor asks for. Each page carries the version it was made of.

import Foundation
import PGQueue
import TestSupport

/// A page whose content tells the version that the database had when it was rendered.
struct HotPage: Sendable {
  /// Relative to the cache directory.
  let path: String
  /// Selects the version: a number.
  let versionQuery: String

  /// The folder of its file; empty for a file in the cache directory itself.
  var folder: String { (path as NSString).deletingLastPathComponent }
}

/// A row of the queue of ports, and the pages that it asks to be cleared.
struct HotPort: Sendable {
  let category: String
  let name: String

  var pagePath: String {
    "ports/\(category)/\(name)/Detail.Part1.head.PageSize100.PageNum1.html"
  }
  var categoryPath: String { "categories/\(category)/\(category).0.head.PageSize100.PageNum1.html" }
}

/// A page that shows another version than the database has.
struct StalePage: Sendable, CustomStringConvertible {
  /// Which of the site's trees.
  let node: Int
  let path: String
  let version: Int
  let wanted: Int

  var description: String {
    "\(node > 0 ? "node \(node + 1): " : "")\(path): version \(version), the database has \(wanted)"
  }
}

/// What was found of the hot pages when all was at rest.
struct Inspection: Sendable {
  /// How many hot pages were looked for.
  var pages = 0
  /// How many of them were on disk.
  var present = 0
  /// The pages that showed another version than the database.
  var stale: [StalePage] = []

  mutating func add(_ other: Inspection) {
    pages += other.pages
    present += other.present
    stale += other.stale
  }
}

/// What visitors ask for and writers change.
struct Traffic: Sendable {
  let pages: [HotPage]
  /// Statements, each of which is one change.
  let changes: [String]
  /// A change that no other writer makes or waits for, for transactions that take very long.
  let lateChange: String
}

/// A database and cache trees with hot pages.
final class Site: Sendable {
  let database: TestDatabase
  /// One for each web node.
  let trees: [TemporaryTree]
  /// The only one, where there is one.
  var tree: TemporaryTree { trees[0] }
  let pages: [HotPage]
  /// Statements, each of which is one change.
  let changes: [String]
  let lateChange: String
  /// Further options of the listener, for a site with its own layout.
  let arguments: [String]
  private let queues: [String]

  /// - Parameter queues: the tables of the queues.
  init(
    _ database: TestDatabase, _ trees: [TemporaryTree], _ traffic: Traffic, queues: [String],
    arguments: [String] = []
  ) throws {
    self.database = database
    self.trees = trees
    pages = traffic.pages
    changes = traffic.changes
    lateChange = traffic.lateChange
    self.queues = queues
    self.arguments = arguments
    for tree in trees {
      for folder in ["spooling"] + pages.map(\.folder) where !folder.isEmpty {
        try tree.makeDirectory(folder)
      }
    }
  }

  /// FreshPorts.
  /// - Parameters:
  ///   - ports: how many hot ports, all in one category, whose page is hot with them.
  ///   - days: how many hot days of commits.
  ///   - news: whether a feed is hot, too, that shows the ports.
  ///   - nodes: how many web nodes.
  convenience init(
    _ database: TestDatabase, ports: Int, days: Int = 0, news: Bool = false, nodes: Int = 1
  ) throws {
    let hot = (1...ports).map { HotPort(category: "stress", name: "hot\($0)") }
    let late = HotPort(category: "stress", name: "late")
    let days = (0..<days).map { 10 + $0 }
    let changes =
      hot.map(Site.change)
      + days.map { day in
        """
        INSERT INTO commit_log (message_id, commit_date) \
        VALUES (md5(random()::text || clock_timestamp()), '2020-01-\(day)')
        """
      }
    let rows = (hot + [late]).map { "(1, '\($0.name)', '1')" }.joined(separator: ", ")
    try database.sql(
      """
      INSERT INTO categories (id, name) VALUES (1, 'stress');
      INSERT INTO ports (category_id, name, version) VALUES \(rows);
      """)
    let trees = try (0..<nodes).map { _ in try TemporaryTree() }
    for tree in trees { try tree.makeDirectory("news") }
    try self.init(
      database, trees,
      Traffic(
        pages: Site.portPages(hot + [late]) + days.map(Site.dayPage)
          + (news ? [Site.newsPage] : []),
        changes: changes, lateChange: Site.change(late)),
      queues: ["ports", "dates", "commits", "files"].map { "cache_clearing_\($0)" })
  }

  /// A change of a port.
  static func change(_ port: HotPort) -> String {
    "UPDATE ports SET version = (version::bigint + 1)::text WHERE name = '\(port.name)'"
  }

  private static func portPages(_ ports: [HotPort]) -> [HotPage] {
    var pages = ports.map {
      HotPage(
        path: $0.pagePath, versionQuery: "SELECT version FROM ports WHERE name = '\($0.name)'")
    }
    if let port = ports.first {
      pages.append(
        HotPage(
          path: port.categoryPath,
          versionQuery: "SELECT sum(version::bigint) FROM ports WHERE category_id = 1"))
    }
    return pages
  }

  private static let newsPage = HotPage(
    path: "news/news.atom.head.xml", versionQuery: "SELECT sum(version::bigint) FROM ports")

  private static func dayPage(_ day: Int) -> HotPage {
    HotPage(
      path: "daily/2020/01/\(day).daily.head",
      versionQuery: "SELECT count(*) FROM commit_log WHERE commit_date = '2020-01-\(day)'")
  }

  // MARK: Pages

  /// Writes a page as the site does: whole in `spooling`, then renamed into place.
  ///
  /// A folder that nobody may write to costs the visitor the page, as on the site, and no more.
  func publish(_ page: HotPage, on tree: TemporaryTree, version: Int, mark: UInt64) throws {
    // Six letters or digits, as mkstemp(3) makes them.
    let temporary = "spooling/page.tmp" + String(mark | 1 << 60, radix: 36).suffix(6)
    try tree.write(temporary, text: "<!-- version \(version) -->\n<p>\(page.path)</p>\n")
    let (from, to) = (tree.fullPath(temporary), tree.fullPath(page.path))
    if rename(from, to) == 0 { return }
    if errno == ENOENT {
      try tree.makeDirectory(page.folder)
      if rename(from, to) == 0 { return }
    }
    let code = errno
    unlink(from)
    guard code == EACCES else {
      throw SupportError("rename to \(to): \(String(cString: strerror(code)))")
    }
  }

  /// Compares every hot page on disk with the database. All has to be at rest.
  func inspect(_ session: Session) throws -> Inspection {
    var inspection = Inspection()
    for page in pages {
      let wanted = try session.insist { try page.version($0) }
      for (node, tree) in trees.enumerated() {
        inspection.pages += 1
        guard tree.exists(page.path) else { continue }
        inspection.present += 1
        let found = try Site.version(of: try tree.read(page.path))
        if found != wanted {
          inspection.stale.append(
            StalePage(node: node, path: page.path, version: found, wanted: wanted))
        }
      }
    }
    return inspection
  }

  private static func version(of content: String) throws -> Int {
    let words = content.prefix { $0 != "\n" }.split(separator: " ")
    guard words.count == 4, let version = Int(words[2]) else {
      throw SupportError("a page without a version: \(content)")
    }
    return version
  }

  /// Whether a queue holds a row.
  func hasRows(_ session: Session) throws -> Bool {
    let sum = queues.map { "(SELECT count(*) FROM \($0))" }.joined(separator: " + ")
    return try session.insist { try $0.query("SELECT \(sum)").text(0, 0) } != "0"
  }
}

extension HotPage {
  /// The version that the database has now, as one snapshot sees it.
  func version(_ connection: Connection) throws -> Int {
    guard let version = try connection.query(versionQuery).text(0, 0).flatMap({ Int($0) }) else {
      throw SupportError("no version: \(versionQuery)")
    }
    return version
  }
}
