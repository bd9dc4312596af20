// SPDX-License-Identifier: BSD-2-Clause
//
// The events of cleared keys: which lines there are, that no row is deleted before its line is on the disk, and
// what happens while no line can be written.

import Foundation
import Testing
import fpcache

@testable import Listening
@testable import TestSupport

@Suite("Events") struct EventTests {
  private let database: TestDatabase
  private let incident: IncidentTree
  /// The state directory, with the events file.
  private let state: TemporaryTree

  init() throws {
    database = try PostgresServer.shared.makeDatabase()
    incident = try IncidentTree(ports: 20, days: 2)
    state = try TemporaryTree()
  }

  private func listen(
    _ arguments: [String] = ["--settle", "0.2"], events: String = "events",
    crashAt point: CrashPoint? = nil
  ) throws -> Daemon {
    try Daemon.listen(
      on: incident.tree, database, ["--events", state.fullPath(events)] + arguments,
      stateDirectory: state.path, environment: ["FPCACHE_CRASH_AT": point?.rawValue])
  }

  private func once(_ arguments: [String] = []) throws -> CommandResult {
    try Command.fpcache(
      [
        "listen", "--once", "--settle", "0.1", "--cache-dir", incident.tree.path, "--dsn",
        database.listenerDSN, "--state-dir", state.path, "--events", state.fullPath("events"),
      ] + arguments, in: incident.tree)
  }

  private func events(_ file: String = "events") throws -> [EventLine] {
    guard state.exists(file) else { return [] }
    return EventLine.all(in: try state.read(file)).events
  }

  /// The names of the keys that all queued rows ask for.
  private var wanted: Set<String> {
    Set(incident.ports.map { "ports category=\($0.category) port=\($0.port)" })
      .union(incident.categories.map { "categories category=\($0)" })
      .union(
        incident.days.map { day in
          let parts = day.split(separator: "-")
          return "daily day=\(parts[2]) month=\(parts[1]) year=\(parts[0])"
        })
  }

  private func waiting() throws -> Int {
    try database.count("cache_clearing_ports") + database.count("cache_clearing_dates")
  }

  /// The ports whose rows are gone.
  private func retired() throws -> Set<String> {
    let rows = Set(
      try database.sql("SELECT category || '/' || port FROM cache_clearing_ports")
        .split(separator: "\n").map(String.init))
    return Set(
      incident.ports.filter { !rows.contains($0.description) }
        .map { "ports category=\($0.category) port=\($0.port)" })
  }

  // MARK: Lines

