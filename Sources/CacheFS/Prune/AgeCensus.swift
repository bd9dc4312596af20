// SPDX-License-Identifier: BSD-2-Clause
//
// Which pages are the oldest, in bounded memory whatever their number. A walk gives each page to a census,
// which counts pages by age and remembers some of the oldest. Usually these show how far a bound reaches.
// Otherwise the next walk looks more closely at the one span of ages in which the bound ends.

import Basics

/// A span of ages, and the precision of its count.
struct AgeSpan: Equatable {
  let first: UInt128
  let last: UInt128
  /// A bucket holds 2^shift ages.
  let shift: Int

  /// - Parameter buckets: the maximum number of parts of the span.
  init(_ first: UInt128, through last: UInt128, buckets: Int) {
    self.first = first
    self.last = last
    let width = UInt128(buckets)
    var shift = 0
    while (last - first) >> shift >= width { shift += 1 }
    self.shift = shift
  }

  func bucket(_ age: PageAge) -> Int? {
    guard age.number >= first, age.number <= last else { return nil }
    return Int((age.number - first) >> shift)
  }

  /// The ages of one bucket.
  func part(_ bucket: Int, buckets: Int) -> AgeSpan {
    let start = first + UInt128(bucket) << shift
    let (end, overflow) = start.addingReportingOverflow((1 << shift) - 1)
    return AgeSpan(start, through: overflow ? last : min(end, last), buckets: buckets)
  }
}

/// The pages of one walk, counted by age.
struct AgeCensus {
  /// The limits of the census's memory and walks.
  struct Limits: Sendable {
    /// Parts of a span: 1.5 MB.
    var buckets = 1 << 16
    /// How many of the oldest pages are remembered one by one; for a while up to twice as many: 4 MB.
    var oldest = 1 << 16
    /// More walks than an unchanging cache needs. When pages come and go faster than they can be counted,
    /// only pages that are certainly older than the bound's end are removed.
    var walks = 12
  }

  /// The result of a walk.
  enum Step: Equatable {
    /// The bound already holds.
    case nothing
    /// The bound holds when all pages up to this age are removed; `going` is their total.
    case remove(through: PageAge, going: PageTally)
    /// The bound ends among these ages. The next walk must count them more precisely.
    case look(AgeSpan)
  }

  private let span: AgeSpan
  private let limits: Limits
  private(set) var total = PageTally()
  /// The pages that are older than the span.
  private(set) var before = PageTally()
  private var buckets: [PageTally]
  /// The oldest pages that are not older than the span, unordered.
  private var oldest: [(age: PageAge, size: Int64)] = []
  /// Pages of this age or younger are not among the oldest.
  private var limit: PageAge?

  init(_ span: AgeSpan, _ limits: Limits) {
    self.span = span
    self.limits = limits
    buckets = Array(repeating: PageTally(), count: limits.buckets)
  }

  /// All ages since a time, in nanoseconds since the epoch.
  static func span(since time: Int64, _ limits: Limits) -> AgeSpan {
    AgeSpan(PageAge.first(at: time).number, through: .max, buckets: limits.buckets)
  }

  /// The first span: 18 years in parts of 2.4 hours.
  /// - Parameter now: nanoseconds since the epoch.
  static func firstSpan(now: Int64, _ limits: Limits) -> AgeSpan {
    let day: Int64 = 86_400_000_000_000
    let last = PageAge.first(at: clampedSum(now, day)).number
    let width = UInt128(1) << (64 + 59)
    return AgeSpan(last > width ? last - width : 0, through: last, buckets: limits.buckets)
  }

  /// How many pages are remembered one by one.
  var remembered: Int { oldest.count }

  mutating func add(_ age: PageAge, _ size: Int64) {
    total.add(size)
    guard age.number >= span.first else {
      before.add(size)
      return
    }
    if let bucket = span.bucket(age) { buckets[bucket].add(size) }
    if let limit, age >= limit { return }
    oldest.append((age, size))
    if oldest.count >= 2 * limits.oldest { forgetYoungest() }
  }

  private mutating func forgetYoungest() {
    oldest.sort { $0.age < $1.age }
    oldest.removeLast(oldest.count - limits.oldest)
    limit = oldest.last?.age
  }

  /// What to do for a bound.
  func step(for bound: PruneBound) -> Step {
    if case .since = bound { return floor.map { .remove(through: $0, going: before) } ?? .nothing }
    if bound.holds(for: total) { return .nothing }
    // Other processes have removed pages since the last walk, or some pages are older than any cache should
    // be.
    if span.first > 0, bound.holds(for: total - before) {
      return .look(AgeSpan(0, through: span.first - 1, buckets: limits.buckets))
    }
    var gone = before
    for page in oldest.sorted(by: { $0.age < $1.age }).prefix(limits.oldest) {
      gone.add(page.size)
      if bound.holds(for: total - gone) { return .remove(through: page.age, going: gone) }
    }
    gone = before
    for bucket in buckets.indices {
      gone = gone + buckets[bucket]
      guard bound.holds(for: total - gone) else { continue }
      let part = span.part(bucket, buckets: limits.buckets)
      // All are of one age: they are removed together.
      return part.first == part.last
        ? .remove(through: PageAge(number: part.last), going: gone) : .look(part)
    }
    return span.last == .max
      ? .remove(through: PageAge(number: .max), going: total)
      : .look(AgeSpan(span.last + 1, through: .max, buckets: limits.buckets))
  }

  /// The last age before the span; nil when the span begins with the first age.
  var floor: PageAge? { span.first > 0 ? PageAge(number: span.first - 1) : nil }
}
