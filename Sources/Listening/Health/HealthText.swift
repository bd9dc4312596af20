// SPDX-License-Identifier: BSD-2-Clause
//
// The listener's health as the JSON of the status file, and as a log line.

import Basics
import PGQueue

extension Health {
  /// - Parameter lastError: the last error that was logged, and its time.
  func json(lastError: (at: Int64, message: String)?, pid: Int32) -> JSON {
    let state: [(String, JSON)] = [
      ("version", .integer(1)),
      ("pid", .integer(Int(pid))),
      ("state", .string(state.rawValue)),
      ("since", Self.time(stateSince)),
      ("started", Self.time(started)),
      ("healthy_at", Self.time(healthyAt)),
    ]
    let error: JSON =
      lastError.map {
        .object([("at", Self.time($0.at)), ("message", .string($0.message))])
      } ?? .null
    return .object(
      state + drained + waiting + [
        ("recheck", recheck.json), ("scrub", scrub.json), ("prune", prune?.json ?? .null),
        ("events", events?.json ?? .null),
        ("last_error", error),
      ])
  }

  private var drained: [(String, JSON)] {
    [
      (
        "last_drain",
        lastDrain.map { drain in
          .object(
            [("at", Self.time(drain.at))] + drain.tally.json + [
              ("duration_seconds", .number(drain.seconds))
            ])
        } ?? .null
      ),
      ("drain_under_way", underWay.map { .object($0.json) } ?? .null),
      ("last_probe", Self.time(lastProbe)),
      ("total", .object(total.json)),
      ("drains", .integer(drains)),
      ("notifications", .integer(notifications)),
      ("reconnects", .integer(reconnects)),
    ]
  }

  private var waiting: [(String, JSON)] {
    [
      ("retries_waiting", .integer(retriesWaiting)),
      ("settle_waiting", .integer(settleWaiting)),
      ("queues_refused", .array(refused.map(JSON.string))),
      (
        "queues_held",
        .array(
          held.map { queue in
            .object([
              ("queue", .string(queue.queue)), ("since", Self.time(queue.since)),
              ("by", .string(queue.holder)),
            ])
          })
      ),
      ("backlog", .array(backlog.map(\.json))),
      ("backlog_at", Self.time(backlog.isEmpty ? nil : backlogAt)),
    ]
  }

  private static func time(_ time: Int64?) -> JSON {
    time.map { .string(utcTimestamp(Int($0 / 1_000_000_000))) } ?? .null
  }
}

extension Health {
  /// The current health in one log line.
  /// - Parameters:
  ///   - total: the counts since the start.
  ///   - now: nanoseconds since the epoch.
  func statusText(total: DrainTally, now: Int64) -> String {
    func ago(_ time: Int64) -> String {
      "\(ageText(max(0, clampedDifference(now, time) / 1_000_000_000))) ago"
    }
    let connection =
      connectedSince.map { "connected since \(timestamp($0))" } ?? "not connected"
    let proof = healthyAt.map { "last proof \(ago($0))" } ?? "never proved"
    let health = healthySince.map { "healthy since \(timestamp($0))" } ?? "not healthy"
    let drain = lastDrain.map { "last drain \(ago($0.at)): \($0.tally.text)" } ?? "no drain yet"
    return """
      \(state.rawValue); \(connection); \(health) (\(proof)); \(drain); \
      \(grouped(retriesWaiting)) to retry, \(counted(settleWaiting, "key")) to clear again; \
      since the start: \(total.text)
      """
  }
}

extension DrainTally {
  var json: [(String, JSON)] {
    [
      ("rows", .integer(rows)), ("keys", .integer(keys)), ("files_removed", .integer(files)),
      ("bytes_removed", .integer(bytes)), ("rows_refused", .integer(refused)),
      ("rows_failed", .integer(failures)),
    ]
  }
}
