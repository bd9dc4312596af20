// SPDX-License-Identifier: BSD-2-Clause
//
// The nodes that share the queues, and how far each is behind, as a table for people.

import Basics
import PGQueue

extension TextTable {
  /// - Parameter standing: whether to say the state of each node in words, in a column of its own.
  static func nodes(_ nodes: [NodeBacklog], standing: Bool) -> TextTable {
    var table = TextTable(
      columns: [
        Column(title: "NODE", isRight: false), Column(title: "BEHIND"), Column(title: "SINCE"),
        Column(title: "OWED", rank: 1), Column(title: "SEEN"),
      ],
      rows: nodes.map { node in
        [
          node.name.escaped, grouped(node.rows), node.age.map { ageText(whole($0)) } ?? "-",
          grouped(node.owed), ageText(whole(max(0, node.seen))),
        ]
      })
    guard standing else { return table }
    table.columns.append(Column(title: "", isRight: false, isFree: true))
    for (index, node) in nodes.enumerated() { table.rows[index].append(node.standing) }
    return table
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
