// SPDX-License-Identifier: BSD-2-Clause
//
// Everything that `stats` shows, as one value for all output formats.

import Basics
import CacheFS
import Listening
import PGQueue
import SystemPackage

/// The tree, the queues and the processes that serve them, at one moment.
struct Overview {
  /// What was examined.
  enum Scope {
    case all
    /// Only the database: the tree is empty, and not shown.
    case queues
  }

  var scope = Scope.all
  let directory: String
  let layout: Layout
  var rules = SiteRules.freshPorts(.freshPorts)
  let tree: StatsReport
  let query: StatsQuery
  /// The age that was asked for; nil counts every file.
  let olderThan: Age?
  let database: DatabaseSurvey
  let statusFile: StatusFile
  /// How often the listener drains without a notification.
  let pollInterval: Duration
  /// How long the walk took.
  let scanSeconds: Double
  /// What has changed since the previous look; nil at the first.
  var rates: Rates?

  /// The current time, in nanoseconds since the epoch.
  var now: Int64 { query.now }

  /// A database that is missing and was not named is no failure.
  func status(namesDatabase: Bool) -> ExitStatus {
    if case .failed = database, namesDatabase || scope == .queues { return .noDatabase }
    if case .unreadable = statusFile { return .incomplete }
    let isComplete = tree.failureCount == 0 && database.answers?.refused.isEmpty != false
    return isComplete ? .done : .incomplete
  }

  /// One row of the table of the tree.
  struct Row {
    let name: String
    let tally: FileTally
    let folders: FolderTally
  }

  /// A row for each family, and one for files that match no pattern.
  var rows: [Row] {
    layout.families.indices.map { index in
      Row(
        name: layout.families[index].name, tally: tree.families[index],
        folders: tree.familyFolders[index])
    } + [Row(name: "unknown", tally: tree.unknown, folders: tree.unknownFolders)]
  }

  var total: Row { Row(name: "total", tally: tree.total, folders: tree.totalFolders) }

  /// Whole seconds since a time in nanoseconds since the epoch.
  func age(_ time: Int64?) -> Int64? {
    time.map { clampedDifference(now, $0) / 1_000_000_000 }
  }

  /// The share of all bytes, from 0 to 1.
  func share(_ tally: FileTally) -> Double {
    let all = tree.total.bytes
    return all > 0 ? Double(tally.bytes) / Double(all) : 0
  }

  /// The errors at the end of the report: first the tree's, then the database's.
  func problems(all: Bool) -> [String] {
    /// At most this many failures are listed, unless all were asked for.
    let listed = 20
    let shown = all ? tree.failures[...] : tree.failures.prefix(listed)
    var problems = shown.map(\.readingExplanation)
    if shown.count < tree.failureCount {
      let hint = shown.count < tree.failures.count ? " (-v lists more)" : ""
      problems.append("and \(grouped(tree.failureCount - shown.count)) more\(hint)")
    }
    switch database {
    case .notAsked: break
    case .failed(let error):
      let advice = scope == .queues ? "see --dsn" : "see --dsn and --no-database"
      problems.append("queues not counted: \(error.explanation(adding: advice))")
    case .done(let answers):
      problems += answers.refused.map { "\($0.table): \($0.words)" }
    }
    if case .unreadable(let path, let why) = statusFile {
      problems.append("status file \(escape(Array(path.utf8))): \(why)")
    }
    return problems
  }
}

extension PathFailure {
  /// What could not be read, and what to try.
  fileprivate var readingExplanation: String {
    guard error == .permissionDenied else { return explanation }
    return "\(path): \(error); run fpcache as the user who owns the cache, or give this user read "
      + "permission"
  }
}

/// The change per second between two looks.
struct Rates: Equatable {
  /// The time between the looks.
  let seconds: Double
  /// The files of each row of the overview, and the sum.
  let files: [Double]
  let bytes: [Double]
  let totalFiles: Double
  let totalBytes: Double
  /// The rows of each queue: those added less those removed. Nil where either count is missing.
  let queueRows: [Double?]

  /// Nil when no time has passed.
  init?(from old: Overview, to new: Overview, seconds: Double) {
    guard seconds > 0, old.rows.count == new.rows.count else { return nil }
    self.seconds = seconds
    func rate(_ old: some BinaryInteger, _ new: some BinaryInteger) -> Double {
      (Double(new) - Double(old)) / seconds
    }
    files = zip(old.rows, new.rows).map { rate($0.tally.files, $1.tally.files) }
    bytes = zip(old.rows, new.rows).map { rate($0.tally.bytes, $1.tally.bytes) }
    totalFiles = rate(old.total.tally.files, new.total.tally.files)
    totalBytes = rate(old.total.tally.bytes, new.total.tally.bytes)
    let (before, after) = (old.database.answers?.queues ?? [], new.database.answers?.queues ?? [])
    queueRows = after.indices.map { index in
      guard index < before.count, let old = before[index].contents,
        let new = after[index].contents
      else { return nil }
      return rate(old.rows, new.rows)
    }
  }
}
