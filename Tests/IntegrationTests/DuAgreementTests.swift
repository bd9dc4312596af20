// SPDX-License-Identifier: BSD-2-Clause
//
// The numbers of stats beside those of du(1) and find(1) over the same tree, to the byte.
//
// FPCACHE_AGREEMENT_FILES makes the generated tree another size; `make agreement` takes 100,000.

import Foundation
import Testing

@testable import TestSupport

@Suite struct DuAgreementTests {
  /// What is compared, as stats says it and as du and find do.
  private struct Sums: Equatable, CustomStringConvertible {
    var apparentBytes: Int
    var diskBytes: Int
    var files: Int
    var folders: Int
    var description: String {
      "\(apparentBytes) bytes, \(diskBytes) on disk, \(files) files, \(folders) folders"
    }
  }

  private func run(
    _ program: String, _ arguments: [String], as account: Account
  ) throws -> CommandResult {
    let path = try #require(findProgram(program), "\(program) is not there")
    var command = Command(path, arguments)
    command.account = account
    return try command.run()
  }

  private func sums(ofStats result: CommandResult, countsFolders: Bool) throws -> Sums {
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(result.outputBytes)) as? [String: Any])
    let du = try #require(json["du"] as? [String: Int])
    let total = try #require(json["total"] as? [String: Any])
    return Sums(
      apparentBytes: try #require(
        countsFolders ? du["apparent_bytes"] : total["bytes"] as? Int),
      diskBytes: try #require(du["disk_bytes"]),
      files: try #require(total["files"] as? Int), folders: try #require(total["folders"] as? Int))
  }

  /// du and find tell what they can and complain of the rest on standard error.
  private func sums(ofOthers tree: TemporaryTree, as account: Account) throws -> Sums {
    func du(_ arguments: String...) throws -> Int {
      let result = try run("du", ["-s", "--block-size=1"] + arguments + [tree.path], as: account)
      return try #require(Int(result.stdout.prefix { $0 != "\t" }), "\(result)")
    }
    func find(_ arguments: String...) throws -> Int {
      try run("find", [tree.path] + arguments + ["-printf", "x"], as: account).outputBytes.count
    }
    return Sums(
      apparentBytes: try du("--apparent-size"), diskBytes: try du(),
      files: try find("!", "-type", "d"), folders: try find("-type", "d"))
  }

  /// Since coreutils 9.2 `--apparent-size` leaves folders out: whether this one does.
  private func countsFolders() throws -> Bool {
    let tree = try TemporaryTree()
    try tree.makeDirectory("folder")
    let result = try run(
      "du", ["-s", "--apparent-size", "--block-size=1", tree.path], as: .current)
    return !result.stdout.hasPrefix("0\t")
  }

  /// - Parameter nameless: how many names find prints without having been able to ask for more:
  ///   they are no files to stats and du, which need their sizes.
  private func compare(
    _ tree: TemporaryTree, status: Int32 = 0, nameless: Int = 0, as account: Account = .current
  ) throws {
    let countsFolders = try countsFolders()
    // What a file takes on disk may change until it is there: then both are asked again.
    var (own, others) = (Sums?.none, Sums?.none)
    try? eventually {
      let result = try Command.fpcache(
        ["stats", "--no-database", "--any-cache-dir", "--format", "json"],
        environment: ["FPCACHE_DIR": tree.path], as: account)
      #expect(result.status == status, "\(result)")
      own = try sums(ofStats: result, countsFolders: countsFolders)
      others = try sums(ofOthers: tree, as: account)
      others?.files -= nameless
      return own == others
    }
    #expect(own == others)
    #expect(own != nil)
  }

  @Test("over a generated tree, on disk as in memory")
  func generated() throws {
    let wanted = ProcessInfo.processInfo.environment["FPCACHE_AGREEMENT_FILES"].flatMap { Int($0) }
    for (medium, files) in [(.memory, 3_000), (.disk, 300)] as [(TemporaryTree.Medium, Int)] {
      let tree = try TemporaryTree(on: medium)
      for number in 0..<(wanted ?? files) {
        let folder = "ports/category\(number % 17)/p5-Tool-Box\(number / 3)"
        // From nothing by way of less than a block to several.
        try tree.write("\(folder)/page\(number)", bytes: number * 7919 % 5_003)
      }
      try compare(tree)
    }
  }

  @Test("over a tree of odd things")
  func odd() throws {
    for tree in [try TemporaryTree(), try TemporaryTree(on: .disk)] {
      try tree.write("ports/net/gimp/a", bytes: 5000)
      try tree.makeDirectory("news")
      for name in ["news/b", "c", "ports/net/gimp/d"] {
        #expect(link(tree.fullPath("ports/net/gimp/a"), tree.fullPath(name)) == 0)
      }
      try tree.write("daily/2020/01/hole", bytes: 10)
      #expect(truncate(tree.fullPath("daily/2020/01/hole"), 100 << 20) == 0)
      try tree.write("html/late", bytes: 1)
      let late = try Descriptor.open(tree.fullPath("html/late"), O_WRONLY)
      #expect(pwrite(late.number, "x", 1, 50_000_000) == 1)
      // A link is as long as what it says; a long one may take a block.
      try tree.link("news/link", to: "/etc/passwd")
      try tree.link("news/long", to: String(repeating: "x", count: 300))
      try tree.link("news/dangling", to: "nowhere")
      #expect(mkfifo(tree.fullPath("news/fifo"), 0o644) == 0)
      for name: [UInt8] in [
        [0xFF, 0xFE], Array("new\nline".utf8), Array("esc\u{1B}[2J".utf8), Array(" ".utf8),
        Array(String(repeating: "n", count: 255).utf8),
      ] {
        let path =
          tree.fullPath("news/").utf8.map(CChar.init(bitPattern:))
          + name.map(CChar.init(bitPattern:)) + [0]
        let file = Descriptor(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644))
        try writeAll(Array(repeating: 1, count: 777), to: file.number)
      }
      for folder in [
        "empty", "locked/in", "listed/deeper", "deep/" + String(repeating: "d/", count: 40),
      ] {
        try tree.makeDirectory(folder)
      }
      for file in ["locked/in/a", "listed/b", "listed/deeper/c"] { try tree.write(file, bytes: 99) }
      for number in 0..<200 { try tree.write("wide/some-quite-long-name-\(number)", bytes: 3) }
      // Not by way of give(to:), whose names are text.
      if let stand = Account.stand {
        let chown = try run("chown", ["-hR", "\(stand.uid)", tree.path], as: .current)
        #expect(chown.status == 0, "\(chown)")
      }
      try compare(tree)
      // May not be entered; may be listed, but nothing in it be asked for.
      try tree.setMode("locked/in", 0)
      try tree.setMode("listed", 0o644)
      try compare(tree, status: 1, nameless: 2, as: .unprivileged)
      try tree.setMode("listed", 0o755)
      try tree.setMode("locked/in", 0o755)
    }
  }

  @Test(
    "with a file system for each family: over all, and as the sum of each by itself",
    .enabled(if: MountNamespace.isAllowed, "needs root and a mount namespace (unshare, mount)"))
  func fileSystems() throws {
    let cache = try MountedCache()
    try cache.plant(
      (0..<200).map { "ports/category\($0 % 7)/p5-Tool-Box\($0 / 3)/page\($0)" }
        + (0..<20).map { "news/page\($0)" } + ["html/a", "daily/2020/01/21.daily.head"])
    // Two names on different file systems would be two files; on one they are one.
    try cache.namespace.run("ln \(cache.path)/news/page0 \(cache.path)/news/page")
    let stats = try cache.fpcache(["stats", "--no-database", "--format", "json"])
    #expect(stats.status == 0, "\(stats)")
    let own = try sums(ofStats: stats, countsFolders: countsFolders())
    func others(_ places: [String], _ flag: String, _ prune: String) throws -> Sums {
      func sum(_ script: (String) -> String) throws -> Int {
        try places.reduce(0) {
          $0 + (Int(try cache.namespace.run(script($1)).prefix { $0.isNumber }) ?? -1)
        }
      }
      return Sums(
        apparentBytes: try sum { "du -s \(flag) --block-size=1 --apparent-size \($0)" },
        diskBytes: try sum { "du -s \(flag) --block-size=1 \($0)" },
        files: try sum { "find \($0) \(prune) ! -type d | wc -l" },
        folders: try sum { "find \($0) \(prune) -type d | wc -l" })
    }
    #expect(try others([cache.path], "", "") == own)
    let families = MountedCache.families.map { "\(cache.path)/\($0)" }
    var each = try others([cache.path] + families, "-x", "-xdev")
    // find prints the folder that something is mounted on in both.
    each.folders -= families.count
    #expect(each == own)
  }
}
