// SPDX-License-Identifier: BSD-2-Clause
//
// Clearing a cache of nginx: one path by its key, variants and patterns by one walk that reads heads, and nothing that is
// somebody else's.

import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS

extension Layout {
  /// A cache of nginx in the folder `proxy`, by levels=1:2, and a family beside it.
  static func nginx(vary: Bool = true) throws -> Layout {
    Layout([
      try Family(
        "pages", below: "proxy", HashedTree(key: "key", levels: [1, 2], hasVariants: vary),
        isConfigured: true), try Family("feeds", "feeds/{page...}"),
    ])
  }
}

@Suite struct HashedClearTests {
  private func clear(
    _ tree: TemporaryTree, _ keys: [String], vary: Bool = true, dryRun: DryRun = .no,
    watch: ClearWatch? = nil
  ) throws -> [ClearReport] {
    let layout = try Layout.nginx(vary: vary)
    let clearer = Clearer(
      try tree.open(), layout: layout, dryRun: dryRun, paths: .kept, threads: 2, watch: watch)
    return clearer.clear(try keys.map { try layout.key("pages", ["key": $0]) })
  }

  private func plant(_ tree: TemporaryTree, _ keys: [String]) throws -> [String: String] {
    var paths: [String: String] = [:]
    for key in keys { paths[key] = try NginxFile(key).write(in: tree, "proxy") }
    return paths
  }

  /// A file of another name that says it is a variant of the key.
  private func plantVariant(_ tree: TemporaryTree, _ key: String, _ number: UInt8) throws -> String
  {
    var file = NginxFile(key)
    file.vary = "Accept"
    file.variant = [UInt8](repeating: number, count: 16)
    return try file.write(in: tree, "proxy", hash: text(MD5.hexDigits(file.variant)))
  }

  @Test("a key takes its one file", arguments: [true, false]) func exact(vary: Bool) throws {
    let tree = try TemporaryTree()
    let paths = try plant(tree, ["https://h/a", "https://h/ab", "https://h/"])
    let before = try tree.fileSet()
    let reports = try clear(tree, ["https://h/a", "https://h/none"], vary: vary, dryRun: .yes)
    #expect(reports.map(\.removedPaths) == [[paths["https://h/a"]!], []])
    #expect(try tree.fileSet() == before)
    #expect(try clear(tree, ["https://h/a", "https://h/none"], vary: vary) == reports)
    #expect(try tree.fileSet() == before.subtracting(paths["https://h/a"].map { [$0] } ?? []))
  }

  @Test("without variants no folder is listed and no other file is opened") func touchesOneFile()
    throws
  {
    let tree = try TemporaryTree()
    let path = try #require(try plant(tree, ["k"])["k"])
    // A walk would tell of it.
    var newer = NginxFile("k2")
    newer.version = 6
    let other = try newer.write(in: tree, "proxy")
    let report = try clear(tree, ["k"], vary: false)[0]
    #expect(report.removedPaths == [path] && report.failures.isEmpty)
    #expect(tree.exists(other))
  }

  @Test("variants go with their key, with or without the file that has the key's own name")
  func variants() throws {
    for hasMain in [true, false] {
      let tree = try TemporaryTree()
      let main = hasMain ? try plant(tree, ["k"]).values.map { $0 } : []
      let own = try [1, 2].map { try plantVariant(tree, "k", $0) }
      let other = try plantVariant(tree, "kk", 3)
      let reports = try clear(tree, ["k", "x"])
      #expect(reports[0].removedPaths == (main + own).sorted())
      #expect(!reports[1].matched)
      #expect(try tree.fileSet() == [other])
    }
  }

  @Test("where the site says that nothing varies, a page that does is believed") func disproved()
    throws
  {
    let tree = try TemporaryTree()
    var main = NginxFile("k")
    main.vary = "Cookie"
    main.variant = [UInt8](repeating: 9, count: 16)
    let paths = [try main.write(in: tree, "proxy"), try plantVariant(tree, "k", 1)]
    let others = try plant(tree, ["a", "b"])
    let reports = try clear(tree, ["a", "k"], vary: false)
    #expect(reports[1].removedPaths == paths.sorted())
    #expect(reports[0].removedPaths == [others["a"]!])
    #expect(tree.exists(others["b"]!))
  }

