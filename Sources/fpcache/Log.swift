// Messages to people: swift-log's handlers for standard error and syslog(3).

import Logging

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How lines on standard error look.
enum LogStyle {
  /// `fpcache: message`, as the system's own commands speak.
  case command
  /// Time, level and message, for a log that is read years later.
  case daemon
}

func makeLogger(_ destination: LogDestination, _ style: LogStyle, level: Logger.Level) -> Logger {
  var logger = Logger(label: "fpcache") { _ in
    switch destination {
    case .stderr: StandardErrorHandler(style: style)
    case .syslog: SyslogHandler()
    }
  }
  logger.logLevel = level
  return logger
}

/// Lines on standard error.
struct StandardErrorHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info
  let style: LogStyle

  init(style: LogStyle) { self.style = style }

  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    switch style {
    case .command: printError("fpcache: \(event.message)")
    case .daemon: printError("\(utcTimestamp()) \(event.level): \(event.message)")
    }
  }
}

/// Messages for syslogd, under the facility and the name that the old listener had, so that a
/// site's log rules go on working.
struct SyslogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init() {
    // openlog(3) keeps the pointer: a constant of the program lives for ever.
    let identity: StaticString = "fp-listen"
    identity.withUTF8Buffer { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        openlog($0.baseAddress, LOG_PID, LOG_LOCAL3)
      }
    }
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
    event.message.description.withCString { text in
      withVaList([text]) { vsyslog(priority, "%s", $0) }
    }
  }
}

/// The time now, as `2020-01-21T12:34:56Z`.
func utcTimestamp(_ seconds: time_t = time(nil)) -> String {
  var seconds = seconds
  var parts = tm()
  gmtime_r(&seconds, &parts)
  var text = [CChar](repeating: 0, count: 32)
  let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
  return String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
}
