// SPDX-License-Identifier: BSD-2-Clause
//
// The verdict on the nodes, in words: one sentence for each kind of trouble, the worst first. Each node appears in
// only one of them.

import Basics
import CacheFS
import PGQueue

/// A kind of trouble that nodes can be in.
private struct NodeTrouble {
  let severity: Verdict.Severity
  let isMeant: (NodeBacklog) -> Bool
  /// The words about the nodes in this trouble; they follow the nodes' names.
  let words: ([NodeBacklog]) -> String
}

extension Verdict {
  /// How many nodes are named one by one.
  private static let namedNodes = 5

  /// Empty where there are no nodes.
  /// - Parameters:
  ///   - longestWait: the number of seconds within which a row should be cleared.
  ///   - longestSilence: the number of seconds within which a node should have been seen.
  static func nodes(
    _ nodes: [NodeBacklog], longestWait: Double, longestSilence: Double
  ) -> [Verdict] {
    guard !nodes.isEmpty else { return [] }
    var verdicts: [Verdict] = []
    var rest = nodes
    for trouble in troubles(longestWait, longestSilence) {
      let meant = rest.filter(trouble.isMeant)
      guard !meant.isEmpty else { continue }
      rest.removeAll(where: trouble.isMeant)
      verdicts.append(
        Verdict(severity: trouble.severity, text: "\(names(meant)) \(trouble.words(meant))"))
    }
    if verdicts.isEmpty {
      let who = nodes.count == 1 ? "the only node is" : "all \(grouped(nodes.count)) nodes are"
      return [Verdict(severity: .good, text: "\(who) at the end of the log")]
    }
    return verdicts
  }

  private static func troubles(
    _ longestWait: Double, _ longestSilence: Double
  ) -> [NodeTrouble] {
    [
      NodeTrouble(severity: .bad, isMeant: { $0.lost > 0 }) { meant in
        meant.isOne
          ? "must empty its cache: the log no longer has rows that it has not read"
          : "must empty their caches: the log no longer has rows that they have not read"
      },
      NodeTrouble(severity: .bad, isMeant: { $0.seen >= longestSilence }) { meant in
        let seen = durationText(meant.map(\.seen).min() ?? 0)
        return "\(meant.isOne ? "has" : "have") not been seen for \(seen)\(lag(meant))"
      },
      NodeTrouble(severity: .waiting, isMeant: { $0.emptying != nil }) { meant in
        meant.isOne ? "is emptying its cache" : "are emptying their caches"
      },
      NodeTrouble(severity: .bad, isMeant: { ($0.age ?? 0) >= longestWait }) { meant in
        "\(meant.isOne ? "is" : "are") behind\(lag(meant))"
      },
      NodeTrouble(severity: .bad, isMeant: { $0.owed > 0 }) { meant in
        let rows = counted(meant.reduce(0) { $0 + $1.owed }, "row")
        return "could not clear \(rows) and \(meant.isOne ? "tries" : "try") again"
      },
      NodeTrouble(severity: .waiting, isMeant: { $0.rows > 0 }) { meant in
        "\(meant.isOne ? "is" : "are") behind\(lag(meant))"
      },
    ]
  }

  private static func names(_ nodes: [NodeBacklog]) -> String {
    let names = nodes.prefix(namedNodes).map(\.name.escaped)
    let more = nodes.count - names.count
    let all = listed(names + (more > 0 ? ["\(grouped(more)) more"] : []), "and")
    return "\(nodes.isOne ? "node" : "nodes") \(all)"
  }

  /// The longest lag, if any node lags.
  private static func lag(_ nodes: [NodeBacklog]) -> String {
    guard let rows = nodes.map(\.rows).max(), rows > 0 else { return "" }
    let age = nodes.compactMap(\.age).max().map { " and \(durationText($0))" } ?? ""
    return " by \(nodes.isOne ? "" : "up to ")\(counted(rows, "row"))\(age)"
  }
}

extension [NodeBacklog] {
  fileprivate var isOne: Bool { count == 1 }
}
