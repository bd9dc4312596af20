// SPDX-License-Identifier: BSD-2-Clause
//
// At the end of what the system gives: descriptors, room on the disk, leave to write. An error that
// says so, or another try; never a trap, and never a row lost.

import Foundation
import Testing

@testable import TestSupport

@Suite struct LimitTests {
  private static let page = "ports/net/a/Detail.PageSize1.PageNum1.html"

  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for folder in ["a", "b", "c", "d"] {
      for other in ["x", "y"] {
        try tree.write("ports/\(folder)/\(other)/Detail.PageSize1.PageNum1.html", bytes: 10)
      }
    }
    try tree.write("news/sub/deep/x", bytes: 10)
    try tree.write("daily/2020/01/21.daily.head", bytes: 0)
    return tree
  }

  /// The command, with so many descriptors and no more.
  private func limited(_ count: Int, _ arguments: [String]) throws -> CommandResult {
    let command = Command(
      "/bin/sh",
      ["-c", "ulimit -n \(count) && exec \"$0\" \"$@\"", try Command.fpcachePath()] + arguments)
    return try command.run()
  }

  @Test("few descriptors: what could not be opened is told of, and every command ends by itself")
  func descriptors() throws {
    var told = 0
    for count in [5, 6, 8, 10, 16] {
      for arguments in [
        ["stats", "--no-database"], ["verify", "--no-database", "--fix"],
        ["clear-port", "a/x", "b/*"], ["clear-news"], ["clear-date", "2020"],
      ] {
        let tree = try tree()
        let before = try tree.files()
        let result = try limited(count, arguments + ["--cache-dir", tree.path])
        guard case .status(let status) = result.exit else {
          Issue.record("\(count) descriptors: \(result)")
          continue
        }
        #expect([0, 1, 66].contains(status), "\(count): \(result)")
        let isTold = (result.stdout + result.stderr).contains("Too many open files")
        told += isTold ? 1 : 0
        // Whoever says nothing has done all of it.
        if status == 0 { #expect(!isTold, "\(count): \(result)") }
        if arguments[0] == "clear-news", status == 0 {
          #expect(try tree.files() == before.filter { !$0.hasPrefix("news/") }, "\(result)")
        }
      }
    }
    #expect(told > 3)
  }

  @Test("little address space: fewer threads, and everything is done or nothing is begun")
  func addressSpace() throws {
    var begun = 0
    func limited(_ kilobytes: Int, _ arguments: [String]) throws -> CommandResult {
      let script = "ulimit -v \(kilobytes) && exec \"$0\" \"$@\""
      return try Command("/bin/sh", ["-c", script, try Command.fpcachePath()] + arguments).run()
    }
    // A sanitizer's program asks for terabytes, and does not even begin.
    guard try limited(8_000_000, ["--version"]).exit == .status(0) else { return }
    for kilobytes in [60_000, 80_000, 100_000, 150_000, 200_000, 300_000, 600_000] {
      guard try limited(kilobytes, ["--version"]).exit == .status(0) else { continue }
      begun += 1
      let tree = try TemporaryTree()
      let ports = (0..<60).map { "net/p\($0)" }
      for port in ports {
        for page in 1...3 {
          try tree.write("ports/\(port)/Detail.PageSize\(page).PageNum1.html", bytes: 0)
        }
      }
      let stats = try limited(
        kilobytes, ["stats", "--no-database", "--cache-dir", tree.path])
      #expect(stats.status == 0, "\(kilobytes): \(stats)")
      let clear = try limited(kilobytes, ["clear-port", "--cache-dir", tree.path] + ports)
      #expect(clear.status == 0, "\(kilobytes): \(clear)")
      #expect(try tree.files().isEmpty, "\(kilobytes)")
    }
    #expect(begun > 0)
  }

  @Test(
    "a full disk under the state directory: the list goes on in memory, and every row is served")
  func fullStateDirectory() throws {
    try #require(PrivateMount.isAllowed)
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try TemporaryTree()
    try tree.makeDirectory("state")
    try tree.write("cache/\(Self.page)", bytes: 10)
    _ = try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'net', 'a');
      INSERT INTO cache_clearing_ports (port_id, category, port)
        SELECT n, 'net', 'port-of-a-quite-long-name-' || n FROM generate_series(1, 3000) AS n;
      """)
    let state = tree.fullPath("state")
    let command = Command(
      try Command.fpcachePath(),
      [
        "listen", "--once", "--settle", "0.5", "--cache-dir", tree.fullPath("cache"), "--dsn",
        database.listenerDSN, "--state-dir", state, "--status-file", state + "/status.json",
        "--metrics-file", state + "/metrics.prom",
      ]
    ).mounting(
      [.memory(at: state, size: 64 * 1024)],
      then: "dd if=/dev/zero of=\(state)/fill bs=1k count=56 2>/dev/null")
    let result = try command.run()
    #expect(result.status == 0, "\(result)")
    #expect(
      result.stderr.contains(
        "settle: cannot write the list: No space left on device; keeping it in memory"),
      "\(result)")
    #expect(try database.count("cache_clearing_ports") == 0)
    #expect(!tree.exists("cache/\(Self.page)"))
  }

  @Test("a full disk for the keys of standard input: nothing is touched, and the way out is told")
  func fullTemporaryFolder() throws {
    try #require(PrivateMount.isAllowed)
    let tree = try TemporaryTree()
    try tree.write("cache/\(Self.page)", bytes: 10)
    try tree.makeDirectory("tmp")
    var command = Command(
      try Command.fpcachePath(), ["clear-port", "--cache-dir", tree.fullPath("cache"), "-"]
    ).mounting([.memory(at: tree.fullPath("tmp"), size: 2 << 20)])
    command.environment["TMPDIR"] = tree.fullPath("tmp")
    command.input = Array(String(repeating: "net/a\n", count: 600_000).utf8)
    let result = try command.run()
    #expect(result.status == 1, "\(result)")
    #expect(
      result.stderr
        == "fpcache: cannot write the temporary file for standard input: No space left on device; "
        + "set TMPDIR to a folder with free space\n")
    #expect(tree.exists("cache/\(Self.page)"))
  }

  @Test("a cache that is mounted read-only: told of, rows stay, and they go when it can be written")
  func readOnly() throws {
    try #require(PrivateMount.isAllowed)
    let database = try PostgresServer.shared.makeDatabase()
    let tree = try tree()
    _ = try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES (1, 'a', 'x')")
    let arguments = [
      "listen", "--once", "--settle", "0", "--cache-dir", tree.path, "--dsn", database.listenerDSN,
    ]
    let command = Command(try Command.fpcachePath(), arguments)
    let result = try command.mounting([.readOnly(tree.path)]).run()
    #expect(result.status == 1, "\(result)")
    #expect(
      result.stderr.contains(
        "ports/a/x/Detail.PageSize1.PageNum1.html: Read-only file system; "
          + "mount the cache for writing; the row stays; will retry"), "\(result)")
    #expect(try database.count("cache_clearing_ports") == 1)
    let again = try command.run()
    #expect(again.status == 0, "\(again)")
    #expect(try database.count("cache_clearing_ports") == 0)
  }
}
