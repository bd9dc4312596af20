// What nodes cost the database: so many listeners on one server, changes at so many a second, and
// how much processor time server and listeners take for them, how often rows are moved, and how
// long a page stays on the last of the nodes. The first line has one listener without --node.

import ArgumentParser
import Foundation
import PGQueue
import TestSupport

struct Scale: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What 2, 10, 50 nodes cost the database, at several rates of changes.")

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("How many nodes; 0 is one listener without --node.", valueName: "n"))
  var nodes: [Int] = [0, 1, 2, 10, 50]
  @Option(
    help: ArgumentHelp(
      "Changes a second; 0 is none at all, -1 as many as the writers can.", valueName: "r"))
  var rate: [Int] = [0, 1, 10, 100, -1]
  @Option(help: "How long each is measured.") var seconds = 10.0
  @Option(help: "What the choices grow from.") var seed: UInt64 = 1

  func validate() throws {
    guard nodes.allSatisfy({ 0...400 ~= $0 }), rate.allSatisfy({ -1...10_000 ~= $0 }), seconds > 0
    else {
      throw ValidationError(
        "expected --nodes from 0 to 400, --rate from -1 to 10000, --seconds above 0")
    }
  }

  func run() throws {
    print(ScaleRow.heading)
    for nodes in nodes {
      let run = try ScaleRun(nodes: nodes, seed: seed)
      try run.start()
      for rate in rate { print(try run.measure(rate: rate, seconds: seconds).line) }
      try run.stop()
    }
  }
}

/// A line of the table.
private struct ScaleRow {
  var nodes: Int
  var rate: Int
  var seconds: Double
  var changes: Int
  var moved: Int
  var statements: Int
  var serverTime: Double
  var listenerTime: Double
  /// From a COMMIT to the page gone on the last node, in milliseconds, sorted.
  var delays: [Double]

  private static let columns: [(name: String, width: Int)] = [
    ("nodes", 5), ("asked/s", 7), ("changes/s", 9), ("rows/s", 6), ("xacts/s", 8),
    ("server %", 8), ("ms/change", 9), ("listener %", 10), ("gone: median", 12), ("most", 7),
  ]

  static var heading: String { columns.map { pad($0.name, $0.width) }.joined(separator: "  ") }

  var line: String {
    let perChange = changes > 0 ? text(serverTime * 1000 / Double(changes), 2) : "-"
    let values = [
      nodes == 0 ? "none" : "\(nodes)", rate < 0 ? "most" : "\(rate)",
      text(Double(changes) / seconds, 1), text(Double(moved) / seconds, 1),
      text(Double(statements) / seconds, 1), text(serverTime * 100 / seconds, 1), perChange,
      text(listenerTime * 100 / seconds / Double(max(1, nodes)), 2),
      delays.isEmpty ? "-" : "\(text(delays[delays.count / 2], 1)) ms",
      delays.last.map { "\(text($0, 0)) ms" } ?? "-",
    ]
    return zip(values, Self.columns).map { pad($0, $1.width) }.joined(separator: "  ")
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
    let after = try sample()
    return ScaleRow(
      nodes: count, rate: rate, seconds: time, changes: after.changes - before.changes,
      moved: after.last - before.last, statements: after.statements - before.statements,
      serverTime: after.server - before.server, listenerTime: after.listeners - before.listeners,
      delays: delays.sorted())
  }

  /// Changes a port that is nobody else's and waits until its page is gone everywhere.
  /// - Returns: milliseconds from the COMMIT.
  private func probe() throws -> Double {
    let port = HotPort(category: "stress", name: "probe")
    for tree in site.trees { try tree.write(port.pagePath, bytes: 100) }
    _ = try session.insist { try $0.query(Site.change(port)) }
    deeds.committed()
    let committed = ContinuousClock.now
    try eventually(timeout: .seconds(60), "the page is gone everywhere") {
      site.trees.allSatisfy { !$0.exists(port.pagePath) }
    }
    return committed.duration(to: .now).seconds * 1000
  }

  private struct Counters {
    var changes = 0
    var last = 0
    var statements = 0
    var server = 0.0
    var listeners = 0.0
  }

  private func sample() throws -> Counters {
    var counters = Counters(changes: deeds.changes)
    let numbers = try site.database.sql(
      """
      SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database();
      SELECT \(count > 0 ? "last_id FROM fpcache_head" : "0")
      """
    ).split(separator: "\n").compactMap { Int($0) }
    (counters.statements, counters.last) = (numbers.first ?? 0, numbers.last ?? 0)
    counters.server = try ProcessTime.ofTree(server.processID)
    counters.listeners = listeners.reduce(0) { $0 + (ProcessTime.of($1.pid) ?? 0) }
    return counters
  }
}

/// Processor time from /proc/PID/stat (proc(5)), in seconds.
private enum ProcessTime {
  static func of(_ pid: pid_t) -> Double? { fields(pid).map { sum($0, 11...12) } }

  /// A process, its children that are there, and those that it has waited for.
  static func ofTree(_ pid: pid_t) throws -> Double {
    guard let own = fields(pid) else { throw SupportError("no /proc/\(pid)/stat") }
    let names = try FileManager.default.contentsOfDirectory(atPath: "/proc")
    let children = names.compactMap { pid_t($0) }.compactMap(fields).filter { $0[1] == "\(pid)" }
    return children.reduce(sum(own, 11...14)) { $0 + sum($1, 11...12) }
  }

  /// What follows the name in parentheses: state, parent, ...; utime is the twelfth.
  private static func fields(_ pid: pid_t) -> [Substring]? {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 14 ? fields : nil
  }

  private static func sum(_ fields: [Substring], _ range: ClosedRange<Int>) -> Double {
    range.reduce(0) { $0 + (Double(fields[$1]) ?? 0) } / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
