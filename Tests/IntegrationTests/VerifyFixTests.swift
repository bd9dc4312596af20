// SPDX-License-Identifier: BSD-2-Clause
//
// --fix: every code that it may put right, what it leaves, and that a dry run says the same.

import Foundation
import Testing

@testable import TestSupport

@Suite struct VerifyFixTests {
  @Test("every fault of a site: what is safe to remove goes, all else stays")
  func wholeSite() throws {
    let site = try AuditedSite(files: 600, database: PostgresServer.shared.makeDatabase())
    let faults = try PlantedFaults(34, in: site)
    let before = try site.base.snapshot()
    let arguments = faults.arguments + ["--format", "json", "--fix"]
    let dry = try site.verify(arguments + ["-n"])
    #expect(try site.base.snapshot().differences(from: before) == [])
    let rows = try site.rows()
    let real = try site.verify(arguments)
    // The same document but for one word and the ages of rows, and the same status.
    func document(_ result: CommandResult) -> String {
      result.stdout.replacing(
        #/,"queue_oldest_seconds":\{[^}]*\},"backlog":\[.*\]\}/#, with: "}")
    }
    #expect(
      document(dry).replacing(#""dry_run":true"#, with: #""dry_run":false"#) == document(real))
    #expect(dry.status == real.status && real.status == 1)
    let audit = try AuditDocument(real)
    #expect(audit.differences(from: faults.expected) == [])
    let fixable: Set = [
      "empty", "stub", "spool-leftover", "empty-dir", "expired", "stale", "orphan", "pending",
    ]
    for finding in audit.findings {
      #expect(finding.fixed == (fixable.contains(finding.code) ? true : nil), "\(finding)")
    }
    let gone = try site.base.snapshot().differences(from: before)
      .filter { $0.hasSuffix(": gone") }.map { $0.replacing("cache/", with: "") }
    #expect(
      Set(gone)
        == Set(audit.findings.filter { $0.fixed == true }.map { "\($0.path): gone" }))
    // The rows are the listener's to retire.
    #expect(try site.rows() == rows)
    // What was put right is not found again; new is nothing but folders that are empty by now.
    let left = faults.expected.filter { !fixable.contains($0.key) }
    #expect(
      try AuditDocument(site.verify(faults.arguments + ["--format", "json"]))
        .differences(from: left) == [])
  }

  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for folder in AuditedSite.folders { try tree.makeDirectory(folder) }
    return tree
  }

  private func verify(
    _ tree: TemporaryTree, _ arguments: String, as account: Account = .current
  ) throws -> CommandResult {
    try Command.fpcache(
      ["verify", "--no-database", "--cache-dir", tree.path]
        + arguments.split(separator: " ").map(String.init), in: tree, as: account)
  }

  @Test("all put right: status 0, with -n too, in every format")
  func statuses() throws {
    let tree = try tree()
    for (format, verdict) in [
      ("text", "clean in 1 file"), ("json", #""fixed":true"#),
      ("nagios", "FPCACHE OK - no findings"),
    ] {
      try tree.write("html/a", bytes: 0)
      #expect(try verify(tree, "--format \(format)").status != 0)
      let dry = try verify(tree, "--fix -n --format \(format)")
      let real = try verify(tree, "--fix --format \(format)")
      for result in [dry, real] {
        #expect(result.status == 0 && result.stdout.contains(verdict), "\(result)")
      }
      #expect(try tree.files() == [])
    }
  }

  @Test("what cannot be removed is told, with the reason, and stays a finding")
  func failure() throws {
    let tree = try tree()
    try tree.write("html/a", bytes: 0)
    try tree.write("pages/b", bytes: 0)
    try tree.give(to: .unprivileged)
    try tree.setMode("html", 0o555)
    let result = try verify(tree, "--fix --format json", as: .unprivileged)
    #expect(result.status == 1, "\(result)")
    #expect(
      result.stdout.contains(
        #""fixed":false,"failure":{"path":"html/a","error":"EACCES","message":"Permission denied"}}"#
      ),
      "\(result)")
    #expect(try tree.files() == ["html/a"])
    let text = try verify(tree, "--fix", as: .unprivileged)
    #expect(text.stdout.contains("  html/a: not removed: Permission denied\n"), "\(text)")
    #expect(text.stdout.hasSuffix("2 findings in 1 file\n"))
    try tree.setMode("html", 0o755)
  }

  @Test("folders above pages stay, and a family's own")
  func folders() throws {
    let tree = try tree()
    for folder in ["ports/net/a/files", "html/x"] { try tree.makeDirectory(folder) }
    for folder in ["ports/net/a/files", "ports/net/a", "ports", "html/x", "html", "news"] {
      try tree.setAge(folder, .seconds(7200))
    }
    let result = try verify(tree, "--fix")
    #expect(result.status == 0, "\(result)")
    #expect(
      try tree.folders()
        == (AuditedSite.folders + ["ports/net", "ports/net/a"]).sorted())
  }
}
