// SPDX-License-Identifier: BSD-2-Clause
//
// The verdict in words: what waits, since when, who listens, and what else is wrong.

import Testing

@testable import Basics
@testable import CacheFS
@testable import Listening
@testable import PGQueue
@testable import fpcache

/// An overview of an empty tree and such a database.
func overview(
  _ database: DatabaseSurvey, statusFile: StatusFile = .notNamed, failures: Int = 0,
  now: Int64 = 1_000_000_000_000_000_000, pollInterval: Duration = .seconds(60)
) -> Overview {
  let families = Layout.freshPorts.families.count
  var tree = StatsReport(
    families: Array(repeating: FileTally(), count: families),
    familyFolders: Array(repeating: FolderTally(), count: families))
  tree.failureCount = failures
  return Overview(
    directory: "/cache", layout: .freshPorts, tree: tree, query: StatsQuery(now: now),
    olderThan: nil, database: database, statusFile: statusFile, pollInterval: pollInterval,
    scanSeconds: 0.5)
}

func queue(
  _ table: QueueTable, _ rows: Int, keys: Int? = nil, age: Double? = 172_900,
  first: [[[UInt8]?]] = [[Array("a".utf8), Array("b".utf8)]]
) -> QueueSurvey {
  let row = QueueSurvey.Row(key: first.first ?? [], added: nil, age: age)
  return QueueSurvey(
    table: table,
    outcome: .counted(
      QueueSurvey.Contents(
        rows: rows, keys: keys ?? rows, oldest: rows > 0 ? row : nil, newest: rows > 0 ? row : nil,
        firstKeys: rows > 0 ? first : [])))
}

func answers(
  _ queues: [QueueSurvey], _ sessions: [ListeningSession] = [], hidden: Int = 0,
  usage: Double = 0, channels: [Channel]? = [Channel(name: "p", scriptName: "listen_port")]
) -> DatabaseSurvey.Answers {
  DatabaseSurvey.Answers(
    queues: queues, channels: channels,
    server: ServerSurvey(listening: sessions, hidden: hidden, notificationQueueUsage: usage))
}

private let ours = ListeningSession(
  process: 7, role: "listening", applicationName: "fpcache listen", age: 60)
private let other = ListeningSession(
  process: 8, role: "listening", applicationName: "py\u{1B}[31m", age: nil)

@Suite("Verdict") struct VerdictTests {
  struct Row: CustomTestStringConvertible {
    let text: String
    let severity: Verdict.Severity
    let queues: [QueueSurvey]
    var sessions: [ListeningSession] = []
    var hidden = 0
    var testDescription: String { text }

    static let all = [
      Row(
        text: "20,508 ports have waited 2 d: nobody is listening", severity: .bad,
        queues: [queue(.ports, 20_508)]),
      Row(
        text: "20,508 ports and 290 dates have waited 2 d: nobody is listening", severity: .bad,
        queues: [queue(.ports, 20_508, age: 100), queue(.dates, 290), queue(.commits, 0)]),
      Row(
        text: "1 port has waited 3 min: nobody is listening", severity: .bad,
        queues: [queue(.ports, 1, age: 180)]),
      Row(
        text: "3 ports, 1 date, 2 commits and 1 file have waited 1 s: fpcache is listening",
        severity: .waiting,
        queues: [
          queue(.ports, 5, keys: 3, age: 1), queue(.dates, 1, age: 1.9),
          queue(.commits, 2, age: 0.5), queue(.files, 1, age: nil),
        ], sessions: [ours]),
      Row(
        text: "2 commits have waited 2 h although fpcache is listening", severity: .bad,
        queues: [queue(.commits, 2, age: 7200)], sessions: [other, ours]),
      Row(
        text: "290 dates wait, since when is unknown: nobody is listening", severity: .bad,
        queues: [queue(.dates, 290, age: nil)]),
      Row(
        text: "1 date waits, since when is unknown: fpcache is listening", severity: .waiting,
        queues: [queue(.dates, 1, age: nil)], sessions: [ours]),
      Row(
        text: "1 port has waited 3 h although process 8 (py\\x1b[31m) is listening",
        severity: .bad, queues: [queue(.ports, 1, age: 10_800)], sessions: [other]),
      Row(
        text: "1 port has waited 0 s: nobody is listening, as far as this role may see",
        severity: .bad, queues: [queue(.ports, 1, age: -5)], hidden: 2),
      Row(
        text: "nothing waits, and fpcache is listening", severity: .good,
        queues: [queue(.ports, 0)], sessions: [ours], hidden: 3),
      Row(
        text: "nothing waits, but nobody is listening", severity: .waiting,
        queues: [queue(.ports, 0), QueueSurvey(table: .files, outcome: .missing)]),
      Row(
        text: "this database has none of the queues", severity: .bad,
        queues: QueueTable.all.map { QueueSurvey(table: $0, outcome: .missing) }),
      Row(
        text: "some queues could not be read; fpcache is listening", severity: .waiting,
        queues: [
          queue(.ports, 0),
          QueueSurvey(
            table: .dates,
            outcome: .refused(ServerError(sqlState: "42501", message: "no", hint: nil))),
        ], sessions: [ours]),
    ]
  }

