// stats and verify in their formats: whole JSON documents, the plugin's line and its statuses,
// what --fix does and what it would do, and ages and tops.

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

  // MARK: stats

  @Test("the whole document of stats")
  func statsDocument() throws {
    let tree = try tree()
    try tree.write("html/a", bytes: 300)
    try tree.write("html/b", bytes: 20)
    try tree.write("daily/x", bytes: 1)
    let result = try fpcache("stats --format json --group-by page --top 2", tree)
    #expect(result.status == 0 && result.stderr.isEmpty, "\(result)")
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(result.outputBytes)) as? [String: Any])
    #expect(
      Set(document.keys) == [
        "version", "cache_dir", "families", "unknown", "total", "groups", "largest", "failures",
      ])
    #expect(document["version"] as? Int == 1)
    #expect(document["cache_dir"] as? String == tree.path)
    let families = try #require(document["families"] as? [String: [String: Any]])
    #expect(
      Set(families.keys) == [
        "daily", "ports", "files", "categories", "commits", "packages", "news", "general", "pages",
        "html", "spooling", "searchlog",
      ])
    let fields: Set = [
      "files", "bytes", "oldest", "newest", "oldest_age_seconds", "newest_age_seconds",
    ]
    for family in families.values { #expect(Set(family.keys) == fields) }
    #expect(families["html"]?["files"] as? Int == 2)
    #expect(families["html"]?["bytes"] as? Int == 320)
    #expect(families["news"]?["oldest"] is NSNull)
    #expect((document["unknown"] as? [String: Any])?["files"] as? Int == 1)
    #expect((document["total"] as? [String: Any])?["bytes"] as? Int == 321)
    let groups = try #require(document["groups"] as? [[String: Any]])
    #expect(groups.map { $0["value"] as? String } == ["a", "b"])
    #expect(Set(groups[0].keys) == fields.union(["value"]))
    #expect(
      result.stdout.contains(
        #""largest":[{"path":"html/a","bytes":300},{"path":"html/b","bytes":20}],"failures":[]}"#))
  }

  @Test("the largest files are the largest, however many are asked for")
  func largest() throws {
    let tree = try tree()
    for number in 1...40 { try tree.write("html/p\(number)", bytes: number * 37 % 41) }
    for top in [1, 2, 3, 7, 40, 41, Int.max] {
      let result = try fpcache("stats --format json --top \(top)", tree)
      let expected = (1...40).map { (path: "html/p\($0)", bytes: $0 * 37 % 41) }
        .sorted { $0.bytes > $1.bytes }.prefix(top)
        .map { #"{"path":"\#($0.path)","bytes":\#($0.bytes)}"# }.joined(separator: ",")
      #expect(result.stdout.contains(#""largest":[\#(expected)]"#), "\(result)")
    }
  }

  @Test("--older-than counts what is older and nothing else")
  func olderThan() throws {
    let tree = try tree()
    for (name, age) in [("new", 0), ("day", 25), ("month", 31 * 24)] {
      try tree.write("html/\(name)", bytes: 10)
      try tree.setAge("html/\(name)", .seconds(age * 3600))
    }
    for (age, files) in [("0s", 3), ("1d", 2), ("90000m", 0), ("4w", 1), ("999999999999s", 0)] {
      let result = try fpcache("stats --format json --older-than \(age)", tree)
      #expect(result.stdout.contains(#""total":{"files":\#(files),"#), "\(age): \(result)")
    }
    let text = try fpcache("stats --older-than 4w", tree)
    let line = text.stdout.split(separator: "\n").first { $0.hasPrefix("html ") }
    #expect(line?.split(separator: " ").joined(separator: " ") == "html 1 10 31 d 31 d", "\(text)")
  }

  @Test("Prometheus' text: a help and a type for each metric, a sample for each family")
  func prometheus() throws {
    let tree = try tree()
    try tree.write("html/a", bytes: 300)
    let result = try fpcache("stats --format prometheus", tree)
    let lines = result.stdout.split(separator: "\n")
    for metric in ["fpcache_files", "fpcache_bytes", "fpcache_oldest_age_seconds"] {
      #expect(lines.count { $0.hasPrefix("# HELP \(metric) ") } == 1, "\(result)")
      #expect(lines.count { $0 == "# TYPE \(metric) gauge" } == 1, "\(result)")
    }
    #expect(lines.contains(#"fpcache_files{family="html"} 1"#), "\(result)")
    #expect(lines.contains(#"fpcache_bytes{family="html"} 300"#), "\(result)")
    #expect(lines.contains(#"fpcache_files{family="unknown"} 0"#), "\(result)")
    let sample = /(# (HELP|TYPE) fpcache_\w+ .+|fpcache_\w+\{family="\w+"\} \d+)/
    for line in lines { #expect(line.wholeMatch(of: sample) != nil, "\(line)") }
  }

  // MARK: verify

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
        + #""remedy":"find out who put it there, and remove it by hand"}],"database_error":null}"#
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
    try tree.write("html/old", bytes: 5)
    try tree.setAge("html/old", .seconds(400 * 86_400))
    try tree.write("searchlog.txt", bytes: 0)
    try tree.setAge("searchlog.txt", .seconds(400 * 86_400))
    try tree.write("html/new", bytes: 5)
    let found = try fpcache("verify --stale-after 365d", tree)
    #expect(found.status == 1, "\(found)")
    let fixed = try fpcache("verify --stale-after 365d --fix", tree)
    #expect(fixed.status == 0, "\(fixed)")
    #expect(try tree.files() == ["html/new", "searchlog.txt"])
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
      Plugin(status: 0, line: "OK - no findings | findings=0 files=0"),
      Plugin(unknown: 2, status: 1, line: "WARNING - unknown=2 | findings=2 files=2"),
      Plugin(empty: 1, status: 2, line: "CRITICAL - empty=1 | findings=1 files=1"),
      Plugin(
        empty: 1, unknown: 2, status: 2,
        line: "CRITICAL - unknown=2 empty=1 | findings=3 files=3"),
      Plugin(
        empty: 1, unknown: 2, flags: " --fix", status: 1,
        line: "WARNING - unknown=2 | findings=2 files=3"),
      Plugin(
        empty: 1, unknown: 2, flags: " --fix -n", status: 2,
        line: "CRITICAL - unknown=2 empty=1 | findings=3 files=3"),
      Plugin(empty: 1, flags: " --fix", status: 0, line: "OK - no findings | findings=0 files=1"),
      Plugin(
        empty: 1, unknown: 2, flags: " --only unknown", status: 1,
        line: "WARNING - unknown=2 | findings=2 files=3"),
      Plugin(
        empty: 1, unknown: 2, flags: " --skip unknown,empty", status: 0,
        line: "OK - no findings | findings=0 files=3"),
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
    #expect(result.stdout == "FPCACHE \(row.line)\n", "\(result)")
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
    #expect(nagios.stdout == "FPCACHE CRITICAL - empty=1 unreadable=1 | findings=2 files=1\n")
    let stats = try fpcache("stats --format json", tree, as: .unprivileged)
    #expect(stats.status == 1, "\(stats)")
    #expect(
      stats.stdout.contains(
        #""failures":[{"path":"html/closed","error":"EACCES","message":"Permission denied"}]"#),
      "\(stats)")
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
        "  remedy: remove it by hand, or describe it in the layout", "7 findings in 7 files",
      ])
    let all = try fpcache("verify -v", tree)
    #expect(all.stdout.contains("  junk7\n"), "\(all)")
    let none = try fpcache("verify -q", tree)
    #expect(none.stdout.isEmpty && none.stderr.isEmpty && none.status == 1, "\(none)")
  }
}
