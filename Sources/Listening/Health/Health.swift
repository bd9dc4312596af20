// SPDX-License-Identifier: BSD-2-Clause
//
// What the listener knows about itself: counters, the last event of each kind, and the proof of health for the
// supervisor and the status file. A drain and a probe that succeeded are the proof; a live process is not.

import PGQueue

/// The listener's state and counters.
struct Health: Equatable {
  enum State: String, CaseIterable {
    case starting, draining, listening, polling, disconnected, stopping
    /// Connected, but the server refuses a queue that the site needs.
    case refused
    case noCacheDirectory = "no-cache-directory"
    /// The file system of a family is not mounted.
    case mountAway = "mount-away"
  }

  /// Upper bounds, in seconds, of the buckets for the time from notification to clear.
  static let buckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60]

  private(set) var state = State.starting
  /// Times are in nanoseconds since the epoch.
  private(set) var stateSince: Int64
  let started: Int64
  private(set) var lastDrain: (at: Int64, tally: DrainTally, seconds: Double)?
  private(set) var lastProbe: Int64?
  /// When health was last proved.
  private(set) var healthyAt: Int64?
  /// When health was first proved without an interruption since; nil when health is not proved now.
  private(set) var healthySince: Int64?
  /// When the open connections were made; nil without connections.
  var connectedSince: Int64?
  private(set) var total = DrainTally()
  /// The progress of the current drain; nil between drains.
  private(set) var underWay: DrainTally?
  private(set) var drains = 0
  var notifications = 0
  var reconnects = 0
  var retriesWaiting = 0
  var settleWaiting = 0
  /// The queues that the site needs and that the server refuses or does not have.
  var refused: [String] = []
  /// The queues that another transaction has held for long.
  var held: [HeldQueue] = []
  /// Rows and the oldest row's age in seconds, as of the last poll.
  private(set) var backlog: [QueueBacklog] = []
  /// When the last poll was.
  private(set) var backlogAt: Int64 = 0
  var recheck = RecheckHealth()
  var scrub = ScrubHealth()
  /// Nil where nothing is pruned.
  var prune: PruneHealth?
  /// Nil where no events are written.
  var events: EventHealth?
  private(set) var delays = [Int](repeating: 0, count: buckets.count + 1)
  private(set) var delaySum = 0.0

  private var hasDrained = false
  private var hasProbed = false

  init(now: Int64) {
    started = now
    stateSince = now
  }

  static func == (left: Health, right: Health) -> Bool {
    left.state == right.state && left.total == right.total && left.healthyAt == right.healthyAt
      && left.refused == right.refused
  }

  mutating func enter(_ state: State, now: Int64) {
    guard state != self.state else { return }
    self.state = state
    stateSince = now
  }

  /// A batch was served. Progress is proof, even where the drain takes hours.
  /// - Parameter isProof: false where something else keeps pages stale, which voids earlier proof.
  /// - Returns: whether this proves health.
  mutating func served(_ tally: DrainTally, isProof: Bool, now: Int64) -> Bool {
    underWay = tally
    note(isProof: isProof)
    return prove(now)
  }

  mutating func drained(
    _ tally: DrainTally, seconds: Double, isProof: Bool, now: Int64
  ) -> Bool {
    drains += 1
    underWay = nil
    total.add(tally)
    lastDrain = (now, tally, seconds)
    note(isProof: isProof)
    return prove(now)
  }

  mutating func probed(now: Int64) -> Bool {
    lastProbe = now
    hasProbed = true
    return prove(now)
  }

  private mutating func prove(_ now: Int64) -> Bool {
    guard hasDrained, hasProbed else { return false }
    hasDrained = false
    hasProbed = false
    healthyAt = now
    healthySince = healthySince ?? now
    return true
  }

  private mutating func note(isProof: Bool) {
    hasDrained = isProof
    if !isProof { healthySince = nil }
  }

  /// A connection was lost: its proof is void.
  mutating func lost() {
    hasDrained = false
    hasProbed = false
    healthySince = nil
    connectedSince = nil
  }

  mutating func polled(_ backlog: [QueueBacklog], now: Int64) {
    self.backlog = backlog
    backlogAt = now
  }

  mutating func cleared(after seconds: Double) {
    delays[Self.buckets.firstIndex { seconds <= $0 } ?? Self.buckets.count] += 1
    delaySum += seconds
  }
}
