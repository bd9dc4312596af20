// SPDX-License-Identifier: BSD-2-Clause
//
// The events that a listener has written, as another program reads them.

import Foundation

/// One line of an events file.
public struct EventLine: Hashable, Sendable, CustomStringConvertible {
  public let reason: String
  public let queue: String?
  public let family: String
  public let key: [String: String]
  public let files: Int

  /// Such as `ports category=www port=nginx`.
  public var name: String {
    ([family] + key.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
      .joined(separator: " ")
  }

  public var description: String { "\(reason) \(queue ?? "-") \(name) \(files)" }

  /// Nil for a line that is no event, as a crash may leave one.
  init?(_ text: Substring) {
    guard
      let json = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
      json["version"] as? Int == 1, (json["at"] as? String)?.count == 20,
      let reason = json["reason"] as? String, let family = json["family"] as? String,
      let key = json["key"] as? [String: String], let files = json["files_removed"] as? Int
    else { return nil }
    self.reason = reason
    self.family = family
    self.key = key
    self.files = files
    queue = json["queue"] as? String
  }

  /// The whole lines of a file.
  public static func all(in text: String) -> (events: [EventLine], others: Int) {
    // What follows the last newline is not a line yet.
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    let events = lines.compactMap(EventLine.init)
    return (events, lines.count - events.count)
  }
}
