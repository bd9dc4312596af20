// SPDX-License-Identifier: BSD-2-Clause
//
// Whether it is well, as a table: what the database and the status file say, and what that comes to.

import Testing

@testable import Basics
@testable import CacheFS
@testable import Listening
@testable import PGQueue
@testable import fpcache

private let now: Int64 = 1_600_000_000
private let refusal = ServerError(
  sqlState: "42501", message: "permission denied for table x", hint: nil)
private let ours = ListeningSession(
  process: 7, role: "listening", applicationName: "fpcache listen", age: 60)
private let hiddenOurs = ListeningSession(
  process: 7, role: "listening", applicationName: "fpcache listen", age: nil, listens: nil)

@Suite("Judgment") struct JudgmentTests {
  /// The report of a site: nothing waits and fpcache listens, unless changed.
  struct Site {
    var queues = [queue(.ports, 0)]
    var sight = ListenerSight.listening
    var sessions = [ours]
    var usage = 0.0
    var channels: [Channel]? = [Channel(name: "p", scriptName: "listen_port")]
    var nodes: [NodeBacklog] = []
    var refused: [DatabaseSurvey.Refusal] = []
    var failure: DatabaseError?
    var status: [(String, JSON)]?
    var isAlive = true
    var unreadable = false
    var thresholds = QueueThresholds()
    var poll = 60

    var report: StatusReport {
      var answers = answers(queues, sessions, usage: usage, channels: channels)
      answers.sight = sight
      answers.nodes = nodes
      answers.refused = refused
      var file = StatusFile.notNamed
      if unreadable { file = .unreadable(path: "/s\u{1B}", why: "Permission denied") }
      if let status = status.flatMap({
        ListenerStatus(.object([("pid", .integer(5))] + $0), isAlive: { _ in isAlive })
      }) {
        file = .read(path: "/s", status)
      }
      return StatusReport(
        at: now * 1_000_000_000, database: failure.map { .failed($0) } ?? .done(answers),
        statusFile: file, rules: .freshPorts(.freshPorts), pollInterval: .seconds(poll),
        thresholds: thresholds)
    }
  }

  struct Row: CustomTestStringConvertible {
    let state: Judgment.State
    let text: String
    let change: @Sendable (inout Site) -> Void
    var testDescription: String { text }

    init(
      _ state: Judgment.State, _ text: String, _ change: @escaping @Sendable (inout Site) -> Void
    ) {
      (self.state, self.text, self.change) = (state, text, change)
    }
  }

  private static func time(_ age: Int) -> JSON { .string(utcTimestamp(Int(now) - age)) }

  /// A status file's members.
  private static func status(
    _ state: String = "listening", healthy: Int? = 10, _ more: [(String, JSON)] = []
  ) -> [(String, JSON)] {
    [
      ("state", .string(state)), ("since", time(500)),
      ("healthy_at", healthy.map(time) ?? .null),
    ] + more
  }

  private static func thresholds(
    w: String? = nil, c: String? = nil
  ) -> QueueThresholds {
    var thresholds = QueueThresholds()
    if let pair = w.flatMap(QueueThresholds.parse) {
      (thresholds.wait.warning, thresholds.rows.warning) = pair
    }
    if let pair = c.flatMap(QueueThresholds.parse) {
      (thresholds.wait.critical, thresholds.rows.critical) = pair
    }
    return thresholds
  }

  private static let untold = ListenerSight.untold(reason: "hidden", grant: "GRANT y TO z;")

