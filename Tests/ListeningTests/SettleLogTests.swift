// SPDX-License-Identifier: BSD-2-Clause
//
// The settle list's file: how it is written, copied and locked, which lines of it are keys, and
// what becomes of it when the clock is set back or its folder cannot be had.

import Glibc
import Logging
import SystemPackage
import Testing

@testable import CacheFS
@testable import Listening
@testable import TestSupport

@Suite struct SettleLogTests {
  private let layout = Layout.freshPorts
  private let tree: TemporaryTree
  private let messages = Messages()

  init() throws { tree = try TemporaryTree() }

  private var folder: FilePath { FilePath(tree.path) }

  private func open(_ delay: Duration) -> Settle {
    Settle.open(delay, stateDirectory: folder, layout: layout, messages.logger)
  }

  private func port(_ name: String) throws -> CacheKey {
    try layout.port(category: Array("www".utf8), port: Array(name.utf8))
  }

  private func line(_ name: String, due: Int64) throws -> String {
    "\(due)\t\(layout.text(of: try port(name)))\n"
  }

  /// A list in the folder, by a clock that stands still until it is moved.
  private func open(_ delay: Duration, by clock: Clock) throws -> Settle {
    Settle(
      delay, try FileSettleLog(in: folder), layout: layout, messages.logger, now: { clock.time })
  }

  /// Runs the list until it is empty and returns what it cleared.
  private func runAll(_ settle: Settle) throws -> [CacheKey] {
    var cleared: [CacheKey] = []
    try eventually("the list is empty") {
      _ = settle.run { cleared += $0 }
      return settle.waiting == 0
    }
    return cleared
  }

  /// A list that may be full, as a file on a full disk.
  private final class FullLog: SettleLog {
    var isFull = true
    let memory = MemorySettleLog()
    var count: Int { memory.count }

    func append(_ bytes: [UInt8]) throws(Errno) {
      guard !isFull else { throw .noSpace }
      memory.append(bytes)
    }
    func read(at offset: Int, count: Int) -> [UInt8] { memory.read(at: offset, count: count) }
    func drop(before offset: Int) { memory.drop(before: offset) }
    func truncate(to count: Int) { memory.truncate(to: count) }
    func sync() {}
  }

