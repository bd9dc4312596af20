// SPDX-License-Identifier: BSD-2-Clause
//
// The audit where it would be wrong first: on a site at work, on a hundred thousand files, and on the
// incident that it was made for.

import ArgumentParser
import Foundation
import TestSupport

struct Audit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "fpcache verify on a site at work, on a large one, and on the incident.",
    subcommands: [AuditAll.self, AuditLive.self, AuditFaults.self, AuditIncident.self],
    defaultSubcommand: AuditAll.self)
}

/// All three.
struct AuditAll: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "all", abstract: "All of them.")
  @Option(help: "How long the site is at work.") var minutes = 10.0
  @Option(help: "How many files the large site has.") var files = 100_000

  func run() throws {
    for arguments in [
      ["faults", "--files", "\(files)"], ["incident"], ["live", "--minutes", "\(minutes)"],
    ] {
      print("--- \(arguments.joined(separator: " "))")
      var command = try Audit.parseAsRoot(arguments)
      try command.run()
    }
  }
}

/// A site in order, and the same with faults.
struct AuditFaults: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "faults",
    abstract: "A large site in order: nothing found; with faults of every kind: all, and no more.")
  @Option(help: "How many files.") var files = 100_000
  @Option(help: "How many faults, but for those of which there can be one only.") var faults = 100

  func run() throws {
    let site = try AuditedSite(files: files, database: PostgresServer.shared.makeDatabase())
    try site.base.give(to: .unprivileged)
    let listener = try site.database?.session(as: "listening")
    try listener?.sql("LISTEN port_updated")
    let clean = try timed { try site.verify(["--format", "json"]) }
    let nothing = try AuditDocument(clean.result)
    print(
      "\(site.files) files in order, and as many in \(clean.time): \(nothing.findings.count) findings"
    )
    try listener?.sql("UNLISTEN *")
    let planted = try PlantedFaults(faults, in: site)
    let found = try timed { try site.verify(planted.arguments + ["--format", "json"]) }
    let document = try AuditDocument(found.result)
    print("\(planted.count) findings due to \(faults) faults and more, in \(found.time):")
    for (code, count) in document.counts.sorted(by: { $0.key < $1.key }) {
      print("  \(pad(code, 16)) \(count)")
    }
    let differences = document.differences(from: planted.expected)
    for difference in differences { print(difference) }
    guard clean.result.status == 0, nothing.findings.isEmpty, nothing.notChecked.isEmpty,
      differences.isEmpty
    else { throw ExitCode.failure }
    print("SOUND: all found, none invented.")
  }

  private func timed(
    _ body: () throws -> CommandResult
  ) throws -> (result: CommandResult, time: String) {
    let began = ContinuousClock.now
    let result = try body()
    return (result, String(format: "%.2f s", began.duration(to: .now).seconds))
  }
}

/// The two days without a listener, on their first one.
struct AuditIncident: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "incident", abstract: "What would have been said on the first day of the incident."
  )
  @Option(help: "How many ports stand in the queue.") var ports = IncidentTree.allPorts

  func run() throws {
    let incident = try IncidentTree(ports: ports)
    let database = try PostgresServer.shared.makeDatabase()
    try incident.queue(in: database)
    try database.sql(
      """
      UPDATE cache_clearing_ports SET date_added = localtimestamp - interval '1 day';
      UPDATE cache_clearing_dates SET date_added = localtimestamp - interval '1 day';
      """)
    let base = try TemporaryTree()
    try base.write(
      "fp-listen.ini",
      text: """
        [dirs]
        BASEDIR = \(base.path)
        NEWS_CACHE_DIR = '%(BASEDIR)s/cache/new/*'
        """)
    for format in ["text", "nagios"] {
      let result = try Command.fpcache(
        [
          "verify", "--config", base.fullPath("fp-listen.ini"), "--cache-dir", incident.tree.path,
          "--dsn", database.listenerDSN, "--max-backlog", "1000", "--format", format,
        ])
      print(result.stdout, terminator: "")
      print("exit status \(result.status)\n")
      for code in ["missing-dir", "quoted-value", "pending", "backlog", "no-listener", "misplaced"]
      {
        guard result.stdout.contains(code) else {
          throw SupportError("nothing is said of \(code)\n\(result)")
        }
      }
    }
  }
}