  @Test("a pattern takes what begins so, each file for one key") func prefix() throws {
    let tree = try TemporaryTree()
    let paths = try plant(
      tree, ["https://h/a/", "https://h/a/1", "https://h/a/2?x=/", "https://h/ab", "https://i/a/1"])
    let long = "https://h/a/" + String(repeating: "l", count: 5_000)
    let longOther = "https://i/b/" + String(repeating: "l", count: 5_000)
    let more = try plant(tree, [long, longOther])
    let reports = try clear(tree, ["https://h/a/*", "*/a/1", "nothing*"])
    let removed = reports.flatMap(\.removedPaths)
    #expect(
      Set(removed)
        == Set(
          ["https://h/a/", "https://h/a/1", "https://h/a/2?x=/", "https://i/a/1"].map { paths[$0]! }
            + [more[long]!]))
    #expect(removed.count == 5, "none twice")
    #expect(!reports[2].matched)
    #expect(try tree.fileSet() == [paths["https://h/ab"]!, more[longOther]!])
    // The key is read to its end only where its beginning agrees.
    #expect(try clear(tree, ["https://i/b/*l"])[0].removedPaths == [more[longOther]!])
  }

  @Test("what is not a file of nginx's stays, and stops nothing") func others() throws {
    let tree = try TemporaryTree()
    let hash = try NginxFile.hash(bytes("k"))
    let path = "proxy/" + NginxFile.path(hash)
    try tree.write(path + ".0000000001", content: NginxFile("k").bytes)
    try tree.write("proxy/1/02/readme", content: NginxFile("k").bytes)
    try tree.write("proxy/1/02/\(hash.uppercased())", content: NginxFile("k").bytes)
    try tree.write("proxy/1/\(hash)", content: NginxFile("k").bytes)
    try tree.write("outside", content: NginxFile("k").bytes)
    try tree.link("proxy/1/02/" + String(repeating: "b", count: 32), to: tree.fullPath("outside"))
    mkfifo(tree.fullPath("proxy/1/02/" + String(repeating: "c", count: 32)), 0o644)
    try tree.write("proxy/1/02/" + String(repeating: "d", count: 32), bytes: 0)
    try tree.write("proxy/1/02/" + String(repeating: "e", count: 32), bytes: 100)
    let before = try tree.fileSet()
    let report = try clear(tree, ["k*"])[0]
    #expect(report.failures.isEmpty && report.removed.isEmpty, "\(report)")
    #expect(try tree.fileSet() == before)
  }

  @Test("a format that is not known is told of each key that might be meant") func foreign() throws
  {
    let tree = try TemporaryTree()
    var newer = NginxFile("k")
    newer.version = 6
    let path = try newer.write(in: tree, "proxy", hash: String(repeating: "a", count: 32))
    let reports = try clear(tree, ["k*", "l*"])
    for report in reports {
      #expect(report.failures == [PathFailure(path: CachePath(bytes(path)), error: .isForeign)])
    }
  }

  @Test("a walk that is stopped leaves no key for done", arguments: [0, 2]) func stopped(
    after asked: Int
  ) throws {
    let tree = try TemporaryTree()
    _ = try plant(tree, ["k1", "k2"])
    // Each of the two keys asks once before its own turn, and the walk after both.
    let count = Atomic<Int>(0)
    let watch = ClearWatch { count.add(1, ordering: .relaxed).newValue > asked }
    let reports = try clear(tree, ["k*", "k1"], watch: watch)
    #expect(reports.map(\.isPartial) == [true, true])
  }

  @Test("a second walk looks only into folders that have changed since the first") func again()
    throws
  {
    let tree = try TemporaryTree()
    let paths = try plant(tree, ["a/1", "a/2", "b/1"])
    let layout = try Layout.nginx()
    var clearer = Clearer(try tree.open(), layout: layout, paths: .kept)
    let keys = [try layout.key("pages", ["key": "a/*"]), try layout.key("pages", ["key": "b/2"])]
    // Longer than what times of files are allowed to be behind.
    usleep(300_000)
    #expect(clearer.clear(keys)[0].removedPaths == [paths["a/1"]!, paths["a/2"]!].sorted())
    // A file that is changed in its place, as nginx never does: its folder's time stays.
    try tree.write(paths["b/1"]!, content: NginxFile("a/9").bytes)
    #expect(clearer.clear(keys).flatMap(\.removed).isEmpty)
    // Another key was not looked for before, and sees it.
    let other = try layout.key("pages", ["key": "a/9*"])
    let dry = Clearer(try tree.open(), layout: layout, dryRun: .yes, paths: .kept)
    #expect(dry.clear(other).removedPaths == [paths["b/1"]!])
    // What comes anew is found, in time and by whichever clearer of the same memory.
    let fresh = try plant(tree, ["a/3"])["a/3"]!
    #expect(clearer.bounded(until: .now + .seconds(60)).clear(keys)[0].removedPaths == [fresh])
    // Another folder in the family's place is another cache.
    try tree.write("kept", bytes: 1)
    #expect(rename(tree.fullPath("proxy"), tree.fullPath("away")) == 0)
    #expect(clearer.clear(keys).flatMap(\.removed).isEmpty)
    let moved = try plant(tree, ["a/4"])["a/4"]!
    #expect(clearer.clear(keys)[0].removedPaths == [moved])
    #expect(try clearer.followRoot() == false)
    #expect(clearer.clear(other).removedPaths.isEmpty)
  }

  @Test("the whole family goes by names alone, but for what is being written") func whole() throws {
    let tree = try TemporaryTree()
    let layout = try Layout.nginx()
    let paths = try plant(tree, ["a", "b"])
    let temporary = "proxy/" + NginxFile.path(String(repeating: "a", count: 32)) + ".0000000001"
    try tree.write(temporary, bytes: 10)
    let clearer = Clearer(try tree.open(), layout: layout, paths: .kept)
    #expect(clearer.clear(try layout.all(of: "pages")).removedPaths == paths.values.sorted())
    #expect(try tree.fileSet() == [temporary])
  }

  @Test("keys are told as they were given, and compared by that") func keys() throws {
    let layout = try Layout.nginx()
    let exact = try layout.key("pages", ["key": "https://h/a\tb"])
    #expect(try layout.key(text: layout.text(of: exact)) == exact)
    #expect(layout.text(of: exact).hasPrefix("pages\tkey=https://h/a"))
    let glob = try layout.key("pages", ["key": "https://h/*"])
    #expect(layout.isPattern(glob) && layout.isBig(glob) && layout.isWide(glob))
    #expect(!layout.isPattern(exact) && !layout.isBig(exact) && !layout.isWide(exact))
    #expect(layout.families[0].fieldNames == ["key"])
    for bad in ["", "a\0b", String(repeating: "k", count: 8193), String(repeating: "*", count: 9)] {
      #expect(throws: KeyError.self) { try layout.key("pages", ["key": bad]) }
    }
    #expect(throws: KeyError.unknownField("level1", family: "pages")) {
      try layout.key("pages", ["level1": "a"])
    }
  }

  /// Any files, any keys: what goes is what a plain reading of each file says.
  @Test("just the files of a key go", arguments: 1...4 as ClosedRange<UInt64>)
  func property(_ seed: UInt64) throws {
    var dice = Dice(seed)
    let tree = try TemporaryTree()
    let alphabet = bytes("ab/*?")
    func key() -> [UInt8] { (0..<(1 + dice.below(5))).map { _ in dice.pick(alphabet) } }
    var keys: [String: [UInt8]] = [:]
    for number in 0..<120 {
      var file = NginxFile("")
      file.key = key()
      file.version = UInt64(3 + dice.below(3))
      let hash = dice.once(in: 3) ? text(MD5.hex([UInt8(number)])) : nil
      keys[try file.write(in: tree, "proxy", hash: hash ?? text(MD5.hex(file.key)))] = file.key
    }
    let layout = try Layout.nginx()
    for _ in 0..<60 {
      let wanted = key()
      let glob = KeyGlob(wanted)
      let expected = keys.filter { _, key in
        key == wanted
          || glob.map { glob in key.withUnsafeBufferPointer { glob.matches($0) } } ?? false
      }
      let report = Clearer(try tree.open(), layout: layout, dryRun: .yes, paths: .kept)
        .clear(try layout.key("pages", [("key", wanted)]))
      #expect(report.removedPaths == expected.keys.sorted(), "\(text(wanted))")
    }
  }
}
