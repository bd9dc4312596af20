// SPDX-License-Identifier: BSD-2-Clause
//
// `stats` for people: the queues, what happens for each channel, and which processes do it.

import Basics
import Listening
import PGQueue

extension StatsText {
  /// What waits, and what serves it.
  var queueSections: [[String]] {
    guard let answers = overview.database.answers else { return [statusFile] }
    return [
      queues(answers.queues), nodes(answers.nodes), listening(answers.server), statusFile,
    ]
  }

  /// What a notification does.
  var channelSections: [[String]] { [channels(overview.database.answers?.channels)] }

  /// All sections of the database, side by side where there is room.
  var databaseSections: [[String]] {
    guard let answers = overview.database.answers else { return [statusFile] }
    let channels = channels(answers.channels)
    let gap = 4
    var left = terminal
    left.columns -= gap + channels.reduce(0) { max($0, terminal.width($1)) }
    guard !channels.isEmpty, left.columns >= Self.queueWidth else {
      return [
        queues(answers.queues), nodes(answers.nodes), channels, listening(answers.server),
        statusFile,
      ]
    }
    let narrow = StatsText(overview: overview, terminal: left)
    return [terminal.beside(Self.joined(narrow.queueSections), channels, gap: gap)]
  }

  /// The width of the table of the queues with the longest numbers.
  private static let queueWidth = 72

  // MARK: Queues

  /// Empty where there are no nodes.
  private func nodes(_ nodes: [NodeBacklog]) -> [String] {
    if nodes.isEmpty { return [] }
    return terminal.lines { _ in TextTable.nodes(nodes, standing: true) }
  }

  private func queues(_ queues: [QueueSurvey]) -> [String] {
    let rates = overview.rates?.queueRows
    let table = terminal.lines { _ in
      var table = TextTable(
        columns: [
          TextTable.Column(title: "QUEUE", isRight: false), TextTable.Column(title: "ROWS"),
          TextTable.Column(title: "KEYS"), TextTable.Column(title: "OLDEST"),
          TextTable.Column(title: "NEWEST", rank: 1),
        ], rows: queues.map(cells))
      if let rates {
        table.columns.append(TextTable.Column(title: "ROWS/S"))
        for index in table.rows.indices {
          table.rows[index].append(index < rates.count ? rates[index].map(rateText) ?? "-" : "-")
        }
      }
      return table
    }
    var lines = Array(table.prefix(1))
    for (line, queue) in zip(table.dropFirst(), queues) { lines += [line] + details(queue) }
    return lines
  }

  private func cells(_ queue: QueueSurvey) -> [String] {
    switch queue.outcome {
    case .missing: return [queue.table.name, "none", "-", "-", "-"]
    case .refused: return [queue.table.name, "?", "?", "?", "?"]
    case .counted(let contents):
      return [
        queue.table.name, grouped(contents.rows), contents.keys.map { grouped($0) } ?? "-",
        contents.oldest.map { $0.ageText(short: true) } ?? "-",
        contents.newest.map { $0.ageText(short: true) } ?? "-",
      ]
    }
  }

  /// The rows at both ends of the queue, and the first keys.
  private func details(_ queue: QueueSurvey) -> [String] {
    switch queue.outcome {
    case .missing: return ["  no such table in this database"]
    case .refused(let reason):
      let refusal = overview.database.answers?.refused.first { $0.table == queue.table.name }
      let words = refusal?.words ?? reason.explanation
      return terminal.lines("  ", words: words.split(separator: " ").map(String.init))
    case .counted(let contents):
      guard let oldest = contents.oldest, let newest = contents.newest else { return [] }
      return terminal.lines(
        "  ",
        words: [
          "oldest \(keyText(oldest.key)), \(oldest.ageText(short: false));",
          "newest \(keyText(newest.key)), \(newest.ageText(short: false))",
        ]) + terminal.lines("  first ", words: contents.firstKeys.map(keyText))
    }
  }

  // MARK: Channels

  private func channels(_ channels: [Channel]?) -> [String] {
    guard let channels, !channels.isEmpty else { return [] }
    return terminal.lines { _ in
      TextTable(
        columns: [
          TextTable.Column(title: "CHANNEL", isRight: false),
          TextTable.Column(title: "CLEARS", isRight: false, isFree: true),
        ], rows: channels.map { [escape($0.name), overview.rules.effect(of: $0)] })
    }
  }

  // MARK: Who serves them

  private func listening(_ server: ServerSurvey) -> [String] {
    var lines: [String] = []
    if server.listening.isEmpty {
      lines.append("listening: none")
    } else {
      lines += terminal.lines { _ in
        TextTable(
          columns: [
            TextTable.Column(title: "LISTENING", isRight: false, isFree: true),
            TextTable.Column(title: "PROCESS"), TextTable.Column(title: "ROLE", isRight: false),
            TextTable.Column(title: "SINCE"),
          ],
          rows: server.programs.map { sessions in
            [
              sessions[0].applicationName.isEmpty
                ? "(no name)" : sessions[0].applicationName.escaped,
              sessions.processes, sessions[0].role.escaped,
              sessions.compactMap(\.age).max().map { ageText(whole($0)) } ?? "?",
            ]
          })
      }
    }
    if server.hidden > 0 {
      lines += terminal.lines(
        "",
        words: [
          "\(counted(server.hidden, "session")) of other roles:", "what they do is seen by members",
          "of pg_read_all_stats",
        ])
    }
    return lines + ["notification queue: \(percent(server.notificationQueueUsage)) full"]
  }

