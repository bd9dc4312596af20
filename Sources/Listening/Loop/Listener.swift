// SPDX-License-Identifier: BSD-2-Clause
//
// The daemon's loop: does what the machine decides and reports the result to it. One thread, one poll(2) over the
// connections, the signals and the next timer.

import Basics
import CacheFS
import PGQueue

/// Listens until a signal stops it.
package final class Listener {
  private var parameters: ConnectionParameters
  private let service: ListenerService
  private let signals: Signals
  private var machine: ListenerMachine
  private var listening: Connection?
  private var working: Connection?
  private var backlogs = BacklogLook()
  private var channels: [Channel] = []
  /// The channels that were logged; nil after each reading of the configuration.
  private var toldChannels: [Channel]?
  private var inputs: [ListenerMachine.Input] = [.started]
  private var disconnectedSince: Duration?
  /// Whether the log already says that the server does not admit us; reset when it does.
  private var hasToldRefusal = false
  private var hasLeft = false
  /// Whether nodes were found and this listener is not one of them.
  private var takesFromNodes = false
  /// Distinguishes our own probe from those of others.
  private let probeName = "\(getpid())_\(UInt32.random(in: 0 ... .max))"
  private let began = ContinuousClock.now

  package init(
    _ parameters: ConnectionParameters, settings: ListenerMachine.Settings,
    signals: Signals, service: ListenerService
  ) {
    self.parameters = parameters
    self.signals = signals
    self.service = service
    machine = ListenerMachine(settings)
  }

  /// Returns after SIGTERM or SIGINT was handled.
  package func run() {
    while !hasLeft {
      let timer = service.tick(isBusy: !inputs.isEmpty)
      if inputs.isEmpty { wait(atMost: timer) }
      takeSignals()
      // One input at a time. However long a batch took, a proof that arrived meanwhile is seen before it is judged
      // overdue.
      takeNotifications()
      let input = inputs.isEmpty ? .timePassed : inputs.removeFirst()
      let wasDeaf = machine.hearing == .deaf
      for output in machine.handle(input, at: now) { perform(output) }
      noteHearing(wasDeaf)
    }
  }

  private var now: Duration { began.duration(to: .now) }

  // MARK: What the machine decides

  private func perform(_ output: ListenerMachine.Output) {
    switch output {
    case .connect: connect()
    case .disconnect(.probeUnanswered):
      service.note(.probeUnanswered)
      disconnect()
    case .probe: probe()
    case .ping: ping()
    case .measure: measure()
    case .serve(let queue, let depth): serve(queue, depth)
    case .finish(let events, let complete):
      service.finish(events, complete: complete)
    case .leave:
      service.note(.stopping)
      hasLeft = true
    }
  }

  private func connect() {
    do throws(DatabaseError) {
      let listening = try Connection(parameters, stop: signals.stop)
      let working = try Connection(parameters, stop: signals.stop)
      // A queue that another session has locked as a whole (ALTER TABLE, VACUUM FULL) must not delay the others; the
      // drain's own lock waits for a shorter time.
      try working.query("SET lock_timeout = '500ms'")
      listening.ownPayload = Array(probeName.utf8)
      channels = hasNothingToHear ? [] : try Channel.all(of: machine.settings.events, on: listening)
      try prepareForNodes(listening, working)
      try listen(on: listening)
      self.listening = listening
      self.working = working
      if let since = disconnectedSince { service.note(.reconnected(after: now - since)) }
      disconnectedSince = nil
      hasToldRefusal = false
      service.note(channels == toldChannels ? .readyAgain(channels) : .ready(channels))
      toldChannels = channels
      for channel in channels where channel.event == nil { service.note(.unknownEvent(channel)) }
      inputs.append(.connected)
    } catch {
      lose(error)
    }
  }

  private func listen(on connection: Connection) throws(DatabaseError) {
    try connection.listen(to: Array(probeChannel.utf8))
    for channel in channels {
      do throws(DatabaseError) {
        try connection.listen(to: channel.name)
      } catch {
        guard case .refused = error else { throw error }
        service.note(.notHeard(channel, error))
      }
    }
  }

  /// Nodes share one channel; a listener without nodes uses its own.
  private var probeChannel: String {
    hasLog
      ? NodeSchema.probeChannel : "\(NodeSchema.probeChannel)_\(probeName)"
  }

  /// A site without queues and events has no listen_for table either.
  private var hasNothingToHear: Bool {
    machine.settings.queues.isEmpty && machine.settings.events.isEmpty
  }

  private var hasLog: Bool { machine.settings.queues.contains(.log) }

  private func prepareForNodes(
    _ listening: Connection, _ working: Connection
  ) throws(DatabaseError) {
    if hasLog {
      try listening.query("LISTEN \(NodeSchema.channel)")
      // See NodeLog.swift for why that is safe.
      try working.script(
        "SET synchronous_commit = off; SET jit = off; SET default_transaction_read_only = off")
    } else {
      takesFromNodes = false
      try lookForNodes(working)
    }
  }

  /// A listener without a node name must not run unnoticed among nodes. It logs once for each connection that it has
  /// found nodes, at the start or at the first poll after they appeared.
  private func lookForNodes(_ working: Connection) throws(DatabaseError) {
    let nodes = try NodeLog.names(on: working)
    if let nodes, !takesFromNodes { service.note(.takesFromNodes(nodes)) }
    takesFromNodes = nodes != nil
  }

  private func serve(_ table: QueueTable, _ depth: DrainDepth) {
    guard let working else { return }
    do throws(DatabaseError) {
      let served = try service.serve(Queue(table, on: working), depth)
      if hasLog { inputs.append(.mover(service.isMover)) }
      inputs.append(.served(table, served))
    } catch {
      lose(error)
    }
  }

  private func measure() {
    guard let working else { return }
    do throws(DatabaseError) {
      let backlog = try backlogs.measure(machine.settings.queues, on: working)
      if !hasLog { try lookForNodes(working) }
      // Before a notification that is not handled yet: what it announces may be newer than the measure.
      inputs.insert(.measured(empty: service.measure(backlog)), at: 0)
    } catch {
      lose(error)
    }
  }

  /// The proof is sent on the other connection. A pooler that gives each statement to any free server session would
  /// answer a probe that the listening connection sent itself.
  private func probe() {
    guard let working else { return }
    do throws(DatabaseError) {
      try working.query(
        "NOTIFY \(working.quoted(identifier: probeChannel)), '\(probeName)'",
        timeout: machine.settings.probeTimeout)
      inputs.append(.timePassed)
    } catch {
      lose(error)
    }
  }

  private func ping() {
    guard let working else { return }
    do throws(DatabaseError) {
      try working.query("SELECT 1", timeout: machine.settings.probeTimeout)
      noteProof()
    } catch {
      lose(error)
    }
  }

  private func noteProof() {
    inputs.insert(.probeReturned, at: 0)
    service.note(.probed)
  }

  private func lose(_ error: DatabaseError) {
    if disconnectedSince == nil {
      disconnectedSince = now
      service.note(.disconnected(error))
    } else if error.isRefusalToConnect, !hasToldRefusal {
      hasToldRefusal = true
      service.note(.notAdmitted(error))
    }
    disconnect()
  }

  private func disconnect() {
    if disconnectedSince == nil { disconnectedSince = now }
    listening = nil
    working = nil
    service.reset()
    inputs.append(.disconnected)
  }

  private func noteHearing(_ wasDeaf: Bool) {
    let isDeaf = machine.hearing == .deaf
    if isDeaf, !wasDeaf { service.note(.deaf(polling: machine.settings.pollInterval)) }
    if wasDeaf, machine.hearing == .proved { service.note(.hearsAgain) }
  }

  // MARK: What happens outside

  /// Takes all notifications before sleeping: poll(2) does not report what libpq has already read.
  private func takeNotifications() {
    guard let listening else { return }
    do throws(DatabaseError) {
      var events: [SiteEvent] = []
      var count = 0
      var isLogged = false
      for notification in try listening.takeNotifications() {
        if notification.channel.elementsEqual(probeChannel.utf8) {
          if notification.isOwn {
            noteProof()
          } else if !inputs.contains(.othersProbe) {
            inputs.append(.othersProbe)
          }
        } else if hasLog, notification.channel.elementsEqual(NodeSchema.channel.utf8) {
          // This node reads the rows that it has moved itself without a notification.
          if notification.sender != working?.backend { isLogged = true }
        } else if let channel = channels.first(where: { $0.isNamed(notification.channel) }) {
          count += notification.count
          if let event = channel.event {
            if !events.contains(event) { events.append(event) }
          }
        }
      }
      if count > 0 { service.note(.notified(count)) }
      if !events.isEmpty { noteNotified(events) }
      if isLogged, !inputs.contains(.logged) { inputs.append(.logged) }
    } catch {
      lose(error)
    }
  }

  /// Adds them to the events that are not handled yet. A sender that notifies faster than we drain must not fill the
  /// memory.
  private func noteNotified(_ events: [SiteEvent]) {
    for (index, input) in inputs.enumerated() {
      guard case .notified(let earlier) = input else { continue }
      inputs[index] = .notified(earlier + events.filter { !earlier.contains($0) })
      return
    }
    inputs.append(.notified(events))
  }

  private func takeSignals() {
    for signal in signals.take() {
      switch signal {
      case .terminate: inputs.insert(.stop, at: 0)
      case .hangup: reload()
      case .user1: service.note(.statusAsked)
      }
    }
  }

  /// Makes both connections again, with the current configuration.
  private func reload() {
    service.note(.reloading)
    toldChannels = nil
    if let (parameters, settings) = service.reload() {
      self.parameters = parameters
      machine.settings = settings
    }
    let wasConnected = machine.isConnected
    listening = nil
    working = nil
    if wasConnected { service.reset() }
    inputs.append(.reconnect)
  }

  private func wait(atMost limit: Duration?) {
    var descriptors = [pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)]
    for connection in [listening, working].compactMap({ $0 }) {
      descriptors.append(pollfd(fd: connection.socket, events: Int16(POLLIN), revents: 0))
    }
    let timeout = [machine.deadline.map { $0 - now }, limit].compactMap { $0 }.min()?.pollTimeout
    guard poll(&descriptors, nfds_t(descriptors.count), timeout ?? -1) > 0 else { return }
    if descriptors.count > 2, descriptors[2].revents != 0 { checkWorking() }
  }

  /// Between batches the working connection can only report that it is closed.
  private func checkWorking() {
    do throws(DatabaseError) {
      _ = try working?.takeNotifications()
    } catch {
      lose(error)
    }
  }
}
