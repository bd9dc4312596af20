// SPDX-License-Identifier: BSD-2-Clause
//
// `stats` as JSON: the document of the contract, to which keys are only ever added.

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

  /// What `du -s --block-size=1` prints, with and without `--apparent-size`; null when not everything is counted.
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

  /// Each bucket with its upper bound; the last has no bound.
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
    let queues = database.answers.map { answers in
      [("queues", JSON.object(answers.queues.map { ($0.table.name, json($0)) }))]
    }
    return (queues ?? []) + database.json(rules)
  }

  private func json(_ queue: QueueSurvey) -> JSON {
    let contents = queue.contents
    return .object([
      ("rows", contents.map { .integer($0.rows) } ?? .null),
      ("keys", contents?.keys.map { .integer($0) } ?? .null),
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
}
