// SPDX-License-Identifier: BSD-2-Clause
//
// `status` for people: one screen, with the verdict first.

import Basics
import Listening
import PGQueue

/// The text of a report for one terminal.
struct StatusText {
  /// A longer key is cut: others wrote its text.
  private static let longestKey = 60

  let report: StatusReport
  let judgment: Judgment
  let terminal: Terminal
  var palette = Palette.plain
  /// When a watch first saw this state; nil outside of a watch.
  var since: Int64?

  var lines: [String] {
    StatusText.joined([verdict] + sections)
  }

  /// The facts that led to the verdict.
  var facts: [String] { StatusText.joined(sections) }

  /// Names and keys that others wrote are cut where they do not fit into a table.
  private var sections: [[String]] {
    let tables = [queues, nodes, sessions].map { table in
      table.map { terminal.cut($0, to: terminal.columns) }
    }
    return tables + [listener]
  }

  static func joined(_ sections: [[String]]) -> [String] {
    Array(sections.filter { !$0.isEmpty }.joined(separator: [""]))
  }

  // MARK: The verdict

  /// Painted last, because colour takes no room.
  var verdict: [String] {
    judgment.symptoms.enumerated().flatMap { index, symptom in
      let paint: Palette.Paint =
        switch symptom.severity {
        case .ok: .green
        case .warning, .unknown: .yellow
        case .critical: .red
        }
      let text =
        (index == 0 ? heading(symptom) : symptom.text) + since(symptom, isFirst: index == 0)
      let words = text.split(separator: " ").map(String.init)
      return terminal.lines(index == 0 ? "" : "  ", words: words).map { palette.paint($0, paint) }
    }
  }

  /// Adds that all is well, where it is. Every other text says its state itself, or is one of several.
  private func heading(_ symptom: Judgment.Symptom) -> String {
    switch symptom.state {
    case .well: "well: \(symptom.text)"
    case .degraded: "degraded: \(symptom.text)"
    default: symptom.text
    }
  }

  /// When it began, where the words do not say it already.
  private func since(_ symptom: Judgment.Symptom, isFirst: Bool) -> String {
    let time = symptom.since ?? (isFirst ? self.since : nil)
    guard let time, let age = report.age(time) else { return "" }
    switch symptom.state {
    case .late, .limit: return ""
    default: return " (since \(timestamp(time)), \(ageText(age)))"
    }
  }

  // MARK: The database

  private var queues: [String] {
    guard let answers = report.database.answers, !answers.queues.isEmpty else { return [] }
    return terminal.lines { _ in
      TextTable(
        columns: [
          TextTable.Column(title: "QUEUE", isRight: false), TextTable.Column(title: "ROWS"),
          TextTable.Column(title: "OLDEST"),
          TextTable.Column(title: "", isRight: false, rank: 1, isFree: true),
        ], rows: answers.queues.map(cells))
    }
  }

  private func cells(_ queue: QueueSurvey) -> [String] {
    switch queue.outcome {
    case .missing: return [queue.table.name, "-", "-", "no such table"]
    case .refused: return [queue.table.name, "?", "?", "cannot be read"]
    case .counted(let contents):
      guard let oldest = contents.oldest else {
        return [queue.table.name, grouped(contents.rows), "-", ""]
      }
      return [
        queue.table.name, grouped(contents.rows),
        oldest.age.map { ageText(max(0, whole($0))) } ?? "unknown",
        terminal.cut(keyText(oldest.key), to: Self.longestKey),
      ]
    }
  }

  private var nodes: [String] {
    guard let nodes = report.database.answers?.nodes, !nodes.isEmpty else { return [] }
    return terminal.lines { _ in TextTable.nodes(nodes, standing: false) }
  }

  private var sessions: [String] {
    guard let server = report.database.answers?.server, !server.listening.isEmpty else { return [] }
    let most = 5
    var lines = terminal.lines { _ in
      TextTable(
        columns: [
          TextTable.Column(title: "SESSION", isRight: false, isFree: true),
          TextTable.Column(title: "PROCESS"), TextTable.Column(title: "ROLE", isRight: false),
          TextTable.Column(title: "SINCE"), TextTable.Column(title: "LISTENS", isRight: false),
        ],
        rows: server.listening.prefix(most).map { session in
          [
            session.applicationName.isEmpty ? "(no name)" : session.applicationName.escaped,
            "\(session.process)", session.role.escaped,
            session.age.map { ageText(max(0, whole($0))) } ?? "?",
            session.listens.map { $0 ? "yes" : "no" } ?? "?",
          ]
        })
    }
    if server.listening.count > most {
      lines.append("and \(grouped(server.listening.count - most)) more sessions")
    }
    return lines
  }

