// SPDX-License-Identifier: BSD-2-Clause
//
// A queue whose lock is not available: since when, and who holds it.

import Basics
import Logging
import PGQueue

/// A queue that was held for long, for the status file.
struct HeldQueue: Equatable {
  let queue: String
  /// In nanoseconds since the epoch.
  let since: Int64
  let holder: String
}

/// A transaction that holds a queue, for as long as it does.
package struct QueueHold {
  /// A writer that ends within this time is not reported.
  package static let patience = Duration.seconds(60)

  private let began = ContinuousClock.now
  /// In nanoseconds since the epoch.
  private let since = currentTime()
  /// Who holds the queue; nil before the first look.
  private var holder: String?

  /// Finds and logs the holder, once it has held the queue for long.
  mutating func look(
    at queue: Queue, after patience: Duration, _ logger: Logger
  ) throws(DatabaseError) {
    guard holder == nil, began.duration(to: .now) >= patience else { return }
    let found = try queue.holder()
    let name = found?.text ?? "a transaction that this role cannot see"
    let remedy = found.map { "; \($0.remedy)" } ?? ""
    holder = name
    logger.warning(
      """
      \(queue.table.name): held since \(utcTimestamp(Int(since / 1_000_000_000))) by \(name): its rows stay until \
      that ends; their pages are cleared meanwhile\(remedy)
      """)
  }

  /// The entry for the status file; nil while the hold is too short to report.
  func entry(_ table: QueueTable) -> HeldQueue? {
    holder.map { HeldQueue(queue: table.name, since: since, holder: $0) }
  }

  func tellEnd(_ table: QueueTable, _ logger: Logger) {
    guard holder != nil else { return }
    logger.notice("\(table.name): no longer held, after \(began.duration(to: .now).text)")
  }
}

extension QueueHolder {
  /// The text for a log.
  package var text: String {
    switch self {
    case .session(let process, let role, let application):
      "process \(process) (\(application.escaped), role \(role.escaped))"
    case .prepared(let identifier, let role):
      "the prepared transaction \"\(identifier.escaped)\" of role \(role.escaped)"
    }
  }

  package var remedy: String {
    switch self {
    case .session(let process, _, _): "end it, or run SELECT pg_terminate_backend(\(process))"
    case .prepared: "run COMMIT PREPARED or ROLLBACK PREPARED"
    }
  }
}
