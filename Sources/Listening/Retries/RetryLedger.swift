// SPDX-License-Identifier: BSD-2-Clause
//
// What failed and is tried again: one ledger type for rows that wait in their queues and for keys that no row
// remembers. It holds some thousand entries at most. Its owner must keep the rest elsewhere.

import Basics

/// Names, and when each is tried again.
package struct RetryLedger<Name: Hashable> {
  /// An entry takes up to 0.7 kB.
  package static var defaultMost: Int { 16_384 }

  /// What the ledger did with a failure.
  enum Noted {
    /// It is the first failure of its name.
    case new
    case again
    /// The ledger is full and did not take the name.
    case full
  }

  private struct Entry {
    var retry = Retry()
    /// The pass that last met the name.
    var pass: Int
  }

  private var entries: [Name: Entry] = [:]
  private let most: Int
  /// No name is due earlier, so a caller that asks often need not search all entries.
  private var earliest: ContinuousClock.Instant?

  init(most: Int = defaultMost) { self.most = most }

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }
  var names: [Name] { Array(entries.keys) }

  func contains(_ name: Name) -> Bool { entries[name] != nil }

  /// Whether the name's next try is not due yet.
  func isWaiting(_ name: Name, at now: ContinuousClock.Instant = .now) -> Bool {
    entries[name].map { $0.retry.notBefore > now } ?? false
  }

  /// Notes a failure and postpones the next try.
  mutating func postpone(
    _ name: Name, pass: Int = 0, at now: ContinuousClock.Instant = .now
  ) -> Noted {
    guard entries[name] != nil || entries.count < most else { return .full }
    var entry = entries[name] ?? Entry(pass: pass)
    let isNew = entry.retry.isNew
    entry.retry.postpone(at: now)
    entry.pass = pass
    earliest = min(earliest ?? entry.retry.notBefore, entry.retry.notBefore)
    entries[name] = entry
    return isNew ? .new : .again
  }

  /// The common cause of all failures is gone.
  mutating func hasten(at now: ContinuousClock.Instant = .now) {
    for name in entries.keys { entries[name]?.retry.hasten(at: now) }
    earliest = entries.isEmpty ? nil : now
  }

  /// - Returns: whether the name was in the ledger.
  mutating func remove(_ name: Name) -> Bool { entries.removeValue(forKey: name) != nil }

  /// Notes that a pass has met a name.
  mutating func meet(_ name: Name, pass: Int) { entries[name]?.pass = pass }

  /// Keeps the names that pass a test. The test gets the pass that last met the name.
  mutating func keep(where test: (Name, _ pass: Int) -> Bool) {
    entries = entries.filter { test($0.key, $0.value.pass) }
  }

  /// Replaces the names. Drops a name that has no replacement.
  mutating func rename(_ other: (Name) -> Name?) {
    var renamed: [Name: Entry] = [:]
    for (name, entry) in entries {
      if let name = other(name) { renamed[name] = entry }
    }
    entries = renamed
  }

  /// When the first of the matching names is due; nil when there is none.
  func next(where isMeant: (Name) -> Bool = { _ in true }) -> ContinuousClock.Instant? {
    var next: ContinuousClock.Instant?
    for (name, entry) in entries where isMeant(name) {
      next = min(next ?? entry.retry.notBefore, entry.retry.notBefore)
    }
    return next
  }

  /// The names that are due, at most `limit`, and when to ask again.
  mutating func due(
    limit: Int, at now: ContinuousClock.Instant = .now
  ) -> (names: [Name], next: ContinuousClock.Instant?) {
    guard let earliest, !entries.isEmpty else { return ([], nil) }
    guard earliest <= now else { return ([], earliest) }
    let due = entries.lazy.filter { $0.value.retry.notBefore <= now }.map(\.key).prefix(limit)
    self.earliest = next()
    return (Array(due), self.earliest)
  }
}
