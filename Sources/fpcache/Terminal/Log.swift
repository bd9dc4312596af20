// SPDX-License-Identifier: BSD-2-Clause
//
// Messages to people: swift-log's handlers for standard error and syslog(3).

import ArgumentParser
import Basics
import Listening
import Logging
import Synchronization

/// Where messages go.
enum LogDestination: String, WordArgument {
  case stderr, syslog
}

/// How lines on standard error look.
enum LogStyle {
  /// `fpcache: message`, as the system's own commands speak.
  case command
  /// Time, level and message, for a log that is read years later.
  case daemon
}

/// Where syslog(3) files our messages.
struct SyslogSettings: Equatable, Sendable {
  /// As the old listener did, so that a site's log rules go on working.
  static let standard = SyslogSettings(facility: LOG_LOCAL3, identity: "fp-listen")

  static let facilities: [(name: String, value: CInt)] = [
    ("user", LOG_USER), ("daemon", LOG_DAEMON), ("local0", LOG_LOCAL0), ("local1", LOG_LOCAL1),
    ("local2", LOG_LOCAL2), ("local3", LOG_LOCAL3), ("local4", LOG_LOCAL4),
    ("local5", LOG_LOCAL5), ("local6", LOG_LOCAL6), ("local7", LOG_LOCAL7),
  ]

  var facility: CInt
  var identity: String

  /// Nil for a name that syslog does not have.
  static func facility(named name: String) -> CInt? {
    facilities.first { $0.name == name.lowercased() }?.value
  }

  /// Nil for a number without a name.
  var facilityName: String? { Self.facilities.first { $0.value == facility }?.name }
}

func makeLogger(
  _ destination: LogDestination, _ style: LogStyle, level: Logger.Level,
  palette: Palette = .plain, syslog: SyslogSettings = .standard, lastError: LastError? = nil
) -> Logger {
  var logger = Logger(label: "fpcache") { _ in
    let sink: any LogHandler =
      switch destination {
      case .stderr: StandardErrorHandler(style: style, palette: palette)
      case .syslog: SyslogHandler(syslog)
      }
    return lastError.map { RememberingHandler(sink: sink, lastError: $0) } ?? sink
  }
  logger.logLevel = level
  return logger
}

/// Passes messages on and keeps the last error.
private struct RememberingHandler: LogHandler {
  var sink: any LogHandler
  let lastError: LastError

  var metadata: Logger.Metadata {
    get { sink.metadata }
    set { sink.metadata = newValue }
  }
  var logLevel: Logger.Level {
    get { sink.logLevel }
    set { sink.logLevel = newValue }
  }

  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { sink[metadataKey: key] }
    set { sink[metadataKey: key] = newValue }
  }

  func log(event: LogEvent) {
    if event.level >= .error { lastError.set(redacted(event.message.description)) }
    sink.log(event: event)
  }
}

/// Lines on standard error.
struct StandardErrorHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info
  let style: LogStyle
  let palette: Palette

  init(style: LogStyle, palette: Palette) {
    self.style = style
    self.palette = palette
  }

  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let head =
      switch style {
      case .command: painted("fpcache:", event.level)
      case .daemon: "\(utcTimestamp()) \(painted("\(event.level):", event.level))"
      }
    printError(event.message.description, after: head + " ")
  }

  /// What begins a line shows how bad it is.
  private func painted(_ text: String, _ level: Logger.Level) -> String {
    switch level {
    case .critical, .error: palette.paint(text, .red)
    case .warning: palette.paint(text, .yellow)
    default: text
    }
  }
}

/// Messages for syslogd.
struct SyslogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(_ settings: SyslogSettings) {
    // openlog(3) keeps the pointer for as long as the process lives: never freed.
    openlog(strdup(settings.identity), LOG_PID, settings.facility)
  }

  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let priority: CInt =
      switch event.level {
      case .trace, .debug: LOG_DEBUG
      case .info: LOG_INFO
      case .notice: LOG_NOTICE
      case .warning: LOG_WARNING
      case .error: LOG_ERR
      case .critical: LOG_CRIT
      }
    withoutControls(redacted(event.message.description)).withCString { text in
      withVaList([text]) { vsyslog(priority, "%s", $0) }
    }
  }
}
