// SPDX-License-Identifier: BSD-2-Clause
//
// The daemon on a real PostgreSQL: the nine events under each shape of trigger, channels with
// hostile names, and the log's lines.

import Foundation
import Testing

@testable import TestSupport

@Suite struct ListenTests {
  @Test(
    "a change clears the port's page under every shape of trigger", arguments: TriggerShape.allCases
  )
  func change(shape: TriggerShape) throws {
    let database = try PostgresServer.shared.makeDatabase(shape: shape)
    let incident = try IncidentTree(ports: 3, days: 1)
    try incident.register(in: database)
    let listener = try Daemon.listen(on: incident.tree, database)
    try listener.waitForLog(containing: "drained: ")
    let port = incident.ports[0]
    #expect(incident.tree.exists(IncidentTree.portPages(port)[0]))

    _ = try database.sql("UPDATE ports SET version = '2.0' WHERE name = '\(port.port)'")

    try eventually("the page goes", details: "\(listener)") {
      !incident.tree.exists(IncidentTree.portPages(port)[0])
        && !incident.tree.exists(IncidentTree.categoryPage(port.category))
    }
    try eventually { try database.count("cache_clearing_ports") == 0 }
    #expect(incident.tree.exists(IncidentTree.portPages(incident.ports[1])[0]))
  }

  @Test(
    "an event without a queue empties the news, and packages_imported the packages instead",
    arguments: ["ports_moved", "ports_updating", "vuxml", "category_new", "packages_imported"])
  func eventsWithoutQueue(channel: String) throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    let listener = try Daemon.listen(on: tree, database)
    try listener.waitForLog(containing: "drained: ")
    let news = "news/news.rss2.0.head.xml"
    let packages = "packages/www/page.html"
    try tree.write(news, bytes: 1)
    try tree.write(packages, bytes: 1)
    let (gone, kept) = channel == "packages_imported" ? (packages, news) : (news, packages)

    _ = try database.sql("NOTIFY \(channel)")

    try eventually("\(gone) goes", details: "\(listener)") { !tree.exists(gone) }
    #expect(tree.exists(kept))
  }

  @Test("what only the start needed leaves the memory, and it goes on")
  func memory() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 1, days: 1)
    try incident.register(in: database)
    let listener = try Daemon.listen(on: incident.tree, database)
    try listener.waitForLog(containing: "drained: ")
    try eventually("code goes", details: "\(listener)") { try listener.residentCode() < 0.5 }
    let port = incident.ports[0]
    _ = try database.sql("UPDATE ports SET version = '2.0' WHERE name = '\(port.port)'")
    try eventually("the page goes", details: "\(listener)") {
      !incident.tree.exists(IncidentTree.portPages(port)[0])
    }
  }

  @Test("a channel with a hostile name is listened to; an unknown script_name stops nothing")
  func hostileChannel() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    _ = try database.sql(
      """
      CREATE TABLE x (); DELETE FROM listen_for WHERE script_name = 'listen_vuxml';
      INSERT INTO listen_for (name, script_name) VALUES
        ($$Robert'); DROP TABLE x;--$$, 'listen_vuxml'), ('odd "one"', 'listen_nonsense'),
        (repeat('l', 70), 'listen_ports_moved');
      """)
    let listener = try Daemon.listen(on: tree, database)
    try listener.waitForLog(containing: "drained: ")
    try listener.waitForLog(containing: "unknown script_name listen_nonsense")

    for channel in ["\"Robert'); DROP TABLE x;--\"", "\"\(String(repeating: "l", count: 63))\""] {
      try tree.write("news/news.rss2.0.head.xml", bytes: 1)
      _ = try database.sql("NOTIFY \"odd \"\"one\"\"\"; NOTIFY \(channel)")
      try eventually("the news goes for \(channel)", details: "\(listener)") {
        !tree.exists("news/news.rss2.0.head.xml")
      }
    }
    #expect(try database.sql("SELECT count(*) FROM x") == "0")
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test("the log says what it is ready for, and one line for a drain, not one for a file")
  func log() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 200, days: 5)
    try incident.queue(in: database)
    let listener = try Daemon.listen(on: incident.tree, database)
    try listener.waitForLog(containing: "drained: 205 rows")
    try listener.waitForLog(containing: "ready: listening on 9 channels: port_updated, ")
    let expected = ["drained: ", "ready: ", "running as root"]
    let others = listener.lines.filter { line in !expected.contains { line.contains($0) } }
    #expect(others == [], "\(listener)")
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
    #expect(listener.lines.last?.contains("stopping: ") == true, "\(listener)")
  }

  @Test("a configured folder that does not exist is told of at the start")
  func missingFolder() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    try tree.makeDirectory("cache/news")
    try tree.write(
      "fp-listen.ini",
      text: "[dirs]\nBASEDIR = \(tree.path)\nNEWS_CACHE_DIR = '%(BASEDIR)s/cache/new/*'\n")
    let result = try Command.fpcache(
      [
        "listen", "--once", "--config", tree.fullPath("fp-listen.ini"), "--dsn",
        database.listenerDSN,
      ], in: tree)
    #expect(result.status == 0, "\(result)")
    #expect(result.stderr.contains(", new, "), "\(result)")
  }

  @Test("a cache directory that is moved away and made anew: rows wait, and the new one is cleared")
  func replacedDirectory() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    let page = "cache/daily/2020/01/21.daily.head"
    try tree.write(page, bytes: 1)
    let listener = try Daemon(
      Command(
        try #require(Command.fpcacheExecutable),
        [
          "listen", "--cache-dir", tree.path + "/cache", "--dsn", database.listenerDSN,
          "--settle", "0", "--poll-interval", "0.2", "--state-dir", tree.path,
        ]))
    try listener.waitForLog(containing: "drained: ")
    #expect(rename(tree.path + "/cache", tree.path + "/old") == 0)
    _ = try database.sql(
      "INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21'); NOTIFY date_updated")
    try listener.waitForLog(containing: "rows stay in their queues until it is back")
    #expect(try database.count("cache_clearing_dates") == 1)

    try tree.write(page, bytes: 1)
    try eventually("the page in the new directory goes", details: "\(listener)") {
      try !tree.exists(page) && database.count("cache_clearing_dates") == 0
    }
    #expect(tree.exists("old/daily/2020/01/21.daily.head"))
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }
}
