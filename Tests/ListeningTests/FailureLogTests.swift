// SPDX-License-Identifier: BSD-2-Clause
//
// Many failures in few lines, and a ledger that is bounded.

import TestSupport
import Testing

@testable import Listening

@Suite struct FailureLogTests {
  private func note(_ log: FailureLog, _ name: String, _ reason: String = "full") {
    log.note(
      .init(subject: "queue", reason: reason), "queue: \(name): \(reason)", name: name,
      end: ("; it stays", "; they stay"))
  }

  @Test("one is told in full, many as one line that names some, each reason by itself")
  func summary() {
    let lines = Messages()
    let log = FailureLog(lines.logger)
    note(log, "a")
    #expect(log.flush() == nil)
    for number in 0..<80_000 { note(log, "p\(number)") }
    note(log, "b", "other")
    log.flush()
    #expect(
      lines.allWithLevels == [
        "error: queue: a: full; it stays",
        "error: queue: p0: full (and 79,999 more: p1, p2, p3, ...); they stay",
        "error: queue: b: other; it stays",
      ])
  }

  @Test("what goes on and on is told a few times, then once a minute, and at the end")
  func flood() throws {
    let lines = Messages()
    let log = FailureLog(lines.logger)
    for number in 0..<1000 {
      note(log, "p\(number)")
      _ = log.flush()
    }
    #expect(lines.allWithLevels.count == 5)
    let next = try #require(log.flush())
    #expect(next > .seconds(50) && next <= .seconds(60))
    log.flush(all: true)
    #expect(lines.allWithLevels.count == 6)
    #expect(lines.allWithLevels.last?.contains("p5: full (and 994 more: p6, p7, p8, ...)") == true)
    #expect(log.flush() == nil)
  }

  @Test("a ledger takes so many names and no more, and says so")
  func bounded() {
    var ledger = RetryLedger<Int>(most: 2)
    #expect(ledger.postpone(1, pass: 1) == .new)
    #expect(ledger.postpone(2, pass: 1) == .new)
    #expect(ledger.postpone(3, pass: 1) == .full)
    #expect(ledger.postpone(1, pass: 2) == .again)
    #expect(ledger.count == 2 && ledger.isWaiting(1) && !ledger.isWaiting(3))
    ledger.keep { $1 >= 2 }
    #expect(ledger.names == [1])
    #expect(ledger.remove(1) && !ledger.remove(1))
    #expect(ledger.next() == nil)
  }
}
