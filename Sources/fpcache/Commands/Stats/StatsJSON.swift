// SPDX-License-Identifier: BSD-2-Clause
//
// `stats` as JSON: the document of the contract, which only grows.

import Basics
import CacheFS
import Listening
import PGQueue

extension Overview {
  var json: JSON {
    var members: [(String, JSON)] = [("version", .integer(1))]
    if scope == .all { members += treeMembers } else { members.append(("at", timestamp(now))) }
    members += databaseMembers
    if let json = statusFile.json(age) { members.append(("status_file", json)) }
    members.append(
      (
        "verdict",
        .array(
          Verdict.of(self).map {
            .object([("severity", .string($0.severity.rawValue)), ("text", .string($0.text))])
          })
      ))
    if let rates { members.append(("rates", json(rates))) }
    if scope == .all {
      members.append(("failures", .array(tree.failures.map(\.json))))
      members.append(("failure_count", .integer(tree.failureCount)))
    }
    return .object(members)
  }

  // MARK: The tree

  private var treeMembers: [(String, JSON)] {
    var members: [(String, JSON)] = [
      ("cache_dir", .string(directory)),
      ("at", timestamp(now)),
      ("scan_seconds", .number(scanSeconds)),
      ("older_than_seconds", olderThan.map { .integer($0.seconds) } ?? .null),
      ("families", .object(rows.dropLast().map { ($0.name, json($0)) })),
      ("unknown", .object(rows.suffix(1).flatMap(members))),
      ("total", json(total)),
      ("du", du),
      ("ages", json(tree.ages, "up_to_seconds")),
      ("sizes", json(tree.sizes, "up_to_bytes")),
    ]
    if let field = query.groupBy { members += groups(field) }
    if query.top != nil {
      members.append(
        (
          "largest",
          .array(
            tree.largest.map {
              .object([("path", .string("\($0.path)")), ("bytes", .integer($0.bytes))])
            })
        ))
    }
    return members
  }

  /// What `du -s --block-size=1` says, with and without `--apparent-size`; null when not all is
  /// counted.
  private var du: JSON {
    if olderThan != nil { return .null }
    return .object([
      ("apparent_bytes", .integer(tree.apparentBytes)), ("disk_bytes", .integer(tree.diskBytes)),
    ])
  }

  private func json(_ row: Row) -> JSON { .object(members(row)) }

  private func members(_ row: Row) -> [(String, JSON)] {
    let folders = olderThan == nil ? row.folders : nil
    return members(row.tally) + [
      ("folders", folders.map { .integer($0.folders) } ?? .null),
      ("folder_bytes", folders.map { .integer($0.bytes) } ?? .null),
      ("folder_disk_bytes", folders.map { .integer($0.diskBytes) } ?? .null),
    ]
  }

  private func members(_ tally: FileTally) -> [(String, JSON)] {
    [
      ("files", .integer(tally.files)), ("bytes", .integer(tally.bytes)),
      ("disk_bytes", .integer(tally.diskBytes)), ("share", .number(share(tally))),
      ("oldest", timestamp(tally.oldest)), ("newest", timestamp(tally.newest)),
      ("oldest_age_seconds", age(tally.oldest).map(JSON.integer) ?? .null),
      ("newest_age_seconds", age(tally.newest).map(JSON.integer) ?? .null),
    ]
  }

  private func timestamp(_ time: Int64?) -> JSON {
    time.map { .string(utcTimestamp(Int($0 / 1_000_000_000))) } ?? .null
  }

  /// Each bucket with its largest number; the last has none.
  private func json(_ histogram: Histogram, _ bound: String) -> JSON {
    .array(
      histogram.buckets.indices.map { index in
        let bucket = histogram.buckets[index]
        let limit = index < histogram.bounds.count ? JSON.integer(histogram.bounds[index]) : .null
        return .object([
          (bound, limit), ("files", .integer(bucket.files)), ("bytes", .integer(bucket.bytes)),
        ])
      })
  }

  private func groups(_ field: String) -> [(String, JSON)] {
    [
      ("group_by", .string(field)),
      (
        "groups",
        .array(
          tree.groups.map { .object([("value", .string(escape($0.value)))] + members($0.tally)) })
      ),
      (
        "other_groups",
        .object([("groups", .integer(tree.otherGroups.count))] + members(tree.otherGroups.tally))
      ),
      ("ungrouped", .object(members(tree.ungrouped))),
    ]
  }

  private func json(_ rates: Rates) -> JSON {
    func pair(_ files: Double, _ bytes: Double) -> JSON {
      .object([("files_per_second", .number(files)), ("bytes_per_second", .number(bytes))])
    }
    let rows = zip(self.rows, zip(rates.files, rates.bytes))
      .map { ($0.name, pair($1.0, $1.1)) }
    let queues = zip(database.answers?.queues ?? [], rates.queueRows).map {
      ($0.table.name, JSON.object([("rows_per_second", $1.map(JSON.number) ?? .null)]))
    }
    let tree: [(String, JSON)] = [
      ("families", .object(rows)), ("total", pair(rates.totalFiles, rates.totalBytes)),
    ]
    return .object(
      [("interval_seconds", .number(rates.seconds))] + (scope == .all ? tree : [])
        + [("queues", .object(queues))])
  }

  // MARK: The database

