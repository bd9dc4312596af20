// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache status: is everything well? It asks only the database, and reads the listener's status file if there is one.

import ArgumentParser
import Basics
import Listening
import Logging
import PGQueue

struct Status: SiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", _superCommandName: "fpcache",
    abstract: "Say whether it is well: queues, listener, nodes.",
    discussion: """
      Asks the database and reads the listener's status file. The cache directory is not looked at.

      RANGES
        10      alert below 0 or above 10      ~:10    alert above 10
        10:     alert below 10                 10:20   alert outside of 10 to 20
        @10:20  alert inside 10 to 20

      EXAMPLES
        fpcache status
        fpcache status --watch 2
        fpcache status --format nagios --max-wait 10m
        fpcache status --format nagios --warning 60,1000 --critical 600,20000
        fpcache status --format json | jq -r .state
        fpcache status --dsn "host=db dbname=freshports.org user=reporting"

      EXIT STATUS
        0   well
        1   late or degraded: a row has waited for two minutes, a node lags, ...
        2   nobody serves the queues, or a limit is passed
        3   cannot be told: the database cannot be reached or read
        64  bad flag; 3 with --format nagios
        78  the configuration is wrong; 3 with --format nagios
      """)

  static let unusedOptions: Set = ["--dry-run"]

  enum Format: String, WordArgument {
    case text, json, nagios, prometheus
  }

  @Option(help: "How to print the result.") var format = Format.text
  @Option(
    help: ArgumentHelp("Status 2 if a queue has more rows than this.", valueName: "n"))
  var maxBacklog: Int?
  @Option(
    help: ArgumentHelp(
      "Status 2 if a row has waited longer than this, such as 10m.", valueName: "age"),
    transform: Age.parse)
  var maxWait: Age?
  @Option(
    name: [.customShort("w"), .long],
    help: ArgumentHelp(
      "Status 1 if the age of a queue's oldest row, in seconds, raises an alert by this range; after a comma, the same for its number of rows.",
      discussion:
        "Without it, a row is late after two minutes, or after two polls if that is longer.",
      valueName: "range"))
  var warning: String?
  @Option(
    name: [.customShort("c"), .long],
    help: ArgumentHelp("The same for status 2.", valueName: "range"))
  var critical: String?
  @Option(
    name: [.customShort("t"), .long],
    help: ArgumentHelp(
      "Answer after this time, whatever hangs: status 3.",
      discussion: "8 by default, since many monitors end a plugin after 10.", valueName: "seconds"))
  var timeout: String?
  @Option(
    help: ArgumentHelp(
      "Look again this often and draw what changes; Ctrl-C ends it.", valueName: "seconds"))
  var watch: String?
  @Option(
    help: ArgumentHelp(
      "The listener's status file.", discussion: "Else STATUS_FILE of the configuration.",
      valueName: "file"), completion: .file())
  var statusFile: String?
  @OptionGroup(title: UsageText.commonTitle) var common: CommonOptions

  private static let watchRange = 0.1...86_400.0
  private static let timeoutRange = 1.0...3600.0
  private static let defaultTimeout = Duration.seconds(8)

  func validate() throws {
    if let maxBacklog, maxBacklog < 0 {
      throw ValidationError("--max-backlog \(maxBacklog): expected a number from 0")
    }
    try Self.check("--warning", warning)
    try Self.check("--critical", critical)
    if maxBacklog != nil || maxWait != nil, critical != nil {
      throw ValidationError(
        "--critical cannot be used together with --max-wait or --max-backlog")
    }
    if let timeout, ListenSettings.seconds(timeout, Self.timeoutRange) == nil {
      throw ValidationError("--timeout \(timeout.escaped): expected seconds from 1 to 3600")
    }
    if let watch {
      guard ListenSettings.seconds(watch, Self.watchRange) != nil else {
        throw ValidationError("--watch \(watch.escaped): expected seconds from 0.1 to 86400")
      }
      guard format == .text || format == .json else {
        throw ValidationError(
          "--watch: a monitor asks again by itself; use --format text or json")
      }
    }
  }

  private static func check(_ option: String, _ text: String?) throws {
    guard let text, QueueThresholds.parse(text) == nil else { return }
    throw ValidationError(
      "\(option) \(text.escaped): expected a range such as 600, 10:600 or @10:20; after a comma, one of rows"
    )
  }

  private var thresholds: QueueThresholds {
    var thresholds = QueueThresholds(QueueLimits(rows: maxBacklog, wait: maxWait))
    if let warning = warning.flatMap(QueueThresholds.parse) {
      (thresholds.wait.warning, thresholds.rows.warning) = warning
    }
    if let critical = critical.flatMap(QueueThresholds.parse) {
      (thresholds.wait.critical, thresholds.rows.critical) = critical
    }
    return thresholds
  }

  private var patience: Duration {
    timeout.flatMap { ListenSettings.seconds($0, Self.timeoutRange) } ?? Self.defaultTimeout
  }

  func run() throws {
    let interval = watch.flatMap { ListenSettings.seconds($0, Self.watchRange) }
    if interval == nil { answerInTime() }
    let config = try common.resolve()
    // A statement that takes too long is cancelled before the time is up, so that the rest can still be reported.
    var reader = StatusReader(
      config, thresholds, statusFile: statusFile, patience: patience * 4 / 5)
    if let interval {
      var watch = StatusWatch(self, interval)
      return try watch.run(&reader)
    }
    let report = reader.read()
    let judgment = Judgment(report)
    AnswerDeadline.claim()
    try show(report, judgment)
    if judgment.severity != .ok { throw ExitCode(judgment.severity.rawValue) }
  }

  private func answerInTime() {
    let words = "no answer within \(plain(patience.seconds)) s; raise --timeout"
    let status = NagiosState.unknown
    switch format {
    case .nagios:
      let answer = PluginAnswer(state: status, text: words)
      AnswerDeadline.start(answer.output, status: status.rawValue, after: patience)
    case .text, .json, .prometheus:
      AnswerDeadline.start(
        "fpcache: \(words)", on: STDERR_FILENO, status: status.rawValue, after: patience)
    }
  }

  private func show(_ report: StatusReport, _ judgment: Judgment) throws {
    do throws(UserError) {
      switch format {
      case .text:
        if !common.quiet { try printResult(text(report, judgment, .narrow()).lines) }
      case .json: try printResult(report.json(judgment).text)
      case .nagios: try printResult(report.plugin(judgment).output)
      case .prometheus: try writeResult(report.prometheus)
      }
    } catch {
      // A monitor reads 1 as a warning, but this is not a warning.
      printError("fpcache: \(error.message)")
      throw ExitCode(NagiosState.unknown.rawValue)
    }
  }

  func text(
    _ report: StatusReport, _ judgment: Judgment, _ terminal: Terminal
  ) -> StatusText {
    StatusText(
      report: report, judgment: judgment, terminal: terminal,
      palette: common.palette(STDOUT_FILENO))
  }
}

extension Terminal {
  /// As narrow as the terminal is. A screen that is drawn over must not wrap.
  static func narrow() -> Terminal { standardOutput(narrowest: 20) }
}
