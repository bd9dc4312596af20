// A pass over a queue whose next rows are read while the ones before them are served: what becomes
// of those that change meanwhile. Batch by batch, by hand.

import CacheFS
import Logging
import PGQueue
import SystemPackage
import Testing

@testable import TestSupport
@testable import fpcache

@Suite struct DrainPassTests {
  private static let ports = 1500
  private let database: TestDatabase
  private let tree: TemporaryTree
  private let connection: Connection
  private let queue: Queue

  init() throws {
    tree = try TemporaryTree()
    database = try PostgresServer.shared.makeDatabase(shape: .plain)
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port)
        SELECT i, 'www', 'p' || i FROM generate_series(1, \(Self.ports)) i
      """)
    connection = try Self.connect(database)
    queue = Queue(.ports, on: connection)
  }

  private static func connect(_ database: TestDatabase) throws -> Connection {
    try Connection(ConnectionParameters([("dbname", database.listenerDSN)]))
  }

  private func clearer(_ layout: Layout) throws -> Clearer {
    Clearer(try Directory(root: FilePath(tree.path)), layout: layout)
  }

  /// A drain that has served the first thousand rows and read the others.
  private func begun() throws -> Drain {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let drain = Drain(try clearer(.freshPorts), .freshPorts(.freshPorts), nil, logger)
    #expect(try drain.step(queue, .whole) == .more)
    #expect(try queue.count() == Self.ports - BatchSize.least)
    return drain
  }

  @Test("rows that were read ahead and are gone when their turn comes are not counted")
  func gone() throws {
    let drain = try begun()
    try database.sql("DELETE FROM cache_clearing_ports WHERE id BETWEEN 1001 AND 1200")
    #expect(try drain.step(queue, .whole) == .drained(retryAfter: nil))
    #expect(try queue.count() == 0)
    #expect(drain.tally.rows == Self.ports - 200)
  }

  @Test("rows that came after the last were read are the next pass's")
  func come() throws {
    let drain = try begun()
    try tree.write("ports/www/late/Detail.html", bytes: 1)
    try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (0, 'www', 'late')")
    #expect(try drain.step(queue, .whole) == .drained(retryAfter: nil))
    #expect(try queue.count() == 1)
    #expect(try drain.step(queue, .whole) == .drained(retryAfter: nil))
    #expect(try queue.count() == 0)
    #expect(try tree.files() == [])
    #expect(drain.tally.rows == Self.ports + 1)
  }

  @Test("rows that were read ahead are cleared by the rules that hold when their turn comes")
  func reloaded() throws {
    let drain = try begun()
    try tree.write("shown/www/p1400.html", bytes: 1)
    try tree.write("ports/www/p1400/Detail.html", bytes: 1)
    let text = """
      [layout]
      shown = shown/{category}/{port}.html
      [queues]
      cache_clearing_ports = shown(category, port)

      """
    let site = try SiteConfiguration(Array(text.utf8), file: "f.ini")
      .site(effectiveDirectory: tree.path)
    drain.follow(try clearer(site.layout), site.rules)
    #expect(try drain.step(queue, .whole) == .drained(retryAfter: nil))
    #expect(try queue.count() == 0)
    #expect(try tree.files() == ["ports/www/p1400/Detail.html"])
  }

  @Test("a connection that is lost meanwhile forgets what was read ahead")
  func lost() throws {
    let drain = try begun()
    try database.sql("SELECT pg_terminate_backend(\(connection.backend))")
    #expect(throws: DatabaseError.self) { try drain.step(queue, .whole) }
    drain.reset()
    let again = Queue(.ports, on: try Self.connect(database))
    #expect(try drain.step(again, .whole) == .drained(retryAfter: nil))
    #expect(try again.count() == 0)
    #expect(drain.tally.rows == Self.ports)
  }
}
