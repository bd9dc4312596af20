// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache stats: what the tree holds, what waits in the queues, and which processes serve them.

import ArgumentParser
import Basics
import CacheFS
import Listening
import Logging
import PGQueue

struct Stats: SiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", _superCommandName: "fpcache",
    abstract: "Count the pages of the tree and the rows of the queues.",
    discussion: """
      EXAMPLES
        fpcache stats
        fpcache stats --group-by category --top 10
        fpcache stats --older-than 90d --format json --no-database
        fpcache stats --watch 5
        fpcache stats --queues --dsn "host=db.example.org dbname=freshports.org user=reporting"
      """)

  static let unusedOptions: Set = ["--dry-run"]

  enum Format: String, WordArgument {
    case text, json, prometheus
  }

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
  @Option(
    help: ArgumentHelp(
      "Refresh this often and show rates a second; Ctrl-C ends it.",
      valueName: "seconds"))
  var watch: String?
  @Option(
    help: ArgumentHelp(
      "The listener's status file.", discussion: "Default: STATUS_FILE of the configuration.",
      valueName: "file"), completion: .file())
  var statusFile: String?
  @Flag(help: "Do not read the queues.") var noDatabase = false
  @Flag(
    help: ArgumentHelp(
      "Show only the queues.",
      discussion: "Does not walk the tree; needs no cache directory."))
  var queues = false
  @OptionGroup(title: UsageText.commonTitle) var common: CommonOptions

  func validate() throws {
    if let top, top < 1 { throw ValidationError("--top \(top): expected a number from 1") }
    if queues { try validateQueues() }
    if format == .prometheus { try validateMetrics() }
    if let watch {
      guard ListenSettings.seconds(watch, Self.watchRange) != nil else {
        throw ValidationError("--watch \(watch): expected seconds from 0.1 to 86400")
      }
      if format == .prometheus {
        throw ValidationError("--watch: not with --format prometheus; use text or json")
      }
    }
  }

  /// Options that ask for the tree, or exclude the queues, contradict --queues.
  private func validateQueues() throws {
    let others = [
      ("--group-by", groupBy != nil), ("--top", top != nil), ("--older-than", olderThan != nil),
      ("--no-database", noDatabase),
    ]
    guard let (option, _) = others.first(where: \.1) else { return }
    throw ValidationError("--queues and \(option) cannot be used together")
  }

  /// The name of a group or of a file would be a label with unbounded values. A metric that sometimes counts only a
  /// part of the tree would draw a false graph.
  private func validateMetrics() throws {
    let others = [
      ("--group-by", groupBy != nil), ("--top", top != nil), ("--older-than", olderThan != nil),
    ]
    guard let (option, _) = others.first(where: \.1) else { return }
    throw ValidationError("\(option): not with --format prometheus; use --format json")
  }

  private static let watchRange = 0.1...86_400.0

  func run() throws {
    let config = try common.resolve()
    try checkField(config.layout)
    var look = Look(command: self, config)
    if let interval = watch.flatMap({ ListenSettings.seconds($0, Self.watchRange) }) {
      return try repeatedly(&look, interval, config)
    }
    let overview = try look.take()
    switch format {
    case .text:
      let text = StatsText(
        overview: overview, terminal: .standardOutput(), palette: common.palette(STDOUT_FILENO))
      if !common.quiet { try printResult(text.lines) }
    case .json: try printResult(overview.json.text)
    case .prometheus: try writeResult(overview.prometheus)
    }
    let logger = common.logger(.command)
    for problem in overview.problems(all: common.verbose) { logger.error("\(problem)") }
    try overview.status(namesDatabase: config.namesDatabase).leave()
  }

  private func checkField(_ layout: Layout) throws(UserError) {
    guard let groupBy, !layout.groupNames.contains(groupBy) else { return }
    throw UserError(
      .usage,
      "--group-by \(escape(Array(groupBy.utf8))): no family has such a field; "
        + "expected one of \(layout.groupNames.joined(separator: ", "))")
  }

  // MARK: Again and again

  private func repeatedly(_ look: inout Look, _ interval: Duration, _ config: Config) throws {
    Watch.leaveOnInterrupt()
    var isFirst = true
    while try show(look.take(), isFirst: isFirst) == .there {
      isFirst = false
      Watch.wait(interval)
    }
  }

  private func show(_ overview: Overview, isFirst: Bool) throws(UserError) -> Audience {
    guard format == .text else { return try printResult(overview.json.text) }
    let terminal = Terminal.standardOutput()
    let text = StatsText(
      overview: overview, terminal: terminal, palette: common.palette(STDOUT_FILENO))
    if terminal.isTerminal { return try writeResult(Watch.frame(text.screen, isFirst: isFirst)) }
    return try printResult((isFirst ? [] : [""]) + text.screen)
  }
}

/// A look at the tree and at the database, and what has changed since the previous look.
private struct Look {
  private let command: Stats
  private let config: Config
  private var database: DatabaseReader?
  private var last: (overview: Overview, at: ContinuousClock.Instant)?

  init(command: Stats, _ config: Config) {
    self.command = command
    self.config = config
    if !command.noDatabase {
      database = DatabaseReader(
        config.connection.named("fpcache stats"), config.rules, tellsNodes: command.queues)
    }
  }

  mutating func take() throws(UserError) -> Overview {
    let now = currentTime()
    let query = StatsQuery(
      groupBy: command.groupBy, top: command.top,
      modifiedBefore: command.olderThan.map { $0.before(now) }, now: now)
    let start = ContinuousClock.now
    let tree = command.queues ? StatsReport(config.layout, query) : try walk(query)
    let scanSeconds = start.duration(to: .now).seconds
    var overview = Overview(
      scope: command.queues ? .queues : .all, directory: config.cacheDirectoryText,
      layout: config.layout, rules: config.rules, tree: tree,
      query: query,
      olderThan: command.olderThan, database: database?.read() ?? .notAsked,
      statusFile: StatusFile.read(command.statusFile ?? config.listen.statusFile),
      pollInterval: config.listen.pollInterval ?? ListenerMachine.Settings().pollInterval,
      scanSeconds: scanSeconds)
    if let last {
      overview.rates = Rates(
        from: last.overview, to: overview, seconds: last.at.duration(to: start).seconds)
    }
    if command.watch != nil { last = (overview, start) }
    return overview
  }

  private func walk(_ query: StatsQuery) throws(UserError) -> StatsReport {
    let scanner = Scanner(try config.openCacheDirectory(), layout: config.layout)
    // The line of progress would overwrite the screen, which is drawn again and again.
    let tally = ScanTally()
    let progress = Progress.start(if: !command.common.quiet && last == nil) { tally.text }
    defer { progress?.finish() }
    return measure(scanner, query, observer: progress.map { _ in tally })
  }
}
