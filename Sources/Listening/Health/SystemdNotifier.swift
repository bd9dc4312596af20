// SPDX-License-Identifier: BSD-2-Clause
//
// Sends notifications to systemd, over the datagram socket of sd_notify(3). Without the socket, it sends nothing.

import Basics

/// The supervisor's socket.
package final class SystemdNotifier {
  private let descriptor: CInt
  private var address = sockaddr_un()
  private let addressLength: socklen_t

  /// - Parameter name: `$NOTIFY_SOCKET`: an absolute path, or `@` and an abstract name.
  package init?(_ name: String?) {
    guard let name, let first = name.utf8.first,
      first == UInt8(ascii: "/") || first == UInt8(ascii: "@")
    else { return nil }
    var bytes = Array(name.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    if first == UInt8(ascii: "@") { bytes[0] = 0 }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let pathOffset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
    addressLength = socklen_t(pathOffset + bytes.count)
    descriptor = makeUnixDatagramSocket()
    guard descriptor >= 0 else { return nil }
  }

  deinit { close(descriptor) }

  /// Start-up is complete.
  func ready() { send("READY=1") }

  /// One line about what the listener does.
  func status(_ text: String) { send("STATUS=\(text)") }

  /// The configuration is being read again; `ready` follows.
  func reloading() {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let microseconds = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
  }

  func stopping() { send("STOPPING=1") }

  /// Proof of health.
  func feedWatchdog() { send("WATCHDOG=1") }

  private func send(_ text: String) {
    let bytes = Array(text.utf8)
    withUnsafePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        // A supervisor that does not read must not block us.
        _ = sendto(
          descriptor, bytes, bytes.count,
          Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL),
          address, addressLength)
      }
    }
  }
}
