// SPDX-License-Identifier: BSD-2-Clause
//
// A logger that keeps what is logged, for a test to look at.

import Logging
import Synchronization

/// What was logged, without the levels.
public final class Messages: Sendable {
  private let texts = Mutex<[String]>([])

  public init() {}

  public var all: [String] { texts.withLock { $0 } }
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
      messages.texts.withLock { $0.append(event.message.description) }
    }
  }
}
