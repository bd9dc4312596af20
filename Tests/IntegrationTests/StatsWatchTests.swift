// SPDX-License-Identifier: BSD-2-Clause
//
// stats --watch: again and again, with rates, in place on a terminal, until Ctrl-C.

import Foundation
import Testing

@testable import TestSupport

@Suite struct StatsWatchTests {
  private func command(
    _ arguments: [String], _ tree: TemporaryTree, environment: [String: String?] = [:]
  ) throws -> Command {
    var command = Command(
      try Command.fpcachePath(), ["stats", "--watch", "0.1"] + arguments)
    command.tree = tree
    command.environment = environment.merging(["FPCACHE_DIR": tree.path]) { $1 }
    return command
  }

  /// Runs it until its standard output, which goes to its log, says something; then ends it.
  private func watch(
    _ command: Command, until text: String, _ signal: Int32 = SIGINT,
    meanwhile: () throws -> Void = {}
  ) throws -> (output: String, result: CommandResult) {
    // A daemon's standard error is read as it comes: here it is both.
    var shell = Command("/bin/sh", ["-c", #"exec "$0" "$@" >&2"#, command.executable])
    shell.arguments += command.arguments
    shell.environment = command.environment
    shell.tree = command.tree
    let program = try Daemon(shell)
    _ = try program.waitForLog(containing: "cache")
    try meanwhile()
    _ = try program.waitForLog(containing: text)
    program.terminate(signal)
    let result = try program.waitForExit()
    return (result.stderr, result)
  }

  @Test("a document a line, with rates from the second on", arguments: [SIGINT, SIGTERM])
  func json(_ signal: Int32) throws {
    let tree = try TemporaryTree()
    try tree.write("html/a", bytes: 10)
    let (output, result) = try watch(
      command(["--no-database", "--format", "json"], tree),
      until: #""html":{"files":2,"bytes":30,"#,
      signal
    ) {
      try tree.write("html/b", bytes: 20)
    }
    #expect(result.exit == .status(0), "\(result)")
    let documents = try output.split(separator: "\n").map { line in
      try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }
    #expect(documents.first?["rates"] == nil)
    for document in documents.dropFirst() {
      let rates = try #require(document["rates"] as? [String: Any])
      #expect(Set(rates.keys) == ["interval_seconds", "families", "total", "queues"])
      #expect(try #require(rates["interval_seconds"] as? Double) >= 0.1)
    }
    let change = documents.compactMap { document in
      ((document["rates"] as? [String: Any])?["total"] as? [String: Double])?["files_per_second"]
    }
    #expect(change.contains { $0 > 0 } && change.allSatisfy { $0 >= 0 }, "\(change)")
  }

  @Test("queues that empty, and when they will have")
  func queues() throws {
    let database = try PostgresServer.shared.makeDatabase()
    try database.sql(
      """
      INSERT INTO cache_clearing_dates (date_to_clear)
      SELECT date '2020-01-01' + n FROM generate_series(1, 200) AS n
      """)
    let tree = try TemporaryTree()
    let (output, result) = try watch(
      command(["--dsn", database.listenerDSN], tree, environment: ["COLUMNS": "140"]),
      until: "at this rate they are gone in "
    ) {
      try database.sql("DELETE FROM cache_clearing_dates WHERE id <= 50")
    }
    #expect(result.exit == .status(0), "\(result)")
    #expect(output.contains("ROWS/S\n"), "\(output)")
    #expect(output.contains("\n150 dates have waited "), "\(output)")
    // No terminal: no commands to one.
    #expect(!output.contains("\u{1B}"))
  }

  @Test("nobody reads any more: it leaves")
  func readerGone() throws {
    let tree = try TemporaryTree()
    var command = Command(
      "/bin/sh",
      [
        "-c", #"{ "$0" stats --no-database --watch 0.1; echo "left with $?" >&2; } | head -n 1"#,
        try Command.fpcachePath(),
      ])
    command.tree = tree
    command.environment = ["FPCACHE_DIR": tree.path]
    let result = try command.run()
    #expect(result.stderr == "left with 0\n", "\(result)")
  }

  @Test("the server goes and comes back, and the watch sees it")
  func serverRestarts() throws {
    let server = try PostgresServer()
    let database = try server.makeDatabase()
    let tree = try TemporaryTree()
    var shell = Command("/bin/sh", ["-c", #"exec "$0" "$@" >&2"#])
    let command = try command(["--dsn", database.listenerDSN], tree)
    shell.arguments += [command.executable] + command.arguments
    shell.environment = command.environment
    let program = try Daemon(shell)
    _ = try program.waitForLog(containing: "nothing waits, but nobody is listening")
    try server.stop()
    _ = try program.waitForLog(containing: "the queues could not be read")
    _ = try program.waitForLog(containing: "queues not counted: cannot connect: ")
    let mark = program.lines.count
    try server.start()
    _ = try program.waitForLog(containing: "nothing waits, but nobody is listening", after: mark)
    program.terminate(SIGINT)
    #expect(try program.waitForExit().exit == .status(0))
  }

  @Test("on a terminal it draws in place and leaves the prompt a line of its own")
  func terminal() throws {
    let tree = try TemporaryTree()
    try tree.write("html/esc\u{1B}]0;owned\u{7}", bytes: 10)
    let session = try TerminalSession(
      command(
        ["--no-database", "--top", "3"], tree, environment: ["TERM": "xterm", "COLUMNS": nil]),
      columns: 70)
    try session.terminal.wait(for: "\u{1B}[H", times: 3)
    try session.terminal.type("\u{3}")
    let (status, output) = try session.end()
    #expect(status == 0, "\(session)")
    let frames = output.components(separatedBy: "\u{1B}[H")
    #expect(frames[0].isEmpty && frames[1].hasPrefix("\u{1B}[2J"), "\(session)")
    #expect(frames[1].contains(#"html/esc\x1b]0;owned\x07"#), "\(session)")
    #expect(!frames[1].contains("FILES/S") && frames[2].contains("FILES/S"), "\(session)")
    #expect(!output.contains("owned\u{7}"))
    // Nothing was done to the terminal that would have to be undone; the prompt has its own line.
    #expect(!output.contains("\u{1B}[?"))
    #expect(output.utf8.last == UInt8(ascii: "\n"), "\(session)")
    for frame in frames { #expect(frame.ranges(of: "\r\n").count < 40) }
  }
}
