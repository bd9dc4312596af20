// SPDX-License-Identifier: BSD-2-Clause
//
// A psql that stays open on one connection, so that a test can hold a transaction, a lock or a LISTEN for as long as
// it likes and continue in the middle of it.

import Foundation
import Synchronization

/// An open psql. It runs one statement at a time, so each writer needs its own session.
public final class PsqlSession: Sendable {
  private let pid: pid_t
  private let input: Descriptor
  private let output: Descriptor
  private let statements = Mutex(0)

  init(program: String, dsn: String) throws {
    let (inputEnd, input) = try Descriptor.pipe()
    let (output, outputEnd) = try Descriptor.pipe()
    self.input = input
    self.output = output
    // Both streams go to one place, because an error message belongs to its statement.
    pid = try Command(program, ["-XAtq", "-d", dsn]).start(
      (inputEnd.number, outputEnd.number, outputEnd.number))
    try sql("SET client_min_messages = warning")
  }

  deinit {
    killAndReap(pid)
  }

  /// Runs statements and waits for them, even while they are blocked.
  /// - Returns: the result, and what psql prints beside it, such as a notification.
  /// - Throws: `SupportError` with psql's message if one fails; the session stays usable.
  @discardableResult
  public func sql(_ sql: String) throws -> String {
    try begin(sql)
    return try finish()
  }

  /// Sends statements and does not wait for them; `finish` waits. For a writer that will be blocked.
  public func begin(_ sql: String) throws {
    let number = statements.withLock { $0 }
    try writeAll(Array("\(sql)\n;\n\\echo end-of-statement-\(number)\n".utf8), to: input.number)
  }

  /// Waits for the statements that `begin` has sent.
  /// - Returns: the same as `sql`.
  @discardableResult
  public func finish(timeout: Duration = .seconds(30)) throws -> String {
    let mark = statements.withLock { number in
      defer { number += 1 }
      return "end-of-statement-\(number)\n"
    }
    let deadline = ContinuousClock().now + timeout
    var bytes: [UInt8] = []
    while true {
      let text = String(decoding: bytes, as: UTF8.self)
      if text.hasSuffix(mark) {
        let result = text.dropLast(mark.count).trimmingCharacters(in: .newlines)
        if result.contains("ERROR:") || result.contains("FATAL:") { throw SupportError(result) }
        return result
      }
      let left = deadline - ContinuousClock().now
      var ready = pollfd(fd: output.number, events: Int16(POLLIN), revents: 0)
      let milliseconds = Int32(max(0, left / .milliseconds(1)))
      guard poll(&ready, 1, milliseconds) > 0, let more = readSome(output.number) else {
        throw SupportError("psql did not answer within \(timeout), or has left: \(text)")
      }
      bytes += more
    }
  }
}
