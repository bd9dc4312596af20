// SPDX-License-Identifier: BSD-2-Clause
//
// Servers that send what nobody asked for: without end, in the middle of an answer, or for a terminal to obey.
// The connection is given up in plain words, the listener stays small, and a stop is obeyed.

import Foundation
import Testing

@testable import TestSupport

@Suite struct HostileServerTests {
  /// What a server sends instead of the rows of listen_for.
  struct Attack: CustomTestStringConvertible {
    let testDescription: String
    let answer: HostileServer.Answer
    let words: String

    static let flood = "connection lost: the server sent more than was requested"
    static let all = [
      Attack(
        testDescription: "COPY from us", answer: .bytes(HostileServer.message("G", [0, 0, 0])),
        words: "connection lost: the server began a COPY"),
      Attack(
        testDescription: "COPY to us", answer: .bytes(HostileServer.message("H", [0, 0, 0])),
        words: "connection lost: the server began a COPY"),
      Attack(
        testDescription: "COPY both ways", answer: .bytes(HostileServer.message("W", [0, 0, 0])),
        words: "connection lost: the server began a COPY"),
      Attack(
        testDescription: "rows",
        answer: .endless(
          after: HostileServer.oneColumn, HostileServer.row(String(repeating: "x", count: 1000))),
        words: flood),
      Attack(
        testDescription: "one row of a gigabyte",
        answer: .endless(
          after: HostileServer.oneColumn
            + [UInt8(ascii: "D"), 0x3B, 0, 0, 0, 0, 1, 0x3A, 0xFF, 0xFF, 0xFA],
          Array(repeating: 0x78, count: 1000)), words: flood),
      Attack(
        testDescription: "errors",
        answer: .endless(HostileServer.words("E", String(repeating: "\u{1B}[2J", count: 1000))),
        words: flood),
      Attack(
        testDescription: "notices",
        answer: .endless(HostileServer.words("N", String(repeating: "\u{1B}[2J", count: 1000))),
        words: flood),
      Attack(
        testDescription: "notifications",
        answer: .endless(HostileServer.notification("c", String(repeating: "x", count: 7000))),
        words: flood),
    ]
  }

  @Test("an answer of", arguments: Attack.all)
  func answer(_ attack: Attack) throws {
    let server = try HostileServer { statement in
      statement.contains("listen_for") ? attack.answer : .done
    }
    let tree = try TemporaryTree()
    let listener = try Daemon(
      Command(
        try Command.fpcachePath(),
        [
          "listen", "--cache-dir", tree.path, "--state-dir", Scratch.makeFolder("state"), "--dsn",
          server.dsn,
        ]))
    let line = try listener.waitForLog(containing: attack.words, timeout: .seconds(30))
    #expect(line.contains("will retry until it answers"), "\(line)")
    #expect(try listener.peakMemory() < 400 << 20)
    listener.terminate()
    let result = try listener.waitForExit()
    #expect(result.status == 0, "\(result)")
    #expect(!result.errorBytes.contains(0x1B), "\(result)")
    #expect(result.errorBytes.count < 10_000)
  }

  @Test(
    "what is said before the client is let in goes nowhere, and an error is escaped and cut off")
  func connecting() throws {
    let forged = "2026-01-01T00:00:00Z notice: all is well\n\u{1B}]0;owned\u{7}"
    let notices = try HostileServer(
      greeting: Array((0..<1000).map { _ in HostileServer.words("N", forged) }.joined()))
    let error = try HostileServer(
      greeting: HostileServer.words("E", forged + String(repeating: "x", count: 20_000)))
    let tree = try TemporaryTree()
    for server in [notices, error] {
      for command in [["stats"], ["verify"], ["listen", "--once"]] {
        let result = try Command.fpcache(
          command + ["--cache-dir", tree.path, "--dsn", server.dsn])
        #expect(!(result.outputBytes + result.errorBytes).contains(0x1B), "\(result)")
        #expect(!result.stderr.contains("\n2026-01-01"), "\(result)")
        #expect(result.errorBytes.count < 5000, "\(result)")
        if server === error { #expect(result.status == 69, "\(result)") }
      }
    }
  }
}
