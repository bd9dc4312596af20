// SPDX-License-Identifier: BSD-2-Clause
//
// Keys: what makes one, and that no path is ever built from a value that is refused.

import TestSupport
import Testing

@testable import CacheFS

@Suite struct CacheKeyTests {
  private let layout = Layout.freshPorts

  private static let hostile: [[UInt8]] = [
    [], bytes("."), bytes(".."), bytes("/"), bytes("../x"), bytes("a/../b"), bytes("a/b"),
    bytes("a\0"), [0], bytes("*"), bytes("[a]"), bytes("?"), bytes("a b"), bytes("a\n"),
    [0xFF, 0xFE], bytes("é"), bytes("~"), bytes("{port}"), bytes("%s"),
    [UInt8](repeating: 0x61, count: 256), [UInt8](repeating: 0x61, count: 4_096),
  ]

  @Test(arguments: hostile)
  func hostileNamesMakeNoKey(_ value: [UInt8]) {
    let good = bytes("net")
    #expect(throws: KeyError.badValue(value, field: "category", kind: .category)) {
      try layout.port(category: value, port: good)
    }
    #expect(throws: KeyError.badValue(value, field: "port", kind: .port)) {
      try layout.port(category: good, port: value)
    }
    #expect(throws: KeyError.self) { try layout.category(value) }
    #expect(throws: KeyError.self) { try layout.ports(of: value) }
    #expect(throws: KeyError.badValue(value, field: "year", kind: .year)) {
      try layout.key("daily", [("year", value)])
    }
  }

  @Test func unknownNames() {
    #expect(throws: KeyError.unknownFamily("nothing")) { try layout.all(of: "nothing") }
    #expect(throws: KeyError.unknownFamily("")) { try layout.all(of: "") }
    #expect(throws: KeyError.unknownField("port", family: "daily")) {
      try layout.key("daily", ["port": "a"])
    }
    #expect(throws: KeyError.neverCleared(family: "searchlog")) {
      try layout.all(of: "searchlog")
    }
  }

  @Test(arguments: [
    ("graphics", "py-pygeoapi"), ("print", "R-cran-knitr"), ("devel", "libsigc++20"),
    ("x11-toolkits", "gtk+2.0"), ("net", "-a"), ("net", "a..b"),
  ])
  func portsMakeKeys(_ category: String, _ port: String) throws {
    let key = try layout.port(category, port)
    #expect(key.value(of: "category") == bytes(category))
    #expect(key.value(of: "port") == bytes(port))
    #expect(key.value(of: "page") == nil)
  }

  // MARK: Commits

  @Test(arguments: [
    (
      "202001211200.00LC00AB000001@repo.freebsd.org", "202001211200-00lc00ab000001-repo-freebsd-org"
    ),
    ("a", "a"), ("A__B", "a-b"), ("<a@b>", "-a-b-"), ("---", "-"), ("a/../b", "a-b"), ("..", "-"),
    ("a\0b", "a-b"), ("é", "-"), ("a-_-b", "a-b"), ("ABC123def", "abc123def"), ("*", "-"),
    // '@', '[' and '`' stand next to the letters in ASCII.
    ("@[`{", "-"), ("Z@z[A`a{", "z-z-a-a-"),
  ])
  func messageIDsAreFolded(_ messageID: String, _ folder: String) throws {
    let key = try layout.commit(messageID: bytes(messageID))
    #expect(key.value(of: "id").map(text) == folder)
  }

  @Test func messageIDsOfNoUseAreRefused() throws {
    #expect(throws: KeyError.self) { try layout.commit(messageID: []) }
    #expect(throws: KeyError.self) {
      try layout.commit(messageID: [UInt8](repeating: 0x61, count: 256))
    }
    // Runs fold before they count.
    let long = bytes("a") + [UInt8](repeating: 0x40, count: 4_094)
    #expect(try layout.commit(messageID: long).value(of: "id") == bytes("a-"))
    // Of a longer one, only the beginning is asked for.
    #expect(throws: KeyError.self) { try layout.commit(messageID: long + bytes("b")) }
    #expect(try layout.commit(messageID: [0xFF, 0x61, 0x80]).value(of: "id") == bytes("-a-"))
  }

  // MARK: Files

  @Test(arguments: [
    "MOVED", "Mk/Uses/cargo.mk", "net/Makefile", "Mk/bsd.port.mk", "Tools/scripts/a/b/c",
    "net/.git/config",
  ])
  func filesOutsideAPort(_ path: String) throws {
    let key = try layout.file(path: bytes(path))
    #expect(layout.families[key.family].name == "files")
    #expect(key.value(of: "path") == bytes(path))
  }

  @Test(arguments: [
    ("net/openmpi3/Makefile", "Makefile"), ("net/openmpi3/files/patch-a", "files/patch-a"),
    ("net/openmpi3/files/a b*", "files/a b*"),
  ])
  func filesOfAPort(_ path: String, _ file: String) throws {
    let key = try layout.file(path: bytes(path))
    #expect(layout.families[key.family].name == "ports")
    #expect(key.value(of: "category") == bytes("net"))
    #expect(key.value(of: "port") == bytes("openmpi3"))
    #expect(key.value(of: "file") == bytes(file))
  }

  @Test(arguments: [
    "", "/", "/MOVED", "/net/openmpi3/Makefile", "net//openmpi3/Makefile", "//net/a/b",
    "net/openmpi3//Makefile", "net/openmpi3/", "net/openmpi3/Makefile/", "MOVED/", ".", "..",
    "../x", "net/..", "net/../x", "net/openmpi3/..", "net/openmpi3/../../x", "net/openmpi3/./x",
    "net/openmpi3/a\0b", "a\0b", "net/./openmpi3/Makefile",
  ])
  func pathsOfNoUseAreRefused(_ path: String) {
    #expect(throws: KeyError.self) { try layout.file(path: bytes(path)) }
  }

  @Test func longPathsAreRefused() {
    let name = [UInt8](repeating: 0x61, count: 256)
    #expect(throws: KeyError.self) { try layout.file(path: bytes("Mk/") + name) }
    #expect(throws: KeyError.self) { try layout.file(path: bytes("net/a/") + name) }
    #expect(throws: KeyError.self) {
      try layout.file(path: bytes(String(repeating: "Mk/", count: 1_400) + "a"))
    }
  }

  // MARK: Dates

  @Test func datesMakeKeys() throws {
    let date = try #require(CalendarDate(year: 7, month: 2, day: 3))
    let day = try layout.day(date)
    #expect(["year", "month", "day"].map { day.value(of: $0) } == ["0007", "02", "03"].map(bytes))
    let month = try layout.month(year: 2020, month: 1)
    #expect(month.value(of: "month") == bytes("01") && month.value(of: "day") == nil)
    #expect(try layout.year(2020).bindings.map(\.value) == [bytes("2020")])
  }

  @Test func equalKeysAreOne() throws {
    #expect(try layout.port("net", "a") == layout.key("ports", ["category": "net", "port": "a"]))
    #expect(try Set([layout.port("net", "a"), layout.port("net", "a")]).count == 1)
    #expect(try layout.port("net", "a") != layout.port("net", "b"))
  }
}
