// SPDX-License-Identifier: BSD-2-Clause
//
// `make demo` and `make playground` leave no server, no process and no folder behind, however they end.

import Foundation
import Testing

@testable import TestSupport

@Suite struct DemoTests {
  private func demo(_ script: String) throws -> Command {
    var command = Command("/bin/sh", ["-c", script])
    command.workingDirectory = Document.root.path
    command.environment = ["FPCACHE_BIN": try Command.fpcachePath()]
    return command
  }

  /// The folder that the script made, as it says in its first line.
  private func folder(in text: String) throws -> String {
    let match = text.firstMatch(of: #/\/tmp/fpc-demo-\w+/#)
    return String(try #require(match, "the demo names its folder: \(text)").0)
  }

  /// Waits until the folder is gone, and with it each process that names it.
  private func expectNothingLeft(of folder: String) throws {
    var left = ""
    try eventually(timeout: .seconds(30), "nothing is left of \(folder)", details: left) {
      left = try Command("/bin/ps", ["-eo", "pid,args"]).run().stdout
        .split(separator: "\n").filter { $0.contains(folder) }.joined(separator: "\n")
      return left.isEmpty && !FileManager.default.fileExists(atPath: folder)
    }
  }

  @Test("a reader that has seen enough ends it, quietly")
  func earlyReader() throws {
    let result = try demo("scripts/demo | head -n 3").run()
    #expect(result.stdout.split(separator: "\n").count == 3)
    #expect(result.stderr.isEmpty)
    try expectNothingLeft(of: folder(in: result.stdout))
  }

  @Test("the playground ends with its site", arguments: [SIGINT, SIGTERM, SIGKILL])
  func playground(_ signal: Int32) throws {
    let playground = try Daemon(demo("exec scripts/demo --playground >&2"))
    let folder = try folder(in: playground.waitForLog(containing: "/tmp/fpc-demo-"))
    // The site is served: the listener's first drain is shown.
    try playground.waitForLog(containing: "drained: ", timeout: .seconds(60))
    playground.terminate(signal)
    let result = try playground.waitForExit(timeout: .seconds(30))
    if signal != SIGKILL {
      #expect(result.status == 0)
      #expect(playground.lines.last == "Stopped and removed everything.")
    }
    try expectNothingLeft(of: folder)
  }
}
