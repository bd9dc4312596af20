// SPDX-License-Identifier: BSD-2-Clause
//
// Without leave to delete: said at the start, once, and with what to do about it.

import Foundation
import Testing

@testable import TestSupport

@Suite struct RightsTests {
  private func listener(
    _ tree: TemporaryTree, _ database: TestDatabase, as account: Account
  ) throws -> CommandResult {
    let state = try TemporaryTree()
    try state.give(to: account)
    let listener = try Daemon.listen(
      on: tree, database, ["--settle", "0"], stateDirectory: state.path, as: account)
    try listener.waitForLog(containing: "drained: ")
    listener.terminate()
    return try listener.waitForExit()
  }

  @Test("at the start the listener tells where it will not be able to delete")
  func told() throws {
    guard Account.stand != nil else { return }
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    for folder in ["daily/2020/01", "ports/net/a", "categories/net", "news", "general"] {
      try tree.makeDirectory(folder, mode: 0o755)
    }
    try tree.give(to: .unprivileged)
    let all = try listener(tree, database, as: .unprivileged)
    #expect(!all.stderr.contains("cannot delete"), "\(all)")
    #expect(!all.stderr.contains("running as root"), "\(all)")

    #expect(chown(tree.fullPath("daily/2020/01"), 0, 0) == 0)
    #expect(chown(tree.fullPath("news"), 0, 0) == 0)
    try tree.setMode("news", 0o1777)
    let some = try listener(tree, database, as: .unprivileged)
    let told = some.stderr.split(separator: "\n").filter { $0.contains("cannot delete") }
      .map { $0.drop { $0 != " " } }
    #expect(
      told == [
        " warning: cannot delete here: daily/2020/01: Permission denied; run fpcache as the user "
          + "who owns the cache, or give this user write permission on the folder",
        " warning: cannot delete here: news: Operation not permitted; run fpcache as the user "
          + "who owns the cache, or give this user write permission on the folder",
      ], "\(some)")

    for folder in try tree.folders() { #expect(chown(tree.fullPath(folder), 0, 0) == 0) }
    let none = try listener(tree, database, as: .unprivileged)
    let lines = none.stderr.split(separator: "\n").filter { $0.contains("cannot delete") }
    #expect(lines.count == 6, "\(none)")
    #expect(lines.last?.hasSuffix("cannot delete in 1 more of the checked folders") == true)
  }

  @Test("root is told that it need not be, once")
  func root() throws {
    guard geteuid() == 0 else { return }
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    try tree.makeDirectory("news")
    let result = try listener(tree, database, as: .current)
    let lines = result.stderr.split(separator: "\n").filter { $0.contains("running as root") }
    #expect(lines.count == 1, "\(result)")
    #expect(
      lines.first?.hasSuffix(
        "notice: running as root, which is not needed: write permission on the folders of "
          + "\(tree.path) is enough") == true, "\(result)")
  }
}
