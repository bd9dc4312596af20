// SPDX-License-Identifier: BSD-2-Clause
//
// A site without a trigger, kept right by fpcache and by two keepers that look for changes in a wrong way: by the
// page's time, and from the last change that was seen. They must leave stale pages, or the load proves nothing.

import ArgumentParser
import Foundation
import Synchronization
import TestSupport

/// `Stress recheck`.
struct Recheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recheck", abstract: "Stale pages at rest, of a site without a trigger.")

  @Option(help: "How long the writers of each run write.") var seconds = 60
  @Option(help: "How long a transaction may last, in seconds.") var longest = 30.0

  func validate() throws {
    guard seconds > 0, 0.1...600 ~= longest else {
      throw ValidationError("expected --seconds above 0, --longest from 0.1 to 600")
    }
  }

  func run() throws {
    var isProved = true
    for keeper in Keeper.allCases {
      let load = try RecheckLoad(for: .seconds(seconds), longest: longest)
      let watch = keeper.watch(load.site)
      let result = try load.run {
        guard let watch else { return try FpcacheKeeper(load.site) }
        watch.start()
        return watch
      }
      print("\(pad(keeper.rawValue, 14)) \(result)")
      if (keeper == .fpcache) != (result.stale == 0) {
        isProved = false
        print(
          keeper == .fpcache
            ? "STALE: fpcache has left \(result.stale) pages"
            : "PROVES NOTHING: \(keeper.rawValue) has left no stale page; try more --seconds")
      }
    }
    guard isProved else { throw ExitCode.failure }
    print("PROVED: no stale page with fpcache; stale pages with both wrong ways to look.")
  }
}

private enum Keeper: String, CaseIterable {
  case fpcache
  case byPageTime = "by-page-time"
  case byLastSeen = "by-last-seen"

  /// Nil for fpcache, which is a process of its own.
  func watch(_ site: ShopSite) -> WrongKeeper? {
    switch self {
    case .fpcache: nil
    case .byPageTime: WrongKeeper(site, isByLastSeen: false)
    case .byLastSeen: WrongKeeper(site, isByLastSeen: true)
    }
  }
}

/// Looks five times a second and clears a second time as fpcache does; only how it looks is wrong.
private final class WrongKeeper: ShopKeeper, Sendable {
  private struct State {
    var run = 0
    var isRunning = false
    var looks = 0
    /// What it remembers, however often it is killed: when the last change was that it has seen.
    var last = 0.0
    var again: [(due: ContinuousClock.Instant, sku: String)] = []
  }

  private let site: ShopSite
  private let isByLastSeen: Bool
  private let state = Mutex(State())

  init(_ site: ShopSite, isByLastSeen: Bool) {
    self.site = site
    self.isByLastSeen = isByLastSeen
  }

  func start() {
    let run = state.withLock { state in
      state.run += 1
      state.isRunning = true
      return state.run
    }
    Thread.detachNewThread { self.live(run) }
  }

  func kill() { state.withLock { $0.isRunning = false } }

  func awaitLook() throws {
    let looks = state.withLock { $0.looks }
    try eventually(timeout: .seconds(30), "a look is taken") {
      state.withLock { $0.looks } > looks + 1
    }
  }

  private func isMeant(_ run: Int) -> Bool { state.withLock { $0.isRunning && $0.run == run } }

  private func live(_ run: Int) {
    while isMeant(run) {
      if let session = try? site.database.session() {
        while isMeant(run), (try? look(session)) != nil { usleep(200_000) }
      }
      usleep(50_000)
    }
  }

  private func look(_ session: PsqlSession) throws {
    let since = isByLastSeen ? state.withLock { $0.last } : 0
    try session.begin(
      "SELECT sku || ' ' || extract(epoch FROM changed_at) FROM products "
        + "WHERE extract(epoch FROM changed_at) > \(since)")
    for line in try session.finish(timeout: .seconds(2)).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let changed = Double(words[1]) else { continue }
      let sku = String(words[0])
      if isByLastSeen { state.withLock { $0.last = max($0.last, changed) } }
      if isByLastSeen || isOlder(sku, than: changed) { clear(sku) }
    }
    let now = ContinuousClock.now
    let due = state.withLock { state in
      let due = state.again.filter { $0.due <= now }
      state.again.removeAll { $0.due <= now }
      state.looks += 1
      return due
    }
    for entry in due { unlink(site.tree.fullPath(ShopSite.page(entry.sku))) }
  }

  private func clear(_ sku: String) {
    unlink(site.tree.fullPath(ShopSite.page(sku)))
    state.withLock { $0.again.append((.now + .seconds(1), sku)) }
  }

  private func isOlder(_ sku: String, than changed: Double) -> Bool {
    var status = stat()
    guard stat(site.tree.fullPath(ShopSite.page(sku)), &status) == 0 else { return false }
    let written = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
    return written < changed
  }
}
