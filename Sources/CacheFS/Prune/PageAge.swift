// SPDX-License-Identifier: BSD-2-Clause
//
// The age of a page as a number that is practically unique. The older page has the smaller number.

/// What a page's age is measured by.
package enum PruneOrder: Sendable {
  /// When it was last written.
  case mtime
  /// When it was last read or written, as far as the file system records this.
  case atime

  /// - Returns: nanoseconds since the epoch.
  func time(of status: FileStatus) -> Int64 {
    switch self {
    case .mtime: status.modified
    // A page that was rewritten was needed, even if it has not been read since.
    case .atime: max(status.accessed, status.modified)
    }
  }
}

/// A page's place among all pages, the oldest first.
///
/// Pages of the same time are ordered by their paths, in the same way in each process. A dry run can therefore
/// predict which of them are removed. Two pages that still have the same place are removed together.
struct PageAge: Comparable, Hashable {
  let number: UInt128

  init(number: UInt128) { self.number = number }

  init(time: Int64, path: [UInt8]) {
    number = Self.first(at: time).number | UInt128(Self.hash(path))
  }

  /// The first place that a page of this time may have.
  static func first(at time: Int64) -> PageAge {
    PageAge(number: UInt128(UInt64(bitPattern: time) ^ (1 << 63)) << 64)
  }

  static func < (left: PageAge, right: PageAge) -> Bool { left.number < right.number }

  /// When it was written, in nanoseconds since the epoch.
  var time: Int64 { Int64(bitPattern: UInt64(truncatingIfNeeded: number >> 64) ^ (1 << 63)) }

  /// FNV-1a of 64 bits. A multiplication spreads its last bytes (MurmurHash3's finalizer).
  private static func hash(_ bytes: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
    return hash ^ (hash >> 33)
  }
}

/// The number and size of some pages.
package struct PageTally: Equatable, Sendable {
  package private(set) var files = 0
  /// Apparent sizes. The type is wide, because a writer of pages can give a file a size of 2^63 bytes.
  private(set) var wideBytes: UInt128 = 0

  package init() {}

  init(files: Int, bytes: Int64) {
    self.files = files
    wideBytes = UInt128(max(0, bytes))
  }

  /// The size in bytes, clamped to the largest value.
  package var bytes: Int64 { Int64(clamping: wideBytes) }

  mutating func add(_ size: Int64) {
    files += 1
    wideBytes += UInt128(max(0, size))
  }

  static func + (left: PageTally, right: PageTally) -> PageTally {
    var sum = left
    sum.files += right.files
    sum.wideBytes += right.wideBytes
    return sum
  }

  static func - (left: PageTally, right: PageTally) -> PageTally {
    var rest = left
    rest.files = max(0, left.files - right.files)
    rest.wideBytes = left.wideBytes > right.wideBytes ? left.wideBytes - right.wideBytes : 0
    return rest
  }
}

/// What may remain of some families.
package enum PruneBound: Equatable, Sendable {
  /// At most this many bytes, by the files' apparent sizes.
  case bytes(Int64)
  case files(Int)
  /// No page older than a time, in nanoseconds since the epoch.
  case since(Int64)

  /// Whether pages of this total may stay.
  func holds(for tally: PageTally) -> Bool {
    switch self {
    case .bytes(let most): tally.wideBytes <= UInt128(max(0, most))
    case .files(let most): tally.files <= most
    case .since: false
    }
  }
}
