// SPDX-License-Identifier: BSD-2-Clause
//
// Who could delete what: the kernel's rules as a table, and the same on a tree, with the kernel
// itself for a witness.

import Foundation
import SystemPackage
import Testing

@testable import CacheFS
@testable import TestSupport

@Suite struct RightsTests {
  private static func folder(
    _ mode: UInt32, owner: UInt32 = 1, group: UInt32 = 10, modified: Int64 = 0
  ) -> Ownership {
    Ownership(owner: owner, group: group, mode: mode | UInt32(S_IFDIR), modified: modified)
  }

  private static let www = Actor(name: "www", user: 1, groups: [10])
  private static let friend = Actor(name: "friend", user: 2, groups: [20, 10])
  private static let stranger = Actor(name: "stranger", user: 3, groups: [30])
  private static let root = Actor(name: "root", user: 0, groups: [0])

  @Test(
    arguments: [
      (0o774, www, nil), (0o774, friend, nil), (0o774, stranger, .enter), (0o775, stranger, .write),
      (0o777, stranger, nil), (0o555, www, .write), (0o000, root, nil), (0o000, www, .enter),
      // The owner's bits count for the owner, though the group's would be better.
      (0o077, www, .enter), (0o707, friend, .enter), (0o770, stranger, .enter),
      (0o333, stranger, .list), (0o730, friend, .list), (0o750, friend, .write),
      (0o1777, stranger, nil),
    ] as [(UInt32, Actor, Denial.Reason?)])
  func bits(_ mode: UInt32, _ actor: Actor, _ reason: Denial.Reason?) {
    #expect(actor.denial(in: Self.folder(mode)) == reason)
  }

  @Test(
    arguments: [
      (0o1777, 5, 5, stranger, true), (0o1777, 5, 3, stranger, false),
      (0o1777, 3, 5, stranger, false),
      (0o0777, 5, 5, stranger, false), (0o1777, 5, 5, root, false),
    ] as [(UInt32, UInt32, UInt32, Actor, Bool)])
  func stickyFolders(
    _ mode: UInt32, _ folderOwner: UInt32, _ fileOwner: UInt32, _ actor: Actor, _ isBarred: Bool
  ) {
    let file = Ownership(owner: fileOwner, group: 1, mode: 0o100_644, modified: 0)
    #expect(actor.isBarred(from: file, in: Self.folder(mode, owner: folderOwner)) == isBarred)
  }

  @Test func users() {
    let root = Actor(named: "root")
    #expect(root?.isRoot == true && root?.name == "root" && root?.isSelf == false)
    #expect(root?.groups.contains(0) == true)
    #expect(Actor(named: "no such user, surely") == nil)
    #expect(Actor.current.isSelf && Actor.current.user == geteuid())
    #expect(Actor.current.groups.contains(getegid()))
  }

  // MARK: On a tree

  private func audit(_ tree: TemporaryTree, _ actor: Actor) throws -> [Finding] {
    let query = VerifyQuery(codes: [.notClearable], actor: actor)
    return Verifier(Scanner(try tree.open(), layout: .freshPorts, threads: 2), query).audit()
      .findings
  }

  /// A user who owns nothing here: all of it is what the others' bits allow.
  private static let nobody = Actor(name: "nobody", user: 65_533, groups: [65_533])

  @Test func anotherUsersRights() throws {
    let tree = try TemporaryTree()
    try tree.plant([
      "html/a", "html/open/b", "html/open/c", "html/shut/d", "html/mute/e", "ports/x",
      "news/sticky/f", "searchlog.txt",
    ])
    for (folder, mode) in [
      ("html", 0o755), ("html/open", 0o777), ("html/shut", 0o776), ("html/mute", 0o773),
      ("ports", 0o755), ("news", 0o777), ("news/sticky", 0o1777), ("", 0o755),
    ] as [(String, mode_t)] {
      try tree.setMode(folder, mode)
    }
    let findings = try audit(tree, Self.nobody)
    #expect(
      findings.compactMap(\.path) == ["html", "html/mute", "html/shut", "news/sticky/f"])
    let reasons = findings.compactMap { finding -> Denial? in
      if case .denied(let denial) = finding.evidence { denial } else { nil }
    }
    #expect(reasons.map(\.reason) == [.write, .list, .enter, .sticky])
    // ports holds nothing that anybody clears, nor does the cache directory.
    #expect(reasons.first?.pages == 1 && reasons.first?.user == "nobody")
    #expect(reasons.first?.mode == 0o755 && reasons.first?.owner == geteuid())
    #expect(try audit(tree, .current) == (geteuid() == 0 ? [] : audit(tree, .current)))
  }

  /// For the user of the process the kernel is asked.
  @Test(.enabled(if: Rights.canBeDropped, "root cannot be given up here"))
  func ownRights() throws {
    let tree = try TemporaryTree()
    try tree.plant(["html/a", "pages/b"])
    try tree.setMode("html", 0o555)
    try tree.setMode("pages", 0o777)
    let actor = Actor(name: "self", user: 65_534, groups: [65_534], isSelf: true)
    let directory = try tree.open()
    let denials = try Rights.withoutRoot {
      try ["html", "pages"].map { name in
        let folder = try directory.openDirectory(bytes(name))
        return folder.denial(of: actor, try folder.ownership())
      }
    }
    #expect(denials == [.write, nil])
    try tree.setMode("html", 0o755)
  }

  @Test func foldersAboveTheCache() throws {
    let tree = try TemporaryTree()
    try tree.makeDirectory("above/cache")
    let cache = FilePath(tree.fullPath("above/cache"))
    try tree.setMode("above", 0o755)
    try tree.setMode("above/cache", 0o700)
    let before = Self.nobody.barrier(onTheWayTo: cache)
    try tree.setMode("above", 0o750)
    let barrier = Self.nobody.barrier(onTheWayTo: cache)
    // Other folders on the way may be closed to others too, where the tests run for a user.
    if before == nil { #expect(barrier?.folder == FilePath(tree.fullPath("above"))) }
    #expect(barrier?.1.reason == .enter)
    #expect(Actor.current.barrier(onTheWayTo: cache) == nil)
    #expect(Self.root.barrier(onTheWayTo: cache) == nil)
    #expect(Self.nobody.barrier(onTheWayTo: "relative/cache") == nil)
  }
}
