// SPDX-License-Identifier: BSD-2-Clause
//
// The verdict on an overview, in words: whether rows wait, since when, and whether anything serves them.

import Basics
import CacheFS
import Listening
import PGQueue

extension Verdict {
  static func of(_ overview: Overview) -> [Verdict] {
    var verdicts: [Verdict] = []
    if let answers = overview.database.answers {
      verdicts.append(queues(answers, overview.rules, overview.rates))
      verdicts += Self.nodes(
        answers.nodes, longestWait: longestWait, longestSilence: longestSilence(overview))
      verdicts += notifications(answers) + channels(answers)
    }
    if case .failed = overview.database {
      verdicts.append(Verdict(severity: .waiting, text: "the queues could not be read"))
    }
    verdicts += statusFile(overview)
    if overview.tree.failureCount > 0 {
      verdicts.append(
        Verdict(
          severity: .bad,
          text:
            "\(counted(overview.tree.failureCount, "error")) in the tree: the numbers are too low"
        ))
    }
    return verdicts
  }

  private static func longestSilence(_ overview: Overview) -> Double {
    max(longestSilence, 2 * overview.pollInterval.seconds)
  }

  // MARK: Queues

  private static func queues(
    _ answers: DatabaseSurvey.Answers, _ rules: SiteRules, _ rates: Rates?
  ) -> Verdict {
    let waiting = answers.queues.filter { $0.contents.map { $0.rows > 0 } ?? false }
    let listener = listener(answers.server)
    if waiting.isEmpty {
      if answers.queues.allSatisfy({ $0.outcome == .missing }), !answers.queues.isEmpty {
        return Verdict(severity: .bad, text: "this database has none of the queues")
      }
      if answers.queues.contains(where: \.isRefused) {
        return Verdict(severity: .waiting, text: "some queues could not be read; \(listener.text)")
      }
      return Verdict(
        severity: listener.isThere ? .good : .waiting,
        text: "nothing waits, \(listener.isThere ? "and" : "but") \(listener.text)")
    }
    let ages = waiting.compactMap { $0.contents?.oldest?.age }
    let number = waiting.reduce(0) { $0 + ($1.contents?.keys ?? 0) }
    let what = listed(
      waiting.map { counted($0.contents?.keys ?? 0, rules.queue($0.table)?.noun ?? "key") }, "and")
    let age = ages.max()
    let wait =
      age.map { "\(number == 1 ? "has" : "have") waited \(durationText($0))" }
      ?? "\(number == 1 ? "waits" : "wait"), since when is unknown"
    let ending = ending(waiting, rates)
    // Rows that are being drained right now may have any age.
    let isLate = ending == nil && age.map { $0 >= longestWait } ?? false
    let joint = isLate && listener.isThere ? " although " : ": "
    return Verdict(
      severity: listener.isThere && !isLate ? .waiting : .bad,
      text: "\(what) \(wait)\(joint)\(listener.text)\(ending ?? "")")
  }

  private static func listener(_ server: ServerSurvey) -> (isThere: Bool, text: String) {
    if server.listening.contains(where: \.isListener) { return (true, "fpcache is listening") }
    if let other = server.listening.first {
      let name = other.applicationName.isEmpty ? "" : " (\(other.applicationName.escaped))"
      return (true, "process \(other.process)\(name) is listening")
    }
    let doubt = server.hidden > 0 ? ", as far as this role may see" : ""
    return (false, "nobody is listening\(doubt)")
  }

  /// When the queues will be empty if the rows continue to decrease at this rate; nil when they do not decrease.
  private static func ending(_ waiting: [QueueSurvey], _ rates: Rates?) -> String? {
    guard let rates else { return nil }
    let rate = rates.queueRows.reduce(0) { $0 + ($1 ?? 0) }
    guard rate < 0 else { return nil }
    let rows = waiting.reduce(0) { $0 + ($1.contents?.rows ?? 0) }
    return "; at this rate they are gone in \(durationText(Double(rows) / -rate))"
  }

  // MARK: What else is wrong

  private static func statusFile(_ overview: Overview) -> [Verdict] {
    guard let status = overview.statusFile.status else { return [] }
    guard status.isAlive else {
      if status.state == "stopping" {
        return [Verdict(severity: .waiting, text: "the listener has stopped")]
      }
      return [
        Verdict(
          severity: .bad,
          text:
            "the status file says \(status.state.escaped), but process \(status.process) is gone"
        )
      ]
    }
    if !status.refused.isEmpty {
      let queues = listed(status.refused.map(\.escaped), "and")
      return [Verdict(severity: .bad, text: "the server refuses the listener \(queues)")]
    }
    guard let age = overview.age(status.healthyAt) else {
      return [Verdict(severity: .waiting, text: "the listener has not reported healthy yet")]
    }
    guard Double(age) >= longestSilence(overview) else { return [] }
    return [
      Verdict(
        severity: .bad,
        text: "the listener has not reported healthy for \(durationText(Double(age)))")
    ]
  }
}

extension QueueSurvey {
  fileprivate var isRefused: Bool {
    if case .refused = outcome { true } else { false }
  }
}
