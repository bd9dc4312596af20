// SPDX-License-Identifier: BSD-2-Clause
//
// How files are spread over ages and sizes. The walk adds one file at a time, which costs a few comparisons and
// no additional memory.

import Basics

/// Files counted by a number that each file has.
package struct Histogram: Equatable, Sendable {
  /// The files of one bucket; names and sizes are counted as in ``FileTally``.
  package struct Bucket: Equatable, Sendable {
    package fileprivate(set) var files = 0
    package fileprivate(set) var bytes: Int64 = 0
  }

  /// The upper limit of each bucket except the last, which has none.
  package let bounds: [Int64]
  package private(set) var buckets: [Bucket]
  /// The sum of the numbers of all files.
  package private(set) var sum: Int64 = 0

  /// Sizes in bytes. First come empty pages, which are errors, and the shell of a day without commits, some
  /// 70 bytes (docs/freshports.md, section 2). Then steps of four follow, in the units shown to people.
  package static let sizeBounds: [Int64] = [
    0, 128, 1_000, 4_000, 16_000, 64_000, 256_000, 1_000_000, 16_000_000,
  ]

  /// Ages in seconds. Files dated more than an hour ahead of the clock have a separate bucket. A smaller lead
  /// is normal: a page may be written during the scan.
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
  /// The time from the last write to `now`, in whole seconds, rounded up so that a file a moment older than a
  /// bound counts as older. Both times are in nanoseconds since the epoch.
  @inline(__always)
  func age(at now: Int64) -> Int64 {
    let (seconds, rest) = clampedDifference(now, modified)
      .quotientAndRemainder(dividingBy: 1_000_000_000)
    return rest > 0 ? seconds + 1 : seconds
  }
}
