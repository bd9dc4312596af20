// SPDX-License-Identifier: BSD-2-Clause
//
// When a scrub is due, what becomes of what it finds, what survives it, and that its walk waits.

import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS
@testable import Listening

/// What a gate has answered.
private final class Answers: Sendable {
  private let given = Mutex<[Bool]>([])
  var all: [Bool] { given.withLock { $0 } }
  func add(_ answer: Bool) { given.withLock { $0.append(answer) } }
}

@Suite struct ScrubScheduleTests {
  private static let hour: Int64 = 3_600_000_000_000
  private static let now = 1_600_000_000_000_000_000 as Int64

  struct Due: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var interval = 24.0
    var hoursAgo: Double?
    var isBounded = true
    var jitter = 0.0
    /// In hours.
    let wait: Double

    static let all = [
      Due(testDescription: "never, and nobody knows what was missed", isBounded: false, wait: 0),
      Due(
        testDescription: "lately, and nobody knows what was missed since", hoursAgo: 1,
        isBounded: false, jitter: 1, wait: 0),
      Due(testDescription: "never: at random within the hour", jitter: 0.5, wait: 0.5),
      Due(testDescription: "some hours ago", hoursAgo: 10, jitter: 0, wait: 14),
      Due(testDescription: "some hours ago, at random", hoursAgo: 10, jitter: 1, wait: 15),
      Due(
        testDescription: "long ago: at random within the hour", hoursAgo: 1000, jitter: 1, wait: 1),
      Due(testDescription: "the clock was set back by a day", hoursAgo: -24, wait: 24),
      Due(
        testDescription: "short intervals are spread less", interval: 0.24, jitter: 1, wait: 0.01),
      Due(testDescription: "long ones are spread no more", interval: 480, jitter: 1, wait: 1),
    ]
  }

  @Test("when the first is due", arguments: Due.all) func first(_ due: Due) {
    let wait = ScrubSchedule.wait(
      .seconds(due.interval * 3600),
      last: due.hoursAgo.map { Self.now - Int64($0 * Double(Self.hour)) },
      now: Self.now, isBounded: due.isBounded, jitter: due.jitter)
    #expect(abs(wait.seconds - due.wait * 3600) < 0.001)
  }

  @Test("the next one leaves the server its peace, and one that failed does not wait for a day")
  func next() {
    #expect(
      ScrubSchedule.wait(.seconds(86_400), after: .seconds(100), jitter: 0) == .seconds(86_400))
    #expect(ScrubSchedule.wait(.seconds(10), after: .seconds(100), jitter: 0) == .seconds(900))
    #expect(LookPace.waitAfterFailure(.seconds(86_400)) == .seconds(600))
    #expect(LookPace.waitAfterFailure(.seconds(5)) == .seconds(5))
  }

  @Test(
    "what becomes of what is found",
    arguments: [
      (0, 1000, ScrubPlan.Mode.clear, ScrubSchedule.Decision.clear), (1000, 1000, .clear, .clear),
      (1001, 1000, .clear, .refuse), (1, 1000, .report, .report), (1001, 1000, .report, .report),
    ])
  func decision(
    _ found: Int, _ most: Int, _ mode: ScrubPlan.Mode, _ decision: ScrubSchedule.Decision
  ) {
    #expect(ScrubSchedule.decision(found: found, most: most, mode) == decision)
  }

  @Test("the last scrub comes back from its file, and another cache's does not")
  func file() throws {
    let tree = try TemporaryTree()
    let file = ScrubFile(stateDirectory: FilePath(tree.path), dryRun: .no)
    #expect(file.read(cache: "/c") == nil)
    var health = ScrubHealth()
    (health.at, health.seconds, health.pages) = (Self.now, 81.25, 750_000)
    var family = ScrubHealth.Family("ports")
    (family.found, family.cleared, family.refused) = (3, 2, 1)
    health.families = [family, ScrubHealth.Family("commits")]
    try file.write(health, cache: "/c")
    #expect(file.read(cache: "/c") == health)
    #expect(file.read(cache: "/d") == nil)
    try tree.write("scrub", text: "cache /c\nscrubbed -1 x 3\nfamily ports 1 2\nfamily\n")
    #expect(file.read(cache: "/c") == nil)
    try ScrubFile(stateDirectory: FilePath(tree.path), dryRun: .yes).write(health, cache: "/c")
    #expect(file.read(cache: "/c") == nil)
  }

  @Test("what was missed is counted on, and acknowledged once")
  func missed() throws {
    let tree = try TemporaryTree()
    let files = MissedFiles(stateDirectory: FilePath(tree.path))
    #expect(try files.outstanding() == nil)
    #expect(throws: Errno.noSuchFileOrDirectory) { try files.acknowledge() }
    var counts = MissedCounts(since: 7)
    counts.add(keys: 2, of: "ports")
    counts.add(pages: 3, of: "commits")
    counts.add(keys: .max, pages: .max, of: "huge")
    counts.add(keys: .max, pages: .max, of: "huge")
    #expect(MissedCounts(text: counts.text) == counts)
    try files.write(counts)
    #expect(try files.outstanding() == counts.families)
    try files.acknowledge()
    #expect(try files.outstanding() == [:])
    counts.add(keys: 1, pages: 1, of: "ports")
    try files.write(counts)
    #expect(try files.outstanding() == ["ports": .init(keys: 1, pages: 1)])
    // A count that begins anew is another one.
    var other = MissedCounts(since: 8)
    other.add(keys: 1, of: "ports")
    try files.write(other)
    #expect(try files.outstanding() == ["ports": .init(keys: 1)])
    // A file that cannot be understood says nothing, and not that nothing was missed.
    for text in [
      "", "since x\n", "ports 1 2\n", "since 1 2\n", "since 1\nports -1 2\n", "since 1\nports 1\n",
    ] {
      #expect(MissedCounts(text: text) == nil)
      try tree.write("missed", text: text)
      #expect(throws: Errno(rawValue: EBADMSG)) { try files.outstanding() }
    }
  }

  @Test("a walk waits while a drain is under way, and ends when it is given up")
  func gate() throws {
    let gate = LookGate(isDraining: true)
    let answers = Answers()
    func pass() { Thread.detachNewThread { answers.add(gate.pass()) } }
    func count() -> Int { answers.all.count }
    func goesOn() -> Bool { answers.all.last ?? false }
    pass()
    usleep(100_000)
    #expect(count() == 0)
    gate.note(isDraining: false)
    try eventually("it goes on") { count() == 1 }
    #expect(goesOn())
    gate.note(isDraining: true)
    pass()
    gate.giveUp()
    try eventually("it ends") { count() == 2 }
    #expect(!goesOn())
  }
}
