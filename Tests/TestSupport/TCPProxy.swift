// SPDX-License-Identifier: BSD-2-Clause
//
// A network between a client and a server on this machine, which can fail as a real one does: it stops passing data
// and closes nothing, and some time later it passes data again.

import Foundation
import Synchronization

/// Forwards connections from its own port to 127.0.0.1, until its last reference is released.
public final class TCPProxy: Sendable {
  /// The port on 127.0.0.1 that clients connect to.
  public let port: Int

  private let line: Line

  /// Starts forwarding.
  /// - Parameter target: the server's port on 127.0.0.1.
  public init(to target: Int) throws {
    // Writing to a peer that has disconnected must be an error and must not end the tests.
    signal(SIGPIPE, SIG_IGN)
    let (listener, port) = try Loopback.listen()
    self.port = port
    line = Line(listener, target)
    let line = line
    Thread.detachNewThread { line.accept() }
  }

  deinit { line.cut() }

  /// Holds all data back from now on, and new connections too; closes nothing.
  public func freeze() { line.gate.shut() }

  /// Freezes as soon as a client has sent this text in one piece. The server still gets the text.
  public func freeze(after text: String) { line.trigger.withLock { $0 = Array(text.utf8) } }

  /// Passes data again, starting with the data held back.
  public func thaw() { line.gate.open() }

  /// Sends bytes to the server on every open connection, as if its client had sent them.
  public func inject(_ bytes: [UInt8]) throws {
    for connection in line.connections { try writeAll(bytes, to: connection.server.number) }
  }
}

/// What the proxy's threads share.
private final class Line: Sendable {
  struct Connection: Sendable {
    let client: Descriptor
    let server: Descriptor
  }

  let gate = Gate()
  /// The text that freezes the line once when a client sends it.
  let trigger = Mutex<[UInt8]>([])
  private let listener: Descriptor
  private let target: Int
  private let open = Mutex<[Connection]>([])

  init(_ listener: Descriptor, _ target: Int) {
    self.listener = listener
    self.target = target
  }

  var connections: [Connection] { open.withLock { $0 } }

  /// Accepts connections until the listening socket is shut down.
  func accept() {
    while true {
      let number = Foundation.accept(listener.number, nil, nil)
      guard number >= 0 else {
        if errno == EINTR || errno == ECONNABORTED { continue }
        return
      }
      let client = Descriptor(number)
      gate.pass()
      guard let server = try? Loopback.connect(to: target) else { continue }
      let connection = Connection(client: client, server: server)
      open.withLock { $0.append(connection) }
      Thread.detachNewThread { [self] in carry(client, server) { freezeIfTriggered(by: $0) } }
      Thread.detachNewThread { [self] in
        carry(server, client) { _ in }
        open.withLock { open in open.removeAll { $0.client === client } }
      }
    }
  }

  private func freezeIfTriggered(by bytes: [UInt8]) {
    trigger.withLock { trigger in
      guard !trigger.isEmpty, bytes.indices.contains(where: { bytes[$0...].starts(with: trigger) })
      else { return }
      trigger = []
      gate.shut()
    }
  }

  private func carry(
    _ source: Descriptor, _ destination: Descriptor, _ look: ([UInt8]) -> Void
  ) {
    while let bytes = readSome(source.number) {
      gate.pass()
      // The gate is closed before the server can answer.
      look(bytes)
      guard (try? writeAll(bytes, to: destination.number)) != nil else { break }
    }
    gate.pass()
    shutdown(destination.number, Int32(SHUT_WR))
  }

  func cut() {
    gate.open()
    shutdown(listener.number, Int32(SHUT_RDWR))
    for connection in connections {
      shutdown(connection.client.number, Int32(SHUT_RDWR))
      shutdown(connection.server.number, Int32(SHUT_RDWR))
    }
  }
}

/// Threads wait here while the gate is closed.
private final class Gate: @unchecked Sendable {
  // Safe: `isShut` is read and written with the condition locked.
  private let condition = NSCondition()
  private var isShut = false

  func shut() { condition.withLock { isShut = true } }

  func open() {
    condition.withLock {
      isShut = false
      condition.broadcast()
    }
  }

  func pass() {
    condition.withLock {
      while isShut { condition.wait() }
    }
  }
}

/// TCP sockets on 127.0.0.1.
enum Loopback {
  /// A listening socket and its assigned port.
  static func listen() throws -> (Descriptor, port: Int) {
    let socket = try makeSocket()
    var address = address(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket.number, $0, length) == 0 && Foundation.listen(socket.number, 16) == 0
          ? getsockname(socket.number, $0, &length) : -1
      }
    }
    guard code == 0 else { throw SupportError.system("bind", "127.0.0.1") }
    return (socket, Int(UInt16(bigEndian: address.sin_port)))
  }

  static func connect(to port: Int) throws -> Descriptor {
    let socket = try makeSocket()
    var address = address(port: port)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(socket.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else { throw SupportError.system("connect", "127.0.0.1:\(port)") }
    return socket
  }

  private static func makeSocket() throws -> Descriptor {
    // No child may start before the socket is closed on exec.
    let number = startingChildren.withLock { _ in
      let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      _ = fcntl(number, F_SETFD, FD_CLOEXEC)
      return number
    }
    guard number >= 0 else { throw SupportError.system("socket", "127.0.0.1") }
    return Descriptor(number)
  }

  private static func address(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }
}
