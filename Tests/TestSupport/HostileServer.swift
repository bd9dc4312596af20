// SPDX-License-Identifier: BSD-2-Clause
//
// A malicious program that claims to be a PostgreSQL server. It speaks the protocol as far as a client expects, and
// then sends whatever a test likes.

import Foundation
import Synchronization

/// Listens on 127.0.0.1 until its last reference is released. Any number of clients may connect.
public final class HostileServer: Sendable {
  /// The answer to a statement.
  public enum Answer: Sendable {
    /// The statement was executed.
    case done
    /// These bytes, followed by the message that the server is ready for the next statement.
    case bytes([UInt8])
    /// The first bytes once, then the second bytes repeatedly for as long as the client accepts them.
    case endless(after: [UInt8] = [], [UInt8])
  }

  /// The port that clients connect to.
  public let port: Int
  private let listener: Descriptor
  private let clients = Mutex<[Descriptor]>([])
  private let greeting: [UInt8]
  private let answer: @Sendable (String) -> Answer

  /// - Parameters:
  ///   - greeting: sent to each client before it may speak.
  ///   - answer: the answer to a statement that contains this text.
  public init(
    greeting: [UInt8] = [], answer: @escaping @Sendable (String) -> Answer = { _ in .done }
  ) throws {
    signal(SIGPIPE, SIG_IGN)
    (listener, port) = try Loopback.listen()
    self.greeting = greeting
    self.answer = answer
    let listener = listener
    Thread.detachNewThread { [weak self] in
      while true {
        let number = accept(listener.number, nil, nil)
        guard number >= 0 else {
          if errno == EINTR || errno == ECONNABORTED { continue }
          return
        }
        let client = Descriptor(number)
        guard let server = self else { return }
        server.clients.withLock { $0.append(client) }
        Thread.detachNewThread { [weak server] in server?.serve(client) }
      }
    }
  }

  deinit {
    shutdown(listener.number, Int32(SHUT_RDWR))
    for client in clients.withLock({ $0 }) { shutdown(client.number, Int32(SHUT_RDWR)) }
  }

  /// The connection string for a client.
  public var dsn: String { "host=127.0.0.1 port=\(port) dbname=x user=x" }

  private func serve(_ client: Descriptor) {
    do {
      var code: UInt32 = 0
      repeat {
        let packet = try read(try number(from: client) - 4, from: client)
        code = packet.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        // The client asks whether to encrypt; the answer is no.
        if code >> 16 == 1234 { try writeAll([UInt8(ascii: "N")], to: client.number) }
      } while code >> 16 == 1234
      try writeAll(Self.admitted + greeting + Self.welcome, to: client.number)
      var statement = ""
      while true {
        let type = try read(1, from: client)[0]
        let body = try read(try number(from: client) - 4, from: client)
        switch type {
        case UInt8(ascii: "P"): statement = String(decoding: body, as: UTF8.self)
        case UInt8(ascii: "Q"): try reply(to: String(decoding: body, as: UTF8.self), client)
        case UInt8(ascii: "S"): try reply(to: statement, client)
        case UInt8(ascii: "X"): return
        default: break
        }
      }
    } catch {
      // The client has disconnected.
    }
  }

  private func reply(to statement: String, _ client: Descriptor) throws {
    switch answer(statement) {
    case .done:
      try writeAll(Self.message("C", Array("SET\0".utf8)) + Self.ready, to: client.number)
    case .bytes(let bytes): try writeAll(bytes + Self.ready, to: client.number)
    case .endless(let first, let bytes):
      try writeAll(first, to: client.number)
      var block: [UInt8] = []
      repeat { block += bytes } while block.count < 64 << 10
      while true { try writeAll(block, to: client.number) }
    }
  }

  private func number(from client: Descriptor) throws -> Int {
    try read(4, from: client).reduce(0) { $0 << 8 | Int($1) }
  }

  private func read(_ count: Int, from client: Descriptor) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(0, count))
    var filled = 0
    while filled < bytes.count {
      let some = bytes.withUnsafeMutableBytes {
        recv(client.number, $0.baseAddress.map { $0 + filled }, $0.count - filled, 0)
      }
      guard some > 0 else { throw SupportError("the client has left") }
      filled += some
    }
    return bytes
  }

  // MARK: Messages

  /// A message of the protocol (PostgreSQL manual, 55.7).
  public static func message(_ type: Character, _ body: [UInt8]) -> [UInt8] {
    [type.asciiValue ?? 0] + big(UInt32(body.count + 4)) + body
  }

  /// An error or a notice.
  public static func words(_ type: Character, _ text: String) -> [UInt8] {
    message(
      type,
      ["SERROR", "C42000", "M\(text)"].flatMap { Array($0.utf8) + [0] } + [0])
  }

  /// A notification.
  public static func notification(_ channel: String, _ payload: String) -> [UInt8] {
    message("A", big(UInt32(1)) + Array(channel.utf8) + [0] + Array(payload.utf8) + [0])
  }

  /// The messages before the rows of one text column.
  public static let oneColumn = message(
    "T",
    big(UInt16(1)) + Array("c\0".utf8) + big(UInt32(0)) + big(UInt16(0)) + big(UInt32(25))
      + big(UInt16.max) + big(UInt32.max) + big(UInt16(0)))

  /// One such row.
  public static func row(_ text: String) -> [UInt8] {
    message("D", big(UInt16(1)) + big(UInt32(text.utf8.count)) + Array(text.utf8))
  }

  private static let ready = message("Z", [UInt8(ascii: "I")])
  private static let admitted = message("R", big(UInt32(0)))
  private static let welcome =
    message("S", Array("server_version\u{0}15.0\u{0}".utf8))
    + message("K", big(UInt32(1)) + big(UInt32(2))) + ready

  private static func big<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }
}
