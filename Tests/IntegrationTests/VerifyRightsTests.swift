// SPDX-License-Identifier: BSD-2-Clause
//
// not-clearable as a site meets it: folders that are not the listener's, sticky ones, a mount for
// reading only, and another user's rights.

import Foundation
import Testing

@testable import TestSupport

@Suite struct VerifyRightsTests {
  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for folder in AuditedSite.folders { try tree.makeDirectory(folder, mode: 0o755) }
    try tree.write("html/a", bytes: 5)
    return tree
  }

  private func verify(
    _ tree: TemporaryTree, _ arguments: [String] = [], as account: Account = .current
  ) throws -> CommandResult {
    try Command.fpcache(
      ["verify", "--no-database", "--cache-dir", tree.path, "--format", "json"] + arguments,
      in: tree, as: account)
  }

  private func message(_ result: CommandResult) throws -> [String] {
    try AuditDocument(result).findings.map { "\($0.code) \($0.path): \($0.message)" }
  }

  private static let isRoot = getuid() == 0

  @Test("a folder that is another's: no page in it can go", .enabled(if: isRoot, "needs root"))
  func anothersFolder() throws {
    let tree = try tree()
    let name = try #require(Account.stand?.name)
    let expected = [
      "not-clearable html: holds 1 page that \(name) could not delete "
        + "(mode 0755, owner 0, group 0)"
    ]
    #expect(try message(verify(tree, as: .unprivileged)) == expected)
    // The same, told by root of that user; root itself may do anything.
    #expect(try message(verify(tree, ["--as-user", name])) == expected)
    #expect(try verify(tree).status == 0)
    try tree.give(to: .unprivileged)
    #expect(try verify(tree, as: .unprivileged).status == 0)
    #expect(try verify(tree, ["--as-user", name]).status == 0)
  }

  @Test(
    "the site's own rights: written by www, cleared by a member of the group",
    .enabled(if: isRoot, "needs root"))
  func groupRights() throws {
    let tree = try tree()
    let stand = try #require(Account.stand)
    for (mode, isClearable) in [(0o774, true), (0o764, false), (0o754, false), (0o2775, true)]
      as [(mode_t, Bool)]
    {
      #expect(chown(tree.fullPath("html"), 12_345, stand.gid) == 0)
      try tree.setMode("html", mode)
      let result = try verify(tree, ["--as-user", stand.name])
      #expect(result.status == (isClearable ? 0 : 1), "\(result)")
      // It is as the kernel has it.
      let removed = try Command.fpcache(
        ["verify", "--no-database", "--cache-dir", tree.path, "--only", "not-clearable"], in: tree,
        as: .unprivileged)
      #expect(removed.status == result.status, "\(removed)")
    }
  }

  @Test(
    "a sticky folder: another's file cannot go, one's own can", .enabled(if: isRoot, "needs root"))
  func stickyFolder() throws {
    let tree = try tree()
    let stand = try #require(Account.stand)
    try tree.write("html/own", bytes: 5)
    try tree.setMode("html", 0o1777)
    #expect(chown(tree.fullPath("html/own"), stand.uid, stand.gid) == 0)
    let expected = [
      "not-clearable html/a: could not be deleted by \(stand.name): the folder is sticky, and "
        + "neither is \(stand.name)'s (owner 0)"
    ]
    #expect(try message(verify(tree, as: .unprivileged)) == expected)
    #expect(try message(verify(tree, ["--as-user", stand.name])) == expected)
  }

  @Test(
    "a mount for reading only is told once, for root too",
    .enabled(if: PrivateMount.isAllowed, "needs a mount namespace (unshare, mount)"))
  func readOnlyMount() throws {
    let tree = try tree()
    for path in ["html/sub/sub/b", "pages/c", "pages/sub/d"] { try tree.write(path, bytes: 5) }
    func verify(_ flags: [String]) throws -> CommandResult {
      var command = Command(
        try Command.fpcachePath(),
        ["verify", "--no-database", "--cache-dir", tree.path, "--format", "json"] + flags)
      command.tree = tree
      return try command.mounting(
        ["html", "pages"].map { .readOnly(tree.fullPath($0)) }
      ).run()
    }
    let words = "is mounted for reading only: nothing in it can be deleted"
    #expect(
      try message(verify([])) == [
        "not-clearable html: \(words)", "not-clearable pages: \(words)",
      ])
  }

  @Test("a user that there is not: usage")
  func noSuchUser() throws {
    let result = try verify(tree(), ["--as-user", "no\u{1B}body at all"])
    #expect(result.status == 64 && result.stdout.isEmpty, "\(result)")
    #expect(
      result.stderr
        == "fpcache: --as-user no\\x1bbody at all: no such user on this machine\n")
  }
}