  static let rows = [
    Row(.well, "fpcache is listening, and nothing waits") { _ in },
    Row(.well, "fpcache is listening, and 3 rows wait, the oldest for 119 s") {
      $0.queues = [queue(.ports, 3, age: 119)]
    },
    Row(.well, "fpcache is listening, and 1 row waits") {
      $0.queues = [queue(.ports, 1, age: nil)]
    },
    Row(.well, "fpcache is listening, and nothing waits") {
      // Proof is as good as sight.
      ($0.sight, $0.sessions, $0.status) = (untold, [hiddenOurs], status())
    },
    Row(.well, "process 9 (old) is listening, and nothing waits") {
      $0.sessions = [
        ListeningSession(process: 9, role: "r", applicationName: "old", age: 1)
      ]
    },
    Row(.well, "fpcache is listening, and 3 rows wait, the oldest for 60 min") {
      ($0.queues, $0.poll) = ([queue(.ports, 3, age: 3600)], 3600)
    },
    // Late.
    Row(
      .late,
      "late: 4 rows in cache_clearing_ports and cache_clearing_dates, the oldest for 2 min"
    ) {
      $0.queues = [
        queue(.ports, 3, age: 120), queue(.dates, 1, age: 121), queue(.files, 1, age: 1),
      ]
    },
    Row(.late, "late: 3 rows in cache_clearing_ports, the oldest for 2 h; draining now") {
      $0.queues = [queue(.ports, 3, age: 7200)]
      $0.status = status("draining", [("drain_under_way", .object([("rows", .integer(1))]))])
    },
    Row(.late, "late: 3 rows in cache_clearing_ports, the oldest for 11 s") {
      ($0.queues, $0.thresholds) = ([queue(.ports, 3, age: 11)], thresholds(w: "10"))
    },
    Row(.late, "late: 30 rows in cache_clearing_ports, the oldest for 1 s") {
      ($0.queues, $0.thresholds) = ([queue(.ports, 30, age: 1)], thresholds(w: ",29"))
    },
    Row(.well, "fpcache is listening, and 3 rows wait, the oldest for 5 min") {
      ($0.queues, $0.thresholds) = ([queue(.ports, 3, age: 300)], thresholds(w: "600"))
    },
    // A limit.
    Row(
      .limit,
      "limit passed: the oldest row in cache_clearing_ports has waited 2 d; the limit is 600 s"
    ) {
      ($0.queues, $0.thresholds) = ([queue(.ports, 3)], thresholds(c: "600"))
    },
    Row(.limit, "limit passed: 20,508 rows in cache_clearing_ports; the limit is 20000") {
      ($0.queues, $0.thresholds) = ([queue(.ports, 20_508, age: 1)], thresholds(c: ",20000"))
    },
    Row(.unknown, "cannot see since when 3 rows in cache_clearing_ports wait: no row says") {
      ($0.queues, $0.thresholds) = ([queue(.ports, 3, age: nil)], thresholds(c: "600"))
    },
    Row(.well, "fpcache is listening, and 1 row waits, the oldest for 0 s") {
      // A clock that runs ahead.
      ($0.queues, $0.thresholds) = ([queue(.ports, 1, age: -5)], thresholds(w: "10", c: "600"))
    },
    // Nobody.
    Row(
      .nobody, "nobody is listening: 20,508 rows wait, the oldest for 2 d; start fpcache listen"
    ) {
      ($0.queues, $0.sight, $0.sessions) = ([queue(.ports, 20_508)], .nobody, [])
    },
    Row(.nobody, "nobody is listening: nothing waits yet; start fpcache listen") {
      ($0.sight, $0.sessions, $0.status, $0.isAlive) = (.nobody, [], status(healthy: 900), false)
    },
    Row(.nobody, "nothing is cleared: the listener's cache directory is not there") {
      $0.status = status("no-cache-directory")
    },
    Row(.nobody, "the listener has not reported healthy for 5 min; see its log") {
      $0.status = status(healthy: 300)
    },
    Row(.well, "fpcache is listening, and nothing waits") { $0.status = status(healthy: 299) },
    // Only polling.
    Row(.polling, "only polling: fpcache hears no notification and looks every 60 s") {
      $0.sight = .polling
    },
    Row(.polling, "only polling: fpcache hears no notification and looks every 60 s") {
      ($0.sight, $0.status) = (untold, status("polling"))
    },
    Row(.polling, "only polling: the listener hears no notification") {
      $0.status = status("polling")
    },
    // What cannot be seen.
    Row(.unknown, "cannot see who listens: hidden; GRANT y TO z;") {
      ($0.sight, $0.sessions) = (untold, [hiddenOurs])
    },
    Row(.unknown, "cannot see: cannot connect: no; see --dsn") { $0.failure = .unreachable("no") },
    Row(.unknown, "cannot see cache_clearing_ports: permission denied for table x; GRANT it;") {
      $0.queues = [QueueSurvey(table: .ports, outcome: .refused(refusal))]
      $0.refused = [.init(table: "cache_clearing_ports", reason: refusal, grant: "GRANT it;")]
    },
    Row(.unknown, "cannot see: this database has none of the queues; see --dsn") {
      ($0.sight, $0.channels) = (.nobody, [])
      $0.queues = QueueTable.all.map { QueueSurvey(table: $0, outcome: .missing) }
    },
    Row(.unknown, "cannot see the status file /s\\x1b: Permission denied") { $0.unreadable = true },
    // Degraded.
    Row(.degraded, "the file system of a family is not mounted; it is not cleared") {
      $0.status = status("mount-away")
    },
    Row(.degraded, "the listener has not reported healthy yet") {
      $0.status = status("starting", healthy: nil)
    },
    Row(.degraded, "the status file is of process 5, which is gone; another one listens") {
      ($0.status, $0.isAlive) = (status(healthy: 900), false)
    },
    Row(.degraded, "the server refuses the listener x and y") {
      $0.status = status([("queues_refused", .array([.string("x"), .string("y")]))])
    },
    Row(.degraded, "x is held by the session 4") {
      $0.status = status([
        (
          "queues_held",
          .array([.object([("queue", .string("x")), ("by", .string("the session 4"))])])
        )
      ])
    },
    Row(.degraded, "2 rows could not be cleared; the listener tries again") {
      $0.status = status([("retries_waiting", .integer(2))])
    },
    Row(.degraded, "the recheck of ports fails: no such column") {
      $0.status = status([("recheck", recheck([("problem", .string("no such column"))]))])
    },
    Row(.degraded, "9 keys of ports changed at once, more than RECHECK_MOST: none was cleared") {
      $0.status = status([("recheck", recheck([("refused", .integer(9))]))])
    },
    Row(.degraded, "the scrub of ports fails: no such column") {
      $0.status = status([("scrub", scrub([("problem", .string("no such column"))]))])
    },
    Row(.degraded, "9 pages of ports out of date, more than SCRUB_MOST: none was cleared") {
      $0.status = status([("scrub", scrub([("refused", .integer(9))]))])
    },
    Row(.degraded, "cache_clearing_files: this database has no such table") {
      $0.queues = [queue(.ports, 0), QueueSurvey(table: .files, outcome: .missing)]
      $0.channels = [Channel(name: "f", scriptName: "listen_file_updated")]
    },
    Row(.well, "fpcache is listening, and nothing waits") {
      // Older schemas lack it, and nothing announces it.
      $0.queues = [queue(.ports, 0), QueueSurvey(table: .files, outcome: .missing)]
    },
    Row(.degraded, "node web1 is behind by 5 rows and 2 min") {
      $0.nodes = [NodeBacklog(name: "web1", rows: 5, age: 130)]
    },
    Row(.well, "fpcache is listening, and nothing waits") {
      $0.nodes = [NodeBacklog(name: "web1", rows: 5, age: 1)]
    },
    Row(.degraded, "listen_for is empty: a listener hears nothing") { $0.channels = [] },
    Row(
      .degraded,
      "the server's notification queue is 60 % full: a session that listens sits in a transaction"
    ) { $0.usage = 0.6 },
  ]

