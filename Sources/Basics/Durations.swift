// SPDX-License-Identifier: BSD-2-Clause
//
// Spans of time: as numbers, as text, and as poll(2) takes them.

extension Duration {
  /// Seconds with milliseconds below a minute, whole seconds above.
  package var text: String {
    if milliseconds >= 60_000 { return "\(grouped(milliseconds / 1000)) s" }
    let fraction = String(1000 + milliseconds % 1000).dropFirst()
    return "\(milliseconds / 1000).\(fraction) s"
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

/// A number of seconds in words: `40 seconds`, `2 days`; the units are those of ageText(_:).
package func durationWords(_ seconds: Double) -> String {
  let seconds = max(0, whole(seconds))
  switch seconds {
  case ..<120: return counted(Int(seconds), "second")
  case ..<7200: return counted(Int(seconds / 60), "minute")
  case ..<172_800: return counted(Int(seconds / 3600), "hour")
  default: return counted(Int(seconds / 86_400), "day")
  }
}

/// A number of seconds in its largest fitting unit.
package func ageText(_ seconds: Int64) -> String {
  switch seconds {
  case ..<0: "in the future"
  case ..<120: "\(seconds) s"
  case ..<7200: "\(seconds / 60) min"
  case ..<172_800: "\(seconds / 3600) h"
  default: "\(grouped(seconds / 86_400)) d"
  }
}
