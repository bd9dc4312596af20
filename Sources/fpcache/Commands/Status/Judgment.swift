// SPDX-License-Identifier: BSD-2-Clause
//
// Whether everything is well: a pure function of a report. Something that could not be read is never well.

import Basics
import Listening
import PGQueue

/// The judgment on a report.
struct Judgment: Equatable {
  enum State: String {
    case well, late, degraded, polling, nobody, limit, unknown
  }

  /// One thing that is wrong.
  struct Symptom: Equatable {
    let state: State
    let text: String
    /// When it began, in nanoseconds since the epoch; nil where that is unknown.
    var since: Int64?

    var severity: NagiosState {
      switch state {
      case .well: .ok
      case .late, .degraded, .polling: .warning
      case .nobody, .limit: .critical
      case .unknown: .unknown
      }
    }
  }

  /// The worst first. It is never empty: where all is well, it holds a symptom that says so.
  let symptoms: [Symptom]

  var first: Symptom { symptoms[0] }
  var state: State { first.state }
  var severity: NagiosState { first.severity }
  var since: Int64? { first.since }

  init(_ report: StatusReport) {
    var found: [Symptom] = []
    if case .failed(let error) = report.database {
      let reason = error.explanation(adding: "see --dsn")
      found.append(Symptom(state: .unknown, text: "cannot see: \(reason)"))
    }
    if let answers = report.database.answers, Self.isAnother(answers) {
      found.append(
        Symptom(
          state: .unknown, text: "cannot see: this database has none of the queues; see --dsn"))
    } else if let answers = report.database.answers {
      found += Self.listening(report, answers)
      found += Self.queues(report, answers)
      found += Self.unread(answers)
      found += Self.nodes(report, answers)
    }
    found += Self.statusFile(report)
    if found.isEmpty { found = [Self.well(report)] }
    // Within a severity, symptoms keep the order in which they were found.
    let worst: [NagiosState] = [.critical, .warning, .unknown, .ok]
    symptoms = worst.flatMap { severity in found.filter { $0.severity == severity } }
  }

  /// Whether it is a database other than the site's. Then missing tables and listeners mean nothing.
  private static func isAnother(_ answers: DatabaseSurvey.Answers) -> Bool {
    !answers.queues.isEmpty && answers.queues.allSatisfy { $0.outcome == .missing }
  }

  // MARK: Well

  private static func well(_ report: StatusReport) -> Symptom {
    let who =
      report.database.answers?.server.listening.first { $0.isListener || $0.listens == true }
    let name = who.map { $0.isListener ? "fpcache is listening" : "\($0.title) is listening" }
    let rows = report.rows
    let waits = rows == 1 ? "waits" : "wait"
    let what =
      rows == 0
      ? "nothing waits"
      : "\(counted(rows, "row")) \(waits)"
        + (report.oldestAge.map { ", the oldest for \(durationText($0))" } ?? "")
    return Symptom(
      state: .well, text: "\(name ?? "fpcache is listening"), and \(what)",
      since: report.listener?.stateSince ?? who?.age.map { report.time(before: $0) })
  }

  // MARK: The listener

  private static func listening(
    _ report: StatusReport, _ answers: DatabaseSurvey.Answers
  ) -> [Symptom] {
    switch answers.sight {
    case .listening: return []
    case .polling: return [polling(report)]
    case .nobody: return [nobody(report)]
    case .untold(let reason, let grant):
      // The proof in the status file counts as much as a session that we see.
      if report.isProvedListening { return [] }
      if report.listener?.state == "polling" { return [polling(report)] }
      return [
        Symptom(
          state: .unknown,
          text: "cannot see who listens: \(reason)\(grant.map { "; \($0)" } ?? "")")
      ]
    }
  }

  private static func polling(_ report: StatusReport) -> Symptom {
    let interval = durationText(report.pollInterval.seconds)
    return Symptom(
      state: .polling,
      text: "only polling: fpcache hears no notification and looks every \(interval)",
      since: report.listener?.state == "polling" ? report.listener?.stateSince : nil)
  }

