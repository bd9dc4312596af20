// SPDX-License-Identifier: BSD-2-Clause
//
// Standard output that cannot be written: every command says so and does not end with 0; one that
// nobody reads any more is no failure.

import Testing

@testable import TestSupport

@Suite struct OutputErrorTests {
  private func run(_ arguments: String, into target: String) throws -> CommandResult {
    let tree = try TemporaryTree()
    try tree.write("daily/2020/01/21.daily.head", bytes: 1)
    var command = Command(
      "/bin/sh", ["-c", "\"$0\" \(arguments) \(target)", try Command.fpcachePath()])
    command.environment = ["FPCACHE_DIR": tree.path]
    command.tree = tree
    return try command.run()
  }

  static let commands = [
    "stats --no-database", "stats --no-database --format json",
    "stats --no-database --format prometheus", "stats --no-database --watch 1",
    "stats --no-database --watch 1 --format json", "clear-date -n 2020-01-21",
    "clear-date 2020-01-21 --format json", "clear-port -v a/b", "clear-news",
    "verify --no-database", "verify --no-database --format json", "--help", "stats --help",
    "--version", "--generate-completion-script bash", "--experimental-dump-help",
  ]

  @Test("a full disk", arguments: commands)
  func full(_ arguments: String) throws {
    let result = try run(arguments, into: ">/dev/full")
    #expect(result.status == 1, "\(result)")
    #expect(
      result.stderr.hasSuffix(
        "fpcache: standard output: No space left on device; the result could not be written\n"),
      "\(result)")
  }

  /// A monitor reads 1 as a warning.
  @Test func fullForAMonitor() throws {
    let result = try run("verify --no-database --format nagios", into: ">/dev/full")
    #expect(result.status == 3, "\(result)")
  }

  /// What is drained is cleared once more all the same.
  @Test func fullForADrain() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql("INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21')")
    let state = try TemporaryTree()
    let result = try run(
      "listen --once --settle 0.1 --state-dir '\(state.path)' --dsn '\(database.listenerDSN)'",
      into: ">/dev/full")
    #expect(result.status == 1, "\(result)")
    #expect(result.stderr.contains("No space left on device"), "\(result)")
    #expect(try database.count("cache_clearing_dates") == 0)
    #expect(result.tree?.exists("daily/2020/01/21.daily.head") == false)
    #expect(try state.files().allSatisfy { try state.read($0).isEmpty })
  }

  @Test("nobody reads", arguments: ["stats --no-database", "--help", "verify --no-database"])
  func nobodyReads(_ arguments: String) throws {
    let tree = try TemporaryTree()
    // The reader comes, so that the pipe can be opened, and is gone before anything is written.
    let script = """
      mkfifo pipe; : <pipe & exec 4>pipe; wait
      "$0" \(arguments) >&4; echo "status $?" >&2
      """
    var command = Command("/bin/sh", ["-c", script, try Command.fpcachePath()])
    command.environment = ["FPCACHE_DIR": tree.fullPath("cache")]
    command.tree = tree
    try tree.makeDirectory("cache")
    let result = try command.run()
    #expect(result.stderr == "status 0\n", "\(result)")
  }
}
