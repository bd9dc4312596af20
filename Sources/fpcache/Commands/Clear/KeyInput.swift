// SPDX-License-Identifier: BSD-2-Clause
//
// The keys of a clear: the keys of the command line and, for `-`, the keys of standard input.
//
// Standard input is read and checked to its end before the first page is touched, so that a bad key changes nothing.
// The keys wait in an unlinked temporary file, so that any number of keys takes the same memory.

import Basics
import SystemPackage

/// What ends a key on standard input.
enum KeySeparator: UInt8 {
  case newline = 0x0A
  case null = 0
}

/// A source of keys, in order.
struct KeyInput {
  /// Longer than any key. A longer line is refused, so that it cannot fill the memory.
  static let longestKey = 4096
  /// How many bytes are read at a time.
  private static let chunkSize = 64 * 1024

  private let arguments: [String]
  private let separator: KeySeparator
  /// The content of standard input; nil when `-` was not given.
  private let spool: Spool?
  /// How many keys ``each(_:)`` passes on, duplicates included.
  let count: Int

  /// Takes the arguments, and all of standard input when one of them is `-`.
  /// - Parameter check: throws for text that is not a key.
  /// - Throws: ``UserError`` with status 64 for the first bad key.
  init(
    _ arguments: [String], separator: KeySeparator, standardInput: CInt = STDIN_FILENO,
    check: ([UInt8]) throws(UserError) -> Void
  ) throws(UserError) {
    self.arguments = arguments
    self.separator = separator
    for argument in arguments where argument != "-" { try check(Array(argument.utf8)) }
    guard arguments.contains("-") else {
      spool = nil
      count = arguments.count
      return
    }
    let spool = try Spool()
    var splitter = Splitter(separator)
    var ordinal = 0
    var waiting = 0
    func checkNext(_ key: [UInt8]) throws(UserError) {
      ordinal += 1
      do throws(UserError) {
        guard key.count <= Self.longestKey else {
          throw UserError(
            .usage,
            "longer than \(Self.longestKey) bytes; write one key per line, "
              + "or end each with NUL and use -0")
        }
        if !key.isEmpty {
          try check(key)
          waiting += 1
        }
      } catch {
        throw UserError(error.status, "standard input, key \(ordinal): \(error.message)")
      }
    }
    try Self.read(standardInput) { (chunk) throws(UserError) in
      try splitter.feed(chunk, checkNext)
      try spool.append(chunk)
    }
    try splitter.finish(checkNext)
    self.spool = spool
    let dashes = arguments.count { $0 == "-" }
    count = arguments.count - dashes + dashes * waiting
  }

  /// Calls `body` with each key, in order; skips empty lines.
  /// - Throws: ``UserError``.
  func each(_ body: ([UInt8]) throws(UserError) -> Void) throws(UserError) {
    for argument in arguments {
      guard argument == "-" else {
        try body(Array(argument.utf8))
        continue
      }
      guard let descriptor = spool?.rewind() else { continue }
      var splitter = Splitter(separator)
      func passOn(_ key: [UInt8]) throws(UserError) { if !key.isEmpty { try body(key) } }
      try Self.read(descriptor) { (chunk) throws(UserError) in try splitter.feed(chunk, passOn) }
      try splitter.finish(passOn)
    }
  }

  private static func read(
    _ descriptor: CInt, _ body: (ArraySlice<UInt8>) throws(UserError) -> Void
  ) throws(UserError) {
    var chunk = [UInt8](repeating: 0, count: chunkSize)
    while true {
      let count: Int
      do throws(Errno) {
        count = try readSome(descriptor, into: &chunk)
      } catch {
        throw UserError(
          .usage,
          "cannot read standard input: \(error); give it keys from a pipe or a file")
      }
      if count == 0 { return }
      try body(chunk[..<count])
    }
  }
}

/// Splits a stream of chunks into keys, empty ones included.
private struct Splitter {
  private let separator: UInt8
  private var pending: [UInt8] = []

  init(_ separator: KeySeparator) { self.separator = separator.rawValue }

  mutating func feed(
    _ chunk: ArraySlice<UInt8>, _ body: ([UInt8]) throws(UserError) -> Void
  ) throws(UserError) {
    var rest = chunk
    while let end = rest.firstIndex(of: separator) {
      try body(line(pending + rest[..<end]))
      pending.removeAll(keepingCapacity: true)
      rest = rest[(end + 1)...]
    }
    pending += rest
    // The line is refused now, without its end. To wait for the end would fill the memory.
    if pending.count > KeyInput.longestKey { try body(pending) }
  }

  mutating func finish(_ body: ([UInt8]) throws(UserError) -> Void) throws(UserError) {
    if !pending.isEmpty { try body(line(pending)) }
    pending = []
  }

  /// Lines may end as on Windows.
  private func line(_ key: [UInt8]) -> [UInt8] {
    separator == KeySeparator.newline.rawValue && key.last == UInt8(ascii: "\r")
      ? key.dropLast() : key
  }
}

/// Bytes that wait to be read again: a temporary file without a name.
private final class Spool {
  private let descriptor: CInt

  init() throws(UserError) {
    let named = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    let folder = named.isEmpty ? "/tmp" : named
    var name = Array("\(folder)/fpcache.XXXXXX".utf8CString)
    descriptor = mkstemp(&name)
    guard descriptor >= 0 else {
      throw UserError(
        .incomplete,
        "\(folder): cannot create a temporary file for standard input: "
          + "\(Errno(rawValue: errno)); set TMPDIR to a writable folder")
    }
    unlink(name)
  }

  deinit { close(descriptor) }

  func append(_ bytes: ArraySlice<UInt8>) throws(UserError) {
    var rest = bytes
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        throw UserError(
          .incomplete,
          "cannot write the temporary file for standard input: \(Errno(rawValue: errno)); "
            + "set TMPDIR to a folder with free space")
      }
      rest = rest.dropFirst(written)
    }
  }

  /// The descriptor, set back to the beginning.
  func rewind() -> CInt {
    lseek(descriptor, 0, SEEK_SET)
    return descriptor
  }
}
