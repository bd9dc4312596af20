// SPDX-License-Identifier: BSD-2-Clause
//
// The ranges of monitoring plugins: `10`, `10:`, `~:10`, `10:20`, `@10:20` (Monitoring Plugins Development
// Guidelines, threshold and ranges).

import Basics

/// A range that raises an alert for values outside of it, or for values inside when it begins with `@`.
struct MonitorRange: Equatable {
  /// The text as it was given.
  let text: String
  private let low: Double
  private let high: Double
  private let alertsInside: Bool

  /// Everything from 0 to this number is well.
  init(upTo most: Int64) {
    text = String(most)
    low = 0
    high = Double(most)
    alertsInside = false
  }

  /// Nil for text that is not a range.
  init?(_ text: String) {
    var rest = Substring(text)
    alertsInside = rest.first == "@"
    if alertsInside { rest = rest.dropFirst() }
    let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
    guard let last = parts.last, parts.count <= 2, !parts.allSatisfy(\.isEmpty) else { return nil }
    if parts.count == 2 {
      guard let low = parts[0] == "~" ? -.infinity : parts[0].isEmpty ? 0 : Self.number(parts[0])
      else { return nil }
      self.low = low
    } else {
      low = 0
    }
    if parts.count == 2, last.isEmpty {
      high = .infinity
    } else {
      guard let high = Self.number(last) else { return nil }
      self.high = high
    }
    guard low <= high else { return nil }
    self.text = text
  }

  private static func number(_ text: Substring) -> Double? {
    guard text.utf8.allSatisfy({ "+-.0123456789".utf8.contains($0) }) else { return nil }
    return Double(text).flatMap { $0.isFinite ? $0 : nil }
  }

  func alerts(at value: Double) -> Bool { (low...high).contains(value) == alertsInside }
}
