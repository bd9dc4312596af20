// SPDX-License-Identifier: BSD-2-Clause
//
// Reports many drains in few lines. On a quiet site each drain is news. A busy site has several a second, and they
// would hide what matters. So the first few are logged as they end; after that, one line a minute adds up the rest.

import Basics
import CacheFS
import Logging

/// Logs the results of drains.
final class DrainLog {
  /// This many drains are logged at once; then one more line a minute.
  private static let atOnce = 5
  static let interval = Duration.seconds(60)

  /// Whether a drain needs a log line for itself.
  enum Worth {
    /// A drain like many others.
    case routine
    /// The first drain on a connection, a drain that took long, or a drain that a writer held up.
    case news
  }

  private let verb: String
  private let logger: Logger
  private var left = DrainLog.atOnce
  /// When the last line was logged.
  private var last: ContinuousClock.Instant?
  private var pending = (tally: DrainTally(), drains: 0, since: ContinuousClock.now)

  init(_ dryRun: DryRun, _ logger: Logger) {
    verb = dryRun == .no ? "drained" : "would drain"
    self.logger = logger
  }

  /// Notes a drain that has ended.
  /// - Parameter end: the end of its log line, if it has one.
  func note(
    _ tally: DrainTally, in time: Duration, _ worth: Worth, end: String = "",
    now: ContinuousClock.Instant = .now
  ) {
    if let last, last.duration(to: now) >= Self.interval, pending.drains == 0 { left = Self.atOnce }
    guard worth == .news || (left > 0 && pending.drains == 0) else {
      if pending.drains == 0 { pending.since = now - time }
      pending.drains += 1
      pending.tally.add(tally)
      return
    }
    tellPending(now)
    if worth == .routine { left -= 1 }
    last = now
    tell("\(verb): \(tally.text) in \(time.text)\(Self.names(tally))\(end)", tally, time)
  }

  private static func names(_ tally: DrainTally) -> String {
    tally.named.text.map { " (\($0))" } ?? ""
  }

  /// Also logs the numbers as fields, for collectors of JSON logs.
  private func tell(_ text: String, _ tally: DrainTally, _ time: Duration) {
    logger.notice(
      "\(text)",
      metadata: [
        "rows": .stringConvertible(tally.rows), "keys": .stringConvertible(tally.keys),
        "files_removed": .stringConvertible(tally.files),
        "bytes_removed": .stringConvertible(tally.bytes),
        "duration_seconds": .stringConvertible(time.seconds),
      ])
  }

  /// Logs what may be logged now.
  /// - Parameter all: logs everything that is left; used at the end.
  /// - Returns: the time until there is more to log; nil when nothing waits.
  func flush(all: Bool = false, now: ContinuousClock.Instant = .now) -> Duration? {
    guard pending.drains > 0 else { return nil }
    let rest = Self.interval - (last ?? now).duration(to: now)
    guard all || rest <= .zero else { return rest }
    tellPending(now)
    last = now
    return nil
  }

  private func tellPending(_ now: ContinuousClock.Instant) {
    guard pending.drains > 0 else { return }
    let (tally, time) = (pending.tally, pending.since.duration(to: now))
    let drains = counted(pending.drains, "drain")
    tell(
      "\(verb): \(tally.text) by \(drains) in the last \(time.text)\(Self.names(tally))", tally,
      time)
    pending = (DrainTally(), 0, now)
  }
}
