// SPDX-License-Identifier: BSD-2-Clause
//
// What could not be done and is tried again: the one ledger of rows that wait in their queues and of keys that
// no row remembers. It holds no more than some thousands; what is beyond is its owner's to keep elsewhere.

import Basics

/// Names, and when each is tried again.
package struct RetryLedger<Name: Hashable> {
  /// An entry takes up to 0.7 kB.
  package static var defaultMost: Int { 16_384 }

  /// What became of a failure.
  enum Noted {
    /// It is the first of its name.
    case new
    case again
    /// The ledger is full and does not have it.
    case full
  }

  private struct Entry {
    var retry = Retry()
    /// The pass in which the name was last met.
    var pass: Int
  }

  private var entries: [Name: Entry] = [:]
  private let most: Int
  /// No name is due earlier, so that whoever asks often need not look at all.
  private var earliest: ContinuousClock.Instant?

  init(most: Int = defaultMost) { self.most = most }

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }
  var names: [Name] { Array(entries.keys) }

  func contains(_ name: Name) -> Bool { entries[name] != nil }

  /// Whether the name's next try is not due.
  func isWaiting(_ name: Name, at now: ContinuousClock.Instant = .now) -> Bool {
    entries[name].map { $0.retry.notBefore > now } ?? false
  }

  /// Takes note of a failure and pushes the next try away.
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

  /// What stood in the way of all is gone.
  mutating func hasten(at now: ContinuousClock.Instant = .now) {
    for name in entries.keys { entries[name]?.retry.hasten(at: now) }
    earliest = entries.isEmpty ? nil : now
  }

  /// - Returns: whether it was there.
  mutating func remove(_ name: Name) -> Bool { entries.removeValue(forKey: name) != nil }

  /// Notes that a name was met in a pass.
  mutating func meet(_ name: Name, pass: Int) { entries[name]?.pass = pass }

  /// Keeps what a test passes, which is given the pass in which the name was last met.
  mutating func keep(where test: (Name, _ pass: Int) -> Bool) {
    entries = entries.filter { test($0.key, $0.value.pass) }
  }

  /// Replaces the names, or drops them where there is no other.
  mutating func rename(_ other: (Name) -> Name?) {
    var renamed: [Name: Entry] = [:]
    for (name, entry) in entries {
      if let name = other(name) { renamed[name] = entry }
    }
    entries = renamed
  }

  /// When the first of some names is due; nil when there is none.
  func next(where isMeant: (Name) -> Bool = { _ in true }) -> ContinuousClock.Instant? {
    var next: ContinuousClock.Instant?
    for (name, entry) in entries where isMeant(name) {
      next = min(next ?? entry.retry.notBefore, entry.retry.notBefore)
    }
    return next
  }

  /// The names that are due, `limit` at most, and when to ask again.
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
