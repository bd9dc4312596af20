// SPDX-License-Identifier: BSD-2-Clause
//
// The contents of the database and of the status file, as Prometheus' text format, for any command that has read them.

import Basics
import Listening
import PGQueue

extension PrometheusText {
  /// Adds nothing where the database was not asked.
  /// - Parameter now: the time of the look, in nanoseconds since the epoch.
  mutating func add(_ database: DatabaseSurvey, now: Int64) {
    if database == .notAsked { return }
    add(.databaseUp, database.answers == nil ? 0 : 1)
    guard let answers = database.answers else { return }
    add(.unreadableTables, answers.refused.count)
    add(answers.queues, now)
    if let channels = answers.channels {
      let known = channels.count { $0.event != nil }
      add(.channels, [Sample(known, "yes"), Sample(channels.count - known, "no")])
    }
    let sessions = answers.server.listening
    let ours = sessions.count { $0.isListener }
    add(.listeningSessions, [Sample(ours, "fpcache"), Sample(sessions.count - ours, "other")])
    add(.hiddenSessions, answers.server.hidden)
    add(.notificationQueueUsage, answers.server.notificationQueueUsage)
    add(answers.nodes, now)
  }

  /// Queues that could not be read have no samples.
  private mutating func add(_ queues: [QueueSurvey], _ now: Int64) {
    let read = queues.compactMap { queue in queue.contents.map { (queue.table.name, $0) } }
    add(.queueRows, read.map { Sample($1.rows, $0) })
    add(.queueKeys, read.compactMap { name, contents in contents.keys.map { Sample($0, name) } })
    func time(_ name: String, _ age: Double?) -> Sample? {
      age.map { Sample(time: clampedDifference(now, nanoseconds($0)), name) }
    }
    add(.queueOldestRow, read.compactMap { time($0, $1.oldest?.age) })
    add(.queueNewestRow, read.compactMap { time($0, $1.newest?.age) })
  }

  private mutating func add(_ nodes: [NodeBacklog], _ now: Int64) {
    func add(_ metric: Metric, _ number: (NodeBacklog) -> Int) {
      self.add(metric, nodes.map { Sample(number($0), $0.name.escaped) })
    }
    func add(_ metric: Metric, age: (NodeBacklog) -> Double?) {
      let samples = nodes.compactMap { node in
        age(node).map {
          Sample(time: clampedDifference(now, nanoseconds($0)), node.name.escaped)
        }
      }
      self.add(metric, samples)
    }
    add(.nodeLagRows, \.rows)
    add(.nodeOldestRow, age: \.age)
    add(.nodeOwedRows, \.owed)
    add(.nodeSeen, age: \.seen)
    add(.nodeLostRows, \.lost)
    add(.nodeMustEmpty) { $0.emptying == nil ? 0 : 1 }
  }

  /// Adds nothing where the configuration names no status file.
  mutating func add(_ file: StatusFile) {
    if file == .notNamed { return }
    add(.statusFileUp, file.status == nil ? 0 : 1)
    guard let status = file.status else { return }
    add(.statusFileProcessUp, status.isAlive ? 1 : 0)
    add(.statusFileHealthy, time: status.healthyAt)
    add(.statusFileLastDrain, time: status.lastDrain)
    add(.statusFileRetryRows, status.retriesWaiting)
    add(.statusFileSettleKeys, status.settleWaiting)
    add(.statusFileQueuesRefused, status.refused.count)
    if let recheck = status.recheck, !recheck.families.isEmpty {
      add(.statusFileRechecked, time: recheck.at)
      add(.statusFileMissed, recheck.families.map { Sample($0.missed, $0.family) })
      add(.statusFileRecheckRefused, recheck.families.map { Sample($0.refused, $0.family) })
    }
    guard let scrub = status.scrub, !scrub.families.isEmpty else { return }
    add(.statusFileScrubbed, time: scrub.at)
    add(.statusFileScrubMissed, scrub.families.map { Sample($0.missed, $0.family) })
    add(.statusFileScrubRefused, scrub.families.map { Sample($0.refused, $0.family) })
  }
}
