// SPDX-License-Identifier: BSD-2-Clause
//
// The audit as a monitoring plugin's answer.

import Basics
import CacheFS
import PGQueue

extension Audit {
  var nagios: PluginAnswer {
    let open = self.open
    let counts = Self.byCode(open).map { "\($0.code.rawValue)=\($0.findings.count)" }
      .joined(separator: " ")
    let data = performanceData(open)
    if isIncomplete, let databaseError {
      return PluginAnswer(state: .unknown, text: databaseError.explanation, data: data)
    }
    // A remedy that differs from the code's own remedy. The documents have the code's own remedy for each code.
    let remedy = open.first { $0.remedy != $0.code.remedy }.map { "; \($0.remedy)" } ?? ""
    let found = counts.isEmpty ? "no findings" : counts
    let text = notChecked.line(behind: found + remedy)
    let state: NagiosState =
      switch open.map(\.code.severity).max() {
      case .critical?: .critical
      case .warning?: .warning
      case .notice?, nil: notChecked.isEmpty ? .ok : .unknown
      }
    return PluginAnswer(state: state, text: text, data: data, details: details)
  }

  /// The text output without its last line, as far as a monitor keeps it (Nagios: 8 KB).
  private var details: [String] {
    let most = 40
    let lines = Array(lines(all: false).dropLast())
    guard lines.count > most else { return lines }
    return lines.prefix(most) + ["and \(grouped(lines.count - most)) more lines"]
  }

  /// The findings, the files, the findings of each severity, the rows of each queue, and the seconds that its oldest
  /// row has waited.
  private func performanceData(_ open: [Finding]) -> [PerformanceDatum] {
    var data = [
      PerformanceDatum(label: "findings", value: Int64(open.count)),
      PerformanceDatum(label: "files", value: Int64(files ?? 0)),
    ]
    for severity in Severity.allCases.reversed() {
      data.append(
        PerformanceDatum(
          label: severity.rawValue, value: Int64(open.count { $0.code.severity == severity })))
    }
    return data + queues.performanceData(QueueThresholds(limits))
  }
}
