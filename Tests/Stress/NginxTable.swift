// SPDX-License-Identifier: BSD-2-Clause
//
// All cells of nginx's own cache as a table. The last, in which nothing is cleared a second time, has to show
// stale pages: else the others prove nothing.

import ArgumentParser
import Foundation
import TestSupport

/// `Stress nginx`.
struct Nginx: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stale pages at rest in nginx's own cache, with the real nginx.")

  @Option(help: "How many rounds of a burst and a rest a cell has.") var rounds = 40
  @Option(help: "What the threads' choices grow from.") var seed: UInt64 = 1
  @Option(help: ArgumentHelp("Only the cells whose name contains this.", valueName: "name"))
  var cell: [String] = []

  private static let columns: [(name: String, width: Int)] = [
    ("killed", 8), ("vary", 4), ("settle", 6), ("page-rounds", 11), ("from cache", 10),
    ("STALE", 5), ("changes", 7), ("requests", 8), ("hits", 6), ("renders", 7), ("kills", 5),
    ("nginx's log", 11), ("void", 4),
  ]

  func run() throws {
    guard NginxServer.isInstalled else {
      throw SupportError("no nginx. Try: apt-get install nginx")
    }
    _ = try PostgresServer.shared
    print(Self.columns.map { pad($0.name, $0.width) }.joined(separator: "  "))
    var isProved = true
    var hasComparison = false
    for cell in NginxCell.all
    where self.cell.isEmpty || self.cell.contains(where: cell.name.contains) {
      let result = try NginxRun(cell, rounds: rounds, seed: seed).run()
      print(Self.line(cell, result))
      let isComparison = cell.settle == 0
      hasComparison = hasComparison || isComparison
      if isComparison == result.stale.isEmpty {
        isProved = false
        print(
          isComparison ? "PROVES NOTHING: no stale page here either" : "STALE: \(result.stale[0])")
      }
      if let complaint = result.complaints.first {
        isProved = false
        print("nginx says: \(complaint)")
      }
    }
    guard isProved, hasComparison else { throw ExitCode.failure }
    print("PROVED: no stale page where each is cleared a second time, and stale pages where not.")
  }

  private static func line(_ cell: NginxCell, _ result: NginxResult) -> String {
    let values = [
      cell.victim.rawValue, cell.vary ? "yes" : "no", "\(cell.settle)", "\(result.judged)",
      "\(result.hits)", "\(result.stale.count)", "\(result.changes)", "\(result.requests)",
      "\(result.requestHits)", "\(result.renders)", "\(result.kills)", "\(result.complaints.count)",
      "\(result.voidRounds)",
    ]
    return zip(values, columns).map { pad($0, $1.width) }.joined(separator: "  ")
  }
}
