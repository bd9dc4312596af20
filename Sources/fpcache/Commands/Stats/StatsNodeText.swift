// SPDX-License-Identifier: BSD-2-Clause
//
// `stats` for people: the nodes that share the queues, and how far each is behind.

import Basics
import PGQueue

extension StatsText {
  /// Empty where there are no nodes.
  func nodes(_ nodes: [NodeBacklog]) -> [String] {
    guard !nodes.isEmpty else { return [] }
    return terminal.lines { _ in
      TextTable(
        columns: [
          TextTable.Column(title: "NODE", isRight: false), TextTable.Column(title: "BEHIND"),
          TextTable.Column(title: "SINCE"), TextTable.Column(title: "OWED", rank: 1),
          TextTable.Column(title: "SEEN"),
          TextTable.Column(title: "", isRight: false, isFree: true),
        ],
        rows: nodes.map { node in
          [
            node.name.escaped, grouped(node.rows), node.age.map { ageText(whole($0)) } ?? "-",
            grouped(node.owed), ageText(whole(node.seen)), node.standing,
          ]
        })
    }
  }
}

extension NodeBacklog {
  /// The node's state, besides its numbers.
  fileprivate var standing: String {
    if lost > 0 { return "lost" }
    if emptying != nil { return "to be emptied" }
    return isMover ? "moves rows" : ""
  }
}
