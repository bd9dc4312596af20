// SPDX-License-Identifier: BSD-2-Clause
//
// The listener's decisions where something is in the way: rows that wait, a notification in the
// middle of a pass, a connection lost before all was done, a site that is never silent.

import Testing

@testable import Basics
@testable import Listening
@testable import PGQueue

@Suite struct ListenerMachineFaultTests {
  private static let done = DrainOutcome.drained(retryAfter: nil)

  /// A machine whose first drain is done and whose first probe came back, at 1 s.
  private func settled() -> ListenerMachine {
    var machine = ListenerMachine(jitter: { 0 })
    _ = machine.handle(.started, at: .zero)
    _ = machine.handle(.connected, at: .zero)
    _ = machine.handle(.probeReturned, at: .zero)
    for queue in QueueTable.all { _ = machine.handle(.served(queue, Self.done), at: .seconds(1)) }
    return machine
  }

  @Test("a row that waits for another try does not hold up new rows of its queue")
  func newRowBesideOneThatWaits() {
    var machine = settled()
    _ = machine.handle(.notified([.portUpdated]), at: .seconds(2))
    _ = machine.handle(.served(.ports, .drained(retryAfter: .seconds(300))), at: .seconds(2))
    #expect(machine.handle(.notified([.portUpdated]), at: .seconds(3)) == [.serve(.ports, .whole)])
  }

  @Test("nor does it hold up what the poll would find")
  func pollBesideOneThatWaits() {
    var machine = settled()
    _ = machine.handle(.notified([.portUpdated]), at: .seconds(2))
    _ = machine.handle(.served(.ports, .drained(retryAfter: .seconds(300))), at: .seconds(2))
    _ = machine.handle(.timePassed, at: .seconds(10))
    _ = machine.handle(.probeReturned, at: .seconds(10))
    machine.settings.probeAfter = .seconds(600)
    #expect(machine.handle(.timePassed, at: .seconds(59)) == [.probe])
    _ = machine.handle(.probeReturned, at: .seconds(59))
    #expect(machine.handle(.timePassed, at: .seconds(60)) == [.measure])
    var served: [ListenerMachine.Output] = []
    var outputs = machine.handle(.timePassed, at: .seconds(60))
    while case .serve(let queue, _)? = outputs.first {
      served += outputs
      outputs = machine.handle(.served(queue, Self.done), at: .seconds(60))
    }
    #expect(served.contains(.serve(.ports, .whole)) && served.count == QueueTable.all.count)
  }

  @Test("a look at the queues that takes longer than the poll interval does not starve them")
  func slowMeasure() {
    var machine = settled()
    machine.settings.pollInterval = .seconds(1)
    machine.settings.probeAfter = .seconds(600)
    _ = machine.handle(.timePassed, at: .seconds(10))
    _ = machine.handle(.probeReturned, at: .seconds(10))
    var now = Duration.seconds(60)
    var served: [ListenerMachine.Output] = []
    var outputs = machine.handle(.timePassed, at: now)
    for _ in 0..<2 * QueueTable.all.count {
      now += .seconds(2)
      if case .serve(let queue, _)? = outputs.first {
        served += outputs
        outputs = machine.handle(.served(queue, .more), at: now)
      } else {
        #expect(outputs == [.measure])
        outputs = machine.handle(.timePassed, at: now)
      }
    }
    #expect(QueueTable.all.allSatisfy { served.contains(.serve($0, .whole)) }, "\(served)")
  }

  @Test("a notification clears new pages at once, and does not shorten the wait for a writer")
  func notifiedWhileContended() {
    var machine = settled()
    _ = machine.handle(.notified([.portUpdated]), at: .seconds(2))
    #expect(machine.handle(.served(.ports, .contended), at: .seconds(2)) == [])
    let soon = Duration.milliseconds(2010)
    #expect(machine.handle(.notified([.portUpdated]), at: soon) == [.serve(.ports, .pagesOnly)])
    #expect(machine.handle(.served(.ports, .prompted), at: soon) == [])
    #expect(machine.deadline == .milliseconds(2020))
    #expect(machine.handle(.timePassed, at: .milliseconds(2020)) == [.serve(.ports, .whole)])
  }

