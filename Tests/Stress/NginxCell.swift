// SPDX-License-Identifier: BSD-2-Clause
//
// One cell of nginx's table: the real nginx with its own cache before a small application on PostgreSQL, writers,
// visitors, and fpcache listen; in every burst the listener is killed, or one of nginx's workers, or nobody. At rest
// each page is asked for once more: what nginx still has must show what the database has.

import Foundation
import PGQueue
import Synchronization
import TestSupport

/// What a cell is about.
struct NginxCell: Sendable {
  enum Victim: String, CaseIterable, Sendable {
    case nobody
    case listener
    case worker
  }

  let victim: Victim
  /// Whether the application's responses vary, so that a key has several files.
  let vary: Bool
  /// Seconds; 0 shows what clearing a second time is for.
  let settle: Double

  var name: String { "\(victim.rawValue)-\(vary ? "vary" : "plain")-\(settle)" }

  static let all =
    [false, true].flatMap { vary in
      Victim.allCases.map { NginxCell(victim: $0, vary: vary, settle: 0.5) }
    } + [NginxCell(victim: .nobody, vary: false, settle: 0)]
}

/// What came of a cell.
struct NginxResult: Sendable {
  var rounds = 0
  var voidRounds = 0
  /// Requests at rest, and how many of them nginx answered from its cache.
  var judged = 0
  var hits = 0
  var stale: [String] = []
  var changes = 0
  /// Requests under load, and how many of them nginx answered from its cache.
  var requests = 0
  var requestHits = 0
  var renders = 0
  var kills = 0
  /// Lines of nginx's log of the levels crit and above, but for those of its killed workers.
  var complaints: [String] = []
}

/// What visitors and the application have done.
final class NginxDeeds: Sendable {
  struct Counts {
    var changes = 0
    var requests = 0
    var hits = 0
    var renders = 0
    var slowest = Duration.zero
  }

  private let counts = Mutex(Counts())

  var all: Counts { counts.withLock { $0 } }

  func changed() { counts.withLock { $0.changes += 1 } }

  func asked(hit: Bool) {
    counts.withLock { counts in
      counts.requests += 1
      if hit { counts.hits += 1 }
    }
  }

  func rendered(in time: Duration) {
    counts.withLock { counts in
      counts.renders += 1
      counts.slowest = max(counts.slowest, time)
    }
  }

  func takeSlowest() -> Duration {
    counts.withLock { counts in
      defer { counts.slowest = .zero }
      return counts.slowest
    }
  }
}

/// The hot pages and the variants of each.
struct HotPages: Sendable {
  let paths = (1...6).map { "/page/\($0)?part=\($0 % 2)" }
  let colours = ["red", "green", "blue"]
  let vary: Bool

  func any(_ random: inout SeededGenerator) -> (path: String, headers: [String: String]) {
    (
      paths[Int.random(in: paths.indices, using: &random)],
      ["X-Colour": colours[Int.random(in: colours.indices, using: &random)]]
    )
  }

  /// Each page, in each variant where there are some.
  var all: [(path: String, headers: [String: String])] {
    paths.flatMap { path in
      (vary ? colours : [colours[0]]).map { (path, ["X-Colour": $0]) }
    }
  }

  static func query(_ path: String) -> String {
    "SELECT version FROM pages WHERE path = '\(path)'"
  }
}

/// Changes pages, one after the other.
final class NginxWriter: Worker {
  private let deeds: NginxDeeds
  private let pages: HotPages
  private let session: Session
  private var random: SeededGenerator

  init(_ site: NginxSite, _ pages: HotPages, _ deeds: NginxDeeds, _ random: SeededGenerator) {
    self.deeds = deeds
    self.pages = pages
    self.random = random
    session = Session(site.database.dsn)
  }

  func step() throws {
    let hold = random.duration(milliseconds: Writer.holdMilliseconds)
    let change = NginxSite.change(pages.any(&random).path)
    let isCommitted: Bool? = try session.perform { connection in
      try connection.script("BEGIN; \(change)")
      pause(hold)
      try connection.script("COMMIT")
      return true
    }
    if isCommitted == true { deeds.changed() }
  }
}

/// Asks nginx for pages, one after the other.
final class NginxVisitor: Worker {
  private let nginx: NginxServer
  private let deeds: NginxDeeds
  private let pages: HotPages
  private var random: SeededGenerator

  init(_ nginx: NginxServer, _ pages: HotPages, _ deeds: NginxDeeds, _ random: SeededGenerator) {
    self.nginx = nginx
    self.deeds = deeds
    self.pages = pages
    self.random = random
  }

  func step() throws {
    let page = pages.any(&random)
    // A worker that is killed takes the answer with it.
    guard let response = try? nginx.get(page.path, headers: page.headers) else {
      return pause(.milliseconds(5))
    }
    deeds.asked(hit: response.headers["x-cache"] == "HIT")
    pause(random.duration(milliseconds: 0.2...1))
  }
}