  @Test("queues and listeners", arguments: Row.all)
  private func queues(_ row: Row) {
    let answers = answers(row.queues, row.sessions, hidden: row.hidden)
    #expect(
      Verdict.of(overview(.done(answers))) == [Verdict(severity: row.severity, text: row.text)])
  }

  @Test func atThisRate() throws {
    let before = overview(.done(answers([queue(.ports, 1000), queue(.dates, 50)])))
    var after = overview(.done(answers([queue(.ports, 600), queue(.dates, 60)], [ours])))
    after.rates = Rates(from: before, to: after, seconds: 2)
    #expect(after.rates?.queueRows == [-200, 5])
    #expect(
      Verdict.of(after).map(\.text) == [
        "600 ports and 60 dates have waited 2 d: fpcache is listening; "
          + "at this rate they are gone in 3 s"
      ])
    #expect(Verdict.of(after).map(\.severity) == [.waiting])
    after.rates = Rates(from: after, to: after, seconds: 2)
    #expect(
      Verdict.of(after).map(\.text) == [
        "600 ports and 60 dates have waited 2 d although fpcache is listening"
      ])
    #expect(Rates(from: before, to: after, seconds: 0) == nil)
  }

  @Test func whatElseIsWrong() {
    let strange = [
      Channel(name: "a\nb", scriptName: "listen_x"),
      Channel(name: "p", scriptName: "listen_port"),
    ]
    let survey = answers([queue(.ports, 0)], [ours], usage: 0.73, channels: strange)
    #expect(
      Verdict.of(overview(.done(survey), failures: 1)).dropFirst().map(\.text) == [
        "the server's notification queue is 73 % full: a session that listens sits in a "
          + "transaction", "the channel a\\x0ab clears nothing: fpcache knows no listen_x",
        "1 error in the tree: the numbers are too low",
      ])
    let empty = answers([queue(.ports, 0)], [ours], channels: [])
    #expect(
      Verdict.of(overview(.done(empty))).last?.text
        == "listen_for is empty: a listener hears nothing")
    #expect(
      Verdict.of(overview(.failed(.unreachable("x")))).map(\.text) == [
        "the queues could not be read"
      ])
    #expect(Verdict.of(overview(.notAsked)) == [])
  }

  @Test(
    "the status file",
    arguments: [
      ("listening", false, 10, 60, "the status file says listening, but process 5 is gone"),
      ("stopping", false, 10, 60, "the listener has stopped"),
      ("listening", true, 299, 60, nil),
      ("listening", true, 300, 60, "the listener has not reported healthy for 5 min"),
      ("listening", true, 3000, 3600, nil),
      ("listening", true, 7200, 3600, "the listener has not reported healthy for 2 h"),
      ("starting", true, nil, 60, "the listener has not reported healthy yet"),
    ] as [(String, Bool, Int64?, Int64, String?)])
  func statusFile(
    _ state: String, _ isAlive: Bool, _ age: Int64?, _ poll: Int64, _ text: String?
  ) throws {
    let now: Int64 = 1_600_000_000
    let healthy = age.map { JSON.string(utcTimestamp(Int(now - $0))) } ?? .null
    let json = JSON.object([
      ("pid", .integer(5)), ("state", .string(state)), ("healthy_at", healthy),
    ])
    let status = try #require(ListenerStatus(json, isAlive: { _ in isAlive }))
    let verdict = Verdict.of(
      overview(
        .notAsked, statusFile: .read(path: "/s", status), now: now * 1_000_000_000,
        pollInterval: .seconds(poll)))
    #expect(verdict.map(\.text) == (text.map { [$0] } ?? []))
  }

  @Test(
    "durations in words",
    arguments: [
      (0, "0 s"), (1.9, "1 s"), (119, "119 s"), (120, "2 min"),
      (7199, "119 min"), (7200, "2 h"), (172_799, "47 h"), (172_800, "2 d"),
      (1e9, "11,574 d"), (-3, "0 s"), (.nan, "0 s"),
      (.infinity, "11,574,074,074 d"),
    ])
  func durations(_ seconds: Double, _ text: String) { #expect(durationText(seconds) == text) }

  @Test(
    "parts in percent",
    arguments: [
      (0, "0 %"), (0.000_01, "<0.1 %"), (0.001, "0.1 %"), (0.0123, "1.2 %"), (0.0994, "9.9 %"),
      (0.0996, "10 %"), (0.5, "50 %"), (1, "100 %"),
    ])
  func percents(_ part: Double, _ text: String) { #expect(percent(part) == text) }

  @Test(
    "rates have a sign",
    arguments: [
      (0, "0"), (0.001, "0"), (-0.001, "0"), (0.05, "+0.05"), (-1.5, "-1.50"), (12.34, "+12.3"),
      (-1234.6, "-1,235"), (99.99, "+100.0"), (1e20, "+1e+20"),
    ])
  func rates(_ rate: Double, _ text: String) { #expect(rateText(rate) == text) }
}
