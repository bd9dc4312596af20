// SPDX-License-Identifier: BSD-2-Clause
//
// A test's own application behind nginx, by HTTP, SCGI or uwsgi.

import Foundation

/// An application that answers a proxy's requests.
public final class UnixApplication: Sendable {
  /// How it speaks with the proxy; as nginx names the module.
  public enum Form: String, Sendable, CaseIterable {
    case proxy
    case scgi
    case uwsgi
  }

  public struct Answer: Sendable {
    public var headers: [String: String]
    public var body: String
    public var status = "200 OK"

    public init(_ body: String, headers: [String: String] = [:]) {
      self.body = body
      self.headers = headers
    }

    /// There is no such page.
    public static let missing: Answer = {
      var answer = Answer("no such page\n")
      answer.status = "404 Not Found"
      return answer
    }()

    static let down: Answer = {
      var answer = Answer("")
      answer.status = "503 Down"
      return answer
    }()
  }

  /// Takes the request's path; returns nil for a server error.
  public typealias Handler = @Sendable (String) -> Answer?

  public let path: String
  private let form: Form
  private let listener: Descriptor

  /// Listens at its own path. Any user may connect to it.
  public init(_ form: Form = .proxy, _ handler: @escaping Handler) throws {
    self.form = form
    path = try Scratch.makeFolder("app") + "/app.sock"
    let path = path
    listener = try UnixSocket.make()
    let number = listener.number
    guard try UnixSocket.withAddress(path, { bind(number, $0, $1) }) == 0,
      chmod(path, 0o777) == 0, listen(number, 128) == 0
    else { throw SupportError.system("listen", path) }
    Thread.detachNewThread {
      while true {
        let connection = accept(number, nil, nil)
        if connection < 0 {
          if errno == EINTR || errno == ECONNABORTED { continue }
          return
        }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        Thread.detachNewThread { Self.serve(Descriptor(connection), form, handler) }
      }
    }
  }

  deinit { shutdown(listener.number, Int32(SHUT_RDWR)) }

  private static func serve(_ connection: Descriptor, _ form: Form, _ handler: Handler) {
    let bytes = UnixSocket.readAll(connection.number) { form.path(in: $0) != nil }
    guard let path = form.path(in: bytes) else { return }
    let answer = handler(path) ?? .down
    var lines = [
      (form == .scgi ? "Status: " : "HTTP/1.1 ") + answer.status, "Connection: close",
      "Content-Length: \(answer.body.utf8.count)",
    ]
    for (name, value) in answer.headers { lines.append("\(name): \(value)") }
    let text = lines.joined(separator: "\r\n") + "\r\n\r\n" + answer.body
    // The client may be gone. That must not send a signal to the tests.
    _ = Array(text.utf8).withUnsafeBytes {
      send(connection.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }
}

extension UnixApplication.Form {
  /// The path of a request; nil as long as the request is not whole.
  fileprivate func path(in bytes: [UInt8]) -> String? {
    switch self {
    case .proxy:
      guard bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) else { return nil }
      let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 2)
      return words.count == 3 ? String(words[1]) : nil
    case .scgi:
      // LENGTH:NAME<0>VALUE<0>...,
      guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
        let length = Int(String(decoding: bytes[..<colon], as: UTF8.self)),
        bytes.count > colon + 1 + length
      else { return nil }
      let words = bytes[(colon + 1)..<(colon + 1 + length)]
        .split(separator: 0, omittingEmptySubsequences: false)
      return Self.uri(words)
    case .uwsgi:
      // One byte, the length of the rest, one byte; then names and values, each after its length.
      guard bytes.count >= 4, bytes.count >= 4 + Self.number(bytes, 1) else { return nil }
      var words: [ArraySlice<UInt8>] = []
      var place = 4
      while place + 2 <= bytes.count {
        let end = min(place + 2 + Self.number(bytes, place), bytes.count)
        words.append(bytes[(place + 2)..<end])
        place = end
      }
      return Self.uri(words)
    }
  }

  private static func number(_ bytes: [UInt8], _ place: Int) -> Int {
    Int(bytes[place]) | Int(bytes[place + 1]) << 8
  }

  /// The value behind its name.
  private static func uri(_ words: [ArraySlice<UInt8>]) -> String? {
    let name = words.firstIndex { $0.elementsEqual("REQUEST_URI".utf8) }
    return name.flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
      .map { String(decoding: $0, as: UTF8.self) }
  }
}

extension UnixApplication: NginxUpstream {
  public var module: String { form.rawValue }

  public var pass: String {
    switch form {
    case .proxy: "proxy_pass http://unix:\(path);"
    case .scgi, .uwsgi:
      "\(module)_pass unix:\(path); \(module)_param REQUEST_URI $request_uri;"
    }
  }
}
