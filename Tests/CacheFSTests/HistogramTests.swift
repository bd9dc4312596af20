// SPDX-License-Identifier: BSD-2-Clause
//
// How files are spread over ages and sizes: every file in one bucket, on the right side of each
// bound, and times that no calendar has.

import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite struct HistogramTests {
  private static let second: Int64 = 1_000_000_000

  private func measure(_ tree: TemporaryTree, now: Int64, threads: Int = 1) throws -> StatsReport {
    CacheFS.measure(
      Scanner(try tree.open(), layout: .freshPorts, threads: threads), StatsQuery(now: now))
  }

  @Test func aNumberIsInTheFirstBucketWhoseBoundItDoesNotExceed() {
    var histogram = Histogram(bounds: [-5, 0, 10])
    for number: Int64 in [-6, -5, -4, 0, 1, 10, 11, .max, .min] {
      histogram.addName(number)
      histogram.addSize(number, bytes: 3)
    }
    #expect(histogram.buckets.map(\.files) == [3, 2, 2, 2])
    #expect(histogram.buckets.map(\.bytes) == [9, 6, 6, 6])
    var sum = histogram
    sum.add(histogram)
    #expect(sum.buckets.map(\.files) == [6, 4, 4, 4])
  }

  @Test("the bounds rise", arguments: [Histogram.ageBounds, Histogram.sizeBounds])
  func bounds(_ bounds: [Int64]) {
    for (lower, upper) in zip(bounds, bounds.dropFirst()) { #expect(lower < upper) }
  }

  @Test func sizes() throws {
    let tree = try TemporaryTree()
    let files = [0, 0, 1, 128, 129, 1000, 1001, 16_000_000]
    for (index, size) in files.enumerated() { try tree.write("html/f\(index)", bytes: size) }
    let report = try measure(tree, now: currentTime(), threads: 2)
    #expect(report.sizes.buckets.map(\.files) == [2, 2, 2, 1, 0, 0, 0, 0, 1, 0])
    #expect(report.sizes.buckets.map(\.bytes) == [0, 129, 1129, 1001, 0, 0, 0, 0, 16_000_000, 0])
    #expect(report.sizes.sum == report.total.bytes)
  }

  /// A file is in the buckets above a bound just when --older-than of that bound counts it.
  @Test(arguments: Histogram.ageBounds, [-1, 0, 1] as [Int64])
  func agesAgreeWithOlderThan(_ bound: Int64, _ nanoseconds: Int64) throws {
    let tree = try TemporaryTree()
    try tree.write("html/a", bytes: 7)
    let modified = try #require(try measure(tree, now: 0).total.oldest)
    let now = modified + bound * Self.second + nanoseconds
    let report = try measure(tree, now: now)
    let index = try #require(Histogram.ageBounds.firstIndex(of: bound))
    let above = report.ages.buckets.dropFirst(index + 1).reduce(0) { $0 + $1.files }
    var query = StatsQuery(now: now)
    query.modifiedBefore = now - bound * Self.second
    let older = CacheFS.measure(Scanner(try tree.open(), layout: .freshPorts), query)
    #expect(above == older.total.files && above == (nanoseconds > 0 ? 1 : 0))
    #expect(report.ages.buckets.reduce(0) { $0 + $1.bytes } == 7)
  }

  /// File systems keep times that 64 bits of nanoseconds do not reach.
  @Test(arguments: [40_000_000_000, -40_000_000_000, 4_000_000_000, -1])
  func timesBeyondAllCalendars(_ seconds: Int) throws {
    let tree = try TemporaryTree()
    try tree.write("html/a", bytes: 1)
    let times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
    try #require(utimensat(AT_FDCWD, tree.fullPath("html/a"), times, 0) == 0)
    let now = currentTime()
    let report = try measure(tree, now: now)
    // The file system may have cut the time short too.
    let modified = try #require(report.total.oldest)
    #expect((modified > now) == (seconds > 2_000_000_000))
    let buckets = report.ages.buckets.map(\.files)
    #expect(seconds > 0 ? buckets.first == 1 : buckets.last == 1)
    for now in [Int64.min, 0, .max] { #expect(try measure(tree, now: now).total.files == 1) }
  }
}
