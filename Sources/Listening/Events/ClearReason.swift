// SPDX-License-Identifier: BSD-2-Clause
//
// Why a key was cleared, and the line that says so.

import Basics
import CacheFS
import PGQueue

/// Why a key was cleared.
enum ClearReason: Equatable {
  /// A row of this queue names it. The row is still there.
  case queue(QueueTable)
  /// The same, and the row stays for longer than a second, since a writer holds its queue.
  case waiting(QueueTable)
  /// An event asks for the whole family, or the family is emptied after every drain; or a node empties its cache.
  case empty
  /// At a connect: the page may be older than what the site's query says.
  case missed
  case recheck
  case scrub
  /// The second clear.
  case settle
  /// It could not be cleared before.
  case retry

  private var word: String {
    switch self {
    case .queue: "queue"
    case .waiting: "waiting"
    case .empty: "empty"
    case .missed: "missed"
    case .recheck: "recheck"
    case .scrub: "scrub"
    case .settle: "settle"
    case .retry: "retry"
    }
  }

  private var table: QueueTable? {
    switch self {
    case .queue(let table), .waiting(let table): table
    default: nil
    }
  }

  /// The members that lines of one reason and time have in common, with the brace before them.
  /// - Parameter time: nanoseconds since the epoch.
  private func head(at time: Int64) -> [UInt8] {
    var text = Array("{\"version\":1,\"at\":\"\(timestamp(time))\",\"reason\":\"\(word)\",".utf8)
    if let table {
      text += "\"queue\":".utf8
      JSON.append(escaped: Array(table.name.utf8), to: &text)
    } else {
      text += "\"queue\":null".utf8
    }
    text.append(UInt8(ascii: ","))
    return text
  }

  /// The lines of cleared keys, in the order of the keys.
  /// - Parameter reason: the reason of each key. Usually many in a row have the same.
  static func lines(
    _ cleared: [(key: CacheKey, files: Int)], _ layout: Layout, at time: Int64 = currentTime(),
    reason: (Int) -> ClearReason
  ) -> [UInt8] {
    var lines: [UInt8] = []
    var last: (reason: ClearReason, head: [UInt8])?
    for (index, clear) in cleared.enumerated() {
      let reason = reason(index)
      let head = last.flatMap { $0.reason == reason ? $0.head : nil } ?? reason.head(at: time)
      last = (reason, head)
      lines += head
      layout.append(membersOf: clear.key, to: &lines)
      lines += ",\"files_removed\":\(clear.files)}\n".utf8
    }
    return lines
  }
}
