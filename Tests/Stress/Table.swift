// SPDX-License-Identifier: BSD-2-Clause
//
// All cells, some at a time, as a table; and what it proves. Nothing is proved by a listener that
// shows no stale page where the old shape, or triggers that are wrong, show none either.

import Foundation
import Synchronization
import TestSupport

/// The table of stale pages at rest.
struct Table: Sendable {
  let cells: [Cell]
  let load: Load
  /// How many cells run at the same time.
  let jobs: Int

  /// What became of each cell: its result, or why there is none.
  typealias Outcome = Result<CellResult, any Error>

  /// Runs every cell, tells of each on standard error as it ends, and prints the table.
  /// - Returns: whether the protocol is proved.
  func run() -> Bool {
    let outcomes = runCells()
    print(
      """
      \(load.rounds) rounds a cell, \(jobs) cells at a time, seed \(load.seed): \(load.writers) \
      writers with transactions of up to \(Int(Writer.holdMilliseconds.upperBound)) ms,
      in one round of \(load.roundsPerLateWriter) another that outlasts --settle \
      \(load.settle.seconds); \(load.visitors) visitors; \(load.ports) hot ports, one for the \
      late writer, and their category's page\(nodes == 1 ? "" : "; each on \(nodes) nodes").
      With sql, the pages of a small site whose queues and triggers fpcache sql has printed.

      """)
    print(Self.heading)
    for (cell, outcome) in zip(cells, outcomes) { print(Self.line(cell, outcome)) }
    print("")
    return judge(outcomes)
  }

  private var nodes: Int { cells.first?.nodes ?? 1 }

  private func runCells() -> [Outcome] {
    let next = Atomic<Int>(0)
    let outcomes = Mutex([Outcome?](repeating: nil, count: cells.count))
    DispatchQueue.concurrentPerform(iterations: min(jobs, cells.count)) { _ in
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < cells.count else { return }
        let outcome = Result { try CellRun(cells[index], load).run() }
        outcomes.withLock { $0[index] = outcome }
        complain(Self.line(cells[index], outcome))
      }
    }
    return outcomes.withLock { $0.compactMap(\.self) }
  }

  // MARK: Text

  private static let columns: [(name: String, width: Int)] = [
    ("listener", 13), ("shape", 18), ("fate", 6), ("render", 6), ("page-rounds", 11),
    ("on disk", 7), ("STALE", 5), ("changes", 7), ("per s", 5), ("drains", 6), ("kills", 5),
    ("restarts", 8), ("renders", 7), ("slowest", 7), ("void", 4),
  ]

  private static var heading: String {
    columns.map { pad($0.name, $0.width) }.joined(separator: "  ")
  }

  private static func line(_ cell: Cell, _ outcome: Outcome) -> String {
    let start = [
      cell.listener.rawValue, cell.triggers.name, cell.fate.rawValue,
      "\(cell.renderMilliseconds) ms",
    ]
    guard case .success(let result) = outcome else {
      return zip(start, columns).map { pad($0, $1.width) }.joined(separator: "  ") + "  FAILED"
    }
    let perSecond = Double(result.changes) / max(0.001, result.writing.seconds)
    let values =
      start + [
        "\(result.inspection.pages)", "\(result.inspection.present)",
        "\(result.inspection.stale.count)", "\(result.changes)", "\(Int(perSecond))",
        "\(result.drains)", "\(result.kills)", "\(result.restarts)",
        "\(result.renders)",
        "\(Int(result.slowestRender.seconds * 1000)) ms", "\(result.voidRounds)",
      ]
    return zip(values, columns).map { pad($0, $1.width) }.joined(separator: "  ")
  }

  // MARK: Verdict

  private func judge(_ outcomes: [Outcome]) -> Bool {
    var isProved = true
    for (cell, outcome) in zip(cells, outcomes) {
      if let complaint = Self.complaint(cell, outcome) {
        print(complaint)
        isProved = false
      }
    }
    let compared = cells.filter { $0.expectation == .stalePages }.count
    if compared == 0 {
      print("No cell of the comparison was run: this proves nothing.")
      return false
    }
    if isProved {
      print(
        """
        PROVED: no stale page with fpcache, at --settle \(load.settle.seconds); stale pages in \
        each of \(compared) cells where the row-at-a-time listener or a mutant of the printed \
        triggers has to show them (seed \(load.seed)).
        """)
    }
    return isProved
  }

  private static func complaint(_ cell: Cell, _ outcome: Outcome) -> String? {
    switch outcome {
    case .failure(let error):
      return "FAILED: \(cell.name): \(error)"
    case .success(let result):
      let stale = result.inspection.stale
      switch cell.expectation {
      case .noStalePage where !stale.isEmpty:
        let examples = stale.prefix(5).map { "\n  \($0)" }.joined()
        return "STALE: \(cell.name): \(stale.count) of \(result.inspection.pages)\(examples)"
      case .stalePages where stale.isEmpty:
        return """
          PROVES NOTHING: \(cell.name): this comparison shows no stale page, so that fpcache shows \
          none means nothing. Try more --rounds, or a machine less loaded.
          """
      default:
        return nil
      }
    }
  }
}

/// Text at the left of a column of that width.
func pad(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

/// A line on standard error: progress, and what is not the result.
func complain(_ line: String) {
  FileHandle.standardError.write(Data((line + "\n").utf8))
}
