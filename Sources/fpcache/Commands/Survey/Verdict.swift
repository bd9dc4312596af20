// SPDX-License-Identifier: BSD-2-Clause
//
// A sentence of a verdict, and the sentences that stats and status share.

import Basics
import Listening
import PGQueue

/// One sentence of the verdict.
struct Verdict: Equatable {
  enum Severity: String {
    case good
    /// Not as it should be permanently, but perhaps right at this moment.
    case waiting
    case bad
  }

  let severity: Severity
  let text: String

  /// A listener drains once a minute even without a notification; twice that is too long.
  static let longestWait = 120.0
  /// From this fill on, the server complains in its log (asyncQueueFillWarning of async.c).
  static let fullQueue = 0.5
  /// The seconds after which a listener that has drained nothing and heard no probe must have a problem, unless its
  /// poll interval is longer than half of that.
  static let longestSilence = 300.0

  static func notifications(_ answers: DatabaseSurvey.Answers) -> [Verdict] {
    guard answers.server.notificationQueueUsage >= fullQueue else { return [] }
    return [
      Verdict(
        severity: .bad,
        text: """
          the server's notification queue is \(percent(answers.server.notificationQueueUsage)) \
          full: a session that listens sits in a transaction
          """)
    ]
  }

  static func channels(_ answers: DatabaseSurvey.Answers) -> [Verdict] {
    guard let channels = answers.channels else { return [] }
    if channels.isEmpty {
      return [Verdict(severity: .bad, text: "listen_for is empty: a listener hears nothing")]
    }
    return channels.filter { $0.event == nil }.map { channel in
      Verdict(
        severity: .bad,
        text: "the channel \(escape(channel.name)) clears nothing: fpcache knows no "
          + channel.scriptName.escaped)
    }
  }
}

/// A queue's key as a person would type it.
func keyText(_ key: [[UInt8]?]) -> String {
  key.map { $0.map { escape($0) } ?? "NULL" }.joined(separator: "/")
}
