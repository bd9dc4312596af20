// SPDX-License-Identifier: BSD-2-Clause
//
// The decisions of one of many nodes: who looks at the queues, and when.

import Testing

@testable import Basics
@testable import Listening
@testable import PGQueue

@Suite struct ListenerMachineNodeTests {
  private static let done = DrainOutcome.drained(retryAfter: nil)
  private static let whole = QueueTable.all.map { ListenerMachine.Output.serve($0, .whole) }

  /// A node that has connected, proved itself, and read the log at 0 s.
  private func node(isMover: Bool) -> ListenerMachine {
    var settings = ListenerMachine.Settings()
    settings.queues.append(.log)
    var machine = ListenerMachine(settings, jitter: { 0 })
    _ = machine.handle(.started, at: .zero)
    #expect(machine.handle(.connected, at: .zero) == [.probe])
    #expect(machine.handle(.probeReturned, at: .zero) == [.serve(.log, .whole)])
    #expect(machine.handle(.mover(isMover), at: .zero) == [])
    return machine
  }

  /// A node that is not the mover and has nothing to do, at 2 s.
  private func settled() -> ListenerMachine {
    var machine = node(isMover: false)
    _ = machine.handle(.served(.log, Self.done), at: .zero)
    _ = machine.handle(.timePassed, at: .seconds(1))
    for queue in QueueTable.all { _ = machine.handle(.served(queue, Self.done), at: .seconds(1)) }
    _ = machine.handle(.served(.log, Self.done), at: .seconds(1))
    #expect(machine.handle(.timePassed, at: .seconds(2)) == [])
    return machine
  }

