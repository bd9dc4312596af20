// SPDX-License-Identifier: BSD-2-Clause
//
// One listener for a long time, under a steady load and random faults. From time to time all comes
// to rest and every page is judged; at the end it is said whether the listener has grown.

import ArgumentParser
import Foundation
import TestSupport

struct Soak: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "One listener, a steady load and random faults: no stale page, no growth.")

  @Option(help: "How long.") var minutes = 20.0
  @Option(help: "How many changes a second, or nearly.") var rate = 20.0
  @Option(help: "What the choices grow from.") var seed: UInt64 = 1

  func validate() throws {
    guard minutes > 0, rate > 0 else {
      throw ValidationError("--minutes and --rate: expected a number above 0")
    }
  }

  func run() throws {
    let run = try SoakRun(minutes: minutes, rate: rate, seed: seed)
    guard try run.run() else { throw ExitCode.failure }
  }
}

/// A soak at work.
private final class SoakRun {
  private static let settle = Duration.seconds(1)
  private static let writers = 4
  private static let visitors = 3
  /// Between two faults all is well for so long.
  private static let calmMilliseconds = 1000.0...8000.0
  private static let checkInterval = Duration.seconds(60)
  /// A row that could not be cleared may wait for half a minute after a fault of a few seconds.
  private static let restTimeout = Duration.seconds(120)
  /// What takes longer than this is told with what the listener has logged.
  private static let slowRest = Duration.seconds(10)

  private let length: Duration
  private let site: Site
  private let listener: FpcacheSubject
  private let faults: FaultMaker
  private let deeds = Deeds()
  private let writers: Crew
  private let visitors: Crew
  private let session: Session
  private let sampler: Sampler
  private var random: SeededGenerator
  private var made: [Fault: Int] = [:]
  private var inspection = Inspection()
  private var checks = 0
  private let began = ContinuousClock.now

  init(minutes: Double, rate: Double, seed: UInt64) throws {
    length = .milliseconds(Int64(minutes * 60_000))
    // What was committed must outlive an immediate restart, or pages would be newer than it.
    let server = try PostgresServer(settings: ["synchronous_commit": "on"])
    let site = try Site(server.makeDatabase(), ports: 8, days: 2)
    try site.tree.give(to: .unprivileged)
    listener = try FpcacheSubject(site, settle: Self.settle, as: .unprivileged)
    faults = FaultMaker(site: site, listener: listener)
    self.site = site
    session = Session(site.database.dsn)
    sampler = Sampler(site)
    random = SeededGenerator(seed, stream: 0)
    let deeds = deeds
    let pace = Duration.milliseconds(Int64(Double(Self.writers) * 1000 / rate))
    writers = Crew(Self.writers) {
      Writer(site, deeds, pace: pace, SeededGenerator(seed, stream: 100 + $0))
    }
    visitors = Crew(Self.visitors) {
      Visitor(site, deeds, renderMilliseconds: 20, SeededGenerator(seed, stream: 200 + $0))
    }
  }

  /// - Returns: whether there was no stale page and no growth.
  /// - Throws: `SupportError` when the listener does not recover or come to rest.
  func run() throws -> Bool {
    defer {
      writers.dismiss()
      visitors.dismiss()
    }
    try listener.start()
    sampler.watch(listener.pid)
    work()
    var nextCheck = Self.checkInterval
    while elapsed < length {
      try makeFault()
      pause(min(random.duration(milliseconds: Self.calmMilliseconds), length - elapsed))
      if elapsed >= nextCheck, elapsed < length {
        try check()
        nextCheck = elapsed + Self.checkInterval
        work()
      }
    }
    try check()
    try listener.waitForIdleStatus()
    let incarnations = sampler.finish().map(Growth.init)
    try listener.stop()
    return report(incarnations)
  }

  private var elapsed: Duration { began.duration(to: .now) }

  private func work() {
    visitors.work()
    writers.work()
  }

  /// In the second half the listener's process lives on, whatever else happens: growth shows in a
  /// process that lives for long only.
  private func makeFault() throws {
    let possible = Fault.allCases.filter { !$0.endsListener || elapsed < length / 2 }
    guard let fault = possible.randomElement(using: &random) else { return }
    if fault.endsListener { sampler.watch(nil) }
    try faults.make(fault, &random)
    sampler.watch(listener.pid)
    made[fault, default: 0] += 1
  }

  /// Lets all come to rest, and judges every page.
  private func check() throws {
    try writers.rest()
    let waited = ContinuousClock.now
    try eventually(timeout: Self.restTimeout, "all comes to rest", details: listener.log) {
      try !site.hasRows(session) && listener.isSettled
    }
    let time = waited.duration(to: .now)
    if time > Self.slowRest { complain("slow to rest; the listener's log:\n\(listener.tail)") }
    try visitors.rest()
    let found = try site.inspect(session)
    inspection.add(found)
    checks += 1
    for page in found.stale {
      complain("STALE: \(page)")
      site.tree.remove(page.path)
    }
    complain(
      """
      \(Int(elapsed.seconds)) s: \(made.values.reduce(0, +)) faults, \(deeds.changes) changes, \
      \(found.pages) pages checked after \(Int(time.seconds * 1000)) ms, \
      \(found.stale.count) stale
      """)
  }

  // MARK: Report

  private func report(_ incarnations: [Growth]) -> Bool {
    print("\(pad("fault", 30))  times")
    for fault in Fault.allCases { print("\(pad(fault.rawValue, 30))  \(made[fault] ?? 0)") }
    print(
      """

      \(Int(elapsed.seconds)) s, \(deeds.changes) changes, \(deeds.renders) renders, \
      \(listener.drains) drains, slowest render \
      \(Int(deeds.takeSlowestRender().seconds * 1000)) ms at --settle \(Self.settle.seconds)
      \(checks) times at rest: \(inspection.pages) pages looked for, \(inspection.present) on \
      disk, \(inspection.stale.count) stale

      """)
    print(Growth.heading)
    let sampled = incarnations.filter { !$0.samples.isEmpty }
    for incarnation in sampled { print(incarnation.line) }
    print("")
    let complaints = sampled.compactMap(\.complaint)
    for complaint in complaints { print("GROWTH: \(complaint)") }
    for page in inspection.stale { print("STALE: \(page)") }
    guard complaints.isEmpty, inspection.stale.isEmpty else { return false }
    guard sampled.contains(where: \.isJudged) else {
      print("No stale page; no process lived long enough to tell of its growth.")
      return true
    }
    print("SOUND: no stale page, and no growth.")
    return true
  }
}
