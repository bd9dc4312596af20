// SPDX-License-Identifier: BSD-2-Clause
//
// Many failures as few lines. A tree mounted read-only is one piece of news, and not one for each of its
// pages: of each kind the first few are logged as they come, each line with the names and the number of those
// that came with it, and then one line a minute.

import Basics
import Logging

/// Collects what drains, settle and retries have to say of rows and keys, and says it in few lines.
final class FailureLog {
  /// So many lines of a kind are logged at once; one more a minute.
  private static let atOnce = 5
  private static let interval = Duration.seconds(60)
  /// How many names a line has beside the first.
  private static let named = 3
  /// Kinds are told apart up to this number.
  private static let mostKinds = 100

  /// What has a line of its own.
  struct Kind: Hashable {
    /// The queue, or what else it is about.
    let subject: String
    let reason: String
    var level = Logger.Level.error
  }

  private struct Pending {
    /// The first, in full.
    let head: String
    let level: Logger.Level
    /// What follows, for one and for several.
    let end: (one: String, many: String)
    var names: [String] = []
    var count = 1
    /// Lines come in the order of their first failures.
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

  /// Takes note of a failure.
  /// - Parameters:
  ///   - head: what is said of it if it is the first; made only then.
  ///   - name: how it is named if it is not; made only then.
  ///   - end: how the line ends, for one and for several.
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

  /// Logs what may be logged by now.
  /// - Parameter all: at the end, whatever is left.
  /// - Returns: the time until there is more to log; nil when nothing waits.
  @discardableResult
  func flush(all: Bool = false) -> Duration? {
    guard !lines.isEmpty else { return nil }
    let now = ContinuousClock.now
    var next: Duration?
    for (kind, line) in lines.sorted(by: { $0.value.number < $1.value.number }) {
      let rest = Self.interval - line.last.duration(to: now)
      guard let pending = line.pending else {
        // Long silent: what comes of it later is news.
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