  @Test("the node that moves reads the log first, then drains every queue, then the log again")
  func mover() {
    var machine = node(isMover: true)
    var outputs = machine.handle(.served(.log, Self.done), at: .zero)
    for queue in QueueTable.all {
      #expect(outputs == [.serve(queue, .whole)])
      outputs = machine.handle(.served(queue, Self.done), at: .zero)
    }
    #expect(outputs == [.serve(.log, .whole)])
    let finish = machine.handle(.served(.log, Self.done), at: .zero)
    #expect(
      finish
        == [
          .finish(Set(SiteEvent.all).subtracting([.packagesImported]), complete: true)
        ])
  }

  @Test("another one reads the log, is done, and looks at the queues a second later")
  func other() {
    var machine = node(isMover: false)
    let finish = machine.handle(.served(.log, Self.done), at: .zero)
    #expect(
      finish
        == [
          .finish(Set(SiteEvent.all).subtracting([.packagesImported]), complete: true)
        ])
    #expect(machine.handle(.timePassed, at: .milliseconds(999)) == [])
    #expect(machine.handle(.timePassed, at: .seconds(1)) == [Self.whole[0]])
  }

  @Test("a notification waits for the log's: then what it asks for besides is done, and no queue")
  func notified() {
    var machine = settled()
    #expect(machine.handle(.notified([.portUpdated]), at: .seconds(2)) == [])
    #expect(machine.deadline == .seconds(3))
    #expect(machine.handle(.logged, at: .milliseconds(2010)) == [.serve(.log, .whole)])
    #expect(
      machine.handle(.served(.log, Self.done), at: .milliseconds(2020))
        == [.finish([.portUpdated], complete: true)])
    #expect(machine.handle(.timePassed, at: .milliseconds(3009)) == [])
    #expect(machine.handle(.timePassed, at: .milliseconds(3010)) == [.serve(.ports, .whole)])
  }

  @Test("notifications do not put off the look at the queue, however many there are")
  func noStarvation() {
    var machine = settled()
    for milliseconds in stride(from: 2000, to: 3000, by: 100) {
      #expect(machine.handle(.notified([.portUpdated]), at: .milliseconds(milliseconds)) == [])
    }
    #expect(
      machine.handle(.notified([.portUpdated]), at: .seconds(3)) == [.serve(.ports, .whole)])
  }

  @Test("nor do polls that come more often")
  func polls() {
    var machine = settled()
    machine.settings.pollInterval = .milliseconds(200)
    #expect(machine.handle(.notified([.portUpdated]), at: .seconds(2)) == [])
    var served: [ListenerMachine.Output] = []
    for milliseconds in stride(from: 60_000, to: 62_000, by: 50) {
      let now = Duration.milliseconds(milliseconds)
      var outputs = machine.handle(.timePassed, at: now)
      // The row of that notification waits: its queue is not empty.
      if outputs == [.measure] {
        outputs += machine.handle(.measured(empty: [.dates, .commits, .files]), at: now)
      }
      served += outputs
      for case .serve(let queue, _) in outputs {
        _ = machine.handle(.served(queue, Self.done), at: now)
      }
      if machine.deadline == nil { break }
    }
    #expect(served.contains(.serve(.ports, .whole)), "\(served)")
  }

  @Test("a poll looks only into the queues that it has not just measured as empty")
  func emptyQueues() {
    var machine = settled()
    let later = Duration.seconds(62)
    #expect(machine.handle(.timePassed, at: .seconds(60)) == [.probe])
    #expect(machine.handle(.probeReturned, at: .seconds(60)) == [.measure])
    #expect(
      machine.handle(.measured(empty: [.dates, .commits, .files]), at: .seconds(60))
        == [.serve(.log, .whole)])
    #expect(
      machine.handle(.served(.log, Self.done), at: .seconds(60)) == [.finish([], complete: true)])
    #expect(machine.handle(.timePassed, at: later) == [.serve(.ports, .whole)])
    #expect(machine.handle(.served(.ports, Self.done), at: later) == [.serve(.log, .whole)])
    _ = machine.handle(.served(.log, Self.done), at: later)
    #expect(machine.deadline.map { $0 > later } ?? false, "and then sleeps")
  }

  @Test("a notification that comes after the measure is looked for, whatever was measured")
  func notifiedAfterMeasure() {
    var machine = settled()
    _ = machine.handle(.timePassed, at: .seconds(60))
    #expect(machine.handle(.probeReturned, at: .seconds(60)) == [.measure])
    #expect(
      machine.handle(.measured(empty: Set(QueueTable.all)), at: .seconds(60))
        == [.serve(.log, .whole)])
    #expect(machine.handle(.notified([.portUpdated]), at: .seconds(60)) == [])
    _ = machine.handle(.served(.log, Self.done), at: .seconds(60))
    #expect(machine.handle(.timePassed, at: .seconds(61)) == [.serve(.ports, .whole)])
  }

  @Test("the node that moves looks into every queue at a poll, whatever was measured")
  func moverPolls() {
    var machine = node(isMover: true)
    var outputs = machine.handle(.served(.log, Self.done), at: .zero)
    while case .serve(let queue, _)? = outputs.first {
      outputs = machine.handle(.served(queue, Self.done), at: .zero)
    }
    #expect(machine.handle(.timePassed, at: .seconds(60)) == [.probe])
    #expect(machine.handle(.probeReturned, at: .seconds(60)) == [.measure])
    outputs = machine.handle(.measured(empty: Set(QueueTable.all)), at: .seconds(60))
    var looked: Set<QueueTable> = []
    while case .serve(let queue, _)? = outputs.first {
      looked.insert(queue)
      outputs = machine.handle(.served(queue, Self.done), at: .seconds(60))
    }
    #expect(looked == Set(QueueTable.all + [.log]))
  }

  @Test("an event without a queue is done at once")
  func withoutQueue() {
    var machine = settled()
    #expect(
      machine.handle(.notified([.vuxml]), at: .seconds(2)) == [.finish([.vuxml], complete: true)])
  }

  @Test("who takes over drains at once what is due; who is relieved leaves the lock to the other")
  func change() {
    var machine = settled()
    #expect(machine.handle(.notified([.portUpdated]), at: .seconds(2)) == [])
    #expect(machine.handle(.timePassed, at: .seconds(3)) == [.serve(.ports, .whole)])
    #expect(machine.handle(.mover(true), at: .seconds(3)) == [])
    #expect(machine.handle(.served(.ports, .contended), at: .seconds(3)) == [])
    #expect(machine.deadline == .milliseconds(3020))
    // Another node has claimed it meanwhile.
    #expect(machine.handle(.logged, at: .milliseconds(3010)) == [.serve(.log, .whole)])
    #expect(machine.handle(.mover(false), at: .milliseconds(3010)) == [])
    #expect(
      machine.handle(.served(.log, Self.done), at: .milliseconds(3010)) == [.serve(.log, .whole)])
    _ = machine.handle(.served(.log, Self.done), at: .milliseconds(3010))
    #expect(machine.handle(.timePassed, at: .milliseconds(4009)) == [])
    #expect(machine.handle(.timePassed, at: .milliseconds(4010)) == [.serve(.ports, .whole)])
  }

  @Test("what is logged while the log is served has it served again")
  func loggedMeanwhile() {
    var machine = settled()
    #expect(machine.handle(.logged, at: .seconds(2)) == [.serve(.log, .whole)])
    #expect(machine.handle(.logged, at: .seconds(2)) == [])
    #expect(machine.handle(.served(.log, Self.done), at: .seconds(2)) == [.serve(.log, .whole)])
    #expect(
      machine.handle(.served(.log, Self.done), at: .seconds(2)) == [.finish([], complete: true)])
  }

  // MARK: Proofs

  @Test("another node's probe is made a proof by a ping, and puts off this node's own")
  func othersProbe() {
    var machine = settled()
    // Its own last proof is of 0 s: what comes within half an interval is not worth a ping.
    #expect(machine.handle(.othersProbe, at: .milliseconds(4999)) == [])
    #expect(machine.handle(.othersProbe, at: .seconds(8)) == [.ping])
    #expect(machine.handle(.othersProbe, at: .seconds(8)) == [])
    #expect(machine.handle(.probeReturned, at: .seconds(8)) == [])
    #expect(machine.handle(.timePassed, at: .milliseconds(17_999)) == [])
    #expect(machine.handle(.timePassed, at: .seconds(18)) == [.probe])
    // With its own under way it waits for that one.
    #expect(machine.handle(.othersProbe, at: .seconds(18)) == [])
    #expect(machine.handle(.probeReturned, at: .seconds(18)) == [])
  }

  @Test("the node that moves probes first, the others at different times, none after 10 s")
  func whoProbes() {
    func next(isMover: Bool, jitter: Double) -> Duration? {
      var settings = ListenerMachine.Settings()
      settings.queues.append(.log)
      settings.pollInterval = .seconds(3600)
      var machine = ListenerMachine(settings, jitter: { jitter })
      _ = machine.handle(.started, at: .zero)
      _ = machine.handle(.connected, at: .zero)
      _ = machine.handle(.mover(isMover), at: .zero)
      _ = machine.handle(.probeReturned, at: .zero)
      for second in 0...9 {
        for queue in [QueueTable.log] + QueueTable.all + [.log] {
          _ = machine.handle(.served(queue, Self.done), at: .seconds(second) / 4)
        }
      }
      return machine.deadline
    }
    #expect(next(isMover: true, jitter: 0) == .milliseconds(7500))
    #expect(next(isMover: true, jitter: 1) == .seconds(8))
    #expect(next(isMover: false, jitter: 1) == .milliseconds(8500))
    #expect(next(isMover: false, jitter: 0) == .seconds(10))
  }

  @Test("a node's own probe still finds a dead connection, and another's does not bring it back")
  func deadConnection() {
    var machine = node(isMover: false)
    _ = machine.handle(.served(.log, Self.done), at: .zero)
    #expect(machine.handle(.timePassed, at: .seconds(10)).contains(.probe))
    let lost = machine.handle(.timePassed, at: .milliseconds(14_500))
    #expect(lost == [.disconnect(.probeUnanswered)])
    // A late one of a connection that is gone is nothing.
    _ = machine.handle(.disconnected, at: .milliseconds(14_500))
    #expect(machine.handle(.othersProbe, at: .milliseconds(14_500)) == [])
    #expect(machine.handle(.timePassed, at: .milliseconds(14_600)) == [.connect])
  }
}
