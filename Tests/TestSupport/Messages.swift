// SPDX-License-Identifier: BSD-2-Clause
//
// A logger that keeps its messages, for a test to check.

import Logging
import Synchronization

/// The logged messages.
public final class Messages: Sendable {
  private let lines = Mutex<[(level: Logger.Level, text: String)]>([])

  public init() {}

  /// The texts without the levels.
  public var all: [String] { lines.withLock { $0.map(\.text) } }
  /// `LEVEL: TEXT`
  public var allWithLevels: [String] { lines.withLock { $0.map { "\($0.level): \($0.text)" } } }
  public var logger: Logger { Logger(label: "test") { _ in Handler(messages: self) } }

  private struct Handler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    let messages: Messages

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      messages.lines.withLock { $0.append((event.level, event.message.description)) }
    }
  }
}
