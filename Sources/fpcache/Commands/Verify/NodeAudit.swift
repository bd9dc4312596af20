// SPDX-License-Identifier: BSD-2-Clause
//
// The audit of sites with many nodes: which node is behind, and which is gone.

import Basics
import CacheFS
import PGQueue

extension NodeBacklog {
  /// The findings of an audit about this node.
  /// - Parameters:
  ///   - maxBacklog: how many rows the node may be behind; nil for any number.
  ///   - longestSilence: the number of seconds within which the node should have been seen.
  func findings(maxBacklog: Int?, longestSilence: Double) -> [Finding] {
    [(FindingCode.nodeLost, loss(longestSilence)), (.nodeLag, lag(maxBacklog))].compactMap {
      code, words in
      words.map { Finding(code, name: Array(name.utf8), .words($0)) }
    }
  }

  private func loss(_ longestSilence: Double) -> String? {
    if lost > 0 {
      return
        "has not seen \(counted(lost, "row")) that the log no longer has; it empties its cache "
        + "when it comes back"
    }
    if seen > longestSilence { return "has not been seen for \(durationText(seen))" }
    return nil
  }

  private func lag(_ maxBacklog: Int?) -> String? {
    let isLate = (age ?? 0) > QueueReview.patience || rows > maxBacklog ?? .max
    if isLate {
      let since = age.map { ", the first for \(durationText($0))" } ?? ""
      return "has \(counted(rows, "row")) of the log to clear\(since)"
    }
    if let emptying, emptying > QueueReview.patience {
      return "has had to empty its cache for \(durationText(emptying))"
    }
    return owed > 0 ? "could not clear \(counted(owed, "row")) and tries again" : nil
  }
}
