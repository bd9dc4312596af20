// SPDX-License-Identifier: BSD-2-Clause
//
// The service manager's end of sd_notify(3): a datagram socket that keeps every message it receives.

import Foundation
import Synchronization

/// A listening notification socket.
public final class NotifySocket: Sendable {
  /// The kind of its name.
  public enum Kind: String, CaseIterable, Sendable {
    /// A file in the file system.
    case path
    /// A name in Linux's abstract namespace, which has no files.
    case abstract
  }

  /// The value for `$NOTIFY_SOCKET`.
  public let name: String

  private let socket: Descriptor
  private let received: Inbox

  /// Makes the socket and keeps every message sent to it.
  public init(_ kind: Kind) throws {
    let path = try Scratch.newPath("notify")
    name = kind == .path ? path : "@" + path
    let socket = startingChildren.withLock { _ in
      let number = Foundation.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
      _ = fcntl(number, F_SETFD, FD_CLOEXEC)
      return Descriptor(number)
    }
    self.socket = socket
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = (kind == .path ? [] : [0]) + Array(path.utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + bytes.count
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket.number, $0, socklen_t(length))
      }
    }
    guard code == 0 else { throw SupportError.system("bind", name) }
    if kind == .path { chmod(path, 0o666) }
    let received = Inbox()
    self.received = received
    Thread.detachNewThread {
      while let bytes = readSome(socket.number) {
        received.messages.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
      }
    }
  }

  deinit {
    shutdown(socket.number, Int32(SHUT_RDWR))
  }

  /// The messages so far, in order.
  public var messages: [String] { received.messages.withLock { $0 } }

  private final class Inbox: Sendable {
    let messages = Mutex<[String]>([])
  }
}