  @Test("a line for each key: by a queue, by a drain's end, and again at the second clear")
  func lines() throws {
    try incident.queue(in: database)
    let listener = try listen()
    try eventually("each key is told twice", details: "\(listener)") {
      let settled = try events().filter { $0.reason == "settle" }.map(\.name)
      return Set(settled).isSuperset(of: wanted.union(["news"]))
    }
    let found = try events()
    let queued = found.filter { $0.reason == "queue" }
    #expect(Set(queued.map(\.name)) == wanted && queued.count == wanted.count, "\(found)")
    for event in queued {
      let isDay = event.family == "daily"
      #expect(event.queue == (isDay ? "cache_clearing_dates" : "cache_clearing_ports"))
      #expect(event.files == (event.family == "ports" ? 3 : 1), "\(event)")
    }
    #expect(found.contains { $0.reason == "empty" && $0.name == "news" && $0.queue == nil })
    #expect(found.allSatisfy { $0.reason != "settle" || $0.files == 0 })
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test("rows that a writer holds up are told meanwhile, once each, and again when they go")
  func held() throws {
    let listener = try listen()
    try listener.waitForLog(containing: "drained: ")
    let writer = try database.session()
    try writer.sql(
      "BEGIN; INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'www', 'his')")
    try incident.queue(in: database)
    try database.sql("NOTIFY port_updated")
    let ports = wanted.filter { !$0.hasPrefix("daily") }
    func told(_ reason: String) throws -> [String] {
      try events().filter { $0.reason == reason && $0.queue == "cache_clearing_ports" }.map(\.name)
    }
    try eventually("the rows are told", details: "\(listener)") {
      try ports.isSubset(of: told("waiting"))
    }
    #expect(try told("queue").isEmpty && database.count("cache_clearing_ports") == 20)
    // A row that comes meanwhile is told, too, and no other is told again.
    try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'www', 'late'); NOTIFY port_updated"
    )
    try eventually("the late row is told", details: "\(listener)") {
      try told("waiting").contains("ports category=www port=late")
    }
    #expect(try told("waiting").count { $0.hasPrefix("ports ") } == 21)
    try writer.sql("COMMIT")
    try eventually("all go and are told again", details: "\(listener)") {
      try database.count("cache_clearing_ports") == 0
        && ports.union(["ports category=www port=his"]).isSubset(of: told("queue"))
    }
  }

  @Test("what rechecks and scrubs clear is told, too")
  func looks() throws {
    let site = try ShopSite(listen: "RECHECK_INTERVAL = 0.2\nSCRUB_INTERVAL = 3600")
    try site.configure(
      listen: "RECHECK_INTERVAL = 0.2\nSCRUB_INTERVAL = 3600\n"
        + "EVENTS_FILE = \(site.tree.fullPath("events"))", skus: "port")
    try site.stock(["stale", "fresh"])
    try site.render(["fresh"])
    try site.plant(["stale", "gone"], hoursAgo: 48)
    let listener = try site.listen()
    func names(_ reason: String) throws -> Set<String> {
      guard site.tree.exists("events") else { return [] }
      return Set(
        EventLine.all(in: try site.tree.read("events")).events
          .filter { $0.reason == reason }.map(\.name))
    }
    try eventually("the scrub tells", details: "\(listener)") {
      try names("scrub").contains("products sku=gone")
    }
    try site.database.sql(ShopSite.update(["fresh"]))
    try eventually("the recheck tells", details: "\(listener)") {
      try names("recheck").contains("products sku=fresh")
        && names("settle").contains("products sku=fresh")
    }
  }

  // MARK: Crashes

  private static let steps: [CrashPoint] = [
    .selected, .cleared, .locked, .clearedAgain, .eventsTorn, .eventsWritten, .settled, .retired,
    .finished, .settledAgain,
  ]

  @Test(
    "killed at a step: each deleted row has its line, and after a restart each key has one",
    .enabled(if: hasCrashPoints, "crash points are in debug builds only"), arguments: steps)
  func killed(_ step: CrashPoint) throws {
    try incident.queue(in: database)
    let doomed = try listen(crashAt: step)
    #expect(try doomed.waitForExit(timeout: .seconds(20)).exit == .signal(9), "\(step)")
    let told = Set(try events().map(\.name))
    #expect(try retired().subtracting(told) == [], "\(step)")
    if step == .eventsTorn { #expect(try !state.read("events").hasSuffix("\n")) }

    let listener = try listen()
    try eventually("all is told after \(step)", details: "\(listener)") {
      let settled = Set(try events().filter { $0.reason == "settle" }.map(\.name))
      return try waiting() == 0 && settled.isSuperset(of: wanted)
    }
    let (found, others) = EventLine.all(in: try state.read("events"))
    #expect(Set(found.map(\.name)).isSuperset(of: wanted), "\(step)")
    #expect(others == (step == .eventsTorn ? 1 : 0), "\(step)")
  }

  @Test(
    "killed again and again while rows come: no key is lost, and no line is torn but the last of a run"
  )
  func killedAtRandom() throws {
    var generator = SystemRandomNumberGenerator()
    var names: Set<String> = []
    func size() -> Int { (try? state.read("events").utf8.count) ?? 0 }
    for round in 0..<8 {
      let rows = (0..<150).map { "(1, 'www', 'r\(round)p\($0)')" }
      for number in 0..<150 { names.insert("ports category=www port=r\(round)p\(number)") }
      let doomed = try listen(["--settle", "0.05"])
      try doomed.waitForLog(containing: "ready: ")
      // Several drains, so that it may die in each part of one.
      for part in 0..<3 {
        try database.sql(
          "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES "
            + rows[part * 50..<(part + 1) * 50].joined(separator: ", ") + "; NOTIFY port_updated")
      }
      let fatal = size() + Int.random(in: 0...40_000, using: &generator)
      try eventually("it has written some of it, or all", details: "\(doomed)") {
        try size() >= fatal || database.count("cache_clearing_ports") == 0
      }
      doomed.terminate(SIGKILL)
      _ = try doomed.waitForExit()
      let left = Set(
        try database.sql("SELECT port FROM cache_clearing_ports").split(separator: "\n")
          .map { "ports category=www port=\($0)" })
      let told = Set(try events().map(\.name))
      #expect(names.subtracting(left).subtracting(told) == [], "round \(round)")
    }
    let last = try listen(["--settle", "0.05"])
    try eventually("the rest is told", details: "\(last)") {
      try waiting() == 0 && names.isSubset(of: Set(events().map(\.name)))
    }
    #expect(EventLine.all(in: try state.read("events")).others <= 8)
  }

  // MARK: When it cannot be written

  @Test("without its folder: pages go, rows stay, one line says so; later all is told")
  func noFolder() throws {
    try incident.queue(in: database)
    let status = state.fullPath("status.json")
    let listener = try listen(
      ["--settle", "0.2", "--status-file", status], events: "folder/events")
    try eventually("the pages are gone", details: "\(listener)") {
      try incident.remainingPages().isEmpty
    }
    try listener.waitForLog(containing: "the events of the rest cannot be written")
    #expect(try waiting() == 22)
    // A change meanwhile is cleared, too.
    let page = IncidentTree.portPages(incident.ports[3])[0]
    try incident.tree.write(page, bytes: 9)
    try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (999, 'www', 'new'); NOTIFY port_updated"
    )
    try eventually("the page goes again", details: "\(listener)") { !incident.tree.exists(page) }
    try eventually("the status file says why") {
      try state.exists("status.json")
        && state.read("status.json").contains(#""problem":"No such file or directory""#)
    }
    let seen = try Command.fpcache(
      ["status", "--dsn", database.listenerDSN, "--status-file", status], in: incident.tree)
    #expect(
      seen.status == 1
        && seen.stdout.contains("the listener cannot write its events file, so rows stay"),
      "\(seen)")
    #expect(listener.lines.count { $0.contains("events file ") } == 1, "\(listener)")

    try state.makeDirectory("folder")
    try eventually("all is told", details: "\(listener)") {
      try waiting() == 0
        && Set(events("folder/events").map(\.name)).isSuperset(
          of: wanted.union(["news", "ports category=www port=new"]))
    }
    try listener.waitForLog(containing: "can be written again")
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test(
    "a full disk: pages go and rows stay until there is space", .enabled(if: PrivateMount.isAllowed)
  )
  func fullDisk() throws {
    try incident.queue(in: database)
    try state.makeDirectory("small")
    var command = Command(
      try Command.fpcachePath(),
      [
        "listen", "--cache-dir", incident.tree.path, "--dsn", database.listenerDSN, "--settle", "0",
        "--state-dir", state.path, "--events", state.fullPath("small/events"),
      ])
    command.tree = incident.tree
    // Hardly a page of it is left.
    let listener = try Daemon(
      command.mounting(
        [.memory(at: state.fullPath("small"), size: 131_072)],
        then: "head -c 126000 /dev/zero >\(state.fullPath("small/other"))"))
    try listener.waitForLog(containing: "No space left on device; pages are cleared")
    try eventually("the pages are gone", details: "\(listener)") {
      try incident.remainingPages().isEmpty
    }
    #expect(try waiting() > 0)
    let place = "/proc/\(listener.pid)/root" + state.fullPath("small/")
    try #require(truncate(place + "other", 0) == 0)
    try #require(unlink(place + "events") == 0)
    try listener.waitForLog(containing: "can be written again")
    try eventually("the rows go", details: "\(listener)") { try waiting() == 0 }
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
  }

  @Test("--once: without its events a row stays, and that is an error; -n writes none")
  func singleRun() throws {
    try incident.queue(in: database)
    try state.makeDirectory("events")
    let blocked = try once()
    #expect(try blocked.status == 1 && incident.remainingPages().isEmpty, "\(blocked)")
    #expect(
      blocked.stdout.contains(
        "; no events could be written for cache_clearing_ports, cache_clearing_dates, whose rows stay"
      ),
      "\(blocked)")
    #expect(try waiting() == 22)
    state.remove("events")
    #expect(try once(["-n"]).status == 0 && !state.exists("events"))
    let done = try once()
    #expect(done.status == 0, "\(done)")
    #expect(try waiting() == 0)
    let found = try events()
    #expect(Set(found.map(\.name)).isSuperset(of: wanted.union(["news"])), "\(found)")
    #expect(found.contains { $0.reason == "settle" })
  }

  // MARK: The file

  @Test("rotation: after SIGHUP the lines go to a new file of the old name")
  func rotation() throws {
    let listener = try listen()
    try listener.waitForLog(containing: "drained: ")
    func change(_ port: String) throws {
      try database.sql(
        "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'www', '\(port)'); NOTIFY port_updated"
      )
    }
    func has(_ port: String, _ file: String) throws -> Bool {
      try events(file).contains { $0.key["port"] == port && $0.reason == "queue" }
    }
    try change("one")
    try eventually("one is told", details: "\(listener)") { try has("one", "events") }
    try #require(rename(state.fullPath("events"), state.fullPath("events.1")) == 0)
    try change("two")
    try eventually("two is told in the renamed file") { try has("two", "events.1") }
    listener.terminate(SIGHUP)
    try eventually("there is a new file", details: "\(listener)") { state.exists("events") }
    try change("three")
    try eventually("three is told in the new file", details: "\(listener)") {
      try has("three", "events")
    }
    #expect(try !has("three", "events.1"))
  }

  @Test("inside the cache directory: refused, and nothing is created")
  func inside() throws {
    let path = incident.tree.fullPath("news/events")
    let result = try Command.fpcache(
      [
        "listen", "--once", "--cache-dir", incident.tree.path, "--dsn", database.listenerDSN,
        "--state-dir", state.path, "--events", path,
      ], in: incident.tree)
    #expect(result.status == 78 && !incident.tree.exists("news/events"), "\(result)")
    #expect(result.stderr.contains("events file \(path): is inside the cache directory"))
  }

  // MARK: Nodes

  @Test("a node tells of what it clears; a row without its line is owed until it has one")
  func node() throws {
    try database.prepareForNodes()
    let listener = try listen(["--node", "web1", "--settle", "0"], events: "folder/events")
    try listener.waitForLog(containing: "emptied its cache")
    try incident.queue(in: database)
    try database.sql("NOTIFY port_updated; NOTIFY date_updated")
    try eventually("the rows are moved and passed", details: "\(listener)") {
      try waiting() == 0 && database.lag(of: "web1") == 0 && database.count("fpcache_owed") == 22
    }
    try state.makeDirectory("folder")
    try eventually("all is told", details: "\(listener)") {
      try database.count("fpcache_owed") == 0
        && Set(events("folder/events").map(\.name)).isSuperset(of: wanted)
    }
    let queues = Set(try events("folder/events").compactMap(\.queue))
    #expect(queues == ["cache_clearing_ports", "cache_clearing_dates"])
  }
}
