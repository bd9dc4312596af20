// SPDX-License-Identifier: BSD-2-Clause
//
// The command line: `Stress` prints the table, `Stress nginx` that of nginx's own cache, `Stress soak` runs one listener for long, and
// `Stress attack` swaps folders under everybody's hands.

import ArgumentParser
import Foundation
import TestSupport

@main
struct StressCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stress",
    abstract: "Try to make the program leave a stale page, or leave its tree.",
    discussion: """
      The program under test is $FPCACHE_BIN, or the fpcache that was built beside this one. The \
      PostgreSQL is one of its own, and everything lies in a scratch folder that goes with it.
      """,
    subcommands: [
      StalePages.self, Recheck.self, Nginx.self, Soak.self, Scale.self, Audit.self, Attack.self,
    ],
    defaultSubcommand: StalePages.self)
}

/// The table.
struct StalePages: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table",
    abstract:
      "Stale pages at rest, for every shape of trigger and for those that fpcache sql prints.")

  @Option(help: "How many rounds of a burst and a rest a cell has.") var rounds: Int?
  @Option(
    help: ArgumentHelp(
      "Only the cells whose name contains this; may be repeated.",
      discussion: "For instance fpcache-3, killed-20, row-at-a-time-2-left-0, sql.",
      valueName: "name"))
  var cell: [String] = []
  @Option(help: "What the threads' choices grow from.") var seed: UInt64 = 1
  @Option(help: "How many cells run at the same time.") var jobs = 3
  @Option(
    help: ArgumentHelp(
      "The listener's --settle, longer than any render here; 0 shows what it is for.",
      discussion: "By default 0.3, and 1 with many nodes, which share the machine.",
      valueName: "seconds"))
  var settle: Double?
  @Option(help: "How many web nodes share each database, each with a listener and a tree.")
  var nodes = 1
  @Flag(help: "Fewer rounds, for continuous integration: a minute or two in all.") var quick = false

  func validate() throws {
    guard rounds ?? 1 > 0, jobs > 0, 0...10 ~= settle ?? 0, 1...20 ~= nodes else {
      throw ValidationError(
        "expected --rounds and --jobs above 0, --settle from 0 to 10, --nodes from 1 to 20")
    }
    if cells.isEmpty {
      let names = Cell.all.map { "\n  \($0.name)" }.joined()
      throw ValidationError("--cell: no such cell; there are:\(names)")
    }
  }

  private var cells: [Cell] {
    Cell.all.filter { each in
      cell.isEmpty || cell.contains { each.name.contains($0) }
    }.compactMap {
      var cell = $0
      cell.nodes = nodes
      // The log of many nodes is counted for FreshPorts' queues.
      if nodes > 1, case .printed = cell.triggers { return nil }
      return cell
    }
  }

  func run() throws {
    var load = Load()
    load.rounds = rounds ?? (quick ? 16 : load.rounds)
    load.seed = seed
    load.settle = .milliseconds(Int64((settle ?? (nodes == 1 ? 0.3 : 1)) * 1000))
    _ = try PostgresServer.shared
    guard Table(cells: cells, load: load, jobs: jobs).run() else { throw ExitCode.failure }
  }
}
