// SPDX-License-Identifier: BSD-2-Clause
//
// The events file: whole lines after a torn one, what is refused in its place, and what a line holds.

import Foundation
import Glibc
import Testing

@testable import Basics
@testable import CacheFS
@testable import Listening
@testable import PGQueue
@testable import TestSupport

@Suite struct EventFileTests {
  private let tree: TemporaryTree
  private let messages = Messages()

  init() throws { tree = try TemporaryTree() }

  private func append(_ text: String, to file: EventFile) throws {
    try file.append(Array(text.utf8))
  }

  @Test("a torn last line is ended, so that what follows is whole")
  func torn() throws {
    try tree.write("events", text: "{\"a\":1}\n{\"b\"")
    let file = EventFile(tree.fullPath("events"))
    try append("{\"c\":3}\n", to: file)
    try append("{\"d\":4}\n", to: file)
    #expect(try tree.read("events") == "{\"a\":1}\n{\"b\"\n{\"c\":3}\n{\"d\":4}\n")
  }

  @Test("a renamed file is written until it is opened again; a removed one is begun again")
  func renamed() throws {
    let file = EventFile(tree.fullPath("events"))
    try append("1\n", to: file)
    rename(tree.fullPath("events"), tree.fullPath("events.1"))
    try append("2\n", to: file)
    #expect(try tree.read("events.1") == "1\n2\n" && !tree.exists("events"))
    try file.openByName()
    #expect(try tree.read("events").isEmpty)
    try append("3\n", to: file)
    tree.remove("events")
    try append("4\n", to: file)
    #expect(try tree.read("events") == "4\n")
  }

  private static let impostors: [(name: String, problem: String)] = [
    ("pipe", "is not a plain file"), ("link", "Too many levels of symbolic links"),
    ("name", "the file has other names (hard links)"), ("folder", "Is a directory"),
    ("none/events", "No such file or directory"),
  ]

  @Test("what is not a file of its own is refused, and left as it is", arguments: impostors)
  func refused(_ row: (name: String, problem: String)) throws {
    try tree.write("page", text: "page")
    try tree.makeDirectory("folder")
    mkfifo(tree.fullPath("pipe"), 0o666)
    try tree.link("link", to: "page")
    link(tree.fullPath("page"), tree.fullPath("name"))
    let events = ClearEvents(tree.fullPath(row.name), messages.logger)
    #expect(events.isBlocked && events.health.problem == row.problem)
    let key = try Layout.freshPorts.all(of: "news")
    #expect(!events.write([(key, 1)], .freshPorts) { _ in .empty })
    #expect(!events.write([(key, 1)], .freshPorts) { _ in .empty })
    #expect(try tree.read("page") == "page")
    // Said once.
    #expect(messages.all.count == 1 && messages.all[0].contains(row.problem), "\(messages.all)")
  }

  @Test("a line is JSON, whatever the key holds")
  func line() throws {
    let layout = Layout([
      try Family("pages", "pages/{path...}"), try Family("news", "news/{page...}"),
    ])
    let hostile = Array("a\"b\\c\u{202E}\u{FC}".utf8) + [0xFF, 0x0A]
    let key = try layout.key("pages", [("path", hostile)])
    let lines = ClearReason.lines(
      [(key, 2), (try layout.all(of: "news"), 0)], layout, at: 1_579_610_096_000_000_000
    ) { $0 == 0 ? .queue(.ports) : .settle }
    let texts = String(decoding: lines, as: UTF8.self).split(separator: "\n")
    try #require(texts.count == 2)
    let objects = try texts.map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    let path = (objects[0]["key"] as? [String: String])?["path"]
    #expect(path.flatMap(unescape) == hostile)
    #expect(objects[0]["queue"] as? String == "cache_clearing_ports")
    #expect(
      texts[1]
        == #"{"version":1,"at":"2020-01-21T12:34:56Z","reason":"settle","queue":null,"#
        + #""family":"news","key":{},"files_removed":0}"#)
  }
}
