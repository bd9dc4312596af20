// SPDX-License-Identifier: BSD-2-Clause
//
// Reports many failures in few lines. A tree mounted read-only is one piece of news, not one for each of its pages. For
// each kind, the first few failures are logged as they come; after that, one line a minute. Each line has the names and
// the number of the failures that came with it.

import Basics
import Logging

/// Collects the failures of rows and keys from drains, settle and retries, and logs them in few lines.
final class FailureLog {
  /// This many lines of a kind are logged at once; then one more a minute.
  private static let atOnce = 5
  private static let interval = Duration.seconds(60)
  /// How many names a line has besides the first.
  private static let named = 3
  /// Kinds are kept apart up to this number.
  private static let mostKinds = 100

  /// A kind of failure, which has its own line.
  struct Kind: Hashable {
    /// The queue, or another subject.
    let subject: String
    let reason: String
    var level = Logger.Level.error
  }

  private struct Pending {
    /// The first failure, in full.
    let head: String
    let level: Logger.Level
    /// The end of the line, for one failure and for several.
    let end: (one: String, many: String)
    var names: [String] = []
    var count = 1
    /// Lines are logged in the order of their first failures.
    let number: Int
  }

  private struct Line {
    var pending: Pending?
    var left = FailureLog.atOnce
    var last = ContinuousClock.now
    var number: Int { pending?.number ?? 0 }
  }

  private var lines: [Kind: Line] = [:]
  private var number = 0
  private let logger: Logger

  init(_ logger: Logger) { self.logger = logger }

  /// Notes a failure.
  /// - Parameters:
  ///   - head: the text if it is the first; built only then.
  ///   - name: its name if it is not the first; built only then.
  ///   - end: the end of the line, for one failure and for several.
  func note(
    _ kind: Kind, _ head: @autoclosure () -> String, name: @autoclosure () -> String,
    end: (one: String, many: String)
  ) {
    let kind =
      lines[kind] != nil || lines.count < Self.mostKinds
      ? kind : Kind(subject: "", reason: "", level: kind.level)
    var line = lines.removeValue(forKey: kind) ?? Line()
    if line.pending == nil {
      number += 1
      line.pending = Pending(head: head(), level: kind.level, end: end, number: number)
    } else {
      line.pending?.count += 1
      if let names = line.pending?.names.count, names < Self.named {
        line.pending?.names.append(name())
      }
    }
    lines[kind] = line
  }

  /// Logs what may be logged now.
  /// - Parameter all: logs everything that is left; used at the end.
  /// - Returns: the time until there is more to log; nil when nothing waits.
  @discardableResult
  func flush(all: Bool = false) -> Duration? {
    guard !lines.isEmpty else { return nil }
    let now = ContinuousClock.now
    var next: Duration?
    for (kind, line) in lines.sorted(by: { $0.value.number < $1.value.number }) {
      let rest = Self.interval - line.last.duration(to: now)
      guard let pending = line.pending else {
        // Silent for long: a later failure of this kind is news again.
        if rest <= .zero { lines[kind] = nil }
        continue
      }
      guard all || line.left > 0 || rest <= .zero else {
        next = min(next ?? rest, rest)
        continue
      }
      logger.log(level: pending.level, "\(Self.text(pending))")
      lines[kind] = Line(pending: nil, left: max(0, line.left - 1), last: now)
    }
    return next
  }

  private static func text(_ pending: Pending) -> String {
    let end = pending.count == 1 ? pending.end.one : pending.end.many
    guard pending.count > 1 else { return pending.head + end }
    let others = pending.count - 1
    let more = others > pending.names.count ? ", ..." : ""
    return
      "\(pending.head) (and \(grouped(others)) more: \(pending.names.joined(separator: ", "))\(more))\(end)"
  }
}
