// SPDX-License-Identifier: BSD-2-Clause
//
// Clears that failed and that no row of a queue remembers: tried again until they succeed.

import Basics
import CacheFS
import Logging

/// The keys that still need a clear: families that an event asked for, and keys of the settle list.
package final class Debts {
  /// How many are tried at a time.
  private static let atOnce = 1000

  private var ledger: RetryLedger<CacheKey>
  private let creditor: Creditor
  private let failures: FailureLog
  private var notBefore = ContinuousClock.now
  private var pace = RetryPace()

  /// Who tries again.
  package enum Creditor {
    case thisListener
    /// `--once` leaves the debts to the next run.
    case nextRun
  }

  init(_ creditor: Creditor, _ failures: FailureLog) {
    self.creditor = creditor
    self.failures = failures
    ledger = creditor == .nextRun ? RetryLedger(most: .max) : RetryLedger()
  }

  var count: Int { ledger.count }
  var keys: [CacheKey] { ledger.names }

  /// The names of the debts, sorted.
  func names(_ layout: Layout) -> [String] { ledger.names.map { Self.name($0, layout) }.sorted() }

  /// Notes the result of clearing a key.
  /// - Returns: false when the clear failed and is not remembered here, because there are too many.
  func note(_ key: CacheKey, _ report: ClearReport, _ layout: Layout) -> Bool {
    guard let first = report.failures.first else {
      if ledger.remove(key) {
        failures.note(
          .init(subject: Self.family(key, layout), reason: "recovered", level: .notice),
          "\(Self.name(key, layout))", name: Self.name(key, layout),
          end: (": cleared at last", ": cleared at last"))
      }
      return true
    }
    let noted = ledger.postpone(key)
    // A mount that is away is one piece of news, and was already logged.
    if noted != .again, first.error != .mountAway {
      let next = creditor == .nextRun ? "the next run will retry" : "will retry until it is gone"
      failures.note(
        .init(subject: Self.family(key, layout), reason: first.reason),
        "\(Self.name(key, layout)): \(first.explanation)", name: Self.name(key, layout),
        end: ("; \(next)", "; \(next)"))
    }
    return noted != .full
  }

  /// Tries all debts again at once.
  func hasten() {
    ledger.hasten()
    notBefore = .now
  }

  /// Changes to another layout. A key that the new layout does not know is dropped.
  func follow(from old: Layout, to new: Layout) { ledger.rename { new.key($0, of: old) } }

  /// Tries what is due, a part at a time.
  /// - Returns: the time until the next try; nil when no debt is left.
  func run(_ clear: ([CacheKey]) -> Void) -> Duration? {
    guard !ledger.isEmpty else { return nil }
    let now = ContinuousClock.now
    guard notBefore <= now else { return now.duration(to: notBefore) }
    let due = ledger.due(limit: Self.atOnce)
    guard !due.names.isEmpty else { return due.next.map { max(.zero, now.duration(to: $0)) } }
    clear(due.names)
    pace.note(now.duration(to: .now))
    let rest = pace.wait(until: .now)
    notBefore = .now + rest
    return ledger.isEmpty ? nil : rest
  }

  private static func name(_ key: CacheKey, _ layout: Layout) -> String {
    layout.text(of: key).replacing("\t", with: " ")
  }

  private static func family(_ key: CacheKey, _ layout: Layout) -> String {
    String(layout.text(of: key).prefix { $0 != "\t" })
  }
}