  @Test("a file that has failed is tried again each minute, and has the whole list again then")
  func fileAgain() throws {
    let (clock, file) = (Clock(0), FullLog())
    let settle = Settle(
      .seconds(600), file, layout: layout, messages.logger, now: { clock.time })
    settle.add([try port("a")])
    #expect(file.count == 0 && !settle.isDurable)
    clock.time += 60_000
    settle.add([try port("b")])
    #expect(file.count == 0 && messages.all.count == 1)
    file.isFull = false
    clock.time += 59_999
    _ = settle.run { _ in }
    #expect(file.count == 0)
    clock.time += 1
    _ = settle.run { _ in }
    #expect(settle.isDurable && settle.waiting == 2)
    #expect(file.memory.read(at: 0, count: file.count).count { $0 == UInt8(ascii: "\n") } == 2)
    #expect(
      messages.all == [
        "settle: cannot write the list: No space left on device; keeping it in memory; will retry each minute. "
          + "Free space for the state directory",
        "settle: the list is in its file again",
      ])
    clock.time += 600_000
    #expect(try Set(runAll(settle)) == [port("a"), port("b")])
  }

  @Test("both lists are first in, first out", arguments: [true, false])
  func log(inFile: Bool) throws {
    let log: any SettleLog = inFile ? try FileSettleLog(in: folder) : MemorySettleLog()
    try log.append(Array("first\nsecond\n".utf8))
    try log.append(Array("third\n".utf8))
    #expect(log.count == 19)
    #expect(try log.read(at: 6, count: 7) == Array("second\n".utf8))
    #expect(try log.read(at: 13, count: 100) == Array("third\n".utf8))
    #expect(try log.read(at: 19, count: 100) == [])
    try log.drop(before: 6)
    #expect(try log.read(at: 0, count: 100) == Array("second\nthird\n".utf8))
    try log.append(Array("fourth\n".utf8))
    try log.truncate(to: 13)
    #expect(try log.read(at: 0, count: 100) == Array("second\nthird\n".utf8))
    try log.drop(before: 13)
    #expect(log.count == 0)
  }

  @Test("nothing is cleared before its time")
  func notYet() throws {
    let settle = open(.seconds(3600))
    settle.add([try port("a")])
    let left = try #require(settle.run { _ in Issue.record("cleared at once") })
    #expect(left > .seconds(3000) && left <= .seconds(3600))
    #expect(settle.waiting == 1)
  }

  @Test("a file that holds a torn line and nothing else is as good as empty")
  func onlyTorn() throws {
    try tree.write("settle", text: "17000000")
    let settle = open(.seconds(5))
    #expect(settle.waiting == 0)
    #expect(try tree.read("settle") == "")
    #expect(settle.run { _ in Issue.record("nothing to clear") } == nil)
  }

  @Test("lines that are no keys are passed over, and those around them are not")
  func badLines() throws {
    let bad = [
      "\n", "nonsense\n", "12\n", "x\tports\tcategory=www\tport=early\n", "12\tnowhere\ta=b\n",
      "12\tports\tcategory=..\tport=x\n", "12\tports\tcategory\n", "12\t\n",
    ]
    try tree.write(
      "settle", text: try line("a", due: 1) + bad.joined() + line("z", due: 2))
    let settle = open(.milliseconds(5))
    #expect(try runAll(settle) == [try port("a"), try port("early"), try port("z")])
    #expect(try tree.read("settle") == "")
  }

  @Test("the delay is kept whatever the time of day does: no line of the list holds it")
  func timeOfDay() throws {
    let clock = Clock(7000)
    let settle = try open(.seconds(5), by: clock)
    settle.add([try port("a")])
    #expect(try tree.read("settle") == line("a", due: 12_000))
    clock.time += 4999
    #expect(settle.run { _ in Issue.record("cleared too soon") } == .milliseconds(1))
    clock.time += 1
    #expect(try runAll(settle) == [try port("a")])

    let log = MemorySettleLog()
    Settle(.seconds(5), log, layout: layout, messages.logger).add([try port("b")])
    let text = String(decoding: log.read(at: 0, count: log.count), as: UTF8.self)
    let due = try #require(Int64(text.prefix { $0 != "\t" }))
    #expect(due <= Settle.runningTime() + 5000, "the clock of the machine's running is the default")
  }

  @Test(
    "what an earlier process left waits for the delay from the start, whatever time it wrote down",
    arguments: [Int64.min, 0, 1_700_000_000_000, .max])
  func restart(due: Int64) throws {
    try tree.write("settle", text: try line("a", due: due) + line("b", due: due))
    let clock = Clock(0)
    let settle = try open(.seconds(5), by: clock)
    clock.time = 4000
    settle.add([try port("c")])
    #expect(settle.run { _ in Issue.record("cleared too soon") } == .seconds(1))
    clock.time = 5000
    var cleared: [CacheKey] = []
    #expect(settle.run { cleared += $0 } == .seconds(4))
    #expect(cleared == [try port("a"), try port("b")])
    clock.time = 9000
    #expect(settle.run { cleared += $0 } == nil)
    #expect(cleared.last == (try port("c")))
  }

  @Test("a line that somebody has added to the file is cleared at once, and holds up none")
  func foreignLine() throws {
    let clock = Clock(0)
    let settle = try open(.seconds(5), by: clock)
    settle.add([try port("a")])
    for due in [Int64.min, 0, .max] {
      let log = try #require(fopen(tree.fullPath("settle"), "a"))
      fputs(try line("foreign", due: due), log)
      fclose(log)
    }
    clock.time = 5000
    #expect(try runAll(settle).first == (try port("a")))
  }

  @Test("more than a megabyte of cleared keys is dropped while others wait")
  func compacted() throws {
    let spent = try line("spent", due: 1)
    let count = (1 << 20) / spent.utf8.count + 1000
    try tree.write("settle", text: String(repeating: spent, count: count))
    let clock = Clock(0)
    let settle = try open(.seconds(3600), by: clock)
    clock.time = 1000
    settle.add([try port("waits")])
    clock.time = 3_600_000
    try eventually(timeout: .seconds(60), "what is spent is cleared") {
      _ = settle.run { _ in }
      return settle.waiting <= 1
    }
    #expect(try tree.read("settle").utf8.count < 64 * 1024)
    #expect(try tree.files() == ["settle"])
    settle.add([try port("new")])
    #expect(settle.waiting == 2)
    #expect(
      try tree.read("settle").split(separator: "\n").suffix(2).map { $0.split(separator: "=").last }
        == ["waits", "new"])
    // The copy begins with lines of this process, which have times of their own.
    #expect(settle.run { _ in Issue.record("cleared too soon") } == .seconds(1))
  }

  @Test("the copy that a crash left in the making is no obstacle")
  func unfinishedCopy() throws {
    try tree.write("settle.new", text: "half a li")
    let log = try FileSettleLog(in: folder)
    try log.append(Array("first\nsecond\n".utf8))
    try log.drop(before: 6)
    #expect(try tree.read("settle") == "second\n")
    #expect(try tree.files() == ["settle"])
  }

  @Test("a second process gets no file, says so once and goes on in memory")
  func secondProcess() throws {
    let first = open(.milliseconds(5))
    #expect(throws: Errno.wouldBlock) { try FileSettleLog(in: folder) }
    let second = open(.milliseconds(5))
    #expect(messages.all.count { $0.contains("another fpcache listen uses it") } == 1)
    second.add([try port("a")])
    #expect(first.waiting == 0)
    #expect(try tree.read("settle") == "")
    #expect(try runAll(second) == [try port("a")])
  }

  @Test("the copy is as much one process's own as the file was")
  func lockOfCopy() throws {
    let log = try FileSettleLog(in: folder)
    try log.append(Array("first\nsecond\n".utf8))
    try log.drop(before: 6)
    #expect(throws: Errno.wouldBlock) { try FileSettleLog(in: folder) }
  }

  @Test("a folder that is not there or no folder is told of, and the list lives in memory")
  func noFolder() throws {
    try tree.write("plain", text: "")
    for name in ["missing", "plain"] {
      let settle = Settle.open(
        .milliseconds(5), stateDirectory: folder.appending(name), layout: layout, messages.logger)
      settle.add([try port("a")])
      #expect(try runAll(settle) == [try port("a")])
    }
    #expect(messages.all.count { $0.contains("will not survive a crash") } == 2)
    #expect(messages.all.allSatisfy { $0.contains("--state-dir") })
  }

  @Test("a file of somebody else's is not written to: another name for it, another owner, a pipe")
  func notOurs() throws {
    try tree.write("victim", text: "kept\n")
    #expect(Glibc.link(tree.fullPath("victim"), tree.fullPath("settle")) == 0)
    open(.seconds(5)).add([try port("a")])
    #expect(try tree.read("victim") == "kept\n")
    tree.remove("settle")
    #expect(mkfifo(tree.fullPath("settle"), 0o666) == 0)
    open(.seconds(5)).add([try port("a")])
    tree.remove("settle")
    if geteuid() == 0 {
      try tree.write("settle", text: "kept\n")
      #expect(chown(tree.fullPath("settle"), 65_534, 65_534) == 0)
      open(.seconds(5)).add([try port("a")])
      #expect(try tree.read("settle") == "kept\n")
      // But for the owner of the folder, who rules in it anyway.
      #expect(chown(tree.path, 65_534, 65_534) == 0)
      #expect(throws: Never.self) { try FileSettleLog(in: folder) }
    }
    #expect(messages.all.count == (geteuid() == 0 ? 3 : 2))
    #expect(messages.all.allSatisfy { $0.contains(": its file settle belongs to another user; ") })
  }

  @Test("it is for our eyes only, also when an earlier one was not")
  func mode() throws {
    try tree.write("settle", text: "", mode: 0o666)
    _ = try FileSettleLog(in: folder)
    #expect(try tree.snapshot().entries["settle"]?.mode == S_IFREG | 0o600)
  }

  @Test("a link in the file's place is not followed")
  func link() throws {
    try tree.write("victim", text: "kept\n")
    try tree.link("settle", to: "victim")
    open(.seconds(5)).add([try port("a")])
    #expect(try tree.read("victim") == "kept\n")
    #expect(messages.all.count == 1)
  }
}

/// A time that stands still until it is set.
private final class Clock {
  /// In milliseconds.
  var time: Int64

  init(_ time: Int64) { self.time = time }
}
