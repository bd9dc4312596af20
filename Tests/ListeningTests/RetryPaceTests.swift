// SPDX-License-Identifier: BSD-2-Clause
//
// When what failed is tried again, by a clock that the test sets.

import Testing

@testable import Listening

@Suite struct RetryPaceTests {
  private let start = ContinuousClock.now

  /// The times between the end of a try and the next one, where each takes so long.
  private func waits(_ count: Int, each length: Duration) -> [Duration] {
    var (now, retry, pace) = (start, Retry(at: start), RetryPace())
    return (0..<count).map { _ in
      now += length
      retry.postpone(at: now)
      pace.note(length, at: now)
      let wait = pace.wait(until: retry.notBefore, at: now)
      now += wait
      return wait
    }
  }

  @Test(
    "after 1 s, doubling to 5 min, though each try takes long",
    arguments: [Duration.milliseconds(1), .milliseconds(500), .milliseconds(1500)])
  func doubling(length: Duration) {
    let expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(Duration.seconds)
    #expect(waits(expected.count, each: length) == expected)
  }

  @Test("the first tries come in time even if they take seconds")
  func slow() {
    #expect(
      waits(4, each: .milliseconds(3600)).map { $0 / .seconds(1) } == [1, 2, 4, 8])
  }

  @Test("what is due again and again takes a twentieth of the time at most, but for the first 15 s")
  func share() {
    for length in [Duration.milliseconds(50), .seconds(1), .seconds(60)] {
      var (now, busy, pace) = (start, Duration.zero, RetryPace())
      while start.duration(to: now) < .seconds(7200) {
        now += length
        busy += length
        pace.note(length, at: now)
        let wait = pace.wait(until: now, at: now)
        #expect(wait <= Retry.longest)
        now += wait
      }
      let spread = start.duration(to: now)
      // A try that is longer than what a rest of five minutes pays for takes its own time.
      let most = max(
        spread / 20 + .seconds(15) + length, spread * (length / (length + Retry.longest)))
      #expect(busy <= most, "\(length)")
    }
  }

  @Test("a row that waits is due when its time has come, and not before")
  func ledger() throws {
    var ledger = RetryLedger<String>()
    #expect(ledger.postpone("a", at: start) == .new)
    #expect(ledger.isWaiting("a", at: start + .milliseconds(999)))
    #expect(!ledger.isWaiting("a", at: start + .seconds(1)))
    #expect(ledger.due(limit: 9, at: start + .milliseconds(999)).names == [])
    #expect(ledger.due(limit: 9, at: start + .seconds(1)).names == ["a"])
    #expect(ledger.postpone("a", at: start + .seconds(1)) == .again)
    #expect(ledger.next() == start + .seconds(3))
    ledger.hasten(at: start)
    #expect(ledger.next() == start)
  }
}
