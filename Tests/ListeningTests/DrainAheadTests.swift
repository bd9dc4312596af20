// SPDX-License-Identifier: BSD-2-Clause
//
// The batch that is read while the pages of the one before it are cleared: what becomes of it when its rows, their
// pages or the configuration change before its turn.

import Basics
import Foundation
import Logging
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import CacheFS
@testable import Listening
@testable import PGQueue

@Suite struct DrainAheadTests {
  private static let rows = 3 * BatchSize.least
  private let database: TestDatabase
  private let tree: TemporaryTree
  private let queue: Queue

  /// Three batches of rows, each a port of its own.
  init() throws {
    tree = try TemporaryTree()
    try tree.makeDirectory("cache/ports/www")
    database = try PostgresServer.shared.makeDatabase(shape: .plain)
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port)
        SELECT i, 'www', 'p' || i FROM generate_series(1, \(Self.rows)) i
      """)
    queue = Queue(
      .ports, on: try Connection(ConnectionParameters([("dbname", database.listenerDSN)])))
  }

  private func writePage(of port: String) throws {
    try tree.write("cache/ports/www/\(port)/Detail.html", bytes: 1)
  }

  private var pages: [String] { get throws { try tree.files(below: "cache") } }

  private func clearer(_ layout: Layout = .freshPorts) throws -> Clearer {
    Clearer(try Directory(root: FilePath(tree.fullPath("cache"))), layout: layout)
  }

  private func drain() throws -> Drain {
    Drain(
      try clearer(), .freshPorts(.freshPorts), ClearMemory(),
      Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  private func drainAll(_ drain: Drain) throws {
    while try drain.step(queue, .whole) == .more {}
  }

  @Test("rows that were read ahead and are gone are not counted, and the others are served")
  func gone() throws {
    let drain = try drain()
    #expect(try drain.step(queue, .whole) == .more)
    try database.sql("DELETE FROM cache_clearing_ports WHERE id BETWEEN 1001 AND 1900")
    try writePage(of: "p1950")
    try drainAll(drain)
    #expect(drain.pages.tally.rows == Self.rows - 900)
    #expect(try queue.count() == 0)
    #expect(try pages == [])
  }

  @Test("of a row that was read ahead and changed, the new version is served")
  func changed() throws {
    let drain = try drain()
    #expect(try drain.step(queue, .whole) == .more)
    try database.sql("UPDATE cache_clearing_ports SET port = 'new' WHERE id = 1500")
    try writePage(of: "new")
    try drainAll(drain)
    #expect(try queue.count() == 1, "its version was not read, and must not be deleted")
    try drainAll(drain)
    #expect(try queue.count() == 0)
    #expect(try pages == [])
  }

  @Test(
    "other rows in the places of those that were read ahead stay until they are served",
    arguments: [
      """
      DELETE FROM cache_clearing_ports WHERE id < 2000;
      VACUUM FULL cache_clearing_ports
      """,
      """
      DELETE FROM cache_clearing_ports;
      VACUUM cache_clearing_ports;
      INSERT INTO cache_clearing_ports (port_id, category, port)
        SELECT i, 'www', 'q' || i FROM generate_series(1, \(Self.rows)) i
      """,
      """
      TRUNCATE cache_clearing_ports RESTART IDENTITY;
      INSERT INTO cache_clearing_ports (port_id, category, port)
        SELECT i, 'www', 'q' || i FROM generate_series(1, \(Self.rows)) i
      """,
    ])
  func otherRows(sql: String) throws {
    let drain = try drain()
    #expect(try drain.step(queue, .whole) == .more)
    for statement in sql.split(separator: ";") { try database.sql(String(statement)) }
    for number in [1, 1500, 2500] {
      try writePage(of: "p\(number)")
      try writePage(of: "q\(number)")
    }
    let waiting = try Set(
      database.sql("SELECT port FROM cache_clearing_ports").split(separator: "\n").map(String.init))
    for _ in 0..<3 { try drainAll(drain) }
    #expect(try queue.count() == 0)
    let left = try pages
    for port in waiting { #expect(!left.contains("ports/www/\(port)/Detail.html")) }
  }

  /// The same ports in each batch, and no page. The folder above them has been at rest for long enough that it proves
  /// the absence of their folders.
  private func nameFewPorts() throws {
    try database.sql("UPDATE cache_clearing_ports SET port = 'p' || id % 500")
    try database.sql("VACUUM FULL cache_clearing_ports")
    let changed = try Directory(root: FilePath(tree.fullPath("cache/ports/www"))).changeTime()
    try eventually("the folder is at rest") {
      currentTime() > changed + AbsentKeys.usualRest + 100_000_000
    }
  }

  @Test("a page that is made in a folder that was not there goes under the lock")
  func newFolder() throws {
    try nameFewPorts()
    let drain = try drain()
    #expect(try drain.step(queue, .whole) == .more)
    for port in ["p7", "p499"] { try writePage(of: port) }
    #expect(try drain.step(queue, .whole) == .more)
    #expect(try pages == [])
    try writePage(of: "p8")
    try drainAll(drain)
    #expect(try pages == [])
    #expect(drain.pages.tally.rows == Self.rows)
  }

  @Test("under another configuration, absent folders are looked for again")
  func newConfiguration() throws {
    try nameFewPorts()
    try tree.makeDirectory("cache/elsewhere/www")
    let drain = try drain()
    #expect(try drain.step(queue, .whole) == .more)
    // The same rows now mean pages in another place.
    let moved = try Layout.freshPorts.replacing(
      "ports", with: "elsewhere/{category}/{port}/{page...}")
    try tree.write("cache/elsewhere/www/p7/Detail.html", bytes: 1)
    drain.follow(try clearer(moved), .freshPorts(moved))
    try drainAll(drain)
    #expect(try pages == [])
    #expect(try queue.count() == 0)
  }

  @Test("after a writer held the queue, the batch is read again")
  func held() throws {
    let drain = try drain()
    #expect(try drain.step(queue, .whole) == .more)
    let writer = try database.session()
    try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (0, 'www', 'own')")
    for _ in 0..<3 { #expect(try drain.step(queue, .whole) == .contended) }
    try writePage(of: "own")
    try writePage(of: "p1001")
    try writer.sql("COMMIT")
    try drainAll(drain)
    #expect(try queue.count() == 0)
    #expect(try pages == [])
  }
}
