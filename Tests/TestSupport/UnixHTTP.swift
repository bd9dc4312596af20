// SPDX-License-Identifier: BSD-2-Clause
//
// HTTP over Unix domain sockets, just enough for a test's own visitors: one request for each connection.

import Foundation

/// A response.
public struct HTTPResponse: Sendable {
  public let status: Int
  /// The headers, by their names in lower case.
  public let headers: [String: String]
  public let body: String

  init(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { throw SupportError("no response: \(text)") }
    let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count > 1, let status = Int(words[1]) else {
      throw SupportError("no status: \(text)")
    }
    self.status = status
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 {
        headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
      }
    }
    self.headers = headers
    body = String(text[end.upperBound...])
  }
}

enum UnixSocket {
  /// The socket address of a path.
  static func withAddress<Result>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) throws -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw SupportError("a socket's path is too long: \(path)")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  static func make() throws -> Descriptor {
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    guard number >= 0 else { throw SupportError.system("socket", "AF_UNIX") }
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    return Descriptor(number)
  }

  static func readAll(_ number: Int32, until isDone: ([UInt8]) -> Bool = { _ in false }) -> [UInt8]
  {
    var bytes: [UInt8] = []
    while !isDone(bytes), let more = readSome(number) { bytes += more }
    return bytes
  }
}

/// Asks a server at a socket for a path.
/// - Throws: `SupportError` when there is no answer.
public func unixGet(
  _ path: String, at socket: String, host: String, headers: [String: String] = [:]
) throws -> HTTPResponse {
  let connection = try UnixSocket.make()
  guard try UnixSocket.withAddress(socket, { connect(connection.number, $0, $1) }) == 0 else {
    throw SupportError.system("connect", socket)
  }
  let more = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
  let request = "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\(more)\r\n"
  _ = Array(request.utf8).withUnsafeBytes {
    send(connection.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
  }
  return try HTTPResponse(UnixSocket.readAll(connection.number))
}
