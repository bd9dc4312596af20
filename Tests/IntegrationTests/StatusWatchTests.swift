// SPDX-License-Identifier: BSD-2-Clause
//
// status --watch: what changes, a server that goes and comes back, a narrow terminal, a reader who goes.

import Foundation
import Testing

@testable import TestSupport

@Suite struct StatusWatchTests {
  private func command(
    _ arguments: [String], _ environment: [String: String?] = [:]
  ) throws -> Command {
    var command = Command(try Command.fpcachePath(), ["status", "--watch", "0.1"] + arguments)
    command.environment = environment
    return command
  }

  /// A watch whose screens are read as they come.
  private func watch(_ arguments: [String]) throws -> Daemon {
    var shell = Command("/bin/sh", ["-c", #"exec "$0" "$@" >&2"#])
    shell.arguments += [try Command.fpcachePath(), "status", "--watch", "0.1"] + arguments
    return try Daemon(shell)
  }

  @Test("a server that goes is a screen that says so, and then it is back")
  func serverRestarts() throws {
    let server = try PostgresServer()
    let database = try server.makeDatabase()
    let program = try watch(["--dsn", database.listenerDSN])
    _ = try program.waitForLog(containing: "nobody is listening: nothing waits yet")
    try server.stop()
    _ = try program.waitForLog(containing: "cannot see: cannot connect: ")
    let mark = program.lines.count
    try server.start()
    _ = try program.waitForLog(containing: "nobody is listening: nothing waits yet", after: mark)
    program.terminate(SIGINT)
    #expect(try program.waitForExit().exit == .status(0))
  }

  @Test("what the listener clears is drawn as it goes")
  func rates() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let file = try Scratch.makeFolder("status") + "/status.json"
    let daemon = try Daemon.listen(on: TemporaryTree(), database, ["--status-file", file])
    try daemon.waitForLog(containing: "drained: ")
    let program = try watch(["--dsn", database.listenerDSN, "--status-file", file])
    _ = try program.waitForLog(containing: "rows/s cleared   0  ")
    try database.sql(
      """
      INSERT INTO cache_clearing_ports (port_id, category, port)
      SELECT n, 'net', 'a' || n FROM generate_series(1, 500) AS n; NOTIFY port_updated
      """)
    try eventually("a rate is seen", details: "\(program)") {
      program.lines.contains { $0.contains(#/^rows/s cleared +[1-9]/#) }
    }
    program.terminate(SIGINT)
    #expect(try program.waitForExit().exit == .status(0))
  }

  @Test("on a terminal of 40 columns nothing wraps, and nothing is left to be put back")
  func narrow() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let session = try TerminalSession(
      command(
        ["--dsn", database.listenerDSN], ["TERM": "xterm", "COLUMNS": nil, "LC_ALL": "C.UTF-8"]),
      columns: 40)
    try session.terminal.wait(for: "\u{1B}[H", times: 3)
    try session.terminal.type("\u{3}")
    let (status, output) = try session.end()
    #expect(status == 0, "\(session)")
    #expect(!output.contains("\u{1B}[?"), "\(session)")
    #expect(output.utf8.last == UInt8(ascii: "\n"), "\(session)")
    let last = output.components(separatedBy: "\u{1B}[H").dropFirst().first ?? ""
    #expect(last.contains("rows waiting"), "\(session)")
    for line in last.components(separatedBy: "\r\n") {
      let shown = line.replacing(#/\u{1B}\[[0-9;]*[A-Za-z]/#, with: "")
      #expect(shown.count <= 40, "\(shown)")
    }
  }

  @Test("a document a line; the end of who reads ends it")
  func documents() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let result = try Command(
      "/bin/sh",
      [
        "-c",
        #"{ "$0" status --watch 0.1 --format json --dsn "$1"; echo "left with $?" >&2; } | head -n 2"#,
        try Command.fpcachePath(), database.listenerDSN,
      ]
    ).run()
    #expect(result.stderr == "left with 0\n", "\(result)")
    for line in result.stdout.split(separator: "\n") {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      #expect(object?["state"] as? String == "nobody", "\(result)")
    }
  }
}
