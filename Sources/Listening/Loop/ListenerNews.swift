// SPDX-License-Identifier: BSD-2-Clause
//
// The log lines of the listener's news: what happened, and what is done about it.

import Basics
import Logging
import PGQueue

/// News that is worth a log line.
package enum ListenerNews: Equatable, Sendable {
  case ready([Channel])
  /// Connected again, with the same channels as before.
  case readyAgain([Channel])
  case notified(Int)
  case probed
  /// LISTEN was refused for one channel; the others are heard.
  case notHeard(Channel, DatabaseError)
  /// The first failure since the last success.
  case disconnected(DatabaseError)
  /// The server answers and does not admit us; logged once for each time without a connection.
  case notAdmitted(DatabaseError)
  case reconnected(after: Duration)
  case probeUnanswered
  case deaf(polling: Duration)
  case hearsAgain
  /// A channel whose script_name is unknown; logged once for each connection, however often it is notified.
  case unknownEvent(Channel)
  case statusAsked
  case reloading
  case stopping
  /// Many nodes share this database, and this listener is not one of them. The names are empty where we may not read
  /// them.
  case takesFromNodes([String])
}

extension ListenerNews {
  /// Level and text; nil for news that only the counters need.
  func logLine(_ total: DrainTally) -> (Logger.Level, String)? {
    switch self {
    case .notified, .probed, .readyAgain, .statusAsked: nil
    case .ready([]): (.notice, "ready: there is no channel to listen on")
    case .ready(let channels):
      (
        .notice,
        "ready: listening on \(counted(channels.count, "channel")): "
          + listed(channels.map { escape($0.name) })
      )
    case .notHeard(let channel, let error):
      (
        .error,
        "channel \(channel.text): LISTEN failed: \(error.explanation); its rows wait for "
          + "the next poll"
      )
    case .unknownEvent(let channel):
      (
        .error,
        "channel \(channel.text): unknown script_name "
          + "\(escape(Array(channel.scriptName.utf8))) in listen_for; it clears nothing. Correct it there, or delete the row"
      )
    case .disconnected(let error):
      (.error, "database: \(error.explanation); will retry until it answers")
    case .notAdmitted(let error): (.error, "database: \(error.explanation); still trying")
    case .reconnected(let downtime): (.notice, "database: reconnected after \(downtime.text)")
    case .probeUnanswered:
      (.warning, "database: our own notification did not come back; reconnecting")
    case .deaf(let interval):
      (
        .error,
        "database: notifications do not arrive (a pooler in transaction mode?); draining every "
          + "\(interval.text) instead. Connect to the server itself to be prompt"
      )
    case .hearsAgain: (.notice, "database: notifications arrive again")
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

/// Escaped names, as many as fit in a line; the line gives the number of the others.
private func listed(_ names: [String]) -> String {
  let most = 100
  let more = names.count > most ? " and \(names.count - most) more" : ""
  return names.prefix(most).joined(separator: ", ") + more
}

extension Channel {
  fileprivate var text: String { "\"\(escape(name))\"" }
}
