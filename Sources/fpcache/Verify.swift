// fpcache verify: the audit of the tree and, where there is one, of the database's queues.

import ArgumentParser
import CacheFS
import PGQueue

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Audit the tree; change nothing unless told to.",
    discussion: """
      CODES
      \(FindingCode.allCases.map { "  \($0.rawValue): \($0.meaning)" }.joined(separator: "\n"))

      EXAMPLES
        fpcache verify --no-database
        fpcache verify --only empty,expired --stale-after 365d --fix
        fpcache verify --format nagios --max-backlog 1000
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json, nagios
  }

  @OptionGroup var common: CommonOptions
  @Option(help: "How to print the result.") var format = Format.text
  @Option(
    help: ArgumentHelp("Look for these codes only.", valueName: "code,..."),
    completion: .list(of: FindingCode.allCases.map(\.rawValue)))
  var only: String?
  @Option(
    help: ArgumentHelp("Do not look for these codes.", valueName: "code,..."),
    completion: .list(of: FindingCode.allCases.map(\.rawValue)))
  var skip: String?
  @Flag(help: "Remove what is safe to remove: empty and expired pages.") var fix = false
  @Flag(help: "Leave the database alone.") var noDatabase = false
  @Option(
    help: ArgumentHelp("Report pages older than this, such as 365d.", valueName: "age"),
    transform: Age.parse)
  var staleAfter: Age?
  @Option(help: ArgumentHelp("Report a queue with more rows than this.", valueName: "n"))
  var maxBacklog: Int?

  func validate() throws {
    _ = try codes()
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
          "\(escape(Array(name.utf8))): no such code; expected some of "
            + FindingCode.allCases.map(\.rawValue).joined(separator: ", "))
      }
      codes.insert(code)
    }
    return codes
  }

  func run() throws {
    guard format == .nagios else { return try report(audit()) }
    let verdict: (state: NagiosState, line: String)
    do throws(UserError) {
      verdict = try audit().nagios
    } catch {
      verdict = (.unknown, "FPCACHE UNKNOWN - \(error.message)")
    }
    do throws(UserError) {
      try printResult(verdict.line)
    } catch {
      // A monitor reads 1 as a warning, and this is none.
      printError("fpcache: \(error.message)")
      throw ExitCode(NagiosState.unknown.rawValue)
    }
    throw ExitCode(verdict.state.rawValue)
  }

  private func report(_ audit: Audit) throws {
    switch format {
    case .text, .nagios:
      if !common.quiet { try printResult(audit.lines(all: common.verbose)) }
    case .json: try printResult(audit.json.text)
    }
    try audit.status.leave()
  }

  private func audit() throws(UserError) -> Audit {
    let config = try common.resolve()
    let root = try config.openCacheDirectory()
    let codes = (try? codes()) ?? []
    let query = VerifyQuery(
      codes: codes, modifiedBefore: staleAfter.map { $0.before(currentTime()) })
    var (findings, files) = Verifier(Scanner(root, layout: config.layout), query).audit()
    if fix {
      let clearer = try common.clearer(config, paths: .dropped)
      findings = clearer.fix(findings)
    }
    var audit = Audit(
      findings: findings, files: files, dryRun: common.dryRun, databaseError: nil,
      namesDatabase: config.namesDatabase)
    guard !noDatabase else { return audit }
    do throws(DatabaseError) {
      let connection = try Connection(config.connection)
      audit.findings += try QueueAudit(connection, maxBacklog: maxBacklog).findings()
        .filter { codes.contains($0.code) }
    } catch {
      audit.databaseError = error
      common.logger(.command).error(
        "database not checked: \(error.explanation); see --dsn and --no-database")
    }
    return audit
  }
}

/// The database's side of the audit.
struct QueueAudit {
  private let connection: Connection
  private let maxBacklog: Int?

  init(_ connection: Connection, maxBacklog: Int?) {
    self.connection = connection
    self.maxBacklog = maxBacklog
  }

  /// - Throws: ``DatabaseError``.
  func findings() throws(DatabaseError) -> [Finding] {
    var findings: [Finding] = []
    for table in QueueTable.all {
      let name = CachePath(Array(table.name.utf8))
      guard let rows = try Queue(table, on: connection).count() else {
        findings.append(Finding(.missingTable, name))
        continue
      }
      if let maxBacklog, rows > maxBacklog {
        findings.append(Finding(.backlog, name, detail: counted(rows, "row") + " waiting"))
      }
    }
    for channel in try Channel.all(on: connection) where channel.event == nil {
      findings.append(
        Finding(
          .unknownEvent, CachePath(Array(channel.name.utf8)),
          detail: "script_name \(escape(Array(channel.scriptName.utf8)))"))
    }
    return findings
  }
}
