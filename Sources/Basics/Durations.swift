// SPDX-License-Identifier: BSD-2-Clause
//
// Spans of time: as numbers, as text, and as poll(2) takes them.

extension Duration {
  /// For people: `0.012 s`, `1.2 s`. From two minutes on it is the text of ageText(_:), such as `3 min`.
  package var text: String {
    if milliseconds >= 120_000 { return ageText(milliseconds / 1000) }
    let fraction = String(1000 + milliseconds % 1000).dropFirst(1)
    return "\(milliseconds / 1000).\(milliseconds < 1000 ? fraction : fraction.prefix(1)) s"
  }

  /// Seconds and their fraction.
  package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }

  /// Whole milliseconds.
  package var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }

  /// Whole milliseconds for poll(2), rounded up so that a timer is never early.
  package var pollTimeout: CInt {
    let (seconds, attoseconds) = components
    guard seconds < 1_000_000 else { return 1_000_000_000 }
    let roundedUp = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return CInt(max(0, seconds * 1000 + roundedUp))
  }
}

/// A number of seconds without a sign, in the form of ageText(_:).
package func durationText(_ seconds: Double) -> String { ageText(max(0, whole(seconds))) }

/// A number of seconds in its largest fitting unit: `40 s`, `3 min`, `2 h`, `5 d`.
package func ageText(_ seconds: Int64) -> String {
  switch seconds {
  case ..<0: "in the future"
  case ..<120: "\(seconds) s"
  case ..<7200: "\(seconds / 60) min"
  case ..<172_800: "\(seconds / 3600) h"
  default: "\(grouped(seconds / 86_400)) d"
  }
}
