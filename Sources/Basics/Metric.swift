// SPDX-License-Identifier: BSD-2-Clause
//
// The description of a metric before it has a value: its name, kind, help text and labels. One table of these
// is printed, and docs/metrics.md is checked against it.

/// A Prometheus metric.
package struct Metric: Equatable, Sendable {
  package enum Kind: String, Sendable {
    case counter, gauge, histogram
  }

  /// It includes the unit and, for a counter, ends in `_total`.
  package let name: String
  package let kind: Kind
  package let help: String
  /// The names of its labels, in the order of the values in a ``Sample``.
  package let labels: [String]

  /// A counter: it starts at 0 with the process and only grows.
  package static func counter(_ name: String, _ help: String, by labels: String...) -> Metric {
    Metric(name: name, kind: .counter, help: help, labels: labels)
  }

  package static func gauge(_ name: String, _ help: String, by labels: String...) -> Metric {
    Metric(name: name, kind: .gauge, help: help, labels: labels)
  }

  /// A histogram: observations counted since the process started.
  package static func histogram(_ name: String, _ help: String) -> Metric {
    Metric(name: name, kind: .histogram, help: help, labels: [])
  }
}

/// One value of a metric, and the values of its labels.
package struct Sample: Equatable, Sendable {
  let labels: [String]
  let value: String

  package init(_ value: some BinaryInteger, _ labels: String...) {
    self.labels = labels
    self.value = "\(value)"
  }

  package init(_ value: Double, _ labels: String...) {
    self.labels = labels
    self.value = "\(value)"
  }

  /// - Parameter time: nanoseconds since the epoch, printed as seconds; nil means never, which is 0.
  package init(time: Int64?, _ labels: String...) {
    self.labels = labels
    value = "\((time ?? 0) / 1_000_000_000)"
  }
}
