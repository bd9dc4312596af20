// SPDX-License-Identifier: BSD-2-Clause
//
// Prometheus' text exposition format.

/// Prometheus' text exposition format.
package struct PrometheusText {
  package private(set) var text = ""

  package init() {}

  package mutating func add(_ name: String, _ type: String, _ help: String, _ value: Int) {
    begin(name, type, help)
    text += "\(name) \(value)\n"
  }

  /// A metric with labels, or without when they are empty; left out when it has no samples.
  package mutating func add(
    _ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: String)]
  ) {
    guard !samples.isEmpty else { return }
    begin(name, type, help)
    for sample in samples {
      text += (sample.labels.isEmpty ? name : "\(name){\(sample.labels)}") + " \(sample.value)\n"
    }
  }

  /// A label's value as the format has it between its quotes.
  package static func escaped(_ value: String) -> String {
    value.unicodeScalars.reduce(into: "") { text, scalar in
      switch scalar {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.unicodeScalars.append(scalar)
      }
    }
  }

  package mutating func addHistogram<Number: Numeric & CustomStringConvertible>(
    _ name: String, _ help: String, bounds: [Number], counts: [Int], sum: Number
  ) {
    begin(name, "histogram", help)
    var count = 0
    for (bound, own) in zip(bounds, counts) {
      count += own
      text += "\(name)_bucket{le=\"\(bound)\"} \(count)\n"
    }
    count = counts.reduce(0, +)
    text += "\(name)_bucket{le=\"+Inf\"} \(count)\n\(name)_sum \(sum)\n\(name)_count \(count)\n"
  }

  private mutating func begin(_ name: String, _ type: String, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }
}
