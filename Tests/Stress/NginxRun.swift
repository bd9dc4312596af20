// SPDX-License-Identifier: BSD-2-Clause
//
// A cell of nginx's table at work.

import Foundation
import PGQueue
import Synchronization
import TestSupport

/// Sessions that the application's threads share: one for each that is at work.
private final class SessionPool: @unchecked Sendable {
  // Safe: the list is read and written under the lock, and each session is one thread's at a time.
  private var free: [Session] = []
  private let lock = NSLock()
  private let dsn: String

  init(_ dsn: String) { self.dsn = dsn }

  func with<Value>(_ body: (Session) throws -> Value) rethrows -> Value {
    let session = lock.withLock { free.popLast() } ?? Session(dsn)
    defer { lock.withLock { free.append(session) } }
    return try body(session)
  }
}

final class NginxRun {
  private let cell: NginxCell
  private let rounds: Int
  private let site: NginxSite
  private let pages: HotPages
  private let application: UnixApplication
  private let nginx: NginxServer
  private let listener: FpcacheSubject
  private let session: Session
  private let deeds = NginxDeeds()
  private let seed: UInt64
  private var random: SeededGenerator
  private var result = NginxResult()

  /// How long a render takes beside its query, in milliseconds.
  private static let render = 20.0...100.0
  /// How long writers write before all comes to rest, in milliseconds.
  private static let burst = 100.0...250.0

  init(_ cell: NginxCell, rounds: Int, seed: UInt64) throws {
    self.cell = cell
    self.rounds = rounds
    self.seed = seed
    pages = HotPages(vary: cell.vary)
    random = SeededGenerator(seed, stream: 0)
    site = try NginxSite(vary: cell.vary, pages: pages.paths)
    application = try Self.application(site, cell, deeds, seed)
    nginx = try NginxServer(site.tree, before: application)
    listener = try FpcacheSubject(
      site.database, site.tree, ["--config", site.configuration],
      settle: .milliseconds(Int64(cell.settle * 1000)), as: .unprivileged)
    session = Session(site.database.dsn)
  }

  /// Asks the database in one snapshot, takes its time, and answers.
  private static func application(
    _ site: NginxSite, _ cell: NginxCell, _ deeds: NginxDeeds, _ seed: UInt64
  ) throws -> UnixApplication {
    let pool = SessionPool(site.database.dsn)
    let random = Mutex(SeededGenerator(seed, stream: 300))
    return try UnixApplication { path in
      let began = ContinuousClock.now
      let found: String?? = try? pool.with { session in
        try session.perform { try $0.query(HotPages.query(path)).text(0, 0) ?? "" }
      }
      guard let found, let version = found else { return nil }
      pause(random.withLock { $0.duration(milliseconds: render) })
      deeds.rendered(in: began.duration(to: .now))
      return UnixApplication.Answer(version, headers: cell.vary ? ["Vary": "X-Colour"] : [:])
    }
  }

  func run() throws -> NginxResult {
    let (site, nginx, pages, deeds, seed) = (
      self.site, self.nginx, self.pages, self.deeds, self.seed
    )
    let writers = Crew(4) {
      NginxWriter(site, pages, deeds, SeededGenerator(seed, stream: 100 + $0))
    }
    let visitors = Crew(4) {
      NginxVisitor(nginx, pages, deeds, SeededGenerator(seed, stream: 200 + $0))
    }
    defer {
      writers.dismiss()
      visitors.dismiss()
    }
    try listener.start()
    while result.rounds < rounds {
      try playRound(writers, visitors)
      guard result.voidRounds <= rounds else {
        throw SupportError("\(cell.name): every other render takes longer than the settle time")
      }
    }
    try listener.stop()
    let counts = deeds.all
    (result.changes, result.renders) = (counts.changes, counts.renders)
    (result.requests, result.requestHits) = (counts.requests, counts.hits)
    result.complaints = ["[crit]", "[emerg]", "[alert]"].flatMap(nginx.log).filter {
      !$0.contains("exited on signal 9")
    }
    return result
  }

  private func playRound(_ writers: Crew, _ visitors: Crew) throws {
    visitors.work()
    writers.work()
    let length = random.duration(milliseconds: Self.burst)
    let first = length * Double.random(in: 0..<1, using: &random)
    pause(first)
    try kill()
    pause(length - first)
    try writers.rest()
    // And every other time once more, while keys wait to be cleared again.
    if Bool.random(using: &random) {
      pause(.milliseconds(Int64(cell.settle * 1000)) * Double.random(in: 0..<1, using: &random))
      try kill()
    }
    // Visitors go on until the listener has nothing left to do.
    try eventually(timeout: .seconds(60), "\(cell.name) comes to rest", details: listener.log) {
      let rows = try session.insist { try $0.query("SELECT count(*) FROM page_changes").text(0, 0) }
      return try rows == "0" && listener.isSettled
    }
    try visitors.rest()
    let slowest = deeds.takeSlowest()
    let found = try inspect()
    if cell.settle > 0, slowest.seconds >= cell.settle {
      result.voidRounds += 1
      return
    }
    result.rounds += 1
    result.judged += found.judged
    result.hits += found.hits
    result.stale += found.stale
  }

  private func kill() throws {
    switch cell.victim {
    case .nobody: return
    case .listener: try listener.killAndRestart()
    case .worker: nginx.killWorker()
    }
    result.kills += 1
  }

  /// Asks for each page once more. What is stale is cleared, or it would be stale in the next round too.
  private func inspect() throws -> (judged: Int, hits: Int, stale: [String]) {
    var found: (judged: Int, hits: Int, stale: [String]) = (0, 0, [])
    for page in pages.all {
      let query = HotPages.query(page.path)
      let wanted = try session.insist { try $0.query(query).text(0, 0) }
      let response = try nginx.get(page.path, headers: page.headers)
      found.judged += 1
      guard response.headers["x-cache"] == "HIT" else { continue }
      found.hits += 1
      guard response.body != wanted else { continue }
      found.stale.append(
        "\(page.path): version \(response.body), the database has \(wanted ?? "none")")
      let key = "key=\(NginxServer.key(page.path))"
      _ = try Command.fpcache(["clear", "pages", key] + site.options, as: .unprivileged)
    }
    return found
  }
}
