// SPDX-License-Identifier: BSD-2-Clause
//
// verify in its formats: whole JSON documents, the plugin's line and its statuses, what --fix does
// and what it would do.

import Foundation
import Testing

@testable import TestSupport

@Suite struct AuditOutputTests {
  private func fpcache(
    _ arguments: String, _ tree: TemporaryTree, as account: Account = .current
  ) throws -> CommandResult {
    try Command.fpcache(
      arguments.split(separator: " ").map(String.init) + ["--no-database"], in: tree,
      environment: ["FPCACHE_DIR": tree.path], as: account)
  }

  /// A tree with every folder of the layout, so that none is missing.
  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for folder in [
      "daily", "ports", "categories", "commits", "packages", "news", "general", "pages", "html",
      "spooling",
    ] {
      try tree.makeDirectory(folder)
    }
    return tree
  }

  @Test("the whole document of verify, and of --fix")
  func verifyDocument() throws {
    let tree = try tree()
    try tree.write("html/empty", bytes: 0)
    try tree.link("html/link", to: "empty")
    func document(_ dryRun: Bool, _ fixed: String) -> String {
      #"{"version":1,"dry_run":\#(dryRun),"files":2,"counts":{"empty":1,"symlink":1},"findings":["#
        + #"{"code":"empty","severity":"critical","path":"html/empty","#
        + #""message":"is a page of zero bytes","#
        + #""remedy":"run fpcache verify --fix; the next visitor re-creates the page"\#(fixed)},"#
        + #"{"code":"symlink","severity":"warning","path":"html/link","#
        + #""message":"is a symbolic link, which is never followed","#
        + #""remedy":"find out who put it there, and remove it by hand"}],"database_error":null,"not_checked":[],"#
        + #""queues":{},"clock_difference_seconds":null,"queue_oldest_seconds":{},"backlog":[]}"#
        + "\n"
    }
    let before = try tree.snapshot()
    let plain = try fpcache("verify --format json", tree)
    #expect(plain.stdout == document(false, ""), "\(plain)")
    let dry = try fpcache("verify --fix -n --format json", tree)
    #expect(dry.stdout == document(true, #","fixed":true"#), "\(dry)")
    #expect(try tree.snapshot().differences(from: before) == [])
    let real = try fpcache("verify --fix --format json", tree)
    #expect(real.stdout == document(false, #","fixed":true"#), "\(real)")
    #expect([plain, dry, real].map(\.status) == [1, 1, 1])
    #expect(try tree.files() == ["html/link"])
  }

  @Test("--fix removes what is empty and what has expired, and all is well then")
  func fix() throws {
    let tree = try tree()
    try tree.write("daily/2020/01/21.daily.head", bytes: 0)
    try tree.write("news/news.rss2.0.head.xml", bytes: 5)
    try tree.setAge("news/news.rss2.0.head.xml", .seconds(400 * 86_400))
    try tree.write("searchlog.txt", bytes: 0)
    try tree.setAge("searchlog.txt", .seconds(400 * 86_400))
    try tree.write("news/news.atom.head.xml", bytes: 5)
    let found = try fpcache("verify --stale-after 365d", tree)
    #expect(found.status == 1, "\(found)")
    let fixed = try fpcache("verify --stale-after 365d --fix", tree)
    #expect(fixed.status == 0, "\(fixed)")
    #expect(try tree.files() == ["news/news.atom.head.xml", "searchlog.txt"])
    #expect(try fpcache("verify --stale-after 365d", tree).stdout == "clean in 2 files\n")
  }

  /// What lies in the tree, the flags, and the plugin's line and status.
  struct Plugin: CustomTestStringConvertible {
    var empty = 0
    var unknown = 0
    var flags = ""
    let status: Int32
    let line: String
    var testDescription: String { "\(empty) empty, \(unknown) unknown\(flags)" }

    static let all = [
      Plugin(
        status: 0,
        line:
          "OK - no findings | findings=0;;;0 files=0;;;0 critical=0;;;0 warning=0;;;0 notice=0;;;0"),
      Plugin(
        unknown: 2, status: 1,
        line:
          "WARNING - unknown=2 | findings=2;;;0 files=2;;;0 critical=0;;;0 warning=2;;;0 notice=0;;;0"
      ),
      Plugin(
        empty: 1, status: 2,
        line:
          "CRITICAL - empty=1 | findings=1;;;0 files=1;;;0 critical=1;;;0 warning=0;;;0 notice=0;;;0"
      ),
      Plugin(
        empty: 1, unknown: 2, status: 2,
        line:
          "CRITICAL - unknown=2 empty=1 | findings=3;;;0 files=3;;;0 critical=1;;;0 warning=2;;;0 notice=0;;;0"
      ),
      Plugin(
        empty: 1, unknown: 2, flags: " --fix", status: 1,
        line:
          "WARNING - unknown=2 | findings=2;;;0 files=3;;;0 critical=0;;;0 warning=2;;;0 notice=0;;;0"
      ),
      Plugin(
        empty: 1, unknown: 2, flags: " --fix -n", status: 1,
        line:
          "WARNING - unknown=2 | findings=2;;;0 files=3;;;0 critical=0;;;0 warning=2;;;0 notice=0;;;0"
      ),
      Plugin(
        empty: 1, flags: " --fix", status: 0,
        line:
          "OK - no findings | findings=0;;;0 files=1;;;0 critical=0;;;0 warning=0;;;0 notice=0;;;0"),
      Plugin(
        empty: 1, unknown: 2, flags: " --only unknown", status: 1,
        line:
          "WARNING - unknown=2 | findings=2;;;0 files=3;;;0 critical=0;;;0 warning=2;;;0 notice=0;;;0"
      ),
      Plugin(
        empty: 1, unknown: 2, flags: " --skip unknown,empty", status: 0,
        line:
          "OK - no findings | findings=0;;;0 files=3;;;0 critical=0;;;0 warning=0;;;0 notice=0;;;0"),
      Plugin(
        flags: " --config /nonexistent", status: 3,
        line: "UNKNOWN - /nonexistent: cannot be read: No such file or directory; "
          + "name another with --config"),
      Plugin(
        flags: " --cache-dir /nonexistent", status: 3,
        line: "UNKNOWN - cache directory /nonexistent (--cache-dir) does not exist; "
          + "name the right one with --cache-dir"),
    ]
  }

  @Test("the plugin's one line and its status", arguments: Plugin.all)
  func nagios(_ row: Plugin) throws {
    let tree = try tree()
    for number in 0..<row.empty { try tree.write("html/empty\(number)", bytes: 0) }
    for number in 0..<row.unknown { try tree.write("junk\(number)", bytes: 1) }
    let result = try fpcache("verify --format nagios" + row.flags, tree)
    #expect(result.firstLine == "FPCACHE \(row.line)", "\(result)")
    #expect(result.status == row.status, "\(result)")
  }

  @Test("what cannot be read is a finding, and stops nothing")
  func unreadable() throws {
    let tree = try tree()
    try tree.write("html/closed/a", bytes: 1)
    try tree.write("html/empty", bytes: 0)
    try tree.give(to: .unprivileged)
    try tree.setMode("html/closed", 0)
    let nagios = try fpcache("verify --format nagios", tree, as: .unprivileged)
    #expect(
      nagios.firstLine
        == "FPCACHE CRITICAL - empty=1 unreadable=1 | findings=2;;;0 files=1;;;0 critical=2;;;0 warning=0;;;0 notice=0;;;0"
    )
    try tree.setMode("html/closed", 0o755)
  }

  @Test("text lists five of a kind, all with -v, none with -q")
  func listing() throws {
    let tree = try tree()
    for number in 1...7 { try tree.write("junk\(number)", bytes: 1) }
    let some = try fpcache("verify", tree).stdout.split(separator: "\n").map(String.init)
    #expect(
      some == [
        "unknown (warning): 7: matches no pattern of the layout", "  junk1", "  junk2", "  junk3",
        "  junk4", "  junk5", "  and 2 more (-v lists all)",
        "  remedy: remove it by hand, or add it to the layout", "7 findings in 7 files",
      ])
    let all = try fpcache("verify -v", tree)
    #expect(all.stdout.contains("  junk7\n"), "\(all)")
    let none = try fpcache("verify -q", tree)
    #expect(none.stdout.isEmpty && none.stderr.isEmpty && none.status == 1, "\(none)")
  }
}