  private static func nobody(_ report: StatusReport) -> Symptom {
    let rows = report.rows
    let oldest = report.oldestAge.map { ", the oldest for \(durationText($0))" } ?? ""
    let what =
      rows == 0
      ? "nothing waits yet" : "\(counted(rows, "row")) \(rows == 1 ? "waits" : "wait")\(oldest)"
    return Symptom(
      state: .nobody, text: "nobody is listening: \(what); start fpcache listen",
      since: report.statusFile.status?.healthyAt
        ?? report.oldestAge.map { report.time(before: $0) })
  }

  // MARK: The queues

  private static func queues(
    _ report: StatusReport, _ answers: DatabaseSurvey.Answers
  ) -> [Symptom] {
    var found = limits(report)
    let late = report.waiting.filter { isLate($0, report) }
    if !late.isEmpty, answers.sight != .nobody {
      let rows = late.reduce(0) { $0 + $1.rows }
      let oldest = late.compactMap(\.oldestAge).max() ?? 0
      let queues = listed(late.map(\.table.name), "and")
      found.append(
        Symptom(
          state: .late,
          text: "late: \(counted(rows, "row")) in \(queues), the oldest for "
            + "\(durationText(oldest))\(report.listener?.underWay == nil ? "" : "; draining now")",
          since: report.time(before: oldest)))
    }
    let announced = (answers.channels ?? []).announced
    for queue in answers.queues
    where queue.outcome == .missing && queue.table.isNeeded(announced: announced) {
      found.append(
        Symptom(state: .degraded, text: "\(queue.table.name): \(QueueBacklog.noSuchTable)"))
    }
    return found
  }

  /// Whether the queue is late, and not already worse than late.
  private static func isLate(_ queue: QueueBacklog, _ report: StatusReport) -> Bool {
    let thresholds = report.thresholds
    if thresholds.wait.critical?.alerts(at: max(0, queue.oldestAge ?? 0)) == true { return false }
    let isLong = thresholds.rows.warning?.alerts(at: Double(queue.rows)) ?? false
    guard let age = queue.oldestAge else { return isLong }
    // The site's own range replaces our default.
    return isLong || thresholds.wait.warning?.alerts(at: max(0, age)) ?? (age >= report.longestWait)
  }

  private static func limits(_ report: StatusReport) -> [Symptom] {
    let (wait, rows) = (report.thresholds.wait.critical, report.thresholds.rows.critical)
    var found: [Symptom] = []
    for queue in report.queues {
      let age = queue.rows == 0 ? 0 : queue.oldestAge
      if let wait, let age, wait.alerts(at: max(0, age)) {
        found.append(
          Symptom(
            state: .limit,
            text: "limit passed: the oldest row in \(queue.table.name) has waited "
              + "\(durationText(age)); the limit is \(wait.text) s",
            since: report.time(before: age)))
      }
      if wait != nil || report.thresholds.wait.warning != nil, age == nil {
        found.append(
          Symptom(
            state: .unknown,
            text:
              "cannot see since when \(counted(queue.rows, "row")) in \(queue.table.name) wait: "
              + "no row says"))
      }
      if let rows, rows.alerts(at: Double(queue.rows)) {
        found.append(
          Symptom(
            state: .limit,
            text: "limit passed: \(counted(queue.rows, "row")) in \(queue.table.name); "
              + "the limit is \(rows.text)"))
      }
    }
    return found
  }

  private static func unread(_ answers: DatabaseSurvey.Answers) -> [Symptom] {
    answers.refused.map {
      Symptom(state: .unknown, text: "cannot see \($0.table): \($0.words)")
    }
      + (Verdict.notifications(answers) + Verdict.channels(answers)).map {
        Symptom(state: .degraded, text: $0.text)
      }
  }

  private static func nodes(
    _ report: StatusReport, _ answers: DatabaseSurvey.Answers
  ) -> [Symptom] {
    Verdict.nodes(
      answers.nodes, longestWait: report.longestWait, longestSilence: report.longestSilence
    ).filter { $0.severity == .bad }.map { Symptom(state: .degraded, text: $0.text) }
  }
}