  private var databaseMembers: [(String, JSON)] {
    switch database {
    case .notAsked: return []
    case .failed(let error): return [("database_error", .string(error.explanation))]
    case .done(let answers):
      return [
        ("queues", .object(answers.queues.map { ($0.table.name, json($0)) })),
        ("channels", answers.channels.map { .array($0.map(json)) } ?? .null),
        ("nodes", .array(answers.nodes.map(json))),
        ("listening", .array(answers.server.listening.map(json))),
        ("sessions_hidden", .integer(answers.server.hidden)),
        ("notification_queue_usage", .number(answers.server.notificationQueueUsage)),
        (
          "database_error",
          answers.refused.first.map { .string("\($0.table): \($0.words)") } ?? .null
        ),
        (
          "not_checked",
          .array(
            answers.refused.map {
              .object([
                ("subject", .string($0.table)), ("message", .string($0.words)),
                ("grant", $0.grant.map(JSON.string) ?? .null),
              ])
            })
        ),
      ]
    }
  }

  private func json(_ queue: QueueSurvey) -> JSON {
    let contents = queue.contents
    return .object([
      ("rows", contents.map { .integer($0.rows) } ?? .null),
      ("keys", contents.map { .integer($0.keys) } ?? .null),
      ("oldest", contents?.oldest.map(json) ?? .null),
      ("newest", contents?.newest.map(json) ?? .null),
      ("first_keys", .array((contents?.firstKeys ?? []).map { .string(keyText($0)) })),
    ])
  }

  private func json(_ row: QueueSurvey.Row) -> JSON {
    .object([
      ("key", .string(keyText(row.key))),
      ("added", row.added.map { .string(escape($0)) } ?? .null),
      ("age_seconds", row.age.map(JSON.number) ?? .null),
    ])
  }

  private func json(_ channel: Channel) -> JSON {
    .object([
      ("name", .string(escape(channel.name))), ("script_name", .string(channel.scriptName.escaped)),
      ("known", .boolean(channel.event != nil)), ("clears", .string(rules.effect(of: channel))),
    ])
  }

  private func json(_ node: NodeBacklog) -> JSON {
    .object([
      ("name", .string(node.name.escaped)), ("lag_rows", .integer(node.rows)),
      ("lag_seconds", .number(max(0, node.age ?? 0))), ("owed_rows", .integer(node.owed)),
      ("seen_seconds", .number(max(0, node.seen))), ("lost_rows", .integer(node.lost)),
      ("must_empty", .boolean(node.emptying != nil)), ("mover", .boolean(node.isMover)),
    ])
  }

  private func json(_ session: ListeningSession) -> JSON {
    .object([
      ("process", .integer(Int(session.process))), ("role", .string(session.role.escaped)),
      ("application_name", .string(session.applicationName.escaped)),
      ("fpcache", .boolean(session.isListener)),
      ("connected_seconds", session.age.map(JSON.number) ?? .null),
    ])
  }
}

extension RecheckHealth {
  fileprivate func json(_ age: (Int64?) -> Int64?) -> JSON {
    .object([
      ("age_seconds", age(at).map(JSON.integer) ?? .null), ("keys", .integer(keys)),
      (
        "families",
        .array(
          families.map { family in
            .object([
              ("family", .string(family.family.escaped)), ("missed", .integer(family.missed)),
              ("refused", .integer(family.refused)),
              ("problem", family.problem.map { .string(withoutControls($0)) } ?? .null),
            ])
          })
      ),
    ])
  }
}

extension ScrubHealth {
  fileprivate func json(_ age: (Int64?) -> Int64?) -> JSON {
    .object([
      ("age_seconds", age(at).map(JSON.integer) ?? .null), ("pages", .integer(pages)),
      ("cleared", .integer(cleared)), ("refused", .integer(refused)),
      (
        "families",
        .array(
          families.map { family in
            .object([
              ("family", .string(family.family.escaped)), ("found", .integer(family.found)),
              ("cleared", .integer(family.cleared)), ("refused", .integer(family.refused)),
              ("missed", .integer(family.missed)),
              ("problem", family.problem.map { .string(withoutControls($0)) } ?? .null),
            ])
          })
      ),
    ])
  }
}

extension StatusFile {
  /// Nil when nobody has named one.
  fileprivate func json(_ age: (Int64?) -> Int64?) -> JSON? {
    func seconds(_ time: Int64?) -> JSON { age(time).map(JSON.integer) ?? .null }
    switch self {
    case .notNamed: return nil
    case .missing(let path):
      return .object([("path", .string(path.escaped)), ("error", .string("none"))])
    case .unreadable(let path, let why):
      return .object([("path", .string(path.escaped)), ("error", .string(why))])
    case .read(let path, let status):
      return .object([
        ("path", .string(path.escaped)), ("error", .null),
        ("process", .integer(status.process)), ("running", .boolean(status.isAlive)),
        ("state", .string(status.state.escaped)), ("state_seconds", seconds(status.stateSince)),
        ("healthy_age_seconds", seconds(status.healthyAt)),
        ("last_drain_age_seconds", seconds(status.lastDrain)),
        ("rows", .integer(status.rows)), ("retries_waiting", .integer(status.retriesWaiting)),
        ("settle_waiting", .integer(status.settleWaiting)),
        ("queues_refused", .array(status.refused.map { .string($0.escaped) })),
        ("recheck", status.recheck?.json(age) ?? .null),
        ("scrub", status.scrub?.json(age) ?? .null),
        ("last_error", status.lastError.map { .string(withoutControls($0.message)) } ?? .null),
        ("last_error_age_seconds", seconds(status.lastError?.at)),
      ])
    }
  }
}
