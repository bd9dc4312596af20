// SPDX-License-Identifier: BSD-2-Clause
//
// Files with several names, whose size counts once (du(1) counts so too).

/// The files with several names that a walk came by. It holds these only, so that a cache
/// without hard links costs no memory here.
struct HardLinks: Sendable {
  /// One file, however many of its names have been seen.
  struct Entry: Sendable {
    let status: FileStatus
    /// Where the size is counted: the first of the rows and of the groups that its names
    /// are in, and not the first that some thread came by, so that each run says the same.
    fileprivate(set) var row: Int
    fileprivate(set) var group: [UInt8]?
    /// The first of its paths, when the largest files are asked for.
    fileprivate(set) var path: CachePath?

    fileprivate mutating func add(_ other: Entry) {
      row = min(row, other.row)
      if let theirs = other.group {
        group = group.map { $0.lexicographicallyPrecedes(theirs) ? $0 : theirs } ?? theirs
      }
      if let theirs = other.path { path = path.map { min($0, theirs) } ?? theirs }
    }
  }

  private var entries: [FileIdentity: Entry] = [:]

  var all: some Sequence<Entry> { entries.values }

  /// Notes one name of a file.
  mutating func note(
    _ status: FileStatus, row: Int, group: [UInt8]?, path: @autoclosure () -> CachePath?
  ) {
    let name = Entry(status: status, row: row, group: group, path: path())
    if entries[status.identity]?.add(name) == nil { entries[status.identity] = name }
  }

  mutating func add(_ other: HardLinks) {
    entries.merge(other.entries) { left, right in
      var sum = left
      sum.add(right)
      return sum
    }
  }
}
