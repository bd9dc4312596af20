// Counting the tree: every file classified, sizes and ages added up.

/// Files of one kind added up.
public struct Tally: Equatable, Sendable {
  public private(set) var files = 0
  /// Apparent sizes, in bytes.
  public private(set) var bytes: Int64 = 0
  /// Modification time of the oldest file, in nanoseconds since the epoch.
  public private(set) var oldest: Int64?
  /// Modification time of the newest file, in nanoseconds since the epoch.
  public private(set) var newest: Int64?

  public init() {}

  mutating func add(_ status: FileStatus) {
    files += 1
    bytes += status.size
    oldest = min(oldest ?? status.modified, status.modified)
    newest = max(newest ?? status.modified, status.modified)
  }

  mutating func add(_ other: Tally) {
    files += other.files
    bytes += other.bytes
    if let other = other.oldest { oldest = min(oldest ?? other, other) }
    if let other = other.newest { newest = max(newest ?? other, other) }
  }
}

/// What a tree holds.
public struct StatsReport: Equatable, Sendable {
  /// A tally for each family of the layout, in its order.
  public internal(set) var families: [Tally]
  /// What matches no pattern.
  public internal(set) var unknown = Tally()
  /// A tally for each value of the field asked for, the largest first.
  public internal(set) var groups: [(value: [UInt8], tally: Tally)] = []
  /// The largest files, when asked for.
  public internal(set) var largest: [(path: CachePath, bytes: Int64)] = []
  /// What could not be read.
  public internal(set) var failures: [ClearFailure] = []

  public static func == (left: Self, right: Self) -> Bool {
    left.families == right.families && left.unknown == right.unknown
      && left.failures == right.failures && left.groups.elementsEqual(right.groups, by: ==)
      && left.largest.elementsEqual(right.largest, by: ==)
  }

  public var total: Tally {
    families.reduce(into: unknown) { $0.add($1) }
  }
}

/// What of the tree is counted, and how.
public struct StatsQuery: Sendable {
  /// A field of the layout.
  public var groupBy: String?
  /// How many groups and files to list; nil lists every group and no file.
  public var top: Int?
  /// Count only files modified before this time, in nanoseconds since the epoch.
  public var modifiedBefore: Int64?

  public init(groupBy: String? = nil, top: Int? = nil, modifiedBefore: Int64? = nil) {
    self.groupBy = groupBy
    self.top = top
    self.modifiedBefore = modifiedBefore
  }
}

/// Counts the tree below a cache directory.
public func measure(_ scanner: Scanner, _ query: StatsQuery) -> StatsReport {
  let families = scanner.layout.families.count
  let counters = scanner.scan { StatsCounter(families: families, query) }
  return StatsCounter.report(counters, query)
}

private struct StatsCounter: ScanVisitor {
  private let query: StatsQuery
  private var families: [Tally]
  private var unknown = Tally()
  private var groups: [[UInt8]: Tally] = [:]
  private var largest: [(path: CachePath, bytes: Int64)] = []
  /// The size of the last file that is still among the largest, once there are enough of them.
  private var smallestKept: Int64 = 0
  private var failures: [ClearFailure] = []

  init(families: Int, _ query: StatsQuery) {
    self.query = query
    self.families = Array(repeating: Tally(), count: families)
  }

  mutating func visit(_ entry: borrowing ScannedEntry, _ matcher: inout Matcher) {
    if let limit = query.modifiedBefore, entry.status.modified >= limit { return }
    if entry.classification.hasKnownShape, let family = entry.classification.family {
      families[family].add(entry.status)
    } else {
      unknown.add(entry.status)
    }
    if let field = query.groupBy, let value = entry.fields(&matcher)[field] {
      groups[value, default: Tally()].add(entry.status)
    }
    if let top = query.top { keepIfLarge(entry, top) }
  }

  /// Keeps the list at `top` files, by sorting it whenever it has grown to twice that.
  private mutating func keepIfLarge(_ entry: borrowing ScannedEntry, _ top: Int) {
    if entry.status.size < smallestKept { return }
    largest.append((entry.path, entry.status.size))
    // Divided, not multiplied: the number asked for may be any.
    guard largest.count / 2 >= top, largest.count > top else { return }
    largest = Self.first(top, of: largest)
    smallestKept = largest.last?.bytes ?? 0
  }

  private static func first(
    _ top: Int, of files: [(path: CachePath, bytes: Int64)]
  ) -> [(path: CachePath, bytes: Int64)] {
    Array(files.sorted { ($1.bytes, $0.path) < ($0.bytes, $1.path) }.prefix(top))
  }

  mutating func fail(_ failure: ClearFailure) { failures.append(failure) }

  static func report(_ counters: [StatsCounter], _ query: StatsQuery) -> StatsReport {
    var report = StatsReport(families: counters.first?.families ?? [])
    var groups = counters.first?.groups ?? [:]
    report.unknown = counters.first?.unknown ?? Tally()
    for counter in counters.dropFirst() {
      for index in report.families.indices { report.families[index].add(counter.families[index]) }
      report.unknown.add(counter.unknown)
      groups.merge(counter.groups) { left, right in
        var sum = left
        sum.add(right)
        return sum
      }
    }
    report.failures = counters.flatMap(\.failures).sorted { $0.path < $1.path }
    let sorted = groups.map { (value: $0.key, tally: $0.value) }.sorted {
      $0.tally.bytes != $1.tally.bytes
        ? $0.tally.bytes > $1.tally.bytes : $0.value.lexicographicallyPrecedes($1.value)
    }
    report.groups = query.top.map { Array(sorted.prefix($0)) } ?? sorted
    if let top = query.top { report.largest = first(top, of: counters.flatMap(\.largest)) }
    return report
  }
}