  // MARK: The status file

  private var listener: [String] {
    var facts: [(name: String, text: String)] = []
    switch report.statusFile {
    case .notNamed: facts.append(("listener", "no status file is named; see --status-file"))
    case .missing(let path): facts.append(("listener", "no status file \(path.escaped)"))
    case .unreadable: break
    case .read(_, let status): facts += listenerFacts(status)
    }
    if let usage = report.database.answers?.server.notificationQueueUsage, usage > 0 {
      facts.append(("notifications", "the server's queue is \(percent(usage)) full"))
    }
    let width = facts.reduce(0) { max($0, $1.name.utf8.count) } + 2
    return facts.flatMap { fact in
      let padding = String(repeating: " ", count: width - fact.name.utf8.count)
      return terminal.lines(
        fact.name + padding, words: fact.text.split(separator: " ").map(String.init))
    }
  }

  private func ago(_ time: Int64?) -> String? {
    report.age(time).map { "\(ageText($0)) ago" }
  }

  private func listenerFacts(_ status: ListenerStatus) -> [(name: String, text: String)] {
    let state = status.isAlive ? status.state.escaped : "gone"
    var facts = [
      (
        "listener",
        "process \(status.process), \(state), "
          + (ago(status.healthyAt).map { "healthy \($0)" } ?? "not healthy yet")
      )
    ]
    if let underWay = status.underWay { facts.append(("draining", underWay.words + " so far")) }
    let last = ago(status.lastDrain).map { time in
      "\(time)\(status.drained.map { ": \($0.words)" } ?? "")"
    }
    facts.append(("last drain", last ?? "none"))
    facts.append(("since start", status.total.words))
    facts += lookFacts(status)
    facts.append(("retries", counted(Int(clamping: status.retriesWaiting), "row")))
    facts.append(("settle list", counted(Int(clamping: status.settleWaiting), "key")))
    if let error = status.lastError {
      let when = ago(error.at).map { "\($0): " } ?? ""
      facts.append(("last error", when + withoutControls(error.message)))
    }
    return facts
  }

  /// What the listener does besides its queues.
  private func lookFacts(_ status: ListenerStatus) -> [(name: String, text: String)] {
    var facts: [(name: String, text: String)] = []
    if let recheck = status.recheck, !recheck.families.isEmpty {
      let missed = recheck.families.reduce(0) { $0 &+ $1.missed }
      facts.append(
        (
          "recheck",
          "\(ago(recheck.at) ?? "not yet"): \(counted(recheck.keys, "key")) cleared, "
            + "\(grouped(missed)) missed"
        ))
    }
    if let scrub = status.scrub, !scrub.families.isEmpty {
      facts.append(
        (
          "scrub",
          "\(ago(scrub.at) ?? "not yet"): \(counted(scrub.pages, "page")) looked at, "
            + "\(grouped(scrub.cleared)) cleared"
        ))
    }
    if let prune = status.prune {
      facts.append(
        (
          "prune",
          ago(prune.at).map {
            "\($0): \(counted(prune.files, "page")) removed, \(sizeText(prune.bytes))"
          } ?? "not yet"
        ))
    }
    if let events = status.events {
      let failures = events.failures > 0 ? ", \(grouped(events.failures)) failed tries" : ""
      facts.append(("events", "\(counted(events.written, "line"))\(failures)"))
    }
    return facts
  }
}

extension DrainCounts {
  fileprivate var words: String {
    let time = seconds.map { " in \(Duration.seconds($0).text)" } ?? ""
    return "\(counted(Int(clamping: rows), "row")), \(counted(Int(clamping: keys), "key")), "
      + "\(counted(Int(clamping: files), "file")), \(sizeText(max(0, bytes)))\(time)"
  }
}

extension ListeningSession {
  /// Its name in a sentence.
  var title: String {
    "process \(process)" + (applicationName.isEmpty ? "" : " (\(applicationName.escaped))")
  }
}
