// SPDX-License-Identifier: BSD-2-Clause
//
// A site without a trigger under load: writers whose transactions overlap and last, slow renders, a listener that is
// killed again and again, a server that is restarted. At rest no page may be stale.
//
// FPCACHE_RECHECK_LOAD=SECONDS runs it for so long, with transactions of up to 30 s.

import Foundation
import Synchronization
import Testing

@testable import TestSupport

@Suite struct RecheckLoadTests {
  private final class Load: Sendable {
    /// A session whose server was restarted under it may never say so.
    private static let patience = Duration.seconds(2)

    let site: ShopSite
    let skus: [String]
    let deadline: ContinuousClock.Instant
    let longest: Double
    private let isRendering = Mutex(true)
    private let running = Mutex(0)
    private let isRestarting = Mutex(false)

    init(_ site: ShopSite, _ skus: [String], for time: Duration, longest: Double) {
      self.site = site
      self.skus = skus
      self.longest = longest
      deadline = .now + time
    }

    var goesOn: Bool { ContinuousClock.now < deadline }

    var rendersOn: Bool { isRendering.withLock { $0 } }
    var threadsLeft: Int { running.withLock { $0 } }
    func stopRendering() { isRendering.withLock { $0 = false } }

    func start(_ body: @escaping @Sendable () -> Void) {
      running.withLock { $0 += 1 }
      Thread.detachNewThread {
        body()
        self.running.withLock { $0 -= 1 }
      }
    }

    func restartServer() throws {
      isRestarting.withLock { $0 = true }
      // Who has begun to connect shall not be left waiting for a server that is gone.
      usleep(200_000)
      try site.database.server.restart()
      isRestarting.withLock { $0 = false }
    }

    /// Does something on a session until there is no more to do; a new one where the server ended it.
    func onSession(while goesOn: KeyPath<Load, Bool>, _ body: (PsqlSession) throws -> Void) {
      while self[keyPath: goesOn] {
        let isAway = isRestarting.withLock { $0 }
        guard !isAway, let session = try? site.database.session() else {
          usleep(50_000)
          continue
        }
        do {
          while self[keyPath: goesOn] { try body(session) }
        } catch {}
      }
    }

    /// A writer of every so many products: two of them never wait for each other.
    func write(_ number: Int, of writers: Int, isLong: Bool) {
      let own = skus.indices.filter { $0 % writers == number }.map { skus[$0] }
      onSession(while: \.goesOn) { session in
        let chosen = (0..<(isLong ? 20 : 4)).map { _ in own.randomElement() ?? "" }
        let pause = isLong ? Double.random(in: 0...longest) : Double.random(in: 0...0.04)
        let left = max(0, ContinuousClock.now.duration(to: deadline).inSeconds)
        try session.begin(
          "BEGIN; \(ShopSite.update(chosen)); SELECT pg_sleep(\(min(pause, left))); COMMIT")
        try session.finish(timeout: .seconds(pause) + Self.patience)
      }
    }

    /// Renders what is not there, in up to 20 ms, from what is committed when it begins.
    func render(_ number: Int) {
      onSession(while: \.rendersOn) { session in
        guard let sku = skus.randomElement(), !site.has(sku) else {
          // Visitors come by the hundreds a second, and leave the processors to others.
          usleep(2000)
          return
        }
        try session.begin("SELECT price FROM products WHERE sku = '\(sku)'")
        let price = try session.finish(timeout: Self.patience)
        usleep(.random(in: 0...20_000))
        let page = site.tree.fullPath(ShopSite.page(sku))
        let new = site.tree.fullPath("cache/.\(number).new")
        try price.write(toFile: new, atomically: false, encoding: .utf8)
        rename(new, page)
      }
    }
  }

  @Test("no page is stale at rest, whatever was open, slow, killed or restarted")
  func load() throws {
    let seconds = ProcessInfo.processInfo.environment["FPCACHE_RECHECK_LOAD"].flatMap { Double($0) }
    let site = try ShopSite(
      listen: "RECHECK_OVERLAP = \(seconds == nil ? 10 : 60)", settle: 1, on: PostgresServer())
    let skus = (0..<1000).map { "p\($0)" }
    try site.stock(skus)
    let load = Load(
      site, skus, for: .seconds(seconds ?? 8), longest: seconds == nil ? 3 : 30)
    let (writers, renderers) = (6, 3)
    for number in 0..<writers {
      load.start { load.write(number, of: writers, isLong: number < 2) }
    }
    for number in 0..<renderers { load.start { load.render(number) } }
    var kills = 0
    var hasRestarted = false
    // On a slow machine, longer than the load.
    while load.goesOn || kills < 4 {
      let listener = try site.listen()
      // Not asleep as a task: on a busy pool of threads it would be woken minutes later, and the load go on.
      usleep(.random(in: 200_000...1_000_000))
      if load.goesOn || kills < 4 {
        listener.terminate(SIGKILL)
        _ = try listener.waitForExit()
        kills += 1
      }
      if !hasRestarted, kills == 3 {
        try load.restartServer()
        hasRestarted = true
      }
    }
    let listener = try site.listen()
    try eventually(timeout: .seconds(60), "the writers have ended") {
      load.threadsLeft <= renderers
    }
    // The last commit is seen by the next look, and what it cleared is cleared again a second later.
    try site.awaitLook("\(listener)")
    usleep(2_000_000)
    load.stopRendering()
    try eventually("the renderers have ended") { load.threadsLeft == 0 }
    let prices = try site.database.sql("SELECT sku || ' ' || price FROM products")
      .split(separator: "\n").map { $0.split(separator: " ") }
    var (pages, stale) = (0, 0)
    for row in prices where site.has(String(row[0])) {
      pages += 1
      let shown = try site.tree.read(ShopSite.page(String(row[0])))
      if shown.trimmingCharacters(in: .whitespacesAndNewlines) != row[1] { stale += 1 }
    }
    let changes = try site.database.sql("SELECT sum(price - 1) FROM products")
    print("recheck load: \(changes) changes, \(kills) kills, \(pages) pages, \(stale) stale")
    #expect(stale == 0, "\(stale) of \(pages) after \(changes) changes\n\(listener)")
    #expect(pages > 100 && kills > 1)
  }
}

extension Duration {
  fileprivate var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
