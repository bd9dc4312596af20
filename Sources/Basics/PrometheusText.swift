// SPDX-License-Identifier: BSD-2-Clause
//
// Prometheus' text exposition format.

/// Prometheus' text exposition format.
package struct PrometheusText {
  package private(set) var text = ""

  package init() {}

  package mutating func add(_ metric: Metric, _ value: some BinaryInteger) {
    add(metric, [Sample(value)])
  }

  package mutating func add(_ metric: Metric, _ value: Double) { add(metric, [Sample(value)]) }

  /// - Parameter time: nanoseconds since the epoch; nil means never, which is 0.
  package mutating func add(_ metric: Metric, time: Int64?) { add(metric, [Sample(time: time)]) }

  /// A metric without samples is left out.
  package mutating func add(_ metric: Metric, _ samples: [Sample]) {
    guard !samples.isEmpty else { return }
    begin(metric)
    for sample in samples {
      let labels = zip(metric.labels, sample.labels).map { "\($0)=\"\(Self.escaped($1))\"" }
      let name = labels.isEmpty ? metric.name : "\(metric.name){\(labels.joined(separator: ","))}"
      text += "\(name) \(sample.value)\n"
    }
  }

  /// - Parameter counts: the count of each bucket alone (not cumulative), one more than there are bounds.
  package mutating func add(_ metric: Metric, bounds: [Double], counts: [Int], sum: Double) {
    begin(metric)
    var count = 0
    for (bound, own) in zip(bounds, counts) {
      count += own
      text += "\(metric.name)_bucket{le=\"\(bound)\"} \(count)\n"
    }
    count = counts.reduce(0, +)
    text += "\(metric.name)_bucket{le=\"+Inf\"} \(count)\n"
    text += "\(metric.name)_sum \(sum)\n\(metric.name)_count \(count)\n"
  }

  private mutating func begin(_ metric: Metric) {
    text += "# HELP \(metric.name) \(metric.help)\n# TYPE \(metric.name) \(metric.kind.rawValue)\n"
  }

  /// A label's value, escaped for the quotes of the format.
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
}
