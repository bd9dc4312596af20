// SPDX-License-Identifier: BSD-2-Clause
//
// Chance that can be repeated: every thread draws from a generator of its own, sown from --seed.
// What the threads do is the same again then; how the kernel lets them meet is not.

import Foundation

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and good enough to choose pages and pauses.
struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// - Parameters:
  ///   - seed: what `--seed` says.
  ///   - stream: which of the generators of that seed; each is independent of the others.
  init(_ seed: UInt64, stream: Int) {
    state = seed &+ UInt64(bitPattern: Int64(stream)) &* 0xD1B5_4A32_D192_ED03
    _ = next()
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  /// A time between two bounds, in milliseconds.
  mutating func duration(milliseconds range: ClosedRange<Double>) -> Duration {
    .microseconds(Int64(Double.random(in: range, using: &self) * 1000))
  }
}

extension Duration {
  /// Seconds and their fraction.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

/// Blocks the thread for that long; not at all for nothing.
func pause(_ time: Duration) {
  guard time > .zero else { return }
  Thread.sleep(forTimeInterval: time.seconds)
}
