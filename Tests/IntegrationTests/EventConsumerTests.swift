// SPDX-License-Identifier: BSD-2-Clause
//
// etc/events/purge-cdn, the sample of a consumer, at a running listener: every cleared key reaches the command, across
// rotation, a failing command, its own death and lines that are no events.

import Foundation
import Testing

@testable import TestSupport

@Suite(
  "The sample of a consumer",
  .enabled(if: findProgram("python3") != nil, "python3 is not installed"))
struct EventConsumerTests {
  private let database: TestDatabase
  private let tree: TemporaryTree
  /// The events, the consumer's position, and what its command records.
  private let folder: TemporaryTree

  init() throws {
    database = try PostgresServer.shared.makeDatabase()
    tree = try TemporaryTree()
    folder = try TemporaryTree()
    // It fails where a file says so, as a CDN may.
    try folder.write(
      "record",
      text: """
        #!/bin/sh
        cd "$(dirname "$0")" || exit
        test "$1" = --purge || exit 64
        shift
        if [ -e fails ]; then echo >>failures; exit 22; fi
        printf '%s\\n' "$@" >>urls

        """, mode: 0o755)
  }

  private func consume(_ more: [String] = []) -> Command {
    Command(
      findProgram("python3") ?? "",
      [Document.root.appendingPathComponent("etc/events/purge-cdn").path]
        + ["--state", folder.fullPath("position")] + more + [
          "--url", "ports=https://www.example.org/{category}/{port}/",
          "--url", "categories=https://www.example.org/{category}/",
          "--url", "news=https://www.example.org/", folder.fullPath("events"),
          folder.fullPath("record"), "--purge",
        ])
  }

  private func change(_ ports: [String]) throws {
    let rows = ports.map { "(1, 'www', '\($0)')" }.joined(separator: ", ")
    try database.sql(
      "INSERT INTO cache_clearing_ports (port_id, category, port) VALUES \(rows); NOTIFY port_updated"
    )
  }

  private func urls() throws -> [String] {
    guard folder.exists("urls") else { return [] }
    return try folder.read("urls").split(separator: "\n").map(String.init)
  }

  private func awaitURL(of port: String, _ details: String) throws {
    try eventually("\(port) is purged", details: details) {
      try urls().contains("https://www.example.org/www/\(port)/")
    }
  }

  @Test("each key reaches the command, whatever happens between") func all() throws {
    let listener = try Daemon.listen(
      on: tree, database, ["--settle", "0.1", "--events", folder.fullPath("events")])
    try listener.waitForLog(containing: "drained: ")
    let first = try Daemon(consume())
    // The name of a port may hold a character that an URL may not.
    try change(["nginx", "a+b"])
    try awaitURL(of: "nginx", "\(first)")
    try awaitURL(of: "a%2Bb", "\(first)")
    #expect(try urls().contains("https://www.example.org/"))

    // What is not handed over is tried again.
    try folder.write("fails", bytes: 0)
    try change(["refused"])
    try eventually("the command fails", details: "\(first)") { folder.exists("failures") }
    #expect(try !urls().contains("https://www.example.org/www/refused/"))
    first.terminate(SIGKILL)
    _ = try first.waitForExit()

    // While it is away, the file is rotated, twice.
    for number in 1...2 {
      try change(["away\(number)"])
      try eventually("it is told") {
        try folder.read("events").contains("\"port\":\"away\(number)\"")
      }
      if number == 2 {
        try #require(rename(folder.fullPath("events.1"), folder.fullPath("events.2")) == 0)
      }
      try #require(rename(folder.fullPath("events"), folder.fullPath("events.1")) == 0)
      listener.terminate(SIGHUP)
      try eventually("there is a new file", details: "\(listener)") { folder.exists("events") }
    }
    folder.remove("fails")
    let second = try Daemon(consume())
    for port in ["refused", "away1", "away2"] { try awaitURL(of: port, "\(second)") }

    // While it reads, too. A part of a line and a repeated line do no harm.
    let repeated = try #require(
      try folder.read("events.1").split(separator: "\n").first { $0.contains("away2") })
    let events = try #require(FileHandle(forWritingAtPath: folder.fullPath("events")))
    try events.seekToEnd()
    try events.write(contentsOf: Data("{\"version\":1,\n\(repeated)\n".utf8))
    try second.waitForLog(containing: "skipped a line that is not an event")
    try #require(rename(folder.fullPath("events"), folder.fullPath("events.0")) == 0)
    try change(["renamed"])
    try eventually("it is told in the renamed file") {
      try folder.read("events.0").contains("\"port\":\"renamed\"")
    }
    listener.terminate(SIGHUP)
    try eventually("there is a new file", details: "\(listener)") { folder.exists("events") }
    try change(["last"])
    for port in ["renamed", "last"] { try awaitURL(of: port, "\(second)") }
    second.terminate()
    _ = try second.waitForExit()
    listener.terminate()
    _ = try listener.waitForExit()

    // Nothing is left to read for one that ends at the end.
    let before = try urls().count
    #expect(try consume(["--once"]).run().status == 0)
    #expect(try consume(["--once"]).run().status == 0)
    let again = try urls()
    #expect(again.count - before < 10, "\(again)")
  }
}
