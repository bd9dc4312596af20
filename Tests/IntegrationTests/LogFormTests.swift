// SPDX-License-Identifier: BSD-2-Clause
//
// The log answers "was gimp cleared?", in the form that its reader wants: text, systemd's journal or JSON.

import Foundation
import Testing

@testable import TestSupport

@Suite("The form of the log") struct LogFormTests {
  /// Four ports with pages and a day, all queued.
  private func site() throws -> (IncidentTree, TestDatabase) {
    let database = try PostgresServer.shared.makeDatabase()
    let incident = try IncidentTree(ports: 4, days: 1)
    try incident.queue(in: database)
    return (incident, database)
  }

  private func objects(_ lines: [String]) throws -> [[String: Any]] {
    try lines.map { line in
      try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }
  }

  @Test("a drain's line names three rows, and -v all of them")
  func names() throws {
    for (options, isAll) in [([], false), (["-v"], true)] as [([String], Bool)] {
      let (incident, database) = try site()
      let listener = try Daemon.listen(on: incident.tree, database, options)
      let line = try listener.waitForLog(containing: "drained: 5 rows")
      let names = incident.ports.map { "\($0.category)/\($0.port)" } + incident.days
      // Which queue comes first is the listener's affair.
      let named = names.filter { line.contains("(\($0), ") || line.contains(" \($0)") }
      #expect(named.count == 3 && line.hasSuffix(" and 2 more)"), "\(line)")
      let each = names.filter { name in
        listener.lines.contains { $0.hasSuffix("debug: cache_clearing_ports: cleared \(name)") }
          || listener.lines.contains {
            $0.hasSuffix("debug: cache_clearing_dates: cleared \(name)")
          }
      }
      #expect(each.count == (isAll ? 5 : 0), "\(listener)")
    }
  }

  @Test("as JSON: one object a line, with the numbers of a drain, and no password")
  func json() throws {
    let (incident, database) = try site()
    let listener = try Daemon.listen(
      on: incident.tree, database, ["--log-format", "json"],
      dsn: database.listenerDSN + " password=geheim")
    try listener.waitForLog(containing: "drained: 5 rows")
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
    let objects = try objects(listener.lines)
    for object in objects {
      #expect((object["time"] as? String)?.contains(/^[-0-9]{10}T[0-9:]{8}\.[0-9]{6}Z$/) == true)
      #expect(object["level"] is String && object["message"] is String)
    }
    let drain = try #require(
      objects.first { ($0["message"] as? String)?.hasPrefix("drained: 5 rows") == true })
    let numbers = try #require(drain["metadata"] as? [String: Any])
    #expect(drain["level"] as? String == "notice")
    #expect(numbers["rows"] as? Int == 5 && numbers["duration_seconds"] is Double)
    #expect(numbers["files_removed"] as? Int == incident.stalePages.count)
    #expect(!"\(listener)".replacing("password=geheim", with: "").contains("geheim"))
    // The error that ends a command, too.
    let failed = try Command.fpcache(
      ["listen", "--once", "--log-format", "json", "--dsn", "host=/nonexistent password=geheim"],
      environment: ["FPCACHE_DIR": incident.tree.path])
    let last = try #require(
      try self.objects(failed.stderr.split(separator: "\n").map(String.init)).last)
    #expect(failed.status == 69 && last["level"] as? String == "error", "\(failed)")
    #expect(!failed.stderr.contains("geheim"))
  }

  /// Runs fpcache with $JOURNAL_STREAM as systemd sets it, plus something.
  private func journalCommand(_ arguments: [String], more: String = "") throws -> Command {
    let script =
      "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)\(more) exec \"$0\" \"$@\""
    return Command("/bin/sh", ["-c", script, try Command.fpcachePath()] + arguments)
  }

  @Test(
    "in the journal: a priority and no second clock, and only where standard error is the journal")
  func journal() throws {
    let (incident, database) = try site()
    let arguments = [
      "listen", "--cache-dir", incident.tree.path, "--dsn", database.listenerDSN, "--state-dir",
      try Scratch.makeFolder("state"),
    ]
    let listener = try Daemon(journalCommand(arguments))
    try listener.waitForLog(containing: "drained: 5 rows")
    listener.terminate()
    #expect(try listener.waitForExit().status == 0)
    for line in listener.lines {
      #expect(line.contains(/^<[0-7]>/) && !line.contains(/^...[0-9]{4}-/), "\(line)")
    }
    #expect(listener.lines.contains { $0.hasPrefix("<5>drained: 5 rows") }, "\(listener)")
    let failure = try journalCommand(["stats", "--cache-dir", "/nonexistent"]).run()
    #expect(failure.stderr.hasPrefix("<3>"), "\(failure)")
    // Redirected since: the variable speaks of another stream.
    let redirected = try journalCommand(["stats", "--cache-dir", "/nonexistent"], more: "0").run()
    #expect(redirected.stderr.hasPrefix("fpcache: "), "\(redirected)")
    let wanted = try Command.fpcache(["stats", "--log", "syslog", "--log-format", "json"])
    #expect(wanted.status == 64, "\(wanted)")
  }

  @Test("SIGUSR1 says since when it is connected and healthy, the last drain, and what waits")
  func status() throws {
    let (incident, database) = try site()
    let listener = try Daemon.listen(on: incident.tree, database, ["--settle", "3600"])
    try listener.waitForLog(containing: "drained: 5 rows")
    let shape =
      #/notice: status: listening; connected since [-0-9]{10}T[0-9:]{8}Z; (healthy since [-0-9]{10}T[0-9:]{8}Z \(last proof [0-9]+ s ago\)|not healthy \(never proved\)); last drain [0-9]+ s ago: 5 rows, .*; 0 to retry, [0-9]+ keys to clear again; since the start: 5 rows, .*$/#
    func lines() -> [String] { listener.lines.filter { $0.contains("status: ") } }
    try eventually("it says so, healthy at last", details: "\(listener)") {
      listener.terminate(SIGUSR1)
      return lines().contains { $0.contains("healthy since") && !$0.contains(" 0 keys") }
    }
    for line in lines() { #expect(line.contains(shape), "\(line)") }
  }
}
