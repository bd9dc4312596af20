// SPDX-License-Identifier: BSD-2-Clause
//
// Many web nodes on one database: `fpcache listen --node` for each tree, and for the comparison a
// listener of the old shape for each. One of them at random is killed when the cell says so.

import Foundation
import PGQueue
import TestSupport

/// Several listeners as one.
class Subjects: Subject {
  let all: [any Subject]
  private var random = SystemRandomNumberGenerator()

  init(_ all: [any Subject]) { self.all = all }

  func start() throws { for subject in all { try subject.start() } }
  func stop() throws { for subject in all { try subject.stop() } }
  func killAndRestart() throws { try all.randomElement(using: &random)?.killAndRestart() }
  var isSettled: Bool { get throws { try all.allSatisfy { try $0.isSettled } } }
  var drains: Int { all.reduce(0) { $0 + $1.drains } }
}

/// `fpcache listen --node` on each tree of a site.
final class NodesSubject: Subjects {
  private let session: Session
  private let database: TestDatabase

  init(_ site: Site, settle: Duration) throws {
    database = site.database
    session = Session(site.database.dsn)
    try database.prepareForNodes()
    // Each row that is committed to the queue has to come into the log once, and is counted.
    try database.sql(
      """
      CREATE TABLE queued (id integer);
      CREATE FUNCTION count_queued() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO queued VALUES (NEW.id); RETURN NULL; END $$;
      CREATE TRIGGER count_queued AFTER INSERT ON cache_clearing_ports
        FOR EACH ROW EXECUTE FUNCTION count_queued();
      """)
    super.init(
      try site.trees.enumerated().map {
        try FpcacheSubject(site, tree: $1, ["--node", "web\($0 + 1)"], settle: settle)
      })
  }

  /// Starts them and waits until each has emptied its cache: from then on none may do so again.
  override func start() throws {
    try super.start()
    try eventually(timeout: .seconds(60), "all nodes are registered", details: log) {
      try areAtTheEnd
    }
  }

  /// Whether every node has cleared all that is in the log, and what they hold on to is settled.
  override var isSettled: Bool { get throws { try areAtTheEnd && super.isSettled } }

  private var areAtTheEnd: Bool {
    get throws {
      try session.insist { connection in
        try connection.query(
          """
          SELECT count(*) FILTER (WHERE cursor = last_id AND NOT must_empty) = \(all.count) \
          AND NOT EXISTS (SELECT FROM fpcache_owed) FROM fpcache_node CROSS JOIN fpcache_head
          """
        ).text(0, 0)
      } == "t"
    }
  }

  /// - Throws: `SupportError` when a row of the queue came into the log twice or not at all, or a
  ///   node was registered more than once.
  func checkLog() throws {
    let counts = try database.sql("SELECT (SELECT count(*) FROM queued), last_id FROM fpcache_head")
    let numbers = counts.split(separator: "|")
    guard numbers.count == 2, numbers[0] == numbers[1] else {
      throw SupportError("rows of the queue and of the log: \(counts)")
    }
    for line in log.split(separator: "\n") where line.contains(" error: node ") {
      throw SupportError("a node has begun anew: \(line)")
    }
  }

  /// What their processes have logged so far.
  var log: String {
    all.compactMap { ($0 as? FpcacheSubject)?.log }.joined(separator: "\n")
  }
}
