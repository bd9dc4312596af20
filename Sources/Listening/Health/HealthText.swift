// SPDX-License-Identifier: BSD-2-Clause
//
// The listener's health as the status file's JSON and the metrics file's Prometheus text.

import Basics
import PGQueue

extension Health {
  /// - Parameter lastError: the last error that was logged, and when.
  func json(lastError: (at: Int64, message: String)?, pid: Int32) -> JSON {
    .object([
      ("version", .integer(1)),
      ("pid", .integer(Int(pid))),
      ("state", .string(state.rawValue)),
      ("since", Self.time(stateSince)),
      ("started", Self.time(started)),
      ("healthy_at", Self.time(healthyAt)),
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
      ("recheck", recheck.json),
      (
        "last_error",
        lastError.map {
          .object([("at", Self.time($0.at)), ("message", .string($0.message))])
        } ?? .null
      ),
    ])
  }

  private static func time(_ time: Int64?) -> JSON {
    time.map { .string(utcTimestamp(Int($0 / 1_000_000_000))) } ?? .null
  }

  var prometheus: String {
    var text = PrometheusText()
    text.add("fpcache_notifications_total", "counter", "Notifications received.", notifications)
    text.add("fpcache_drains_total", "counter", "Drains completed.", drains)
    text.add("fpcache_rows_total", "counter", "Queue rows retired.", total.rows)
    text.add("fpcache_files_removed_total", "counter", "Files removed.", total.files)
    text.add(
      "fpcache_removed_bytes_total", "counter", "Apparent size of the files removed.",
      Int(total.bytes))
    text.add(
      "fpcache_failures_total", "counter", "Rows and families that could not be cleared at once.",
      total.failures)
    text.add(
      "fpcache_rows_refused_total", "counter", "Rows that named nothing clearable.", total.refused)
    text.add(
      "fpcache_reconnects_total", "counter", "Times the database was lost and found again.",
      reconnects)
    text.add("fpcache_retries_waiting", "gauge", "Rows that wait for another try.", retriesWaiting)
    text.add(
      "fpcache_settle_waiting", "gauge", "Keys that wait to be cleared again.", settleWaiting)
    text.add(
      "fpcache_queues_refused", "gauge",
      "Queues that the server refuses to the listener or lacks, and that the site needs.",
      refused.count)
    if let healthyAt {
      text.add(
        "fpcache_healthy_timestamp_seconds", "gauge",
        "When a drain and a probe had last succeeded.", Int(healthyAt / 1_000_000_000))
    }
    text.add(
      "fpcache_queue_rows", "gauge", "Rows in a queue table at the last poll.",
      backlog.map { ("queue=\"\($0.table.name)\"", "\($0.rows)") })
    text.add(
      "fpcache_queue_oldest_row_age_seconds", "gauge", "Age of the oldest row at the last poll.",
      backlog.compactMap { entry in
        entry.oldestAge.map { ("queue=\"\(entry.table.name)\"", "\($0)") }
      })
    recheck.add(to: &text)
    text.addHistogram(
      "fpcache_notify_to_cleared_seconds", "From a notification's arrival to its drain's end.",
      bounds: Self.buckets, counts: delays, sum: delaySum)
    return text.text
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
