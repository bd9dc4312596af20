// SPDX-License-Identifier: BSD-2-Clause
//
// The audit: each code for just what it means, nothing changed by looking, and a fix that
// removes what is safe to remove and nothing else.

import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

@Suite struct VerifierTests {
  private func tree(_ files: [String] = []) throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for folder in AuditedSite.folders { try tree.makeDirectory(folder, mode: 0o755) }
    try tree.plant(files)
    return tree
  }

  private func audit(
    _ tree: TemporaryTree, _ query: VerifyQuery = VerifyQuery(), layout: Layout = .freshPorts,
    threads: Int = 1
  ) throws -> (findings: [Finding], files: Int) {
    Verifier(Scanner(try tree.open(), layout: layout, threads: threads), query).audit()
  }

  private func found(_ tree: TemporaryTree, _ query: VerifyQuery = VerifyQuery()) throws
    -> [String]
  {
    try audit(tree, query).findings.map { "\($0.code.rawValue) \($0.subject)" }
  }

  @Test func aSoundTreeIsClean() throws {
    let sound = LayoutTable.known.filter { $0.hasKnownShape && !$0.path.contains("/13/99") }
    let tree = try tree(sound.map(\.path))
    let before = try tree.snapshot()
    let (findings, files) = try audit(tree, threads: 4)
    #expect(findings.isEmpty)
    #expect(files == sound.count)
    #expect(try tree.snapshot().differences(from: before).isEmpty)
  }

  @Test func theUnknown() throws {
    let junk = LayoutTable.known.filter { !$0.hasKnownShape }.map(\.path)
    let tree = try tree(junk + ["x", "news/.x"])
    // Pages of another category, of another commit, and of something that has pages by the number.
    let misplaced = [
      "categories/net/www.0.head.PageSize100.PageNum1.html", "commits/a/b.net.x.n.html",
      "categories/net/net.x.head.PageSize100.PageNum1.html",
    ]
    #expect(
      try found(tree)
        == (junk + ["x", "news/.x"]).sorted().map {
          (misplaced.contains($0) ? "misplaced" : "unknown") + " \($0)"
        })
  }

  @Test(arguments: [
    ("daily/2020/02/29.daily.head", false), ("daily/2019/02/29.daily.head", true),
    ("daily/2020/04/31.daily.2020Q2", true), ("daily/2020/13/01.daily.head", true),
    ("daily/2020/00/01.daily.head", true), ("daily/2020/01/00.daily.head", true),
    ("daily/0000/01/01.daily.head", true), ("daily/2000/02/29.daily.head", false),
  ])
  func dates(_ path: String, _ isBad: Bool) throws {
    #expect(try found(tree([path])) == (isBad ? ["bad-date \(path)"] : []))
  }

  @Test func emptyPages() throws {
    let tree = try tree()
    for path in ["html/a", "searchlog.txt", "junk", "daily/2019/02/30.daily.head"] {
      try tree.write(path, bytes: 0)
    }
    // The search log may be empty; what is worse is told instead.
    #expect(
      try found(tree) == [
        "bad-date daily/2019/02/30.daily.head", "empty html/a", "unknown junk",
      ])
  }

  @Test func linksAndSpecials() throws {
    let tree = try tree()
    try tree.link("news/link", to: "nowhere")
    try tree.link("searchlog.txt", to: "pages")
    #expect(mkfifo(tree.fullPath("pages/fifo"), 0o600) == 0)
    tree.remove("html")
    try tree.link("html", to: "pages")
    #expect(
      try found(tree) == [
        "symlink html", "symlink news/link", "special pages/fifo", "symlink searchlog.txt",
      ])
  }

  @Test func expiredPages() throws {
    let tree = try tree(["html/old", "html/new", "searchlog.txt"])
    try tree.setAge("html/old", .seconds(3_600))
    try tree.setAge("searchlog.txt", .seconds(3_600))
    let limit = currentTime() - 1_800_000_000_000
    #expect(try found(tree).isEmpty)
    #expect(try found(tree, VerifyQuery(modifiedBefore: limit)) == ["expired html/old"])
    try tree.write("html/old", bytes: 0)
    try tree.setAge("html/old", .seconds(3_600))
    #expect(try found(tree, VerifyQuery(modifiedBefore: limit)) == ["empty html/old"])
  }

  @Test(.enabled(if: Rights.canBeDropped, "root cannot be given up here"))
  func unreadableFolders() throws {
    let tree = try tree(["news/sub/x"])
    try tree.setMode("news/sub", 0)
    let findings = try Rights.withoutRoot { try audit(tree).findings }
    #expect(findings.map(\.code) == [.unreadable] && findings.compactMap(\.path) == ["news/sub"])
    #expect(findings.first?.evidence == .error(.permissionDenied))
    try tree.setMode("news/sub", 0o755)
  }

  @Test func missingFolders() throws {
    let tree = try TemporaryTree()
    // A folder that no configuration names may be missing.
    #expect(try found(tree).isEmpty)
    let configured = try Layout.freshPorts.replacing("news", with: "new/{page:visible...}")
    let findings = try audit(tree, layout: configured).findings
    #expect(findings.map(\.code) == [.missingDirectory] && findings.compactMap(\.path) == ["new"])
    #expect(Set(try tree.clearer().missingFolders.map(\.description)) == Set(AuditedSite.folders))
    for folder in AuditedSite.folders.dropFirst() { try tree.makeDirectory(folder) }
    #expect(try tree.clearer().missingFolders == ["daily"])
    // A plain file is no folder; a link is there, though nobody goes through it.
    try tree.write("daily", bytes: 1)
    #expect(try tree.clearer().missingFolders == ["daily"])
    tree.remove("daily")
    try tree.link("daily", to: "news")
    #expect(try tree.clearer().missingFolders.isEmpty)
  }

  @Test func onlyWhatIsAskedForIsTold() throws {
    let tree = try tree(["junk"])
    tree.remove("news")
    try tree.write("html/a", bytes: 0)
    let layout = try Layout.freshPorts.replacing("news", with: "news/{page:visible...}")
    for code in [FindingCode.unknown, .empty, .missingDirectory] {
      let findings = try audit(tree, VerifyQuery(codes: [code]), layout: layout).findings
      #expect(findings.map(\.code) == [code])
    }
    #expect(try audit(tree, VerifyQuery(codes: [])).findings.isEmpty)
    #expect(try audit(tree, VerifyQuery(codes: [])).files == 2)
  }

  // MARK: Fixing

  @Test(arguments: [DryRun.yes, .no])
  func fixingRemovesWhatIsSafe(_ dryRun: DryRun) throws {
    let tree = try tree(["junk", "html/good"])
    try tree.write("html/empty", bytes: 0)
    try tree.write("daily/2019/02/30.daily.head", bytes: 0)
    try tree.link("html/link", to: "good")
    let before = try tree.snapshot()
    let fixed = try tree.clearer(dryRun: dryRun).fix(audit(tree).findings)
    #expect(fixed.filter { $0.fix != nil }.compactMap(\.path) == ["html/empty"])
    #expect(fixed.first { $0.path == "html/empty" }?.fix == .removed)
    let gone = try tree.snapshot().differences(from: before).filter { $0.hasSuffix(": gone") }
    #expect(gone == (dryRun == .yes ? [] : ["html/empty: gone"]))
    if dryRun == .yes { #expect(try tree.snapshot() == before) }
  }

  /// Whatever a finding accuses: the layout has the last word.
  @Test(arguments: [
    "searchlog.txt", "junk", "ports/net/a/junk", "", "/", "..", "../x", "news/../junk", "news/.x",
    "/etc/passwd", "news//a", "news/a/",
  ])
  func fixingTouchesNothingElse(_ subject: String) throws {
    let tree = try tree(["searchlog.txt", "junk", "ports/net/a/junk", "news/.x", "news/a"])
    let before = try tree.snapshot()
    let finding = Finding(.empty, CachePath(bytes(subject)))
    #expect(try tree.clearer().fix([finding]) == [finding])
    #expect(try tree.snapshot().differences(from: before).isEmpty)
  }

  /// What only a deploy or cron writes is reported, and is not removed for its age or its size.
  @Test func whatNobodyRecreatesStays() throws {
    let tree = try tree([
      "html/categories.php", "pages/commits.html", "news/news.rss2.0.head.xml",
    ])
    for path in try tree.files() { try tree.setAge(path, .seconds(7_200)) }
    for query in [
      VerifyQuery(modifiedBefore: currentTime() - 3_600_000_000_000),
      VerifyQuery(leastSizes: ["html": 1000, "pages": 1000, "news": 1000]),
    ] {
      let scanner = Scanner(try tree.open(), layout: .freshPorts, threads: 1)
      let findings = Verifier(scanner, query).audit().findings
      let fixed = try tree.clearer(dryRun: .yes).fix(findings)
      #expect(fixed.map(\.fix) == [nil, .removed, nil])
      #expect(
        fixed.map { $0.remedy == "visitors do not re-create it; run the program that writes it" }
          == [true, false, true])
    }
  }

  @Test func aFixThatFailsSaysSo() throws {
    let tree = try tree()
    for path in ["html/a", "html/b"] {
      try tree.write(path, bytes: 0)
      try tree.setAge(path, .seconds(60))
    }
    var kernel = Kernel.real
    kernel.unlinkat = { directory, name, flags in
      guard String(cString: name) == "a" else {
        return Kernel.real.unlinkat(directory, name, flags)
      }
      errno = EACCES
      return -1
    }
    let findings = ["html/a", "html/b", "html/gone"].map { Finding(.empty, CachePath(bytes($0))) }
    let fixed = try tree.clearer(kernel: kernel).fix(findings)
    let failure = PathFailure(path: "html/a", error: .permissionDenied)
    #expect(fixed.map(\.fix) == [.failed(failure), .removed, .removed])
    #expect(try tree.files() == ["html/a"])
  }

  @Test func aFixFollowsNoLink() throws {
    let tree = try tree(["pages/x"])
    try tree.link("html/sub", to: tree.fullPath("pages"))
    let fixed = try tree.clearer().fix([Finding(.empty, "html/sub/x")])
    #expect(fixed.map(\.fix) == [.failed(PathFailure(path: "html/sub/x", error: .notDirectory))])
    #expect(tree.exists("pages/x"))
  }
}
