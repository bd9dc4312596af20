// SPDX-License-Identifier: BSD-2-Clause
//
// The listener's status file as stats reads it: what the listener writes, and what may lie there.

import SystemPackage
import Testing

@testable import Basics
@testable import Listening

@Suite("Status file") struct StatusFileTests {
  private func read(_ text: String) -> StatusFile {
    StatusFile.read(
      "/s", FileReader { (_) throws(Errno) in Array(text.utf8) }, isAlive: { $0 == 42 })
  }

  @Test func whatTheListenerWritesComesBack() throws {
    let second: Int64 = 1_000_000_000
    var health = Health(now: 1_600_000_000 * second)
    health.enter(.listening, now: 1_600_000_010 * second)
    var tally = DrainTally()
    tally.rows = 20_798
    _ = health.probed(now: 1_600_000_020 * second)
    _ = health.drained(tally, seconds: 2.5, isProof: true, now: 1_600_000_030 * second)
    health.retriesWaiting = 3
    health.settleWaiting = 4
    health.refused = ["cache_clearing_dates", "fpcache_log"]
    let json = health.json(
      lastError: (1_600_000_005 * second, "line\nof \u{1B}[31m \"trouble\""), pid: 42)
    let status = try #require(read(json.text + "\n").status)
    #expect(status.process == 42 && status.isAlive && status.state == "listening")
    #expect(status.stateSince == 1_600_000_010 * second)
    #expect(status.healthyAt == 1_600_000_030 * second)
    #expect(status.lastDrain == 1_600_000_030 * second)
    #expect(status.rows == 20_798 && status.retriesWaiting == 3 && status.settleWaiting == 4)
    #expect(status.refused == ["cache_clearing_dates", "fpcache_log"])
    #expect(status.lastError?.at == 1_600_000_005 * second)
    #expect(status.lastError?.message == "line\nof \u{1B}[31m \"trouble\"")
  }

  @Test func aListenerThatHasDoneNothingYet() throws {
    let json = Health(now: 0).json(lastError: nil, pid: 1)
    let status = try #require(read(json.text).status)
    #expect(!status.isAlive && status.healthyAt == nil && status.lastDrain == nil)
    #expect(status.lastError == nil && status.rows == 0)
  }

  @Test(arguments: ["", "{}", "[]", "{\"pid\":\"1\",\"state\":\"x\"}", "{\"pid\":1}", "{\"pid\":1"])
  func whatIsNone(_ text: String) {
    #expect(read(text) == .unreadable(path: "/s", why: "is no status file of fpcache listen"))
  }

  @Test func whatIsNotThere() {
    #expect(StatusFile.read(nil) == .notNamed)
    func failing(_ error: Errno) -> StatusFile {
      StatusFile.read("/s", FileReader { (_) throws(Errno) in throw error })
    }
    #expect(failing(.noSuchFileOrDirectory) == .missing(path: "/s"))
    #expect(failing(.permissionDenied) == .unreadable(path: "/s", why: "Permission denied"))
  }

  @Test(
    "times",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("2020-01-21T12:34:56Z", 1_579_610_096),
      ("2020-01-21 12:34:56Z", nil), ("2020-01-21T12:34:56", nil), ("2020-01-2xT12:34:56Z", nil),
      ("", nil), ("9999-99-99T99:99:99Z", nil),
    ] as [(String, Int64?)])
  func times(_ text: String, _ seconds: Int64?) {
    #expect(parseTimestamp(text) == seconds.map { $0 * 1_000_000_000 })
  }
}
