// SPDX-License-Identifier: BSD-2-Clause
//
// What nodes cost the database: so many listeners on one server, changes at so many a second, and
// what server and listeners do for them (ScaleCounters.swift), and how long a page stays on the last
// of the nodes. The first line has one listener without --node. docs/internals/scaling.md reads the table.

import ArgumentParser
import Foundation
import PGQueue
import TestSupport

struct Scale: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What 2, 10, 50, 200 nodes cost the database, at several rates of changes.",
    discussion: """
      Percentages are of one processor. "others" is what this machine did besides: repeat a line \
      where that is much. "wakes" counts how often the server put one of the nodes' backends to work.
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("How many nodes; 0 is one listener without --node.", valueName: "n"))
  var nodes: [Int] = [0, 1, 2, 10, 50, 200]
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Changes a second; 0 is none at all, -1 as many as the writers can.", valueName: "r"))
  var rate: [Int] = [0, 1, 20, 200]
  @Option(help: "How long each is measured.") var seconds = 10.0
  @Option(help: "What the choices grow from.") var seed: UInt64 = 1

  func validate() throws {
    guard nodes.allSatisfy({ 0...1000 ~= $0 }), rate.allSatisfy({ -1...10_000 ~= $0 }), seconds > 0
    else {
      throw ValidationError(
        "expected --nodes from 0 to 1000, --rate from -1 to 10000, --seconds above 0")
    }
  }

  func run() throws {
    tell(ScaleRow.heading)
    for nodes in nodes {
      let run = try ScaleRun(nodes: nodes, seed: seed)
      try run.start()
      for rate in rate { tell(try run.measure(rate: rate, seconds: seconds).line) }
      try run.stop()
    }
  }

  /// At once, into a file too: a long run shows how far it is.
  private func tell(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }
}

/// A line of the table.
private struct ScaleRow {
  var nodes: Int
  var rate: Int
  var seconds: Double
  /// What was counted meanwhile.
  var did: ScaleCounters
  /// From a COMMIT to the page gone on the last node, in milliseconds, sorted.
  var delays: [Double]

  private static let columns: [(name: String, width: Int)] = [
    ("nodes", 5), ("asked/s", 7), ("changes/s", 9), ("moves/s", 7), ("cursors/s", 9),
    ("xacts/s", 7), ("WAL kB/s", 8), ("wakes/s", 7), ("nodes' backends %", 17),
    ("rest of server %", 16), ("listeners %", 11), ("others %", 8), ("gone: median", 12),
    ("most", 8),
  ]

  static var heading: String { columns.map { pad($0.name, $0.width) }.joined(separator: "  ") }

  var line: String {
    let values = [
      nodes == 0 ? "none" : "\(nodes)", rate < 0 ? "most" : "\(rate)",
      perSecond(Double(did.changes), 1), perSecond(Double(did.moves), 1),
      perSecond(Double(did.cursors), 1), perSecond(Double(did.transactions), 0),
      perSecond(Double(did.walBytes) / 1000, 1), perSecond(Double(did.wakes), 0),
      perSecond(did.backendTime * 100, 1), perSecond((did.serverTime - did.backendTime) * 100, 1),
      perSecond(did.listenerTime * 100, 1),
      perSecond((did.busyTime - did.serverTime - did.listenerTime - did.ownTime) * 100, 0),
      delays.isEmpty ? "-" : "\(text(delays[delays.count / 2], 1)) ms",
      delays.last.map { "\(text($0, 0)) ms" } ?? "-",
    ]
    return zip(values, Self.columns).map { pad($0, $1.width) }.joined(separator: "  ")
  }

  private func perSecond(_ number: Double, _ digits: Int) -> String {
    text(number / seconds, digits)
  }

  private func text(_ number: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", number)
  }
}

/// A server with its nodes.
private final class ScaleRun {
  private static let writers = 8
  /// How often a page's way is looked at, besides the load: at no fixed interval, so that it does not
  /// fall into step with the listener's.
  private static let probeMilliseconds = 200.0...800.0

  private let count: Int
  private let seed: UInt64
  private let server: PostgresServer
  private let site: Site
  private let session: Session
  private var listeners: [Daemon] = []
  private let deeds = Deeds()

  init(nodes: Int, seed: UInt64) throws {
    count = nodes
    self.seed = seed
    server = try PostgresServer(
      durability: .synced,
      settings: ["max_connections": "\(3 * nodes + 60)", "shared_buffers": "128MB"])
    site = try Site(server.makeDatabase(), ports: 64, nodes: max(1, nodes))
    session = Session(site.database.dsn)
    try site.database.sql(
      "INSERT INTO ports (category_id, name, version) VALUES (1, 'probe', '1')")
  }

  func start() throws {
    if count > 0 { try site.database.prepareForNodes() }
    for (index, tree) in site.trees.enumerated() {
      let arguments = count > 0 ? ["--node", "web\(index + 1)"] : []
      listeners.append(try Daemon.listen(on: tree, site.database, ["--settle", "5"] + arguments))
    }
    for listener in listeners {
      try listener.waitForLog(containing: "drained: ", timeout: .seconds(120))
    }
    // A first change, so that one of the nodes is the one that moves rows.
    if count > 0 { _ = try probe() }
    // What each does once, after its start, is over.
    pause(.seconds(3))
  }

  func stop() throws {
    for listener in listeners { listener.terminate() }
    for listener in listeners { try listener.waitForExit(timeout: .seconds(60)) }
    try server.stop(.fast)
  }

  func measure(rate: Int, seconds: Double) throws -> ScaleRow {
    let (site, deeds, seed) = (site, deeds, seed)
    let pace: Duration = rate <= 0 ? .zero : .seconds(Double(Self.writers) / Double(rate))
    let writers = Crew(rate == 0 ? 0 : Self.writers) {
      Writer(
        site, deeds, pace: pace, hold: rate < 0 ? 0...0 : 0...2,
        SeededGenerator(seed, stream: 100 + $0))
    }
    defer { writers.dismiss() }
    let before = try sample()
    let began = ContinuousClock.now
    var delays: [Double] = []
    var random = SeededGenerator(seed, stream: 1)
    writers.work()
    while began.duration(to: .now) < .seconds(seconds) {
      if rate != 0 { delays.append(try probe()) }
      pause(random.duration(milliseconds: Self.probeMilliseconds))
    }
    try writers.rest()
    let time = began.duration(to: .now).seconds
    return ScaleRow(
      nodes: count, rate: rate, seconds: time, did: try sample() - before, delays: delays.sorted())
  }

  /// Changes a port that is nobody else's and waits until its page is gone everywhere.
  /// - Returns: milliseconds from the COMMIT.
  private func probe() throws -> Double {
    let port = HotPort(category: "stress", name: "probe")
    for tree in site.trees { try tree.write(port.pagePath, bytes: 100) }
    _ = try session.insist { try $0.query(Site.change(port)) }
    deeds.committed()
    let committed = ContinuousClock.now
    for tree in site.trees {
      while tree.exists(port.pagePath) {
        guard committed.duration(to: .now) < .seconds(60) else {
          throw SupportError("the page is not gone everywhere after a minute")
        }
        pause(.microseconds(300))
      }
    }
    return committed.duration(to: .now).seconds * 1000
  }

  private func sample() throws -> ScaleCounters {
    try ScaleCounters(session, server, listeners, changes: deeds.changes)
  }
}
