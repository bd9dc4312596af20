// SPDX-License-Identifier: BSD-2-Clause
//
// `status` as a monitoring plugin's answer.

import Basics
import Listening
import PGQueue

extension StatusReport {
  func plugin(_ judgment: Judgment) -> PluginAnswer {
    PluginAnswer(
      state: judgment.severity, text: judgment.first.text, data: performanceData,
      details: judgment.symptoms.dropFirst().map(\.text) + details)
  }

  private var performanceData: [PerformanceDatum] {
    var data = queues.performanceData(thresholds)
    if let answers = database.answers {
      data.append(
        PerformanceDatum(
          label: "sessions_listening",
          value: Int64(answers.server.listening.count { $0.listens == true })))
      data.append(
        PerformanceDatum(
          label: "notification_queue", value: whole(answers.server.notificationQueueUsage * 100),
          unit: .percent, most: 100))
      for node in answers.nodes {
        data.append(
          PerformanceDatum(label: "node_\(node.name)_behind", value: Int64(node.rows)))
      }
    }
    if let listener { data += performanceData(listener) }
    return data
  }

  private func performanceData(_ listener: ListenerStatus) -> [PerformanceDatum] {
    var data: [PerformanceDatum] = []
    if let age = age(listener.healthyAt) {
      data.append(PerformanceDatum(label: "healthy_age", value: age, unit: .seconds))
    }
    if let age = age(listener.lastDrain) {
      data.append(PerformanceDatum(label: "last_drain_age", value: age, unit: .seconds))
    }
    let total = listener.total
    return data + [
      PerformanceDatum(label: "retries", value: listener.retriesWaiting),
      PerformanceDatum(label: "settle", value: listener.settleWaiting),
      PerformanceDatum(label: "rows_cleared", value: total.rows, unit: .counter),
      PerformanceDatum(label: "keys_cleared", value: total.keys, unit: .counter),
      PerformanceDatum(label: "files_removed", value: total.files, unit: .counter),
      PerformanceDatum(label: "bytes_removed", value: total.bytes, unit: .bytes),
    ]
  }

  /// The answers to the next questions of a person who opens the service.
  private var details: [String] {
    let terminal = Terminal(columns: 100, rows: nil, isTerminal: false, isUnicode: true)
    let text = StatusText(
      report: self, judgment: Judgment(self), terminal: terminal)
    return text.facts.filter { !$0.isEmpty }
  }
}
