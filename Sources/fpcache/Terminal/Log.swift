// SPDX-License-Identifier: BSD-2-Clause
//
// Messages for people: swift-log's handlers for standard error and syslog(3).

import ArgumentParser
import Basics
import Listening
import Logging
import Synchronization

/// Where messages go.
enum LogDestination: String, WordArgument {
  case stderr, syslog
}

/// Where syslog(3) files our messages.
struct SyslogSettings: Equatable, Sendable {
  /// The facility is the old listener's. Its name was fp-listen; a site whose log rules match that name can set
  /// IDENT = fp-listen.
  static let standard = SyslogSettings(facility: LOG_LOCAL3, identity: "fpcache")

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

/// - Parameter lines: the format of lines on standard error.
func makeLogger(
  _ destination: LogDestination, _ lines: LogLines, level: Logger.Level,
  syslog: SyslogSettings = .standard, lastError: LastError? = nil
) -> Logger {
  var logger = Logger(label: "fpcache") { _ in
    let sink: any LogHandler =
      switch destination {
      case .stderr: StandardErrorHandler(lines)
      case .syslog: SyslogHandler(syslog)
      }
    return lastError.map { RememberingHandler(sink: sink, lastError: $0) } ?? sink
  }
  logger.logLevel = level
  return logger
}

/// Passes messages on and remembers the last error.
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

/// Messages for syslogd.
struct SyslogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(_ settings: SyslogSettings) {
    // openlog(3) keeps the pointer until the process ends, so the copy is never freed.
    openlog(strdup(settings.identity), LOG_PID, settings.facility)
  }

  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    withoutControls(redacted(event.message.description)).withCString { text in
      withVaList([text]) { vsyslog(event.level.priority, "%s", $0) }
    }
  }
}

/// Lines on standard error.
struct StandardErrorHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info
  private let lines: LogLines

  init(_ lines: LogLines) { self.lines = lines }

  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = event.metadata.map { metadata.merging($0) { $1 } } ?? metadata
    lines.write(event.level, event.message.description, all)
  }
}

extension Logger.Level {
  /// The priority of syslog(3), which the journal also uses.
  var priority: CInt {
    switch self {
    case .trace, .debug: LOG_DEBUG
    case .info: LOG_INFO
    case .notice: LOG_NOTICE
    case .warning: LOG_WARNING
    case .error: LOG_ERR
    case .critical: LOG_CRIT
    }
  }
}
