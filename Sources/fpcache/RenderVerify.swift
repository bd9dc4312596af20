// The audit in text, JSON and as a monitoring plugin's line.

import CacheFS
import PGQueue

/// The statuses of a monitoring plugin (Monitoring Plugins Development Guidelines).
enum NagiosState: Int32 {
  case ok = 0
  case warning = 1
  case critical = 2
  case unknown = 3
}

/// All that verify found.
struct Audit: Equatable {
  /// How many paths of a code the text lists unless it is told to list all.
  private static let listed = 5

  var findings: [Finding]
  let files: Int
  let dryRun: Bool
  var databaseError: DatabaseError?
  let namesDatabase: Bool

  /// An audit that could not ask the database that was named is not done.
  private var isIncomplete: Bool { databaseError != nil && namesDatabase }

  /// What was put right is no finding any more.
  private var open: [Finding] { findings.filter { $0.fix != .removed || dryRun } }

  var status: ExitStatus {
    if isIncomplete { return .noDatabase }
    return open.isEmpty ? .done : .incomplete
  }

  private var byCode: [(code: FindingCode, findings: [Finding])] { Self.byCode(findings) }

  private static func byCode(
    _ findings: [Finding]
  ) -> [(code: FindingCode, findings: [Finding])] {
    FindingCode.allCases.compactMap { code in
      let own = findings.filter { $0.code == code }
      return own.isEmpty ? nil : (code, own)
    }
  }

  // MARK: Text

  func lines(all: Bool) -> [String] {
    var lines: [String] = []
    for (code, findings) in byCode {
      lines.append(
        "\(code.rawValue) (\(code.severity.rawValue)): \(grouped(findings.count)): \(code.meaning)")
      let shown = all ? findings[...] : findings.prefix(Self.listed)
      lines += shown.map { "  \($0.text)" }
      if shown.count < findings.count {
        lines.append("  and \(grouped(findings.count - shown.count)) more (-v lists all)")
      }
      if open.contains(where: { $0.code == code }) { lines.append("  remedy: \(code.remedy)") }
    }
    let verdict = open.isEmpty ? "clean" : counted(open.count, "finding")
    lines.append(
      "\(verdict) in \(counted(files, "file"))" + (dryRun ? " (dry run: nothing was changed)" : ""))
    return lines
  }

  // MARK: JSON

  var json: JSON {
    .object([
      ("version", .integer(1)),
      ("dry_run", .boolean(dryRun)),
      ("files", .integer(files)),
      ("counts", .object(byCode.map { ($0.code.rawValue, .integer($0.findings.count)) })),
      ("findings", .array(findings.map(\.json))),
      (
        "database_error", databaseError.map { .string($0.explanation) } ?? .null
      ),
    ])
  }

  // MARK: Nagios

  var nagios: (state: NagiosState, line: String) {
    let counts = Self.byCode(open).map { "\($0.code.rawValue)=\($0.findings.count)" }
      .joined(separator: " ")
    let data = "| findings=\(open.count) files=\(files)"
    if isIncomplete, let databaseError {
      return (.unknown, "FPCACHE UNKNOWN - \(databaseError.explanation) \(data)")
    }
    switch open.map(\.code.severity).max() {
    case nil: return (.ok, "FPCACHE OK - no findings \(data)")
    case .warning?: return (.warning, "FPCACHE WARNING - \(counts) \(data)")
    case .critical?: return (.critical, "FPCACHE CRITICAL - \(counts) \(data)")
    }
  }
}

extension Finding {
  fileprivate var text: String {
    var text = "\(subject)"
    if let detail { text += ": \(detail)" }
    switch fix {
    case nil: break
    case .removed: text += ": removed"
    case .failed(let failure): text += ": not removed: \(failure.error.description)"
    }
    return text
  }

  fileprivate var json: JSON {
    var members: [(String, JSON)] = [
      ("code", .string(code.rawValue)),
      ("severity", .string(code.severity.rawValue)),
      ("path", .string("\(subject)")),
      ("message", .string(detail ?? code.meaning)),
      ("remedy", .string(code.remedy)),
    ]
    switch fix {
    case nil: break
    case .removed: members.append(("fixed", .boolean(true)))
    case .failed(let failure):
      members.append(("fixed", .boolean(false)))
      members.append(("failure", failure.json))
    }
    return .object(members)
  }
}
