// SPDX-License-Identifier: BSD-2-Clause
//
// Notifications that have arrived and were not looked at yet, in little memory however many there are.

import Basics
import CLibpq

/// Notifications of one kind that have arrived.
package struct Notification: Equatable, Sendable {
  /// As the server sends it, in any encoding.
  package let channel: [UInt8]
  /// The backend that sent it.
  package let sender: Int32
  /// Whether its payload is the connection's ``Connection/ownPayload``. The payloads of others are ignored.
  package let isOwn: Bool
  /// The number of notifications.
  package internal(set) var count = 1
}

/// The notifications that a connection has received since they were last taken, each kind once.
struct Inbox {
  private(set) var kinds: [Notification] = []
  private var places: [Kind: Int] = [:]

  /// More kinds than an honest server sends between two looks.
  static let mostKinds = 100_000

  private struct Kind: Hashable {
    let channel: [UInt8]
    let sender: Int32
    let isOwn: Bool
  }

  /// Takes the notifications that libpq has parsed.
  /// - Returns: their number.
  mutating func collect(from handle: OpaquePointer, own: [UInt8]?) -> Int {
    var taken = 0
    while let arrived = PQnotifies(handle) {
      defer { PQfreemem(arrived) }
      taken += 1
      let payload = UnsafeRawBufferPointer(
        start: arrived.pointee.extra, count: strlen(arrived.pointee.extra))
      let kind = Kind(
        channel: [UInt8](
          UnsafeRawBufferPointer(
            start: arrived.pointee.relname, count: strlen(arrived.pointee.relname))),
        sender: arrived.pointee.be_pid, isOwn: own.map { $0.elementsEqual(payload) } ?? false)
      if let place = places[kind] {
        kinds[place].count += 1
      } else {
        places[kind] = kinds.count
        kinds.append(
          Notification(channel: kind.channel, sender: kind.sender, isOwn: kind.isOwn))
      }
    }
    return taken
  }

  /// Returns the notifications and empties the inbox.
  mutating func empty() -> [Notification] {
    defer { self = Inbox() }
    return kinds
  }
}
