// SPDX-License-Identifier: BSD-2-Clause
//
// The audit as text and JSON.

import Basics
import CacheFS
import PGQueue
import SystemPackage

/// Everything that verify found.
struct Audit: Equatable {
  /// How many paths of a code the text lists, unless all were asked for.
  private static let listed = 5

  var findings: [Finding]
  /// How many files were checked; nil when the tree was not walked.
  let files: Int?
  let dryRun: Bool
  var databaseError: DatabaseError?
  let namesDatabase: Bool
  var notChecked: [NotChecked] = []
  /// Each queue that was read.
  var queues: [QueueBacklog] = []
  /// How far the database's clock is ahead of the file system's, in seconds; nil when they were
  /// not compared.
  var clockDifference: Double?
  var limits = QueueLimits()

  /// An audit that could not ask the named database is incomplete.
  var isIncomplete: Bool { databaseError != nil && namesDatabase }

  /// The findings that remain. What was fixed, or would be fixed, is no longer a finding.
  var open: [Finding] {
    findings.filter { ![.removed, .passed, .acknowledged].contains($0.fix) }
  }

  var status: ExitStatus {
    if isIncomplete { return .noDatabase }
    return open.isEmpty && notChecked.isEmpty ? .done : .incomplete
  }

  private var byCode: [(code: FindingCode, findings: [Finding])] { Self.byCode(findings) }

  static func byCode(
    _ findings: [Finding]
  ) -> [(code: FindingCode, findings: [Finding])] {
    let groups = Dictionary(grouping: findings, by: \.code)
    return FindingCode.allCases.compactMap { code in groups[code].map { (code, $0) } }
  }

  // MARK: Text

  /// A line and its colour.
  private typealias Line = (text: String, paint: Palette.Paint?)

  func lines(all: Bool) -> [String] { styledLines(all: all).map(\.text) }

  /// The lines for a terminal. No line is wider than the terminal. The first line of each code and the last line of
  /// the audit show the severity.
  func lines(all: Bool, on terminal: Terminal, _ palette: Palette) -> [String] {
    styledLines(all: all).flatMap { line in
      terminal.wrapped(line.text).map { text in
        line.paint.map { palette.paint(text, $0) } ?? text
      }
    }
  }

  private func styledLines(all: Bool) -> [Line] {
    var lines: [Line] = []
    let open = Dictionary(grouping: self.open, by: \.code)
    for (code, findings) in byCode {
      lines.append(
        (
          "\(code.rawValue) (\(code.severity.rawValue)): \(grouped(findings.count)): \(code.meaning)",
          code.severity.paint
        ))
      let shown = all ? findings[...] : findings.prefix(Self.listed)
      lines += shown.map { ("  \($0.text(dryRun: dryRun))", nil) }
      if shown.count < findings.count {
        lines.append(("  and \(grouped(findings.count - shown.count)) more (-v lists all)", nil))
      }
      lines += Self.remedies(open[code] ?? []).map { ("  \($0)", nil) }
    }
    lines += notChecked.map { ("\($0.heading): \($0.words)", .yellow) }
    return lines + [(verdict, verdictPaint)]
  }

  private var verdictPaint: Palette.Paint {
    if self.open.contains(where: { $0.code.severity == .critical }) { return .red }
    return status == .done ? .green : .yellow
  }

  /// What to do about the findings of one code: the code's own remedy, and the remedies of single findings.
  private static func remedies(_ findings: [Finding]) -> [String] {
    let own = Dictionary(grouping: findings, by: \.remedy)
    return own.sorted { Finding.precedes($0.value[0], $1.value[0]) }.map { remedy, findings in
      if remedy == findings[0].code.remedy { return "remedy: \(remedy)" }
      let more = findings.count > 1 ? " and \(grouped(findings.count - 1)) more" : ""
      return "remedy for \(findings[0].subject)\(more): \(remedy)"
    }
  }

  private var verdict: String {
    let place = files.map { " in \(counted($0, "file"))" } ?? ""
    if !open.isEmpty { return counted(open.count, "finding") + place }
    return notChecked.isEmpty && !isIncomplete
      ? "clean" + place : "nothing found\(place), but not all was checked"
  }

  // MARK: JSON

  var json: JSON {
    .object([
      ("version", .integer(1)),
      ("dry_run", .boolean(dryRun)),
      ("files", files.map { .integer($0) } ?? .null),
      ("counts", .object(byCode.map { ($0.code.rawValue, .integer($0.findings.count)) })),
      ("findings", .array(findings.map(\.json))),
      ("database_error", databaseError.map { .string($0.explanation) } ?? .null),
      ("not_checked", .array(notChecked.map(\.json))),
      ("queues", .object(queues.map { ($0.table.name, .integer($0.rows)) })),
      ("clock_difference_seconds", clockDifference.map { .number($0) } ?? .null),
      (
        "queue_oldest_seconds",
        .object(queues.map { ($0.table.name, $0.oldestAge.map { .number($0) } ?? .null) })
      ),
      ("backlog", .array(queues.map(\.json) + notChecked.filter(\.isBacklog).map(\.backlog))),
    ])
  }
}

extension Finding {
  fileprivate func text(dryRun: Bool) -> String {
    // The heading has already said what the code means.
    var text = evidence == .none ? "\(subject)" : "\(subject): \(words)"
    switch fix {
    case nil: break
    case .removed: text += dryRun ? ": would be removed" : ": removed"
    case .acknowledged: text += dryRun ? ": would be acknowledged" : ": acknowledged"
    case .passed: text += ": no longer true"
    case .failed(let failure): text += ": not removed: \(failure.error.description)"
    }
    return text
  }

  fileprivate var json: JSON {
    var members: [(String, JSON)] = [
      ("code", .string(code.rawValue)),
      ("severity", .string(code.severity.rawValue)),
      ("path", .string("\(subject)")),
      ("message", .string(words)),
      ("remedy", .string(remedy)),
    ]
    switch fix {
    case nil: break
    case .removed, .passed, .acknowledged: members.append(("fixed", .boolean(true)))
    case .failed(let failure):
      members.append(("fixed", .boolean(false)))
      members.append(("failure", failure.json))
    }
    return .object(members)
  }
}

extension Severity {
  fileprivate var paint: Palette.Paint {
    switch self {
    case .critical: .red
    case .warning: .yellow
    case .notice: .bold
    }
  }
}
