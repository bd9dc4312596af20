// SPDX-License-Identifier: BSD-2-Clause
//
// The two kinds of people on the site: committers, whose transactions take their time between the
// trigger's insert and the commit, and visitors, who have a missing page rendered.

import Foundation
import PGQueue
import Synchronization
import TestSupport

/// What the crews of a site have done.
final class Deeds: Sendable {
  private struct Counts {
    var changes = 0
    var renders = 0
    var slowestRender = Duration.zero
  }

  private let counts = Mutex(Counts())

  var changes: Int { counts.withLock { $0.changes } }
  var renders: Int { counts.withLock { $0.renders } }

  func committed(_ changes: Int = 1) { counts.withLock { $0.changes += changes } }

  func rendered(in time: Duration) {
    counts.withLock { counts in
      counts.renders += 1
      counts.slowestRender = max(counts.slowestRender, time)
    }
  }

  /// The longest time from a snapshot to its page's rename, since the last call.
  func takeSlowestRender() -> Duration {
    counts.withLock { counts in
      defer { counts.slowestRender = .zero }
      return counts.slowestRender
    }
  }
}

/// Commits changes, one after the other.
final class Writer: Worker {

  /// How long a transaction stays open after the trigger has run.
  static let holdMilliseconds = 0.0...15.0

  private let site: Site
  private let deeds: Deeds
  private let pace: Duration
  private let hold: ClosedRange<Double>
  private let rollbacks: Double
  private let session: Session
  private var random: SeededGenerator

  /// - Parameters:
  ///   - pace: how long to rest between two changes, on average.
  ///   - hold: how long a transaction stays open after the trigger has run, in milliseconds.
  ///   - rollbacks: the share of transactions that are rolled back.
  init(
    _ site: Site, _ deeds: Deeds, pace: Duration = .zero,
    hold: ClosedRange<Double> = holdMilliseconds, rollbacks: Double = 0, _ random: SeededGenerator
  ) {
    self.site = site
    self.deeds = deeds
    self.pace = pace
    self.hold = hold
    self.rollbacks = rollbacks
    self.random = random
    session = Session(site.database.dsn)
  }

  func step() throws {
    let change = site.changes[Int.random(in: site.changes.indices, using: &random)]
    let hold = random.duration(milliseconds: hold)
    let isRolledBack = Double.random(in: 0..<1, using: &random) < rollbacks
    let isDone: Bool? = try session.perform { connection in
      try connection.script("BEGIN; \(change)")
      pause(hold)
      try connection.script(isRolledBack ? "ROLLBACK" : "COMMIT")
      return true
    }
    guard isDone == true else { return pause(.milliseconds(50)) }
    if !isRolledBack { deeds.committed() }
    pause(pace * Double.random(in: 0.5...1.5, using: &random))
  }
}

/// Commits a change, and at once begins another of the same page that is not committed before all
/// that was cleared meanwhile has been cleared again: settling cannot help there, only the lock.
final class LateWriter: Worker {
  private let site: Site
  private let deeds: Deeds
  private let holdMilliseconds: ClosedRange<Double>
  private let session: Session
  private var random: SeededGenerator

  /// - Parameter settle: the listener's settle time, which the transaction outlasts.
  init(_ site: Site, _ deeds: Deeds, settle: Duration, _ random: SeededGenerator) {
    self.site = site
    self.deeds = deeds
    holdMilliseconds = settle.seconds * 1000 + 100...settle.seconds * 1000 + 300
    self.random = random
    session = Session(site.database.dsn)
  }

  func step() throws {
    let hold = random.duration(milliseconds: holdMilliseconds)
    let isCommitted: Bool? = try session.perform { connection in
      try connection.script(site.lateChange)
      try connection.script("BEGIN; \(site.lateChange)")
      pause(hold)
      try connection.script("COMMIT")
      return true
    }
    if isCommitted == true { deeds.committed(2) }
  }
}

/// Asks for pages, one after the other, and renders those that are missing.
final class Visitor: Worker {
  private let site: Site
  private let deeds: Deeds
  private let renderMilliseconds: ClosedRange<Double>
  private let session: Session
  private var random: SeededGenerator

  /// - Parameter renderMilliseconds: how long a render may take, besides what it takes to write.
  init(
    _ site: Site, _ deeds: Deeds, renderMilliseconds: Int, _ random: SeededGenerator
  ) {
    self.site = site
    self.deeds = deeds
    self.renderMilliseconds = Double(renderMilliseconds) / 2...Double(renderMilliseconds)
    self.random = random
    session = Session(site.database.dsn)
  }

  func step() throws {
    let page = site.pages[Int.random(in: site.pages.indices, using: &random)]
    let tree = site.trees[Int.random(in: site.trees.indices, using: &random)]
    guard !tree.exists(page.path) else {
      return pause(random.duration(milliseconds: 0.2...1))
    }
    let began = ContinuousClock.now
    guard let version = try session.perform({ try page.version($0) }) else {
      return pause(.milliseconds(50))
    }
    pause(random.duration(milliseconds: renderMilliseconds))
    try site.publish(page, on: tree, version: version, mark: random.next())
    deeds.rendered(in: began.duration(to: .now))
  }
}