  private static func status(_ more: [(String, JSON)]) -> [(String, JSON)] {
    status("listening", more)
  }
  private static func status(_ state: String, _ more: [(String, JSON)]) -> [(String, JSON)] {
    status(state, healthy: 10, more)
  }

  private static func scrub(_ members: [(String, JSON)]) -> JSON {
    .object([
      ("pages", .integer(0)),
      ("families", .array([.object([("family", .string("ports"))] + members)])),
    ])
  }

  private static func recheck(_ members: [(String, JSON)]) -> JSON {
    .object([
      ("keys", .integer(0)),
      ("families", .array([.object([("family", .string("ports"))] + members)])),
    ])
  }

  @Test("what a site comes to", arguments: rows)
  private func judged(_ row: Row) {
    var site = Site()
    row.change(&site)
    let judgment = Judgment(site.report)
    #expect(judgment.state == row.state && judgment.first.text == row.text, "\(judgment)")
    #expect(judgment.symptoms.count == 1, "\(judgment)")
    let severity: NagiosState =
      switch row.state {
      case .well: .ok
      case .late, .degraded, .polling: .warning
      case .limit, .nobody: .critical
      case .unknown: .unknown
      }
    #expect(judgment.severity == severity)
  }

  @Test("the worst comes first: what is wrong, then what cannot be seen")
  func order() {
    var site = Site()
    site.channels = []
    site.unreadable = true
    #expect(Judgment(site.report).symptoms.map(\.state) == [.degraded, .unknown])
    site.sight = .nobody
    #expect(Judgment(site.report).symptoms.map(\.state) == [.nobody, .degraded, .unknown])
  }

  @Test("since when: the last proof of health, or the oldest row")
  func since() {
    var site = Site()
    (site.sight, site.queues) = (.nobody, [queue(.ports, 1, age: 300)])
    #expect(Judgment(site.report).since == (now - 300) * 1_000_000_000)
    (site.status, site.isAlive) = (Self.status(healthy: 400), false)
    #expect(Judgment(site.report).since == (now - 400) * 1_000_000_000)
    #expect(Judgment(Site(sight: .nobody).report).since == nil)
    #expect(Judgment(Site(status: Self.status()).report).since == (now - 500) * 1_000_000_000)
  }
}
