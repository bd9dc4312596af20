// SPDX-License-Identifier: BSD-2-Clause
//
// stats on a tree, as a script sees it: whole documents, ages and tops, errors at the end.

import Foundation
import Testing

@testable import TestSupport

@Suite struct StatsCommandTests {
  private func stats(
    _ arguments: String, _ tree: TemporaryTree, as account: Account = .current,
    environment: [String: String] = [:]
  ) throws -> CommandResult {
    try Command.fpcache(
      ["stats", "--no-database"] + arguments.split(separator: " ").map(String.init), in: tree,
      environment: environment.merging(["FPCACHE_DIR": tree.path]) { $1 }, as: account)
  }

  private func document(_ result: CommandResult) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(result.outputBytes)) as? [String: Any],
      "\(result)")
  }

  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for path in [
      "daily/2020/01/21.daily.head", "ports/www/page/Detail.Part1.head.PageSize100.PageNum1.html",
      "ports/MOVED.PageSize100.PageNum1.html", "news/news.rss2.0.head.xml", "html/stats.html",
      "searchlog.txt",
    ] {
      try tree.write(path, bytes: 10)
    }
    return tree
  }

  @Test("counts files and bytes of each family, and what matches no pattern")
  func counts() throws {
    let tree = try tree()
    try tree.write("daily/notes.txt", bytes: 7)
    let result = try stats("--format json", tree)
    #expect(result.status == 0, "\(result)")
    for part in [
      "{\"version\":1,\"cache_dir\":\"\(tree.path)\",", "\"daily\":{\"files\":1,\"bytes\":10,",
      "\"unknown\":{\"files\":1,\"bytes\":7,", "\"total\":{\"files\":7,\"bytes\":67,",
    ] {
      #expect(result.stdout.contains(part), "\(part) in \(result)")
    }
    let groups = try stats("--format json --group-by branch", tree)
    #expect(
      groups.stdout.contains(
        "\"group_by\":\"branch\",\"groups\":[{\"value\":\"head\",\"files\":3,\"bytes\":30,"),
      "\(groups)")
    #expect(groups.stdout.contains("\"ungrouped\":{\"files\":4,\"bytes\":37,"), "\(groups)")
  }

  @Test("a field that no family has: 64, and those that there are")
  func unknownField() throws {
    let result = try stats("--group-by colour", try tree())
    #expect(result.status == 64 && result.stdout.isEmpty, "\(result)")
    #expect(
      result.stderr
        == "fpcache: --group-by colour: no family has such a field; expected one of year, month, "
        + "day, branch, category, port, page, part, size, number, file, path, user, id, files, "
        + "format, flavor, watchlist, report, commit, key, suffix\n")
  }

  @Test("the whole document")
  func wholeDocument() throws {
    let tree = try TemporaryTree()
    try tree.write("html/a", bytes: 300)
    try tree.write("html/b", bytes: 20)
    try tree.write("daily/x", bytes: 1)
    let result = try stats("--format json --group-by page --top 2", tree)
    #expect(result.status == 0 && result.stderr.isEmpty, "\(result)")
    let document = try document(result)
    #expect(
      Set(document.keys) == [
        "version", "cache_dir", "at", "scan_seconds", "older_than_seconds", "families", "unknown",
        "total", "du", "ages", "sizes", "group_by", "groups", "other_groups", "ungrouped",
        "largest", "verdict", "failures", "failure_count",
      ])
    #expect(document["version"] as? Int == 1)
    #expect(document["cache_dir"] as? String == tree.path)
    #expect(document["older_than_seconds"] is NSNull)
    let families = try #require(document["families"] as? [String: [String: Any]])
    #expect(
      Set(families.keys) == [
        "daily", "ports", "files", "categories", "commits", "packages", "news", "general", "pages",
        "html", "spooling", "searchlog",
      ])
    let fields: Set = [
      "files", "bytes", "disk_bytes", "share", "oldest", "newest", "oldest_age_seconds",
      "newest_age_seconds",
    ]
    let folders: Set = ["folders", "folder_bytes", "folder_disk_bytes"]
    for family in families.values { #expect(Set(family.keys) == fields.union(folders)) }
    #expect(families["html"]?["files"] as? Int == 2)
    #expect(families["html"]?["bytes"] as? Int == 320)
    #expect(families["html"]?["folders"] as? Int == 1)
    #expect(families["news"]?["oldest"] is NSNull)
    #expect((document["unknown"] as? [String: Any])?["files"] as? Int == 1)
    let total = try #require(document["total"] as? [String: Any])
    #expect(total["bytes"] as? Int == 321 && total["folders"] as? Int == 3)
    let groups = try #require(document["groups"] as? [[String: Any]])
    #expect(groups.map { $0["value"] as? String } == ["a", "b"])
    #expect(Set(groups[0].keys) == fields.union(["value"]))
    #expect((document["other_groups"] as? [String: Any])?["groups"] as? Int == 0)
    #expect((document["ungrouped"] as? [String: Any])?["files"] as? Int == 1)
    let sizes = try #require(document["sizes"] as? [[String: Any]])
    #expect(sizes.map { $0["files"] as? Int } == [0, 2, 1, 0, 0, 0, 0, 0, 0, 0])
    #expect(sizes.first?["up_to_bytes"] as? Int == 0 && sizes.last?["up_to_bytes"] is NSNull)
    let ages = try #require(document["ages"] as? [[String: Any]])
    #expect(ages.compactMap { $0["files"] as? Int }.reduce(0, +) == 3)
    #expect(ages.compactMap { $0["bytes"] as? Int }.reduce(0, +) == 321)
    #expect(
      result.stdout.contains(
        #""largest":[{"path":"html/a","bytes":300},{"path":"html/b","bytes":20}],"verdict":[],"#
          + #""failures":[],"failure_count":0}"#), "\(result)")
  }

  @Test("the largest files are the largest, however many are asked for")
  func largest() throws {
    let tree = try TemporaryTree()
    for number in 1...40 { try tree.write("html/p\(number)", bytes: number * 37 % 41) }
    for top in [1, 2, 3, 7, 40, 41, Int.max] {
      let result = try stats("--format json --top \(top)", tree)
      let expected = (1...40).map { (path: "html/p\($0)", bytes: $0 * 37 % 41) }
        .sorted { $0.bytes > $1.bytes }.prefix(top)
        .map { #"{"path":"\#($0.path)","bytes":\#($0.bytes)}"# }.joined(separator: ",")
      #expect(result.stdout.contains(#""largest":[\#(expected)]"#), "\(result)")
    }
  }

  @Test("--older-than counts what is older and nothing else")
  func olderThan() throws {
    let tree = try TemporaryTree()
    for (name, age) in [("new", 0), ("day", 25), ("month", 31 * 24)] {
      try tree.write("html/\(name)", bytes: 10)
      try tree.setAge("html/\(name)", .seconds(age * 3600))
    }
    for (age, files) in [("0s", 3), ("1d", 2), ("90000m", 0), ("4w", 1), ("999999999999s", 0)] {
      let result = try stats("--format json --older-than \(age)", tree)
      #expect(result.stdout.contains(#""total":{"files":\#(files),"#), "\(age): \(result)")
      // What is counted is no more what du counts.
      #expect(result.stdout.contains(#""du":null"#), "\(result)")
    }
    let text = try stats("--older-than 4w", tree)
    let lines = text.stdout.split(separator: "\n").map { $0.split(separator: " ") }
    let row = try #require(lines.first { $0.first == "html" })
    #expect(row[1] == "1" && row[2] == "10", "\(text)")
    #expect(row.dropFirst(4) == ["100", "%", "31", "d", "31", "d"], "\(text)")
    #expect(text.stdout.contains("only files older than 28 d,"), "\(text)")
    #expect(!text.stdout.contains("FOLDERS"), "\(text)")
  }

  @Test("the text of a small tree, at the width that COLUMNS says")
  func text() throws {
    let tree = try TemporaryTree()
    try tree.write("html/a", bytes: 3000)
    try tree.write("html/b", bytes: 100)
    try tree.write("junk", bytes: 1)
    let result = try stats("--group-by page --top 1", tree, environment: ["COLUMNS": "60"])
    let lines = result.stdout.split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
    #expect(result.status == 0 && result.stderr.isEmpty, "\(result)")
    let table = try #require(lines.firstIndex { $0.hasPrefix("FAMILY") })
    #expect(
      lines[table].split(separator: " ").joined(separator: " ").hasPrefix(
        "FAMILY FILES FOLDERS BYTES"))
    for start in ["html", "unknown", "total"] {
      #expect(lines.contains { $0.hasPrefix(start + " ") }, "\(result)")
    }
    #expect(
      result.stdout.contains(
        "nothing in daily, ports, files, categories, commits,\n"
          + "           packages, news, general, pages, spooling,\n           searchlog\n"),
      "\(result)")
    // Bars of eighths, as the locale of the tests is one of UTF-8.
    let row = "to 128 B   101 B      2  "
    let full = String(repeating: "\u{2588}", count: 60 - row.utf8.count)
    #expect(result.stdout.contains("\(row)\(full)\n"), "\(result)")
    #expect(result.stdout.contains("\nto 1 KB      0 B      0\n"), "\(result)")
    #expect(result.stdout.contains("BYTES  LARGEST\n3,000  html/a\n"), "\(result)")
    #expect(result.stdout.contains("\n(1 more) "), "\(result)")
    #expect(result.stdout.contains("\n(no page) "), "\(result)")
    let plain = try stats("", tree, environment: ["COLUMNS": "60", "LC_ALL": "C"])
    #expect(plain.stdout.utf8.allSatisfy { $0 < 0x80 }, "\(plain)")
    #expect(
      plain.stdout.contains("   101 B      2  " + String(repeating: "#", count: full.count) + "\n"),
      "\(plain)")
    #expect(try stats("-q", tree).outputBytes.isEmpty)
  }

  @Test("Prometheus reads it, whatever is asked for and whatever the names are")
  func prometheus() throws {
    let tree = try tree()
    for name in ["a\"b", "back\\slash", "new\nline", "esc\u{1B}[31m"] {
      try tree.write("html/\(name)", bytes: 9)
    }
    let result = try stats("--format prometheus", tree)
    #expect(result.status == 0, "\(result)")
    #expect(try prometheusComplaints(result.stdout) == [])
    for sample in [
      #"fpcache_tree_files{family="html"} 5"#, #"fpcache_tree_bytes{family="html"} 46"#,
      #"fpcache_tree_files{family="unknown"} 0"#, #"fpcache_tree_folders{family="cache_dir"} 1"#,
      #"fpcache_tree_size_files{up_to="128"} 10"#, #"fpcache_tree_size_bytes{up_to="128"} 96"#,
    ] {
      #expect(result.stdout.contains(sample + "\n"), "\(sample) in \(result)")
    }
    // Groups and files would be labels without bound, and a part of the tree a false graph.
    for arguments in ["--group-by page", "--top 3", "--older-than 1d"] {
      let result = try stats("--format prometheus " + arguments, tree)
      #expect(result.status == 64 && result.stdout.isEmpty, "\(result)")
      #expect(result.stderr.contains(": not with --format prometheus; use --format json"))
    }
  }

  @Test("what cannot be read is counted, told at the end, and the rest is right")
  func unreadable() throws {
    let tree = try tree()
    for folder in ["html/esc\u{1B}[2J", "news/shut"] {
      try tree.write(folder + "/x", bytes: 1)
    }
    try tree.give(to: .unprivileged)
    for folder in ["html/esc\u{1B}[2J", "news/shut"] { try tree.setMode(folder, 0) }
    let json = try stats("--format json", tree, as: .unprivileged)
    #expect(json.status == 1, "\(json)")
    #expect(
      json.stdout.hasSuffix(
        #""failures":[{"path":"html/esc\\x1b[2J","error":"EACCES","message":"Permission denied"},"#
          + #"{"path":"news/shut","error":"EACCES","message":"Permission denied"}],"#
          + #""failure_count":2}"# + "\n"), "\(json)")
    #expect(json.stdout.contains(#""total":{"files":6,"bytes":60,"#), "\(json)")
    let text = try stats("", tree, as: .unprivileged)
    #expect(text.status == 1, "\(text)")
    let remedy = "run fpcache as the user who owns the cache, or give this user read permission"
    #expect(
      text.stderr
        == "fpcache: html/esc\\x1b[2J: Permission denied; \(remedy)\n"
        + "fpcache: news/shut: Permission denied; \(remedy)\n", "\(text)")
    #expect(
      text.stdout.hasSuffix("\n\n2 errors in the tree: the numbers are too low\n"), "\(text)")
    for folder in ["html/esc\u{1B}[2J", "news/shut"] { try tree.setMode(folder, 0o755) }
  }

  @Test("many errors are counted, and some of them listed")
  func manyErrors() throws {
    let tree = try tree()
    for number in 10..<35 { try tree.makeDirectory("html/d\(number)") }
    try tree.give(to: .unprivileged)
    for number in 10..<35 { try tree.setMode("html/d\(number)", 0) }
    let some = try stats("", tree, as: .unprivileged).stderr.split(separator: "\n")
    #expect(some.count == 21 && some.last == "fpcache: and 5 more (-v lists more)")
    #expect(some.first?.hasPrefix("fpcache: html/d10: Permission denied") == true)
    #expect(try stats("-v", tree, as: .unprivileged).stderr.split(separator: "\n").count == 25)
    for number in 10..<35 { try tree.setMode("html/d\(number)", 0o755) }
  }
}
