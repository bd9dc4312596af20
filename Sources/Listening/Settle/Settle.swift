// SPDX-License-Identifier: BSD-2-Clause
//
// The second clear. A request that read the old data before the change was committed may write its page after the page
// was cleared. So each cleared key is cleared again a little later, and the list of these keys survives a crash.
//
// The delay is measured by a clock that cannot be set. The time of day would not do: if it jumps forward, the second
// clear comes at once, while the render is still running. A restart begins the delay again for all that is left, since
// no time that an earlier process wrote down can be trusted.

import Basics
import CacheFS
import Logging
import SystemPackage

/// The keys that are cleared again, in the order in which they fall due.
package final class Settle {
  /// How much of the list is read at a time, in bytes: some 1,000 keys.
  private static let chunk = 64 * 1024
  /// The list is copied without its used beginning when that part is longer than this, in bytes, and longer than the
  /// rest. So each key is copied once or twice, however long the list is.
  private static let longestSpentPart = 1 << 20

  /// How long a failed file is left alone, in milliseconds.
  private static let retryInterval: Int64 = 60_000

  private let delay: Duration
  /// Replaced when the configuration is read again.
  var layout: Layout { didSet { reader = KeyReader(layout) } }
  private var reader: KeyReader
  private let logger: Logger
  private var log: SettleLog
  /// The file that failed, and when it is tried again. The list is in memory until then.
  private var failed: (file: SettleLog, retryAt: Int64)?
  /// The offset of the first key that was not cleared again yet.
  private var head = 0
  /// The offset where the lines of this process begin. Earlier lines fall due together, at ``replayedDue``.
  private var ownStart = 0
  private let replayedDue: Int64
  /// How many keys wait.
  private(set) var waiting = 0
  /// When the key at the head falls due; nil when no key waits.
  private var headDue: Int64?
  /// Milliseconds of a clock that only runs forward and starts at any value.
  private let now: () -> Int64

  /// - Parameter delay: zero turns the second clear off, except for the keys that an earlier process left.
  init(
    _ delay: Duration, _ log: SettleLog, layout: Layout, _ logger: Logger,
    now: @escaping () -> Int64 = Settle.runningTime
  ) {
    self.delay = delay
    self.now = now
    self.log = log
    self.layout = layout
    reader = KeyReader(layout)
    self.logger = logger
    replayedDue = now() + delay.milliseconds
    replay()
  }

  private static let began = SuspendingClock.now

  /// How long the machine has run, in milliseconds. The clock stops while the machine sleeps; so does a render on it.
  static func runningTime() -> Int64 { began.duration(to: .now).milliseconds }

  /// Opens the list in the state directory. Without a state directory the list is kept in memory and this is logged,
  /// unless no key will ever be added.
  package static func open(
    _ delay: Duration, stateDirectory: FilePath, layout: Layout, _ logger: Logger
  ) -> Settle {
    let log: SettleLog
    do throws(Errno) {
      log = try FileSettleLog(in: stateDirectory)
    } catch {
      log = MemorySettleLog()
      if delay > .zero {
        let reason =
          switch error {
          case .wouldBlock: "another fpcache listen uses it"
          case .notPermitted: "its file settle belongs to another user"
          default: "\(error)"
          }
        logger.warning(
          """
          state directory \(escape(Array(stateDirectory.string.utf8))): \(reason); \
          the settle list will not survive a crash. Name another with --state-dir
          """)
      }
    }
    return Settle(delay, log, layout: layout, logger)
  }

  /// Reads what an earlier process left. Each key was cleared before this process began, so a full delay from now is
  /// long enough.
  private func replay() {
    do throws(Errno) {
      var whole = 0
      var offset = 0
      while offset < log.count {
        let bytes = try log.read(at: offset, count: Self.chunk)
        guard !bytes.isEmpty else { break }
        waiting += bytes.count { $0 == UInt8(ascii: "\n") }
        if let end = bytes.lastIndex(of: UInt8(ascii: "\n")) { whole = offset + end + 1 }
        offset += bytes.count
      }
      // A torn last line does not count, and new lines must not continue it.
      if whole < log.count { try log.truncate(to: whole) }
    } catch {
      moveToMemory(error)
    }
    ownStart = log.count
    readHead()
    if waiting > 0 {
      logger.notice(
        "settle: \(counted(waiting, "key")) left from an earlier run; clearing them again")
    }
  }

  /// Adds keys to the list. Called before the commit that deletes the rows that named them.
  func add(_ keys: [CacheKey]) {
    guard delay > .zero else { return }
    append(keys, due: now() + delay.milliseconds)
  }

  private func append(_ keys: [CacheKey], due: Int64) {
    guard !keys.isEmpty else { return }
    returnToFile()
    let start = "\(due)\t"
    var lines: [UInt8] = []
    for key in keys {
      lines += start.utf8
      layout.append(textOf: key, to: &lines)
      lines.append(UInt8(ascii: "\n"))
    }
    do throws(Errno) {
      try log.append(lines)
    } catch {
      moveToMemory(error)
      try? log.append(lines)
    }
    waiting += keys.count
    if headDue == nil { headDue = due }
    CrashPoint.settled.reach()
  }

  /// Whether the list survives the process.
  var isDurable: Bool { !(log is MemorySettleLog) }

  /// Adds keys that could not be cleared yet and that nothing else remembers.
  func putBack(_ keys: [CacheKey]) {
    append(keys, due: now() + max(delay, .seconds(1)).milliseconds)
  }

  /// Clears the keys that are due, at most some thousand of them.
  /// - Returns: the time until the next key is due; nil when no key waits.
  func run(_ clear: ([CacheKey]) -> Void) -> Duration? {
    returnToFile()
    guard let due = headDue else { return nil }
    let left = clampedDifference(due, now())
    guard left <= 0 else { return .milliseconds(left) }
    do throws(Errno) {
      let keys = try takeDue()
      clear(keys)
      CrashPoint.settledAgain.reach()
      if waiting == 0 || (head > Self.longestSpentPart && head > log.count / 2) {
        try log.drop(before: head)
        forgetSpentPart()
      }
    } catch {
      moveToMemory(error)
    }
    return headDue.map { .milliseconds(max(0, clampedDifference($0, now()))) }
  }

  /// Called before the process exits.
  func sync() { log.sync() }

  // MARK: The list

  /// The keys at the head that are due. Moves the head behind them.
  private func takeDue() throws(Errno) -> [CacheKey] {
    let bytes = try log.read(at: head, count: Self.chunk)
    let now = now()
    var plan = KeySet()
    var rest = bytes[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = rest[..<end]
      guard due(line, now) <= now else { break }
      if let key = key(line) { _ = plan.add([key]) }
      head += end + 1 - rest.startIndex
      waiting = max(0, waiting - 1)
      rest = rest[(end + 1)...]
    }
    if plan.keys.isEmpty, rest.count == bytes.count, !rest.contains(UInt8(ascii: "\n")) {
      // There is no whole line where one should be: nothing more can be read from here.
      head = log.count
      waiting = 0
    }
    readHead()
    return plan.keys
  }

  private func readHead() {
    guard waiting > 0, let bytes = try? log.read(at: head, count: 32) else {
      headDue = nil
      return
    }
    headDue = due(bytes.prefix { $0 != UInt8(ascii: "\n") }, now())
  }

  /// When the line at the head falls due. A line that this process has not written, and that stands behind its own
  /// lines, is due at once.
  private func due(_ line: ArraySlice<UInt8>, _ now: Int64) -> Int64 {
    guard head >= ownStart else { return replayedDue }
    let digits = line.prefix { $0 != UInt8(ascii: "\t") }
    let due = Int64(String(decoding: digits, as: UTF8.self)) ?? now
    return due > now + delay.milliseconds ? now : due
  }

  /// The key of a line; nil when this layout no longer knows it.
  private func key(_ line: ArraySlice<UInt8>) -> CacheKey? {
    guard let tab = line.firstIndex(of: UInt8(ascii: "\t")) else { return nil }
    do throws(KeyError) {
      return try reader.key(line[(tab + 1)...])
    } catch {
      logger.warning("settle: skipped a line of the list that is not a key: \(error.explanation)")
      return nil
    }
  }

  /// Drops the part before the head, so that the list begins at the head.
  private func forgetSpentPart() {
    ownStart = max(0, ownStart - head)
    head = 0
  }

  /// The file failed: what it still holds is kept in memory from now on.
  private func moveToMemory(_ error: Errno) {
    guard !(log is MemorySettleLog) else { return }
    logger.warning(
      """
      settle: cannot write the list: \(error); keeping it in memory; will retry each minute. Free space \
      for the state directory
      """)
    failed = (log, now() + Self.retryInterval)
    let memory = MemorySettleLog()
    memory.append((try? log.read(at: head, count: log.count - head)) ?? [])
    log = memory
    forgetSpentPart()
  }

  /// A failed file is tried again after a while: a crash would lose what is only in memory.
  private func returnToFile() {
    guard let (file, retryAt) = failed, now() >= retryAt else { return }
    do throws(Errno) {
      let rest = try log.read(at: head, count: log.count - head)
      try file.truncate(to: 0)
      try file.append(rest)
    } catch {
      failed = (file, now() + Self.retryInterval)
      return
    }
    log = file
    forgetSpentPart()
    failed = nil
    logger.notice("settle: the list is in its file again")
  }
}