  @Test("changes that come quickly have their pages cleared at once and their rows a little later")
  func notifiedQuickly() {
    var machine = settled()
    _ = machine.handle(.notified([.portUpdated]), at: .seconds(2))
    _ = machine.handle(.served(.ports, Self.done), at: .seconds(2))
    for now in [Duration.milliseconds(2005), .milliseconds(2100), .milliseconds(2499)] {
      #expect(machine.handle(.notified([.portUpdated]), at: now) == [.serve(.ports, .pagesOnly)])
      #expect(machine.handle(.served(.ports, .prompted), at: now) == [])
      #expect(machine.deadline == .milliseconds(2500))
    }
    // The drain is finished, and the news emptied, when the rows are gone.
    let then = Duration.milliseconds(2500)
    #expect(machine.handle(.timePassed, at: then) == [.serve(.ports, .whole)])
    #expect(
      machine.handle(.served(.ports, Self.done), at: then)
        == [.finish([.portUpdated], complete: true)])
    // Another queue has a lock of its own.
    #expect(machine.handle(.notified([.dateUpdated]), at: then) == [.serve(.dates, .whole)])
  }

  @Test("what is notified while a pass is under way may stand behind it: another pass follows")
  func notifiedInMidPass() {
    var machine = settled()
    let whole = [ListenerMachine.Output.serve(.commits, .whole)]
    #expect(machine.handle(.notified([.commitUpdated]), at: .seconds(2)) == whole)
    #expect(machine.handle(.served(.commits, .more), at: .seconds(2)) == whole)
    #expect(machine.handle(.notified([.commitUpdated]), at: .seconds(2)) == [])
    #expect(
      machine.handle(.served(.commits, Self.done), at: .seconds(2))
        == [.serve(.commits, .pagesOnly)])
    #expect(machine.handle(.served(.commits, .prompted), at: .seconds(2)) == [])
    #expect(machine.handle(.timePassed, at: .milliseconds(2500)) == whole)
    #expect(
      machine.handle(.served(.commits, Self.done), at: .milliseconds(2500))
        == [.finish([.commitUpdated], complete: true)])
  }

  @Test("one batch at a time, however many notifications arrive meanwhile")
  func oneBatchAtATime() {
    var machine = settled()
    #expect(machine.handle(.notified([.portUpdated]), at: .seconds(2)) == [.serve(.ports, .whole)])
    for _ in 0..<5 {
      #expect(machine.handle(.notified([.portUpdated, .vuxml]), at: .seconds(2)) == [])
    }
    // The batch may have been read before they came.
    #expect(
      machine.handle(.served(.ports, Self.done), at: .seconds(2)) == [.serve(.ports, .pagesOnly)])
    #expect(machine.handle(.served(.ports, .prompted), at: .seconds(2)) == [])
    #expect(machine.handle(.timePassed, at: .seconds(3)) == [.serve(.ports, .whole)])
    #expect(
      machine.handle(.served(.ports, Self.done), at: .seconds(3))
        == [.finish([.portUpdated, .vuxml], complete: true)])
  }

  @Test("a connection lost in mid-batch does not keep the next one from being served")
  func lostInMidBatch() {
    var machine = settled()
    #expect(machine.handle(.notified([.portUpdated]), at: .seconds(2)) == [.serve(.ports, .whole)])
    _ = machine.handle(.disconnected, at: .seconds(2))
    #expect(machine.handle(.timePassed, at: .seconds(3)) == [.connect])
    #expect(machine.handle(.connected, at: .seconds(3)) == [.probe])
    let first = machine.handle(.timePassed, at: .seconds(3))
    #expect(
      first.count == 1 && QueueTable.all.contains { first == [.serve($0, .whole)] }, "\(first)")
  }

  @Test("packages_imported, which no queue remembers, outlives the connection it came by")
  func packagesOutliveConnection() {
    var machine = settled()
    _ = machine.handle(.notified([.portUpdated, .packagesImported]), at: .seconds(2))
    _ = machine.handle(.disconnected, at: .seconds(2))
    // A connection that comes and goes before its drain is done does not lose it either.
    for second in 3...5 {
      #expect(machine.handle(.timePassed, at: .seconds(second * 10)) == [.connect])
      _ = machine.handle(.connected, at: .seconds(second * 10))
      if second < 5 { _ = machine.handle(.disconnected, at: .seconds(second * 10)) }
    }
    var outputs = machine.handle(.probeReturned, at: .seconds(50))
    for _ in QueueTable.all {
      guard case .serve(let queue, _)? = outputs.first else { break }
      outputs = machine.handle(.served(queue, Self.done), at: .seconds(50))
    }
    #expect(outputs == [.finish(Set(SiteEvent.all), complete: true)])
  }

  @Test("and the stop that comes before its drain is done")
  func packagesBeforeStop() {
    var machine = settled()
    _ = machine.handle(.notified([.portUpdated, .packagesImported]), at: .seconds(2))
    #expect(
      machine.handle(.stop, at: .seconds(2))
        == [.finish([.packagesImported], complete: true), .leave])
  }

  @Test("a site that is never silent is probed all the same, or it could not prove its health")
  func probeUnderTraffic() {
    var machine = settled()
    for second in 1...9 {
      _ = machine.handle(.notified([.vuxml]), at: .seconds(second))
    }
    #expect(machine.handle(.notified([.vuxml]), at: .seconds(10)) == [.probe])
  }

  @Test("an answer that is late is no answer, and the second connection without one is kept")
  func lateProbe() {
    var machine = settled()
    #expect(machine.handle(.timePassed, at: .seconds(10)) == [.probe])
    #expect(machine.handle(.timePassed, at: .seconds(15)) == [.disconnect(.probeUnanswered)])
    _ = machine.handle(.disconnected, at: .seconds(15))
    #expect(machine.handle(.probeReturned, at: .seconds(15)) == [])
    #expect(machine.handle(.timePassed, at: .seconds(16)) == [.connect])
    #expect(machine.handle(.connected, at: .seconds(16)) == [.probe])
    _ = machine.handle(.timePassed, at: .seconds(21))
    #expect(machine.hearing == .deaf && machine.isConnected)
  }

  @Test("a reload while disconnected does not wait for the delay")
  func reloadWhileDisconnected() {
    var machine = settled()
    for _ in 0..<9 {
      _ = machine.handle(.disconnected, at: .seconds(2))
      _ = machine.handle(.timePassed, at: .seconds(100))
    }
    _ = machine.handle(.disconnected, at: .seconds(100))
    #expect(machine.handle(.timePassed, at: .seconds(101)) == [])
    #expect(machine.handle(.reconnect, at: .seconds(101)) == [.connect])
  }

  @Test("a cut name is told by its bytes, even between a letter and its accent")
  func cutBetweenLetterAndAccent() {
    let cut = String(repeating: "n", count: 62) + "e"
    #expect(Channel(name: cut + "\u{301}clair", scriptName: "").isNamed(Array(cut.utf8)))
    #expect(
      !Channel(name: "\u{e9}", scriptName: "").isNamed(Array("e\u{301}".utf8)), "another name here")
  }
}
