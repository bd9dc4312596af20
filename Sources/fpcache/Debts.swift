// Clears that failed and that no row of a queue remembers: tried again until they succeed.

import CacheFS
import Logging
import PGQueue

/// When to try something again that failed.
struct Retry {
  private var backoff = Backoff(first: .seconds(1), ceiling: .seconds(300))
  private(set) var notBefore = ContinuousClock.now

  /// Whether nothing has failed yet.
  var isNew: Bool { backoff.isReset }

  /// Pushes the next try away: 1 s, doubling to 5 min.
  mutating func postpone() {
    notBefore = .now + backoff.next(jitter: .random(in: 0...1))
  }
}

/// The keys that are owed a clear: families that an event asked for, keys of the settle list.
final class Debts {
  private var retries: [CacheKey: Retry] = [:]
  private let creditor: Creditor
  private let logger: Logger

  /// Who tries again.
  enum Creditor {
    case thisListener
    /// `--once` leaves what is owed to the next run.
    case nextRun
  }

  init(_ creditor: Creditor, _ logger: Logger) {
    self.creditor = creditor
    self.logger = logger
  }

  var count: Int { retries.count }

  /// What is owed, in words and in order.
  func names(_ layout: Layout) -> [String] { retries.keys.map { Self.name($0, layout) }.sorted() }

  /// Takes note of what came of clearing a key.
  func note(_ key: CacheKey, _ report: ClearReport, _ layout: Layout) {
    guard let first = report.failures.first else {
      if retries.removeValue(forKey: key) != nil {
        logger.notice("\(Self.name(key, layout)): cleared at last")
      }
      return
    }
    var retry = retries[key] ?? Retry()
    if retry.isNew {
      let next = creditor == .nextRun ? "the next run tries again" : "tried again until it is gone"
      logger.error("\(Self.name(key, layout)): \(first.explanation); \(next)")
    }
    retry.postpone()
    retries[key] = retry
  }

  /// Goes over to another layout; what that does not know is owed no more.
  func follow(from old: Layout, to new: Layout) {
    var followed: [CacheKey: Retry] = [:]
    for (key, retry) in retries {
      if let key = new.key(key, of: old) { followed[key] = retry }
    }
    retries = followed
  }

  /// Tries what is due.
  /// - Returns: the time until the next try; nil when nothing is owed.
  func run(_ clear: (CacheKey) -> Void) -> Duration? {
    let now = ContinuousClock.now
    for (key, retry) in retries where retry.notBefore <= now { clear(key) }
    return retries.values.map(\.notBefore).min().map {
      max(.zero, ContinuousClock.now.duration(to: $0))
    }
  }

  private static func name(_ key: CacheKey, _ layout: Layout) -> String {
    layout.text(of: key).replacing("\t", with: " ")
  }
}
