// SPDX-License-Identifier: BSD-2-Clause
//
// The problems that the listener's status file shows.

import Basics
import Listening

extension Judgment {
  static func statusFile(_ report: StatusReport) -> [Symptom] {
    if case .unreadable(let path, let why) = report.statusFile {
      return [
        Symptom(state: .unknown, text: "cannot see the status file \(path.escaped): \(why)")
      ]
    }
    guard let status = report.statusFile.status else { return [] }
    guard let listener = report.listener else {
      // Another check finds that nothing listens. Here the file contradicts a session that does listen.
      guard report.database.answers?.sight == .listening else { return [] }
      return [
        Symptom(
          state: .degraded,
          text:
            "the status file is of process \(status.process), which is gone; another one listens",
          since: status.healthyAt)
      ]
    }
    return health(listener, report) + troubles(listener)
  }

  private static func health(_ listener: ListenerStatus, _ report: StatusReport) -> [Symptom] {
    let since = listener.stateSince
    switch listener.state {
    case "no-cache-directory":
      return [
        Symptom(
          state: .nobody, text: "nothing is cleared: the listener's cache directory is not there",
          since: since)
      ]
    case "mount-away":
      return [
        Symptom(
          state: .degraded, text: "the file system of a family is not mounted; it is not cleared",
          since: since)
      ]
    case "polling" where report.database.answers?.sight == .listening:
      return [
        Symptom(
          state: .polling, text: "only polling: the listener hears no notification", since: since)
      ]
    default: break
    }
    guard let healthyAt = listener.healthyAt else {
      return [
        Symptom(
          state: .degraded, text: "the listener has not reported healthy yet", since: since)
      ]
    }
    let silence = report.age(healthyAt) ?? 0
    guard Double(silence) >= report.longestSilence else { return [] }
    return [
      Symptom(
        state: .nobody,
        text:
          "the listener has not reported healthy for \(durationText(Double(silence))); see its log",
        since: healthyAt)
    ]
  }

  private static func troubles(_ listener: ListenerStatus) -> [Symptom] {
    var texts: [String] = []
    if !listener.refused.isEmpty {
      texts.append(
        "the server refuses the listener \(listed(listener.refused.map(\.escaped), "and"))")
    }
    texts += listener.held.map { "\($0.queue.escaped) is held by \($0.holder.escaped)" }
    if listener.retriesWaiting > 0 {
      let rows = counted(Int(clamping: listener.retriesWaiting), "row")
      texts.append("\(rows) could not be cleared; the listener tries again")
    }
    for family in listener.recheck?.families ?? [] {
      if let problem = family.problem {
        texts.append("the recheck of \(family.family.escaped) fails: \(problem.escaped)")
      }
      if family.refused > 0 {
        texts.append(
          "\(counted(family.refused, "key")) of \(family.family.escaped) changed at once, more than "
            + "RECHECK_MOST: none was cleared")
      }
    }
    for family in listener.scrub?.families ?? [] {
      if let problem = family.problem {
        texts.append("the scrub of \(family.family.escaped) fails: \(problem.escaped)")
      }
      if family.refused > 0 {
        texts.append(
          "\(counted(family.refused, "page")) of \(family.family.escaped) out of date, more than SCRUB_MOST: "
            + "none was cleared")
      }
    }
    if let failures = listener.prune?.failures, failures > 0 {
      texts.append("the last prune could not remove or read \(counted(failures, "page"))")
    }
    if let problem = listener.events?.problem {
      texts.append("the listener cannot write its events file, so rows stay: \(problem.escaped)")
    }
    return texts.map { Symptom(state: .degraded, text: $0) }
  }
}
