// SPDX-License-Identifier: BSD-2-Clause
//
// Many drains in few lines.

import CacheFS
import TestSupport
import Testing

@testable import Listening

@Suite struct DrainLogTests {
  private let lines = Messages()
  private let log: DrainLog
  private let start = ContinuousClock.now
  private let drain = DrainTally(rows: 1, keys: 2, files: 1, bytes: 10)
  private static let one = "drained: 1 row, 2 keys, 1 file, 10 bytes in 0.100 s"

  init() {
    log = DrainLog(.no, lines.logger)
  }

  private func note(at seconds: Double, _ worth: DrainLog.Worth = .routine, end: String = "") {
    log.note(drain, in: .milliseconds(100), worth, end: end, now: start + .seconds(seconds))
  }

  @Test("the first few are logged at once, and the rest of a minute as one line")
  func busy() {
    for number in 0..<100 { note(at: Double(number) / 2) }
    #expect(lines.all == Array(repeating: Self.one, count: 5))
    // The fifth was at 2 s.
    #expect(log.flush(now: start + .seconds(50)) == .seconds(12))
    #expect(lines.all.count == 5)
    #expect(log.flush(now: start + .seconds(62)) == nil)
    #expect(
      lines.all.dropFirst(5) == [
        "drained: 95 rows, 190 keys, 95 files, 950 bytes by 95 drains in the last 59.6 s"
      ])
    note(at: 63)
    #expect(lines.all.count == 6)
    #expect(log.flush(all: true, now: start + .seconds(64)) == nil)
    #expect(
      lines.all.last
        == "drained: 1 row, 2 keys, 1 file, 10 bytes by 1 drain in the last 1.1 s")
  }

  @Test("what is news is logged at once, behind what came before it")
  func news() {
    for _ in 0..<7 { note(at: 0) }
    note(at: 1, .news, end: "; a writer holds the rest")
    #expect(
      lines.all.suffix(2) == [
        "drained: 2 rows, 4 keys, 2 files, 20 bytes by 2 drains in the last 1.1 s",
        Self.one + "; a writer holds the rest",
      ])
  }

  @Test("after a quiet minute each drain is news again")
  func quiet() {
    for _ in 0..<5 { note(at: 0) }
    for _ in 0..<5 { note(at: 60) }
    #expect(lines.all == Array(repeating: Self.one, count: 10))
  }
}
