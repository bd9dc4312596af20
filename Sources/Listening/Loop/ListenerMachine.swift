// SPDX-License-Identifier: BSD-2-Clause
//
// The listener's decisions, as a pure state machine: the input is an event and the time, the output is what to do next.
// It has no clock and no socket; a late input is ignored and never traps.

import Basics
import CacheFS
import PGQueue

/// Decides what the listener should do next, from what has happened so far.
package struct ListenerMachine: Sendable {
  /// The intervals of docs/drain-protocol.md.
  package struct Settings: Equatable, Sendable {
    /// How often every queue is drained without a notification (`--poll-interval`).
    package var pollInterval = Duration.seconds(60)
    /// How long the LISTEN connection may be silent before a probe must prove it.
    package var probeAfter = Duration.seconds(10)
    /// How long the proof may take.
    ///
    /// The protocol grants 5 s. Half a second is kept for detecting the failure, so that a connection that freezes just
    /// after a proof is given up within 15 s.
    package var probeTimeout = Duration.milliseconds(4500)
    /// How long a connection must have lasted before the reconnect delay is reset: longer than a probe may take, so
    /// that a connection that was never proved does not count.
    package var heldLongEnough = Duration.seconds(20)
    /// How long a drain waits for a writer that holds a queue before it finishes without that queue; autovacuum, for
    /// example, holds it for milliseconds.
    package var contentionGrace = Duration.seconds(1)
    /// How long after a drain of a queue its lock is not taken again. Writers queue up behind a lock request that waits
    /// for one of them. Where changes come faster than this, their pages are cleared at once and their rows deleted
    /// twice a second, so that the writers hardly notice.
    package var lockInterval = Duration.milliseconds(500)
    /// The same for one of many nodes. The other nodes do not learn of a row before it was moved. A move takes one
    /// round trip and clears no page, so the lock is held for a shorter time.
    package static let nodeLockInterval = Duration.milliseconds(200)
    /// What is drained: the site's queues, and with many nodes also the log that rows are moved into.
    package var queues = QueueTable.all
    /// What the site's notifications may ask for.
    package var events = SiteEvent.all
    /// How long a node that was notified of a change waits for another node to move its rows.
    package var takeoverDelay = Duration.seconds(1)

    package init() {}
  }

  private enum Phase: Equatable {
    case idle
    case waiting(until: Duration)
    case connecting
    case connected(since: Duration)
    case left
  }

  package var settings: Settings
  package private(set) var hearing = Hearing.unproved
  /// Whether this listener retires the queues' rows: always true without nodes; with many nodes, only for the mover.
  private var isMover: Bool
  private let jitter: @Sendable () -> Double
  private var phase = Phase.idle
  private var reconnect = Backoff(first: .milliseconds(100), ceiling: .seconds(30))
  private var queues: [QueueTable: QueueSchedule] = [:]
  /// Where the round robin continues.
  private var turn = 0
  /// Whether a change was announced and another node is expected to move its rows into the log.
  private var awaitsMove = false
  /// The events of the current drain; nil between drains.
  private var draining: Set<SiteEvent>?
  /// Whether a batch was asked for and is not served yet.
  private var isServing = false
  /// The events that a lost connection left undone and that are in no queue.
  private var owed: Set<SiteEvent> = []
  private var nextPoll = Duration.zero
  /// Whether the queues are being measured. The next poll is counted from the end of it: a poll that takes longer than
  /// the interval would otherwise leave no time to serve the queues.
  private var isMeasuring = false
  private var nextProbe = Duration.zero
  private var probeDeadline: Duration?
  private var lastProof: Duration?
  /// Whether to complete another node's probe into a proof of this node's connections.
  private var isPingDue = false
  private var unansweredProbes = 0

  /// - Parameter jitter: returns a number from 0 to 1.
  package init(
    _ settings: Settings = Settings(),
    jitter: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
  ) {
    self.settings = settings
    self.jitter = jitter
    isMover = !settings.queues.contains(.log)
  }

  /// Takes an input and returns what to do; `now` only grows and may start at any value.
  package mutating func handle(_ input: Input, at now: Duration) -> [Output] {
    guard phase != .left else { return [] }
    if isMeasuring {
      isMeasuring = false
      nextPoll = pollTime(now)
    }
    switch input {
    case .started: if phase == .idle { phase = .waiting(until: now) }
    case .connected: becomeConnected(now)
    case .disconnected: becomeDisconnected(now)
    case .notified(let events): if isConnected { ask(for: events, now) }
    case .logged: if isConnected { askForLog(now) }
    case .mover(let isMover): if isConnected { noteMover(isMover, now) }
    case .probeReturned: hear(now)
    case .othersProbe: hearOther(now)
    case .served(let queue, let served): note(queue, served, now)
    case .measured(let empty): passBy(empty)
    case .timePassed: break
    case .reconnect: if phase != .idle { giveUp(until: now) }
    case .stop:
      keepOwed()
      phase = .left
      return owed.isEmpty ? [.leave] : [.finish(owed, complete: true), .leave]
    }
    return next(now)
  }

  /// When to call again with `timePassed` if nothing else happens; nil for never.
  package var deadline: Duration? {
    switch phase {
    case .idle, .connecting, .left: return nil
    case .waiting(let until): return until
    case .connected:
      let timers = queues.values.compactMap { $0.hasNews ? .zero : $0.due }
      return ([nextPoll, probeDeadline ?? nextProbe] + timers).min()
    }
  }

  package var isConnected: Bool {
    if case .connected = phase { true } else { false }
  }

  // MARK: Inputs

  private mutating func becomeConnected(_ now: Duration) {
    guard phase == .connecting else { return }
    phase = .connected(since: now)
    queues = [:]
    isServing = false
    awaitsMove = false
    if hasLog {
      isMover = false
      askForLog(now)
    }
    // As if each channel had been notified. Whether a family without a queue needs to be emptied is unknown, and
    // emptying such families at each connect would cost a site all of their pages.
    ask(for: settings.events.filter { !$0.isErrand } + owed, now)
    ask(for: settings.queues.filter { $0 != .log }, now)
    owed = []
    nextPoll = pollTime(now)
    nextProbe = now
    probeDeadline = nil
    lastProof = nil
    isPingDue = false
  }

  private mutating func becomeDisconnected(_ now: Duration) {
    switch phase {
    case .connected(let since):
      if now - since >= settings.heldLongEnough { reconnect.reset() }
    case .connecting: break
    case .idle, .waiting, .left: return
    }
    giveUp(until: now + reconnect.next(jitter: jitter()))
  }

  private mutating func giveUp(until time: Duration) {
    keepOwed()
    phase = .waiting(until: time)
    draining = nil
    isServing = false
    probeDeadline = nil
  }

  /// Keeps the events other than queues that were asked for and not done; the next connection's own drain does the
  /// rest.
  private mutating func keepOwed() {
    owed.formUnion((draining ?? []).filter(\.isErrand))
  }

  /// A notification does not postpone the probe: it is no proof of health, and a site that is never silent would never
  /// get one.
  private mutating func ask(for events: [SiteEvent], _ now: Duration) {
    draining = (draining ?? []).union(events)
    ask(for: events.flatMap(\.queues), now)
  }

  private mutating func ask(for queues: [QueueTable], _ now: Duration) {
    for queue in queues {
      guard isMover else {
        leaveToOthers(queue, now)
        continue
      }
      var state = self.queues[queue, default: QueueSchedule()]
      state.becomeDue()
      state.hasNews = true
      state.isAskedAgain = state.isUnderWay
      self.queues[queue] = state
    }
  }

  // MARK: Many nodes

  private var hasLog: Bool { settings.queues.contains(.log) }

  /// Gives the node that moves rows time to do so before this node looks at the queue, once: later notifications do not
  /// extend that time.
  private mutating func leaveToOthers(_ queue: QueueTable, _ now: Duration) {
    awaitsMove = true
    var state = queues[queue, default: QueueSchedule()]
    guard !state.isDue else { return }
    state.isDue = true
    state.notBefore = takeoverTime(now)
    queues[queue] = state
  }

  /// Where another node moves rows, this one need not look into queues that it has just seen to be empty.
  private mutating func passBy(_ empty: Set<QueueTable>) {
    guard isConnected, !isMover else { return }
    for queue in empty where queue != .log && queues[queue]?.contendedSince == nil {
      queues[queue]?.isDue = false
      queues[queue]?.notBefore = nil
    }
  }

  private func takeoverTime(_ now: Duration) -> Duration {
    now + settings.takeoverDelay * (1 + jitter() / 2)
  }

  private mutating func askForLog(_ now: Duration) {
    draining = draining ?? []
    var log = queues[.log, default: QueueSchedule()]
    log.becomeDue()
    log.isAskedAgain = isServing
    queues[.log] = log
    guard !isMover else { return }
    // Another node moves rows: this node need not look at the queue for that.
    let until = takeoverTime(now)
    for (queue, state) in queues where queue != .log && state.isDue {
      if state.contendedSince == nil { queues[queue]?.notBefore = until }
    }
  }

  private mutating func noteMover(_ isMover: Bool, _ now: Duration) {
    guard isMover != self.isMover else { return }
    self.isMover = isMover
    for queue in queues.keys where queue != .log {
      // Only the node that moves rows waits for a writer's lock.
      queues[queue]?.endContention()
      queues[queue]?.notBefore = nil
    }
    if isMover { awaitsMove = false } else { askForLog(now) }
  }

  private mutating func hear(_ now: Duration) {
    guard probeDeadline != nil else { return }
    hearing = .proved
    unansweredProbes = 0
    probeDeadline = nil
    lastProof = now
    nextProbe = now + probeInterval
  }

  /// A notification wakes the backend of every node, whatever its channel. So one proof serves all nodes: a probe that
  /// arrives here has used the listening connection, and only the working connection must still be proved, which wakes
  /// no other node. This happens no more often than a node proves itself: a sender of many notifications must not keep
  /// it busy.
  private mutating func hearOther(_ now: Duration) {
    guard isConnected, probeDeadline == nil else { return }
    if let lastProof, now - lastProof < settings.probeAfter / 2 { return }
    isPingDue = true
  }

  /// The node that moves rows probes first. The others probe only where it does not, and not all at the same moment.
  /// Until a first row is moved, any node may be the one that moves it. None probes later than a listener without nodes.
  private var probeInterval: Duration {
    guard hasLog else { return settings.probeAfter }
    return settings.probeAfter * (isMover ? 0.75 + jitter() * 0.05 : 1 - jitter() * 0.15)
  }

  private mutating func note(_ queue: QueueTable, _ served: DrainOutcome, _ now: Duration) {
    guard isConnected else { return }
    isServing = false
    var state = queues[queue, default: QueueSchedule()]
    switch served {
    case .more:
      state.isDue = true
      state.isUnderWay = true
      // Rows that were announced while this batch was served may stand before the rows of the next batch.
      state.isAskedAgain = state.isAskedAgain || state.hasNews
      state.notBefore = nil
      state.endContention()
    case .drained(let retryAfter):
      let isAskedAgain = state.isAskedAgain || state.hasNews
      state.isDue = isAskedAgain || retryAfter != nil
      state.notBefore = isAskedAgain ? nil : retryAfter.map { now + $0 }
      state.isUnderWay = false
      state.isAskedAgain = false
      // No other process waits for a lock of the log.
      if queue != .log { state.lockNotBefore = now + settings.lockInterval }
      state.endContention()
    case .prompted: break
    case .contended:
      state.isDue = true
      state.notBefore = now + state.contention.next(jitter: jitter())
      state.contendedSince = state.contendedSince ?? now
    }
    queues[queue] = state
    guard hasLog else { return }
    awaitsMove = false
    guard queue != .log else { return }
    switch served {
    // This node reads moved rows from the log, like any other node.
    case .more, .drained: queues[.log, default: QueueSchedule()].becomeDue()
    case .contended, .prompted: break
    }
  }

  // MARK: What next

  private mutating func next(_ now: Duration) -> [Output] {
    switch phase {
    case .idle, .connecting, .left: return []
    case .waiting(let until):
      guard now >= until else { return [] }
      phase = .connecting
      return [.connect]
    case .connected: return probeIfDue(now) ?? work(now)
    }
  }

  private mutating func probeIfDue(_ now: Duration) -> [Output]? {
    if let deadline = probeDeadline {
      guard now >= deadline else { return nil }
      return giveUpProbe(now)
    }
    guard isPingDue || now >= nextProbe else { return nil }
    probeDeadline = now + settings.probeTimeout
    defer { isPingDue = false }
    return [isPingDue ? .ping : .probe]
  }

  private mutating func giveUpProbe(_ now: Duration) -> [Output]? {
    probeDeadline = nil
    unansweredProbes += 1
    guard unansweredProbes < 2 else {
      hearing = .deaf
      nextProbe = now + settings.pollInterval
      return nil
    }
    return [.disconnect(.probeUnanswered)]
  }

  private mutating func work(_ now: Duration) -> [Output] {
    if now >= nextPoll {
      isMeasuring = true
      poll(now)
      return [.measure]
    }
    if isServing { return [] }
    if let (queue, depth) = nextQueue(now) {
      draining = draining ?? []
      isServing = true
      queues[queue]?.begin()
      return [.serve(queue, depth)]
    }
    guard let events = draining else { return [] }
    let contended = queues.values.compactMap(\.contendedSince)
    if contended.contains(where: { now - $0 < settings.contentionGrace }) { return [] }
    if queues.values.contains(where: { $0.isDeferred(now) }) { return [] }
    if awaitsMove { return [] }
    draining = nil
    return [.finish(events, complete: contended.isEmpty)]
  }

  private mutating func poll(_ now: Duration) {
    let isDraining = draining != nil
    let awaitedMove = awaitsMove
    draining = draining ?? []
    for queue in settings.queues {
      if isMover || queue == .log {
        queues[queue, default: QueueSchedule()].becomeDue(byPollAt: now, inDrain: isDraining)
      } else {
        leaveToOthers(queue, now)
      }
    }
    // What a poll looks for belongs to the drain that the poll begins, if it begins one.
    if isDraining { awaitsMove = awaitedMove }
  }

  /// The next queue that is due. Queues take turns, so that a long one does not delay the others.
  private mutating func nextQueue(_ now: Duration) -> (QueueTable, DrainDepth)? {
    let all = settings.queues
    for step in 0..<all.count {
      let queue = all[(turn + step) % all.count]
      guard let state = queues[queue] else { continue }
      let isDue = state.due.map { $0 <= now } ?? false
      guard isDue || state.hasNews else { continue }
      turn = (turn + step + 1) % all.count
      return (queue, isDue ? .whole : .pagesOnly)
    }
    return nil
  }

  private func pollTime(_ now: Duration) -> Duration {
    now + settings.pollInterval * (1 - jitter() / 10)
  }
}
