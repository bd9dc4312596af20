// fpcache stats: what the tree holds and what waits in the queues.

import ArgumentParser
import CacheFS
import PGQueue

struct Stats: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Count the tree and the rows that wait.",
    discussion: """
      EXAMPLES
        fpcache stats
        fpcache stats --group-by category --top 10
        fpcache stats --older-than 90d --format json --no-database
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json, prometheus
  }

  @OptionGroup var common: CommonOptions
  @Option(help: "How to print the result.") var format = Format.text
  @Option(
    help: ArgumentHelp(
      "Count by a field of the layout, such as category, branch or year.", valueName: "field"),
    completion: .fields)
  var groupBy: String?
  @Option(help: ArgumentHelp("List this many groups and largest files.", valueName: "n"))
  var top: Int?
  @Option(
    help: ArgumentHelp("Count only files older than this, such as 90d.", valueName: "age"),
    transform: Age.parse)
  var olderThan: Age?
  @Flag(help: "Leave the queues alone.") var noDatabase = false

  func validate() throws {
    if let top, top < 1 { throw ValidationError("--top \(top): expected a number from 1") }
  }

  func run() throws {
    let config = try common.resolve()
    if let groupBy, !config.layout.fieldNames.contains(groupBy) {
      throw UserError(
        .usage,
        "--group-by \(escape(Array(groupBy.utf8))): no family has such a field; "
          + "expected one of \(config.layout.fieldNames.joined(separator: ", "))")
    }
    let now = currentTime()
    let query = StatsQuery(
      groupBy: groupBy, top: top, modifiedBefore: olderThan.map { $0.before(now) })
    let scanner = Scanner(try config.openCacheDirectory(), layout: config.layout)
    let logger = common.logger(.command)
    let queues = noDatabase ? .notAsked : QueueCounts.read(config)
    let overview = Overview(
      directory: config.cacheDirectoryText, layout: config.layout,
      tree: measure(scanner, query), query: query, queues: queues, now: now)
    for failure in overview.tree.failures { logger.error("\(failure.explanation)") }
    if case .failed(let error) = queues {
      logger.error("queues not counted: \(error.explanation); see --dsn and --no-database")
    }
    switch format {
    case .text: if !common.quiet { overview.lines.forEach(printResult) }
    case .json: printResult(overview.json.text)
    case .prometheus: printResult(String(overview.prometheus.dropLast()))
    }
    try overview.status(namesDatabase: config.namesDatabase).leave()
  }
}

/// The rows that wait in each queue.
enum QueueCounts: Equatable {
  case notAsked
  case failed(DatabaseError)
  /// A count for each queue; nil for a table that this database does not have.
  case counted([(table: QueueTable, rows: Int?)])

  static func == (left: QueueCounts, right: QueueCounts) -> Bool {
    switch (left, right) {
    case (.notAsked, .notAsked): true
    case (.failed(let left), .failed(let right)): left == right
    case (.counted(let left), .counted(let right)): left.elementsEqual(right, by: ==)
    default: false
    }
  }

  static func read(_ config: Config) -> QueueCounts {
    do throws(DatabaseError) {
      let connection = try Connection(config.connection)
      var counts: [(table: QueueTable, rows: Int?)] = []
      for table in QueueTable.all {
        counts.append((table, try Queue(table, on: connection).count()))
      }
      return .counted(counts)
    } catch {
      return .failed(error)
    }
  }
}
