// SPDX-License-Identifier: BSD-2-Clause
//
// The listener's health as the text of the metrics file.

import Basics
import PGQueue

extension Health {
  /// - Parameters:
  ///   - version: of the program.
  ///   - now: nanoseconds since the epoch.
  func prometheus(version: String, now: Int64) -> String {
    var text = PrometheusText()
    text.add(.buildInfo, [Sample(1, version)])
    text.add(.started, time: started)
    text.add(.written, time: now)
    text.add(.state, State.allCases.map { Sample($0 == state ? 1 : 0, $0.rawValue) })
    text.add(.stateSince, time: stateSince)
    text.add(.healthyAt, time: healthyAt)
    text.add(.probedAt, time: lastProbe)
    addWork(to: &text)
    addWaiting(to: &text)
    recheck.add(to: &text)
    scrub.add(to: &text)
    prune?.add(to: &text)
    events?.add(to: &text)
    return text.text
  }

  private func addWork(to text: inout PrometheusText) {
    text.add(.notifications, notifications)
    text.add(.reconnects, reconnects)
    text.add(.drains, drains)
    text.add(.lastDrainAt, time: lastDrain?.at)
    text.add(.lastDrainSeconds, lastDrain?.seconds ?? 0)
    // A drain may take hours: its work so far counts.
    var tally = total
    if let underWay { tally.add(underWay) }
    text.add(.rowsRetired, tally.rows)
    text.add(.rowsMoved, tally.moved)
    text.add(.rowsRefused, tally.refused)
    text.add(.rowsRecovered, tally.recovered)
    text.add(.keysCleared, tally.keys)
    text.add(.clearFailures, tally.failures)
    text.add(.filesRemoved, tally.files)
    text.add(.bytesRemoved, tally.bytes)
    text.add(.notifyToCleared, bounds: Self.buckets, counts: delays, sum: delaySum)
  }

  private func addWaiting(to text: inout PrometheusText) {
    text.add(.retryRows, retriesWaiting)
    text.add(.settleKeys, settleWaiting)
    text.add(.queuesRefused, refused.count)
    text.add(.queuesHeld, held.count)
    text.add(.queueRowsPolled, backlog.map { Sample($0.rows, $0.table.name) })
    text.add(
      .queueOldestRowPolled,
      backlog.compactMap { queue in
        queue.oldestAge.map {
          Sample(time: clampedDifference(backlogAt, nanoseconds($0)), queue.table.name)
        }
      })
  }
}
