// SPDX-License-Identifier: BSD-2-Clause
//
// The contents of the database and of the status file as JSON, with the same keys in the documents of stats and
// status.

import Basics
import Listening
import PGQueue

extension DatabaseSurvey {
  /// Empty where the database was not asked.
  func json(_ rules: SiteRules) -> [(String, JSON)] {
    switch self {
    case .notAsked: return []
    case .failed(let error): return [("database_error", .string(error.explanation))]
    case .done(let answers):
      return [
        ("backlog", .array(answers.queues.map { answers.backlog($0) })),
        (
          "channels",
          answers.channels.map { .array($0.map { self.json($0, rules) }) } ?? .null
        ),
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

  private func json(_ channel: Channel, _ rules: SiteRules) -> JSON {
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
      ("listens", session.listens.map(JSON.boolean) ?? .null),
    ])
  }
}

extension DatabaseSurvey.Answers {
  fileprivate func backlog(_ queue: QueueSurvey) -> JSON {
    let oldest = queue.contents?.oldest?.age
    switch queue.outcome {
    case .counted(let contents):
      return QueueBacklog(table: queue.table, rows: contents.rows, oldestAge: oldest).json
    case .missing:
      return QueueBacklog.json(queue.table.name, problem: QueueBacklog.noSuchTable)
    case .refused(let reason):
      let refusal = refused.first { $0.table == queue.table.name }
      return QueueBacklog.json(
        queue.table.name, problem: refusal?.words ?? reason.explanation)
    }
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

extension PruneHealth {
  fileprivate func json(_ age: (Int64?) -> Int64?) -> JSON {
    .object([
      ("age_seconds", age(at).map(JSON.integer) ?? .null), ("files_removed", .integer(files)),
      ("bytes_removed", .integer(bytes)), ("failures", .integer(failures)),
    ])
  }
}

extension StatusFile {
  /// Nil when the configuration names no status file.
  /// - Parameter age: whole seconds since a time in nanoseconds since the epoch.
  func json(_ age: (Int64?) -> Int64?) -> JSON? {
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
        ("prune", status.prune?.json(age) ?? .null),
        ("events", status.events?.json ?? .null),
        ("last_error", status.lastError.map { .string(withoutControls($0.message)) } ?? .null),
        ("last_error_age_seconds", seconds(status.lastError?.at)),
      ])
    }
  }
}
