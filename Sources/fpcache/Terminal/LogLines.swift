// SPDX-License-Identifier: BSD-2-Clause
//
// The format of messages on standard error: for people, for systemd's journal, or as JSON for other log collectors.

import ArgumentParser
import Basics
import Logging

/// The format of messages on standard error.
enum LogFormat: String, WordArgument {
  case text, json, journal

  /// The format for the reader of standard error. $JOURNAL_STREAM names the file that the journal reads
  /// (systemd.exec(5)), so that a redirected stream is not mistaken for the journal.
  static func suited(to environment: [String: String]) -> LogFormat {
    var information = stat()
    guard let stream = environment["JOURNAL_STREAM"], fstat(STDERR_FILENO, &information) == 0
    else { return .text }
    return stream == "\(information.st_dev):\(information.st_ino)" ? .journal : .text
  }
}

/// The format of lines on standard error.
struct LogLines: Sendable {
  enum Style {
    /// `fpcache: message`, like the system's own commands.
    case command
    /// Time, level and message, for a log that is read years later.
    case daemon
  }

  let style: Style
  let format: LogFormat
  let palette: Palette

  /// Writes a message. Text from other sources is escaped, and a password is never shown.
  func write(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata = [:]) {
    switch format {
    case .text: printError(message, after: head(level) + " ")
    case .journal:
      // The journal has a clock and takes the level from a number at the start of each line (sd-daemon(3)).
      for line in message.split(separator: "\n", omittingEmptySubsequences: false) {
        printError(String(line), after: "<\(level.priority)>")
      }
    case .json: writeError(Self.json(level, message, metadata).text + "\n")
    }
  }

  /// The start of a line shows the severity.
  private func head(_ level: Logger.Level) -> String {
    switch style {
    case .command: painted("fpcache:", level)
    case .daemon: "\(utcTimestamp()) \(painted("\(level):", level))"
    }
  }

  private func painted(_ text: String, _ level: Logger.Level) -> String {
    switch level {
    case .critical, .error: palette.paint(text, .red)
    case .warning: palette.paint(text, .yellow)
    default: text
    }
  }

  private static func json(
    _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata
  ) -> JSON {
    var members: [(String, JSON)] = [
      ("time", .string(preciseTimestamp(currentTime()))), ("level", .string("\(level)")),
      ("message", .string(shown(message))),
    ]
    if !metadata.isEmpty {
      let sorted = metadata.sorted { $0.key < $1.key }
      members.append(("metadata", .object(sorted.map { ($0.key, value($0.value)) })))
    }
    return .object(members)
  }

  private static func value(_ value: Logger.MetadataValue) -> JSON {
    switch value {
    case .string(let text): .string(shown(text))
    case .stringConvertible(let number as Int): .integer(number)
    case .stringConvertible(let number as Int64): .integer(number)
    case .stringConvertible(let number as Double): .number(number)
    case .stringConvertible(let other): .string(shown("\(other)"))
    case .array(let values): .array(values.map(Self.value))
    case .dictionary(let members):
      .object(members.sorted { $0.key < $1.key }.map { ($0.key, Self.value($0.value)) })
    }
  }

  private static func shown(_ text: String) -> String { withoutControls(redacted(text)) }
}
