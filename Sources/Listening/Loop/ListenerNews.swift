// How the listener's news reads in the log: what happened, and what is done about it.

import CacheFS
import Logging
import PGQueue

extension ListenerNews {
  /// Level and text; nil for what only the counters want to know.
  func logLine(_ total: Drain.Tally) -> (Logger.Level, String)? {
    switch self {
    case .notified, .probed: nil
    case .ready(let channels):
      (
        .notice,
        "ready: listening on \(counted(channels.count, "channel")): "
          + listed(channels.map { escape($0.name) })
      )
    case .notHeard(let channel, let error):
      (
        .error,
        "channel \(channel.text): LISTEN failed: \(error.explanation); what it announces is found "
          + "by the next poll only"
      )
    case .unknownEvent(let channel):
      (
        .error,
        "channel \(channel.text): unknown script_name "
          + "\(escape(Array(channel.scriptName.utf8))) in listen_for; it clears nothing. Correct it there, or delete the row"
      )
    case .disconnected(let error):
      (.error, "database: \(error.explanation); trying again until it answers")
    case .notAdmitted(let error): (.error, "database: \(error.explanation); still trying")
    case .reconnected(let downtime): (.notice, "database: back after \(downtime.text)")
    case .probeUnanswered:
      (.warning, "database: our own notification did not come back; connecting anew")
    case .deaf(let interval):
      (
        .error,
        "database: notifications do not arrive (a pooler in transaction mode?); draining every "
          + "\(interval.text) instead. Connect to the server itself to be prompt"
      )
    case .hearsAgain: (.notice, "database: notifications arrive again")
    case .statusAsked: (.notice, "status: \(total.text) since the start")
    case .reloading: (.notice, "SIGHUP: reading the configuration and listen_for again")
    case .takesFromNodes(let nodes):
      (
        .error,
        "this database has nodes\(nodes.isEmpty ? "" : " (\(listed(nodes.map { $0.escaped })))"): a listener without "
          + "--node takes rows that they need. Start it with --node NAME, or retire them"
      )
    case .stopping: (.notice, "stopping: \(total.text) since the start")
    }
  }
}

/// Escaped names, as many as a line can bear: others say how many there are.
private func listed(_ names: [String]) -> String {
  let most = 100
  let more = names.count > most ? " and \(names.count - most) more" : ""
  return names.prefix(most).joined(separator: ", ") + more
}

extension Channel {
  fileprivate var text: String { "\"\(escape(name))\"" }
}

extension DatabaseError {
  /// What happened, in the words of libpq or the server where there are any, fit to be shown.
  var explanation: String {
    switch self {
    case .unreachable(let message): "cannot connect: \(shown(message))"
    case .lost(let message): "connection lost: \(shown(message))"
    case .refused(let reason): reason.explanation
    case .badConnectionString: "the connection string cannot be read"
    }
  }
}

extension ServerError {
  /// What the server said, fit to be shown.
  var explanation: String { shown(message) + (hint.map { " (\(shown($0)))" } ?? "") }
}

/// Words of others: a server may send what a terminal obeys, and libpq repeats what it was given.
private func shown(_ message: String) -> String { redacted(escape(Array(message.utf8))) }

extension Duration {
  /// Seconds with milliseconds below a minute, whole seconds above.
  var text: String {
    if milliseconds >= 60_000 { return "\(grouped(milliseconds / 1000)) s" }
    let fraction = String(1000 + milliseconds % 1000).dropFirst()
    return "\(milliseconds / 1000).\(fraction) s"
  }
}