  private var statusFile: [String] {
    switch overview.statusFile {
    case .notNamed: return []
    case .missing(let path):
      return terminal.lines("", words: ["status file", path.escaped + ":", "none"])
    case .unreadable(let path, let why):
      return terminal.lines("", words: ["status file", path.escaped + ":", why])
    case .read(let path, let status):
      return terminal.lines("", words: ["status file", path.escaped + ":"] + words(status))
        + lastError(status)
    }
  }

  private func words(_ status: ListenerStatus) -> [String] {
    var words = ["process \(status.process)" + (status.isAlive ? "," : " (gone),")]
    let since = overview.age(status.stateSince).map { " for \(durationText(Double($0)))" } ?? ""
    words.append("\(status.state.escaped)\(since),")
    words.append(
      overview.age(status.healthyAt).map { "healthy \(durationText(Double($0))) ago," }
        ?? "never healthy,")
    words.append(
      overview.age(status.lastDrain).map { "last drain \(durationText(Double($0))) ago," }
        ?? "no drain,")
    words.append("\(counted(Int(clamping: status.rows), "row")) since its start,")
    words.append("\(counted(Int(clamping: status.retriesWaiting), "key")) to retry,")
    let looks = [
      status.recheck.map { self.words($0) } ?? [], status.scrub.map { self.words($0) } ?? [],
    ].filter { !$0.isEmpty }
    words.append("\(grouped(status.settleWaiting)) to clear again")
    for look in looks {
      words[words.count - 1] += ";"
      words += look
    }
    return words
  }

  /// Empty where nothing is rechecked.
  private func words(_ recheck: RecheckHealth) -> [String] {
    guard !recheck.families.isEmpty else { return [] }
    let age = overview.age(recheck.at).map { "\(durationText(Double($0))) ago" } ?? "not yet"
    var words = ["recheck \(age),", "\(counted(recheck.keys, "key")) cleared"]
    func list(_ what: String, _ value: (RecheckHealth.Family) -> Int) {
      let families = recheck.families.filter { value($0) > 0 }
      guard !families.isEmpty else { return }
      let total = families.reduce(0) { clampedAdd($0, value($1)) }
      let names = families.map { "\($0.family.escaped) \(grouped(value($0)))" }
      words[words.count - 1] += ","
      words.append("\(grouped(total)) \(what) (\(names.joined(separator: ", ")))")
    }
    list("missed", \.missed)
    list("too many at once", \.refused)
    let broken = recheck.families.filter { $0.problem != nil }.map(\.family.escaped)
    if !broken.isEmpty {
      words[words.count - 1] += ","
      words.append("no query for \(broken.joined(separator: ", "))")
    }
    return words
  }

  /// Empty where nothing is scrubbed.
  private func words(_ scrub: ScrubHealth) -> [String] {
    guard !scrub.families.isEmpty else { return [] }
    guard let age = overview.age(scrub.at) else { return ["scrub not yet"] }
    var words = [
      "scrub \(durationText(Double(age))) ago,", "\(counted(scrub.pages, "page")) looked at,",
      "\(grouped(scrub.cleared)) cleared",
    ]
    func add(_ word: String) {
      words[words.count - 1] += ","
      words.append(word)
    }
    if scrub.refused > 0 { add("\(grouped(scrub.refused)) too many to be cleared") }
    let missed = scrub.families.filter { $0.missed > 0 }
    if !missed.isEmpty {
      let names = missed.map { "\($0.family.escaped) \(grouped($0.missed))" }
      add("not queued (\(names.joined(separator: ", ")))")
    }
    let broken = scrub.families.filter { $0.problem != nil }.map(\.family.escaped)
    if !broken.isEmpty { add("no query for \(broken.joined(separator: ", "))") }
    return words
  }

  private func clampedAdd(_ left: Int, _ right: Int) -> Int {
    Int(clampedSum(Int64(left), Int64(right)))
  }

  private func lastError(_ status: ListenerStatus) -> [String] {
    guard let error = status.lastError else { return [] }
    let when = overview.age(error.at).map { " \(durationText(Double($0))) ago" } ?? ""
    return terminal.lines(
      "  ",
      words: ["last error\(when):"]
        + withoutControls(error.message).split { $0.isWhitespace }.map(String.init))
  }
}

extension ServerSurvey {
  /// The sessions by program and role. Our listener has two sessions, and one of them listens.
  fileprivate var programs: [[ListeningSession]] {
    var programs: [[ListeningSession]] = []
    for session in listening {
      let index = programs.firstIndex {
        $0[0].applicationName == session.applicationName && $0[0].role == session.role
      }
      if let index { programs[index].append(session) } else { programs.append([session]) }
    }
    return programs
  }
}

extension [ListeningSession] {
  /// There is no room to list many nodes.
  fileprivate var processes: String {
    count > 4 ? "\(count) of them" : map { "\($0.process)" }.joined(separator: " ")
  }
}

extension QueueSurvey.Row {
  fileprivate func ageText(short: Bool) -> String {
    guard let age else { return short ? "unknown" : "unknown age" }
    if age < 0 { return "in the future" }
    return short ? Basics.ageText(whole(age)) : "\(durationText(age)) ago"
  }
}
