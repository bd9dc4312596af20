// Rows that the server was asked to delete and did not, without an error: a trigger, a rule or row-level security
// keeps them. Their pages are cleared as those of any other row; deleting them is tried more and more rarely.

import PGQueue

/// The rows of a queue that the server keeps.
struct KeptRows {
  /// Of more, the others are asked for again by each pass.
  private static let most = 16_384

  private(set) var places: Set<QueuePlace> = []
  /// The next try for all of them.
  private(set) var retry = Retry()

  mutating func add(_ more: Set<QueuePlace>) {
    if retry.isNew { retry.postpone() }
    for place in more where places.count < Self.most { places.insert(place) }
  }

  /// They were tried again, and these are still there.
  mutating func replace(_ rest: Set<QueuePlace>) {
    places = Set(rest.prefix(Self.most))
    retry.postpone()
  }
}

extension Drain {
  /// How many rows the server keeps.
  var rowsKept: Int { kept.values.reduce(0) { $0 + $1.places.count } }

  /// The rows of a batch that are to be asked for: not those that the server has kept before, unless their time has come.
  func isAsked(_ table: QueueTable, in pass: Pass) -> (QueueRow) -> Bool {
    let held = pass.triesKept ? [] : kept[table]?.places ?? []
    return { held.isEmpty || $0.place.map(held.contains) != true }
  }

  /// Takes note of rows that were to be deleted and are still there.
  func noteKept(_ remaining: [QueueRow], of table: QueueTable, in pass: inout Pass) {
    let places = Set(remaining.compactMap(\.place))
    guard !places.isEmpty else { return }
    let known = kept[table]?.places ?? []
    for row in remaining where row.place.map(known.contains) != true { tellKept(row) }
    if pass.triesKept {
      pass.kept.formUnion(places)
    } else {
      kept[table, default: KeptRows()].add(places)
    }
  }

  /// At the end of a pass that has tried them again.
  func endKept(_ pass: Pass, _ table: QueueTable) {
    guard pass.triesKept, var rows = kept.removeValue(forKey: table) else { return }
    guard !pass.kept.isEmpty else {
      logger.notice("\(table.name): rows can be deleted again")
      return
    }
    rows.replace(pass.kept)
    kept[table] = rows
  }
}
