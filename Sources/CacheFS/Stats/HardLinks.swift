// SPDX-License-Identifier: BSD-2-Clause
//
// Files with several names. Their size counts once, as in du(1).

/// The files with several names that a walk has met. It holds only these, so a cache without hard links costs
/// no memory here.
struct HardLinks: Sendable {
  /// One file, for any number of names.
  struct Entry: Sendable {
    let status: FileStatus
    /// Where the size is counted: the first row and the first group of its names, in order. It does not
    /// depend on which thread met the file first, so each run gives the same result.
    fileprivate(set) var row: Int
    fileprivate(set) var group: [UInt8]?
    /// The first of its paths, if the largest files are requested.
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

  /// Records one name of a file.
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
