// SPDX-License-Identifier: BSD-2-Clause
//
// A site without a trigger under load: writers with long, overlapping transactions, slow renders, a cache keeper that
// is killed again and again, and a server that is restarted. At rest no page may be stale.

import Foundation
import Synchronization

/// The program that keeps a shop's pages current: fpcache, or a program to compare it with.
public protocol ShopKeeper: AnyObject {
  /// Ends it without warning.
  func kill() throws
  /// Waits until it has finished a look for changes that began after this call.
  func awaitLook() throws
}

/// `fpcache listen`.
public final class FpcacheKeeper: ShopKeeper, CustomStringConvertible {
  private let site: ShopSite
  private let daemon: Daemon

  public init(_ site: ShopSite) throws {
    self.site = site
    daemon = try site.listen()
  }

  public func kill() throws {
    daemon.terminate(SIGKILL)
    _ = try daemon.waitForExit()
  }

  public func awaitLook() throws { try site.awaitLook("\(daemon)") }
  public var description: String { "\(daemon)" }
}

/// The load, and its result.
public final class RecheckLoad: Sendable {
  public struct Result: Sendable, CustomStringConvertible {
    public var changes = 0
    public var kills = 0
    public var pages = 0
    public var stale = 0
    public var description: String {
      "\(changes) changes, \(kills) kills, \(pages) pages, \(stale) stale"
    }
  }

  /// A session may never report that its server was restarted, so waiting for it has a limit.
  private static let patience = Duration.seconds(2)
  private static let (writers, renderers) = (6, 3)
  private static let leastKills = 4

  public let site: ShopSite
  private let skus: [String]
  private let deadline: ContinuousClock.Instant
  private let longest: Double
  private let isRendering = Mutex(true)
  private let running = Mutex(0)
  private let isRestarting = Mutex(false)

  /// - Parameters:
  ///   - time: how long the writers write.
  ///   - longest: the longest duration of a transaction, in seconds.
  public init(for time: Duration, longest: Double) throws {
    let site = try ShopSite(
      listen: "RECHECK_OVERLAP = \(longest * 3)", settle: 1, on: PostgresServer())
    let skus = (0..<1000).map { "p\($0)" }
    try site.stock(skus)
    (self.site, self.skus, self.longest) = (site, skus, longest)
    deadline = .now + time
  }

  private var goesOn: Bool { ContinuousClock.now < deadline }
  private var rendersOn: Bool { isRendering.withLock { $0 } }
  private var threadsLeft: Int { running.withLock { $0 } }

  private func start(_ body: @escaping @Sendable () -> Void) {
    running.withLock { $0 += 1 }
    Thread.detachNewThread {
      body()
      self.running.withLock { $0 -= 1 }
    }
  }

  private func restartServer() throws {
    isRestarting.withLock { $0 = true }
    // A client that has begun to connect must not wait for a server that is gone.
    usleep(200_000)
    try site.database.server.restart()
    isRestarting.withLock { $0 = false }
  }

  /// Does something on a session until the work is done. Opens a new session when the server has ended the old one.
  private func onSession(
    while goesOn: KeyPath<RecheckLoad, Bool>, _ body: (PsqlSession) throws -> Void
  ) {
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

  /// Writes to every Nth product, so that two writers never wait for each other.
  private func write(_ number: Int, isLong: Bool) {
    let own = skus.indices.filter { $0 % Self.writers == number }.map { skus[$0] }
    onSession(while: \.goesOn) { session in
      let chosen = (0..<(isLong ? 20 : 4)).map { _ in own.randomElement() ?? "" }
      let pause = isLong ? Double.random(in: 0...longest) : Double.random(in: 0...0.04)
      let left = max(0, ContinuousClock.now.duration(to: deadline).inSeconds)
      try session.begin(
        "BEGIN; \(ShopSite.update(chosen)); SELECT pg_sleep(\(min(pause, left))); COMMIT")
      try session.finish(timeout: .seconds(pause) + Self.patience)
    }
  }

  /// Renders the missing pages. Each render takes up to 20 ms and uses what is committed when it begins.
  private func render(_ number: Int) {
    onSession(while: \.rendersOn) { session in
      guard let sku = skus.randomElement(), !site.has(sku) else {
        // Hundreds of visitors come per second, and they leave processor time to others.
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

  /// Runs the load.
  /// - Parameter keep: starts a keeper, and starts it again after each kill.
  public func run(_ keep: () throws -> any ShopKeeper) throws -> Result {
    var result = Result()
    for number in 0..<Self.writers { start { self.write(number, isLong: number < 2) } }
    for number in 0..<Self.renderers { start { self.render(number) } }
    var hasRestarted = false
    // On a slow machine this takes longer than the load.
    while goesOn || result.kills < Self.leastKills {
      let keeper = try keep()
      // Not an asynchronous sleep: on a busy thread pool the task would wake minutes later, and the load would go on.
      usleep(.random(in: 200_000...1_000_000))
      try keeper.kill()
      result.kills += 1
      if !hasRestarted, result.kills == 3 {
        try restartServer()
        hasRestarted = true
      }
    }
    let keeper = try keep()
    try eventually(timeout: .seconds(60), "the writers have ended") {
      threadsLeft <= Self.renderers
    }
    // The next look sees the last commit. What that look cleared is cleared again a second later.
    try keeper.awaitLook()
    usleep(2_000_000)
    isRendering.withLock { $0 = false }
    try eventually("the renderers have ended") { threadsLeft == 0 }
    try judge(&result)
    try keeper.kill()
    return result
  }

  private func judge(_ result: inout Result) throws {
    let prices = try site.database.sql("SELECT sku || ' ' || price FROM products")
      .split(separator: "\n").map { $0.split(separator: " ") }
    for row in prices where site.has(String(row[0])) {
      result.pages += 1
      let shown = try site.tree.read(ShopSite.page(String(row[0])))
      if shown.trimmingCharacters(in: .whitespacesAndNewlines) != row[1] { result.stale += 1 }
    }
    result.changes = Int(try site.database.sql("SELECT sum(price - 1) FROM products")) ?? 0
  }
}

extension Duration {
  fileprivate var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
