// SPDX-License-Identifier: BSD-2-Clause
//
// Keys from the command line and from standard input: how they are cut, that a bad one is known
// by its number before the first is passed on, and that none of this depends on chunks.

import Foundation
import Testing

@testable import Basics
@testable import TestSupport
@testable import fpcache

@Suite("KeyInput") struct KeyInputTests {
  /// Reads keys as a command does: all checked first, then all passed on.
  private func keys(
    _ arguments: [String], _ input: [UInt8] = [], _ separator: KeySeparator = .newline,
    refusing bad: String? = nil
  ) throws -> [String] {
    let file = try Descriptor.temporary(holding: input)
    let keys = try KeyInput(arguments, separator: separator, standardInput: file.number) {
      (key) throws(UserError) in
      if let bad, key == Array(bad.utf8) { throw UserError(.usage, "\(bad): bad") }
    }
    var result: [String] = []
    try keys.each { (key) throws(UserError) in result.append(String(decoding: key, as: UTF8.self)) }
    return result
  }

  private func keys(
    _ arguments: [String], _ input: String, _ separator: KeySeparator = .newline,
    refusing bad: String? = nil
  ) throws -> [String] {
    try keys(arguments, Array(input.utf8), separator, refusing: bad)
  }

  @Test(
    "lines are cut",
    arguments: [
      ("a\nb\n", ["a", "b"]), ("a\nb", ["a", "b"]), ("\n\na\n\n\nb\n\n", ["a", "b"]), ("", []),
      ("\n", []), ("\n\n\n", []), ("a", ["a"]), ("a b\n c \n", ["a b", " c "]),
      ("a\r\nb\r\n", ["a", "b"]), ("a\rb\n", ["a\rb"]), ("\r\n\r\n", []), ("a\r", ["a"]),
      ("a\0b\n", ["a\0b"]), ("-\n", ["-"]), ("ä\n", ["ä"]),
    ])
  func lines(_ input: String, _ expected: [String]) throws {
    #expect(try keys(["-"], input) == expected)
  }

  @Test(
    "-0 cuts at NUL",
    arguments: [
      ("a\0b\0", ["a", "b"]), ("a\0b", ["a", "b"]), ("\0\0a\0\0", ["a"]), ("\0", []), ("", []),
      ("a\nb\0c", ["a\nb", "c"]), ("a\n", ["a\n"]),
    ])
  func nulls(_ input: String, _ expected: [String]) throws {
    #expect(try keys(["-"], input, .null) == expected)
  }

  @Test("bytes are passed on as they are")
  func bytes() throws {
    let file = try Descriptor.temporary(holding: [0xFF, 0xC0, 0x0A, 0x80])
    let input = try KeyInput(["-"], separator: .newline, standardInput: file.number) { _ in }
    var found: [[UInt8]] = []
    try input.each { (key) throws(UserError) in found.append(key) }
    #expect(found == [[0xFF, 0xC0], [0x80]])
  }

  @Test("arguments keep their place among lines")
  func order() throws {
    #expect(try keys(["x", "-", "y"], "a\nb\n") == ["x", "a", "b", "y"])
    #expect(try keys(["x", "y"], "a\n") == ["x", "y"])
    #expect(try keys(["-", "x", "-"], "a\n") == ["a", "x", "a"])
    #expect(try keys([], "a\n") == [])
  }

  @Test("an input that nobody asked for is not read")
  func unread() throws {
    let file = try Descriptor.temporary(holding: Array("a\n".utf8))
    _ = try KeyInput(["x"], separator: .newline, standardInput: file.number) { _ in }
    #expect(lseek(file.number, 0, SEEK_CUR) == 0)
  }

  // MARK: Bad keys

  @Test(
    "a bad line is known by its number",
    arguments: [
      ("bad\n", 1), ("a\nbad\n", 2), ("a\n\nbad", 3), ("\n\n\nbad\nbad\n", 4), ("a\nb\nc\nbad", 4),
    ])
  func badLine(_ input: String, _ ordinal: Int) {
    #expect(throws: UserError(.usage, "standard input, key \(ordinal): bad: bad")) {
      try keys(["x", "-"], input, refusing: "bad")
    }
  }

  @Test("a bad key ended by NUL is known by its number")
  func badKey() {
    #expect(throws: UserError(.usage, "standard input, key 3: bad\n: bad")) {
      try keys(["-"], "a\0\0bad\n\0", .null, refusing: "bad\n")
    }
  }

  @Test("a bad argument is told of before standard input is read")
  func badArgument() throws {
    let file = try Descriptor.temporary(holding: Array("bad\n".utf8))
    let error = #expect(throws: UserError.self) {
      try KeyInput(["-", "bad"], separator: .newline, standardInput: file.number) {
        (key) throws(UserError) in throw UserError(.usage, "bad: bad")
      }
    }
    #expect(error == UserError(.usage, "bad: bad"))
    #expect(lseek(file.number, 0, SEEK_CUR) == 0)
  }

  @Test("what is wrong with the site and not with the key keeps its status")
  func otherStatus() throws {
    let file = try Descriptor.temporary(holding: Array("a\n".utf8))
    let error = #expect(throws: UserError.self) {
      try KeyInput(["-"], separator: .newline, standardInput: file.number) {
        (_) throws(UserError) in throw UserError(.configuration, "no family")
      }
    }
    #expect(error == UserError(.configuration, "standard input, key 1: no family"))
  }

  // MARK: Sizes

  private static let tooLong =
    "longer than 4096 bytes; write one key per line, or end each with NUL and use -0"

  @Test("the longest key is taken, wherever a chunk ends", arguments: [1, 61_440, 65_535, 65_536])
  func longest(_ before: Int) throws {
    let padding = String(repeating: "\n", count: before)
    let key = String(repeating: "k", count: 4096)
    #expect(try keys(["-"], padding + key) == [key])
    #expect(try keys(["-"], padding + key + "\na") == [key, "a"])
  }

  @Test(
    "a key that is too long is refused, ended or not",
    arguments: [4097, 5000, 65_535, 65_536, 65_537, 200_000], ["", "\n", "\nb\n"])
  func tooLong(_ length: Int, _ end: String) {
    #expect(throws: UserError(.usage, "standard input, key 3: " + Self.tooLong)) {
      try keys(["-"], "a\nb\n" + String(repeating: "k", count: length) + end)
    }
  }

  @Test("an endless line is refused as it comes")
  func endless() throws {
    let zero = try Descriptor.open("/dev/zero", O_RDONLY)
    let error = #expect(throws: UserError.self) {
      try KeyInput(["-"], separator: .newline, standardInput: zero.number) { _ in }
    }
    #expect(error == UserError(.usage, "standard input, key 1: " + Self.tooLong))
  }

  @Test("many keys come through whole and in order")
  func many() throws {
    let expected = (0..<60_000).map { "devel/port-\($0)" }
    #expect(try keys(["-"], expected.joined(separator: "\n")) == expected)
    #expect(try keys(["-"], expected.joined(separator: "\0") + "\0", .null) == expected)
  }

  @Test("an input that cannot be read is told of without a key's number")
  func unreadable() throws {
    let folder = try Descriptor.open("/", O_RDONLY)
    let error = #expect(throws: UserError.self) {
      try KeyInput(["-"], separator: .newline, standardInput: folder.number) { _ in }
    }
    #expect(
      error
        == UserError(
          .usage,
          "cannot read standard input: Is a directory; give it keys from a pipe or a file"))
  }
}
