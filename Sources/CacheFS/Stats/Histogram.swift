// SPDX-License-Identifier: BSD-2-Clause
//
// How files are spread over ages and sizes. Filled a file at a time on the walk, so it costs a
// few comparisons each and nothing that grows.

import Basics

/// Files counted by a number that each of them has.
package struct Histogram: Equatable, Sendable {
  /// The files of one bucket; names and sizes are counted as in ``FileTally``.
  package struct Bucket: Equatable, Sendable {
    package fileprivate(set) var files = 0
    package fileprivate(set) var bytes: Int64 = 0
  }

  /// The largest number of each bucket but the last, which has no limit.
  package let bounds: [Int64]
  package private(set) var buckets: [Bucket]
  /// The numbers of all files added up.
  package private(set) var sum: Int64 = 0

  /// Sizes in bytes: empty pages, which are errors; the shell of a day without commits, some 70
  /// bytes (docs/freshports.md, section 2); then in steps of four, in the units that people are shown.
  package static let sizeBounds: [Int64] = [
    0, 128, 1_000, 4_000, 16_000, 64_000, 256_000, 1_000_000, 16_000_000,
  ]

  /// Ages in seconds. What is dated more than an hour ahead of the clock has a bucket of its own;
  /// a page may well be written during the scan.
  package static let ageBounds: [Int64] = [
    -3600, 3600, 6 * 3600, day, 7 * day, 30 * day, 90 * day, 365 * day, 3 * 365 * day,
  ]
  private static let day: Int64 = 86_400

  init(bounds: [Int64]) {
    self.bounds = bounds
    buckets = Array(repeating: Bucket(), count: bounds.count + 1)
  }

  @inline(__always)
  mutating func addName(_ number: Int64) {
    buckets[index(of: number)].files += 1
    sum &+= number
  }

  @inline(__always)
  mutating func addSize(_ number: Int64, bytes: Int64) {
    buckets[index(of: number)].bytes &+= bytes
  }

  @inline(__always)
  private func index(of number: Int64) -> Int {
    var index = 0
    while index < bounds.count, number > bounds[index] { index += 1 }
    return index
  }

  mutating func add(_ other: Histogram) {
    for index in buckets.indices {
      buckets[index].files += other.buckets[index].files
      buckets[index].bytes &+= other.buckets[index].bytes
    }
    sum &+= other.sum
  }
}

extension FileStatus {
  /// How long before `now` it was last written, in whole seconds rounded up, so that what is a
  /// moment older than a bound is older; both times in nanoseconds since the epoch.
  @inline(__always)
  func age(at now: Int64) -> Int64 {
    let (seconds, rest) = clampedDifference(now, modified)
      .quotientAndRemainder(dividingBy: 1_000_000_000)
    return rest > 0 ? seconds + 1 : seconds
  }
}
