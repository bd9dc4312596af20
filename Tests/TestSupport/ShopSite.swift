// SPDX-License-Identifier: BSD-2-Clause
//
// A site without triggers, queues and channels: a table, a page for each of its rows, and the query that says when
// each row was changed. docs/recheck.md builds it.

import Foundation

/// A shop's tree, its configuration and its table.
public struct ShopSite: Sendable {
  public static let query = "SELECT sku, changed_at FROM products"

  public let database: TestDatabase
  public let tree: TemporaryTree

  /// - Parameters:
  ///   - query: the text behind `PRODUCTS = `, and further lines of [verify].
  ///   - listen: lines of [listen].
  public init(
    _ query: String = Self.query, listen: String = "", settle: Double = 0.2,
    on server: PostgresServer? = nil
  ) throws {
    database = try (server ?? PostgresServer.shared).makeDatabase()
    tree = try TemporaryTree()
    try database.sql(
      """
      CREATE TABLE products (
        sku text PRIMARY KEY, price int NOT NULL, changed_at timestamptz NOT NULL DEFAULT now());
      CREATE INDEX ON products (changed_at);
      GRANT SELECT ON products TO listening;
      """)
    try configure(query, listen: listen, settle: settle)
    try tree.makeDirectory("cache/products")
  }

  /// - Parameter kind: the kind of field that identifies a product; a `port` without a row is a deleted product.
  public func configure(
    _ query: String = Self.query, listen: String = "", settle: Double = 0.2,
    skus kind: String = "name"
  ) throws {
    try tree.write(
      "shop.ini",
      text: """
        [dirs]
        BASEDIR = \(tree.path)
        [layout]
        products = products/{sku:\(kind)}.html
        [listen]
        SETTLE = \(settle)
        \(interval("RECHECK_INTERVAL", "0.2", listen))
        \(interval("SCRUB_INTERVAL", "0", listen))
        \(listen)
        [verify]
        PRODUCTS = \(query)

        """)
  }

  /// A line of [listen], unless `listen` has that key already.
  private func interval(_ key: String, _ value: String, _ listen: String) -> String {
    listen.contains(key) ? "" : "\(key) = \(value)"
  }

  /// Adds products that were changed long ago.
  public func stock(_ skus: [String]) throws {
    let rows = skus.map { "('\($0)', 1, now() - interval '1 day')" }.joined(separator: ", ")
    try database.sql("INSERT INTO products VALUES \(rows)")
  }

  public static func page(_ sku: String) -> String { "cache/products/\(sku).html" }

  /// Acts as a visitor: the page shows the committed price.
  public func render(_ skus: [String]) throws {
    for sku in skus {
      let price = try database.sql("SELECT price FROM products WHERE sku = '\(sku)'")
      try tree.write(Self.page(sku), text: price)
    }
  }

  /// Writes pages that were rendered this many hours ago.
  public func plant(_ skus: [String], hoursAgo: Int) throws {
    for sku in skus {
      try tree.write(Self.page(sku), text: "old")
      try tree.setAge(Self.page(sku), .seconds(hoursAgo * 3600))
    }
  }

  public func has(_ sku: String) -> Bool { tree.exists(Self.page(sku)) }

  public static func update(_ skus: [String]) -> String {
    let names = skus.map { "'\($0)'" }.joined(separator: ", ")
    return "UPDATE products SET price = price + 1, changed_at = now() WHERE sku IN (\(names))"
  }

  private func arguments(_ more: [String]) -> [String] {
    [
      "listen", "--config", tree.fullPath("shop.ini"), "--dsn", database.listenerDSN, "--state-dir",
      tree.path,
    ] + more
  }

  public func listen(
    _ arguments: [String] = [], environment: [String: String?] = [:]
  ) throws -> Daemon {
    var command = Command(try Command.fpcachePath(), self.arguments(arguments))
    command.environment = environment
    return try Daemon(command)
  }

  public func once(_ arguments: [String] = []) throws -> CommandResult {
    try Command.fpcache(self.arguments(["--once"] + arguments), in: tree)
  }

  /// The time from which the next process would ask for changes, in nanoseconds since the epoch; nil where that is
  /// unknown.
  public func bound() throws -> Int64? {
    guard tree.exists("recheck") else { return nil }
    let words = try tree.read("recheck").split(whereSeparator: \.isWhitespace)
    return words.firstIndex(of: "products").flatMap { Int64(words[$0 + 1]) }
  }

  /// Waits for the end of a look that began after this call. Each look writes its bounds, even if they have not
  /// changed.
  public func awaitLook(_ details: @autoclosure () -> String = "") throws {
    for _ in 0..<2 {
      let before = written()
      try eventually(timeout: .seconds(30), "a look is taken", details: details()) {
        written() != before
      }
    }
  }

  private func written() -> String? {
    var status = stat()
    guard stat(tree.fullPath("recheck"), &status) == 0 else { return nil }
    return "\(status.st_ino) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)"
  }
}
