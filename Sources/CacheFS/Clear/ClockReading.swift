// SPDX-License-Identifier: BSD-2-Clause
//
// Detects that the clock was set. What compares file times is right only as long as the clock goes forward.

import Basics

/// One moment by two clocks.
struct ClockReading: Sendable {
  /// By the clock that sets file times, in nanoseconds since the epoch.
  let time = currentTime()
  /// By a clock that cannot be set.
  private let moment = ContinuousClock.now

  /// Whether the clock has not been set since.
  /// - Parameter tolerance: how much the clocks may differ, in nanoseconds.
  func isSteady(within tolerance: Int64) -> Bool {
    let passed = moment.duration(to: .now).components
    let expected = passed.seconds * 1_000_000_000 + passed.attoseconds / 1_000_000_000
    let difference = clampedDifference(currentTime() - time, expected)
    return difference > -tolerance && difference < tolerance
  }
}
