// SPDX-License-Identifier: BSD-2-Clause
//
// The listener's decisions, tested without a socket or a clock: inputs and times go in, the
// outputs are compared.

import Testing

@testable import Basics
@testable import Listening
@testable import PGQueue

@Suite struct ListenerMachineTests {
  typealias Output = ListenerMachine.Output

  /// Everything that a new connection asks to be done besides the queues.
  private static let atConnect = Set(SiteEvent.all).subtracting([.packagesImported])

  private func machine() -> ListenerMachine { ListenerMachine(jitter: { 0 }) }

  /// A machine whose first drain is done and whose first probe came back, at 1 s.
  private func settled() -> ListenerMachine {
    var machine = machine()
    _ = machine.handle(.started, at: .zero)
    _ = machine.handle(.connected, at: .zero)
    _ = machine.handle(.probeReturned, at: .zero)
    for queue in QueueTable.all {
      _ = machine.handle(.served(queue, .drained(retryAfter: nil)), at: .seconds(1))
    }
    return machine
  }

  @Test("at connect it probes, then drains every queue unasked, then empties what events ask for")
  func connect() {
    var machine = machine()
    #expect(machine.handle(.started, at: .seconds(5)) == [.connect])
    #expect(machine.handle(.connected, at: .seconds(5)) == [.probe])
    #expect(machine.handle(.timePassed, at: .seconds(5)) == [.serve(.ports, .whole)])
    let done = DrainOutcome.drained(retryAfter: nil)
    #expect(machine.handle(.served(.ports, done), at: .seconds(5)) == [.serve(.dates, .whole)])
    #expect(machine.handle(.served(.dates, done), at: .seconds(5)) == [.serve(.commits, .whole)])
    #expect(machine.handle(.served(.commits, done), at: .seconds(5)) == [.serve(.files, .whole)])
    #expect(
      machine.handle(.served(.files, done), at: .seconds(5))
        == [.finish(Self.atConnect, complete: true)])
    #expect(machine.handle(.timePassed, at: .seconds(6)) == [])
  }

  @Test("a notification drains its queue only; one without a queue is finished at once")
  func notified() {
    var machine = settled()
    #expect(machine.handle(.notified([.dateUpdated]), at: .seconds(2)) == [.serve(.dates, .whole)])
    #expect(
      machine.handle(.served(.dates, .drained(retryAfter: nil)), at: .seconds(2))
        == [.finish([.dateUpdated], complete: true)])
    #expect(
      machine.handle(.notified([.packagesImported]), at: .seconds(3))
        == [.finish([.packagesImported], complete: true)])
  }

  @Test("queues take turns, so that a long one does not starve the others")
  func turns() {
    var machine = settled()
    #expect(
      machine.handle(.notified([.portUpdated, .fileUpdated]), at: .seconds(2)) == [
        .serve(.ports, .whole)
      ])
    #expect(machine.handle(.served(.ports, .more), at: .seconds(2)) == [.serve(.files, .whole)])
    #expect(machine.handle(.served(.files, .more), at: .seconds(2)) == [.serve(.ports, .whole)])
  }

  @Test("what is told of while the first batch of a pass is served has a pass of its own")
  func toldMeanwhile() {
    var machine = settled()
    // Two notifications that are one input, since the first had not been handled when the second came.
    #expect(machine.handle(.notified([.dateUpdated]), at: .seconds(2)) == [.serve(.dates, .whole)])
    #expect(machine.handle(.notified([.dateUpdated]), at: .seconds(2)) == [])
    #expect(machine.handle(.served(.dates, .more), at: .seconds(2)) == [.serve(.dates, .whole)])
    let done = DrainOutcome.drained(retryAfter: nil)
    #expect(machine.handle(.served(.dates, done), at: .seconds(2)) == [])
    let later = Duration.seconds(2) + machine.settings.lockInterval
    #expect(machine.handle(.timePassed, at: later) == [.serve(.dates, .whole)])
    #expect(
      machine.handle(.served(.dates, done), at: later)
        == [.finish([.dateUpdated], complete: true)])
  }

  @Test(
    "a long drain comes to its end however often a poll falls due meanwhile",
    arguments: [100, 200, 300, 400, 450, 500, 700])
  func pollsDuringDrain(interval: Int) {
    var machine = ListenerMachine(jitter: { 0 })
    machine.settings.pollInterval = .milliseconds(interval)
    var now = Duration.zero
    var outputs = machine.handle(.started, at: now) + machine.handle(.connected, at: now)
    var ends: [Duration] = []
    // Ports have rows for three seconds.
    while now < .seconds(5) {
      var inputs: [ListenerMachine.Input] = []
      for output in outputs {
        switch output {
        case .serve(.ports, .whole) where now < .seconds(3): inputs.append(.served(.ports, .more))
        case .serve(let queue, .whole):
          inputs.append(.served(queue, .drained(retryAfter: nil)))
        case .serve(let queue, .pagesOnly): inputs.append(.served(queue, .prompted))
        case .measure: inputs.append(.timePassed)
        case .probe, .ping: inputs.append(.probeReturned)
        case .finish: ends.append(now)
        default: break
        }
      }
      now += .milliseconds(10)
      outputs = inputs.isEmpty ? machine.handle(.timePassed, at: now) : []
      for input in inputs { outputs += machine.handle(input, at: now) }
    }
    #expect(ends.first.map { $0 >= .seconds(3) && $0 < .seconds(4) } == true, "\(ends.prefix(3))")
  }

  @Test("a queue that a writer holds is tried again after 20 ms, doubling to 1 s")
  func contention() {
    var machine = settled()
    var now = Duration.seconds(2)
    #expect(machine.handle(.notified([.portUpdated]), at: now) == [.serve(.ports, .whole)])
    for delay in [20, 40, 80, 160, 320] {
      #expect(machine.handle(.served(.ports, .contended), at: now) == [])
      #expect(machine.deadline == now + .milliseconds(delay))
      #expect(machine.handle(.timePassed, at: now + .milliseconds(delay - 1)) == [])
      now += .milliseconds(delay)
      #expect(machine.handle(.timePassed, at: now) == [.serve(.ports, .whole)])
    }
    // After a second of it the drain is finished without the queue, and says so.
    #expect(machine.handle(.served(.ports, .contended), at: now) == [])
    now += .milliseconds(639)
    #expect(
      machine.handle(.timePassed, at: now) == [.finish([.portUpdated], complete: false)])
    now += .milliseconds(1)
    for _ in 0..<3 {
      #expect(machine.handle(.timePassed, at: now) == [.serve(.ports, .whole)])
      #expect(
        machine.handle(.served(.ports, .contended), at: now) == [.finish([], complete: false)])
      #expect(machine.deadline == now + .seconds(1))
      now += .seconds(1)
    }
    #expect(machine.handle(.timePassed, at: now) == [.serve(.ports, .whole)])
    #expect(
      machine.handle(.served(.ports, .drained(retryAfter: nil)), at: now)
        == [.finish([], complete: true)])
  }

  @Test("rows that have to wait bring the queue back when their time has come")
  func retry() {
    var machine = settled()
    _ = machine.handle(.notified([.portUpdated]), at: .seconds(2))
    #expect(
      machine.handle(.served(.ports, .drained(retryAfter: .seconds(3))), at: .seconds(2))
        == [.finish([.portUpdated], complete: true)])
    #expect(machine.handle(.timePassed, at: .seconds(4)) == [])
    #expect(machine.handle(.timePassed, at: .seconds(5)) == [.serve(.ports, .whole)])
  }

  @Test("reconnecting: 100 ms, doubling to 30 s, and anew after 20 s that held")
  func reconnect() {
    var machine = machine()
    var now = Duration.zero
    #expect(machine.handle(.started, at: now) == [.connect])
    for delay in [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000] {
      #expect(machine.handle(.disconnected, at: now) == [])
      #expect(machine.deadline == now + .milliseconds(delay))
      now += .milliseconds(delay)
      #expect(machine.handle(.timePassed, at: now) == [.connect])
    }
    _ = machine.handle(.connected, at: now)
    now += .seconds(19)
    _ = machine.handle(.disconnected, at: now)
    #expect(machine.deadline == now + .seconds(30), "it did not hold for 20 s")
    now += .seconds(30)
    _ = machine.handle(.timePassed, at: now)
    _ = machine.handle(.connected, at: now)
    now += .seconds(20)
    _ = machine.handle(.disconnected, at: now)
    #expect(machine.deadline == now + .milliseconds(100))
  }

  @Test("after 10 s of silence it asks for a proof, and 4.5 s without one end the connection")
  func probe() {
    var machine = settled()
    #expect(machine.handle(.timePassed, at: .milliseconds(9999)) == [])
    #expect(machine.handle(.timePassed, at: .seconds(10)) == [.probe])
    #expect(machine.handle(.timePassed, at: .milliseconds(14_499)) == [])
    #expect(
      machine.handle(.timePassed, at: .milliseconds(14_500)) == [.disconnect(.probeUnanswered)])
    #expect(machine.hearing == .proved)
  }

  @Test("two connections that lose the proof: deaf, polling from then on, until one comes back")
  func deaf() {
    var machine = machine()
    _ = machine.handle(.started, at: .zero)
    _ = machine.handle(.connected, at: .zero)
    #expect(machine.handle(.timePassed, at: .seconds(5)) == [.disconnect(.probeUnanswered)])
    _ = machine.handle(.disconnected, at: .seconds(5))
    #expect(machine.handle(.timePassed, at: .seconds(6)) == [.connect])
    _ = machine.handle(.connected, at: .seconds(6))
    #expect(machine.handle(.timePassed, at: .seconds(6)) == [.serve(.ports, .whole)])
    for queue in QueueTable.all {
      _ = machine.handle(.served(queue, .drained(retryAfter: nil)), at: .seconds(6))
    }
    #expect(machine.handle(.timePassed, at: .seconds(11)) == [], "the connection is kept")
    #expect(machine.hearing == .deaf)
    #expect(machine.handle(.timePassed, at: .seconds(66)) == [.measure], "the poll backstop")
    #expect(machine.handle(.timePassed, at: .seconds(66)) == [.serve(.ports, .whole)])
    #expect(machine.handle(.timePassed, at: .seconds(71)) == [.probe], "and it asks again")
    _ = machine.handle(.probeReturned, at: .seconds(71))
    #expect(machine.hearing == .proved)
  }

  @Test("late inputs are ignored, and after a stop nothing is done")
  func late() {
    var machine = machine()
    for input in [
      ListenerMachine.Input.connected, .disconnected, .probeReturned, .notified([.portUpdated]),
      .served(.ports, .more), .timePassed, .reconnect,
    ] {
      #expect(machine.handle(input, at: .zero) == [])
    }
    #expect(machine.handle(.started, at: .zero) == [.connect])
    #expect(machine.handle(.notified([.portUpdated]), at: .zero) == [], "not connected")
    #expect(machine.handle(.stop, at: .zero) == [.leave])
    #expect(machine.handle(.connected, at: .zero) == [])
    #expect(machine.deadline == nil)
  }

  @Test("a reload connects anew at once")
  func reload() {
    var machine = settled()
    #expect(machine.handle(.reconnect, at: .seconds(2)) == [.connect])
    #expect(machine.handle(.connected, at: .seconds(2)) == [.probe])
  }

  @Test("jitter takes off up to a quarter of a delay")
  func backoff() {
    var backoff = Backoff(first: .seconds(1), ceiling: .seconds(3))
    #expect(backoff.isReset)
    #expect(backoff.next(jitter: 0) == .seconds(1))
    #expect(backoff.next(jitter: 1) == .milliseconds(1500))
    #expect(backoff.next(jitter: 0) == .seconds(3))
    #expect(!backoff.isReset)
    backoff.reset()
    #expect(backoff.next(jitter: 0) == .seconds(1))
  }
}
