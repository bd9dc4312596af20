// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache verify: audits the tree, the configuration and, if there is one, the database.

import ArgumentParser
import Basics
import CacheFS
import Logging
import PGQueue

struct Verify: SiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", _superCommandName: "fpcache",
    abstract: "Audit the tree; change nothing without --fix.",
    discussion: """
      The site's own SQL, in [verify] of the configuration, tells whether a page is older than \
      its content; etc/fpcache.ini.sample has queries for FreshPorts.

      CODES
      \(FindingCode.allCases.map { "  \($0.rawValue): \($0.meaning)" }.joined(separator: "\n"))

      EXAMPLES
        fpcache verify --no-database
        fpcache verify --only empty,expired --stale-after 365d --fix
        fpcache verify --as-user freshports
        fpcache verify --format nagios --max-backlog 1000
        fpcache verify --format nagios --only backlog,no-listener --max-wait 10m
      """)

  enum Format: String, WordArgument {
    case text, json, nagios
  }

  @Option(help: "How to print the result.") var format = Format.text
  @Option(
    help: ArgumentHelp("Check only these codes.", valueName: "code,..."),
    completion: .list(of: FindingCode.allCases.map(\.rawValue)))
  var only: String?
  @Option(
    help: ArgumentHelp("Skip these codes.", valueName: "code,..."),
    completion: .list(of: FindingCode.allCases.map(\.rawValue)))
  var skip: String?
  @Flag(
    help: ArgumentHelp(
      "Remove what is safe to remove.",
      discussion: """
        That is: \(FindingCode.fixable). Never removes unknown files or links. With --only missed it removes \
        nothing and acknowledges what the listener has missed.
        """))
  var fix = false
  @Flag(help: "Do not ask the database.") var noDatabase = false
  @Option(
    help: ArgumentHelp("Report pages older than this, such as 365d.", valueName: "age"),
    transform: Age.parse)
  var staleAfter: Age?
  @Option(help: ArgumentHelp("Report a queue with more rows than this.", valueName: "n"))
  var maxBacklog: Int?
  @Option(
    help: ArgumentHelp(
      "Report a queue whose oldest row has waited longer than this, such as 10m.",
      valueName: "age"),
    transform: Age.parse)
  var maxWait: Age?
  @Option(
    help: ArgumentHelp(
      "Check permissions as this user.",
      valueName: "user"))
  var asUser: String?
  @Option(
    name: [.customShort("t"), .long],
    help: ArgumentHelp(
      "With --format nagios: answer UNKNOWN after this time, whatever hangs.",
      discussion: "8 by default, and 55 where the tree is walked.", valueName: "seconds"))
  var timeout: String?
  @OptionGroup(title: UsageText.commonTitle) var common: CommonOptions

  func validate() throws {
    _ = try codes()
    if let timeout, ListenSettings.seconds(timeout, Self.timeoutRange) == nil {
      throw ValidationError("--timeout \(timeout.escaped): expected seconds from 1 to 3600")
    }
    if let maxBacklog, maxBacklog < 0 {
      throw ValidationError("--max-backlog \(maxBacklog): expected a number from 0")
    }
  }

  private func codes() throws -> Set<FindingCode> {
    let wanted = try only.map(Self.parse) ?? Set(FindingCode.allCases)
    return wanted.subtracting(try skip.map(Self.parse) ?? [])
  }

  private static func parse(_ list: String) throws -> Set<FindingCode> {
    var codes: Set<FindingCode> = []
    for name in list.split(separator: ",", omittingEmptySubsequences: false) {
      guard let code = FindingCode(rawValue: String(name)) else {
        throw ValidationError(
          "\(escape(Array(name.utf8))): no such code; "
            + suggestion(for: String(name), among: FindingCode.allCases.map(\.rawValue)))
      }
      codes.insert(code)
    }
    return codes
  }

  func run() throws {
    guard format == .nagios else { return try report(audit()) }
    answerInTime()
    let answer: PluginAnswer
    do throws(UserError) {
      answer = try audit().nagios
    } catch {
      answer = PluginAnswer(state: .unknown, text: error.message)
    }
    AnswerDeadline.claim()
    do throws(UserError) {
      try printResult(answer.output)
    } catch {
      // A monitor reads 1 as a warning, but this is not a warning.
      printError("fpcache: \(error.message)")
      throw ExitCode(NagiosState.unknown.rawValue)
    }
    throw ExitCode(answer.state.rawValue)
  }

  private static let timeoutRange = 1.0...3600.0
  /// Many monitors kill a plugin after 10 s.
  private static let defaultTimeout = Duration.seconds(8)
  /// Nagios itself kills a plugin after 60 s; a walk may take that long.
  private static let defaultWalkTimeout = Duration.seconds(55)

  private func answerInTime() {
    let needsTree = ((try? codes()) ?? []).needTree
    let patience =
      timeout.flatMap { ListenSettings.seconds($0, Self.timeoutRange) }
      ?? (needsTree ? Self.defaultWalkTimeout : Self.defaultTimeout)
    let answer = PluginAnswer(
      state: .unknown,
      text: "no answer within \(plain(patience.seconds)) s; raise --timeout")
    AnswerDeadline.start(answer.output, status: answer.state.rawValue, after: patience)
  }

  private func report(_ audit: Audit) throws {
    switch format {
    case .text, .nagios:
      guard !common.quiet else { break }
      let (terminal, palette) = (Terminal.standardOutput(), common.palette(STDOUT_FILENO))
      try printResult(audit.lines(all: common.verbose, on: terminal, palette))
    case .json: try printResult(audit.json.text)
    }
    try audit.status.leave()
  }

  private func audit() throws(UserError) -> Audit {
    let codes = (try? codes()) ?? []
    let config = try common.resolve()
    var run = VerifyRun(config: config, codes: codes, actor: try actor())
    // Codes that need only the database can be checked from any machine.
    if codes.needTree { run.root = try config.openCacheDirectory() }
    run.asksDatabase = !noDatabase
    run.staleAfter = staleAfter
    run.limits = QueueLimits(rows: maxBacklog, wait: maxWait)
    run.isExplicit = only != nil
    run.fixer = fix && codes.needTree ? try common.clearer(config, paths: .dropped) : nil
    run.acknowledges = fix && only != nil && codes.contains(.missed)
    run.dryRun = common.dryRun
    let audit = run.audit()
    if let error = audit.databaseError {
      common.logger(.command).error(
        "database not checked: \(error.explanation(adding: "see --dsn and --no-database"))")
    }
    return audit
  }

  private func actor() throws(UserError) -> Actor {
    guard let asUser else { return .current }
    guard let actor = Actor(named: asUser) else {
      throw UserError(
        .usage, "--as-user \(escape(Array(asUser.utf8))): no such user on this machine")
    }
    return actor
  }
}

extension FindingCode {
  /// The codes that --fix can fix, as a list.
  fileprivate static var fixable: String {
    allCases.filter(\.isFixable).map(\.rawValue).joined(separator: ", ")
  }
}
