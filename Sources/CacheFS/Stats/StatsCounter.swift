// SPDX-License-Identifier: BSD-2-Clause
//
// The visitor that counts: the sums of one thread of a walk, and the total of all threads.

struct StatsCounter: ScanVisitor {
  /// The observer is called once for this many files.
  private static let filesPerTelling = 64

  static var wantsFolders: Bool { true }

  private let query: StatsQuery
  private let observer: (any ScanObserver)?
  /// A tally for each family; the last one is for unknown files.
  private var rows: [FileTally]
  private var folders: [FolderTally]
  private var root = FolderTally()
  private var ages = Histogram(bounds: Histogram.ageBounds)
  private var sizes = Histogram(bounds: Histogram.sizeBounds)
  private var links = HardLinks()
  private var groups: [[UInt8]: FileTally] = [:]
  private var ungrouped = FileTally()
  private var largest: LargestFiles?
  private var failures: [PathFailure] = []
  private var failureCount = 0
  private var untold = 0

  init(families: Int, _ query: StatsQuery, _ observer: (any ScanObserver)?) {
    self.query = query
    self.observer = observer
    rows = Array(repeating: FileTally(), count: families + 1)
    folders = Array(repeating: FolderTally(), count: families + 1)
    largest = query.top.map(LargestFiles.init)
  }

  // MARK: The walk

  mutating func enter(_ place: LayoutPlace, _ status: FileStatus) {
    if place.isRoot {
      root.add(status)
    } else {
      folders[place.rows.first?.family ?? folders.count - 1].add(status)
    }
  }

  mutating func visit(_ entry: borrowing ScannedEntry, _ matcher: inout Matcher) {
    tell(entry)
    let status = entry.status
    if let limit = query.modifiedBefore, status.modified >= limit { return }
    let row =
      entry.classification.hasKnownShape
      ? entry.classification.family ?? rows.count - 1 : rows.count - 1
    let age = status.age(at: query.now)
    ages.addName(age)
    sizes.addName(status.size)
    var group: [UInt8]?
    if let field = query.groupBy {
      group = entry.value(of: field, at: query.now, &matcher)
    }
    guard status.links <= 1 else {
      rows[row].addName(status)
      if query.groupBy != nil { addName(status, to: group) }
      links.note(status, row: row, group: group, path: largest == nil ? nil : entry.path)
      return
    }
    rows[row].add(status)
    ages.addSize(age, bytes: status.size)
    sizes.addSize(status.size, bytes: status.size)
    if query.groupBy != nil {
      addName(status, to: group)
      addSize(status, to: group)
    }
    if largest?.wants(status.size) == true { largest?.add(entry.path, status.size) }
  }

  private mutating func addName(_ status: FileStatus, to group: [UInt8]?) {
    guard let group else { return ungrouped.addName(status) }
    groups[group, default: FileTally()].addName(status)
  }

  private mutating func addSize(_ status: FileStatus, to group: [UInt8]?) {
    guard let group else { return ungrouped.addSize(status) }
    groups[group, default: FileTally()].addSize(status)
  }

  mutating func fail(_ failure: PathFailure) {
    failureCount += 1
    if failures.count < StatsReport.keptFailures { failures.append(failure) }
  }

  private mutating func tell(_ entry: borrowing ScannedEntry) {
    guard let observer else { return }
    untold += 1
    guard untold >= Self.filesPerTelling else { return }
    observer.scanned(untold, in: entry.folder)
    untold = 0
  }

  // MARK: The sum

  static func report(_ counters: [StatsCounter], _ query: StatsQuery) -> StatsReport {
    guard var sum = counters.first else {
      return StatsReport(families: [], familyFolders: [])
    }
    for counter in counters.dropFirst() { sum.add(counter) }
    sum.countLinks()
    return sum.report(query)
  }

  private mutating func add(_ other: StatsCounter) {
    for index in rows.indices {
      rows[index].add(other.rows[index])
      folders[index].add(other.folders[index])
    }
    root.add(other.root)
    ages.add(other.ages)
    sizes.add(other.sizes)
    links.add(other.links)
    ungrouped.add(other.ungrouped)
    groups.merge(other.groups) { left, right in
      var sum = left
      sum.add(right)
      return sum
    }
    if let theirs = other.largest { largest?.add(theirs) }
    failures += other.failures
    failureCount += other.failureCount
  }

  /// Adds the size of each file with several names, once in each table.
  private mutating func countLinks() {
    for entry in links.all {
      let status = entry.status
      rows[entry.row].addSize(status)
      ages.addSize(status.age(at: query.now), bytes: status.size)
      sizes.addSize(status.size, bytes: status.size)
      if query.groupBy != nil { addSize(status, to: entry.group) }
      if let path = entry.path { largest?.add(path, status.size) }
    }
  }

  private func report(_ query: StatsQuery) -> StatsReport {
    var report = StatsReport(
      families: Array(rows.dropLast()), familyFolders: Array(folders.dropLast()))
    report.unknown = rows.last ?? FileTally()
    report.unknownFolders = folders.last ?? FolderTally()
    report.root = root
    report.ages = ages
    report.sizes = sizes
    report.ungrouped = ungrouped
    let sorted = groups.map { (value: $0.key, tally: $0.value) }.sorted {
      $0.tally.bytes != $1.tally.bytes
        ? $0.tally.bytes > $1.tally.bytes : $0.value.lexicographicallyPrecedes($1.value)
    }
    report.groups = query.top.map { Array(sorted.prefix($0)) } ?? sorted
    for other in sorted.dropFirst(report.groups.count) {
      report.otherGroups.count += 1
      report.otherGroups.tally.add(other.tally)
    }
    report.largest = largest?.sorted ?? []
    report.failures = failures.sorted { $0.path < $1.path }
    report.failureCount = failureCount
    return report
  }
}

/// The largest files so far, and a few others.
private struct LargestFiles {
  private let count: Int
  private var files: [(path: CachePath, bytes: Int64)] = []
  /// The size of the last file that is still among the largest, when there are enough files.
  private var smallestKept: Int64 = 0

  init(_ count: Int) { self.count = count }

  /// Whether a file of this size may be among them; only then is its path built.
  func wants(_ size: Int64) -> Bool { size >= smallestKept }

  /// Adds a file. The list stays short: it is sorted and cut when it has grown to twice its length.
  mutating func add(_ path: CachePath, _ size: Int64) {
    guard wants(size) else { return }
    files.append((path, size))
    // Divided, not multiplied, because the requested number may be very large.
    guard files.count / 2 >= count, files.count > count else { return }
    files = sorted
    smallestKept = files.last?.bytes ?? 0
  }

  mutating func add(_ other: LargestFiles) {
    for file in other.files { add(file.path, file.bytes) }
  }

  var sorted: [(path: CachePath, bytes: Int64)] {
    Array(files.sorted { ($1.bytes, $0.path) < ($0.bytes, $1.path) }.prefix(count))
  }
}
