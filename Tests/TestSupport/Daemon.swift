// SPDX-License-Identifier: BSD-2-Clause
//
// A program that runs until it is stopped, as `fpcache listen` does. A Daemon starts it, reads its log line by line in
// the background, waits for it, sends it signals, and kills it with the last reference.

import Foundation
import Synchronization

/// A running `fpcache listen`, or any other program that keeps running.
public final class Daemon: Sendable, CustomStringConvertible {
  /// Its process id.
  public let pid: pid_t

  private let command: Command
  private let output: Descriptor
  private let log: Log
  private let ended = Mutex<Exit?>(nil)

  /// Starts a command that should keep running.
  public init(_ command: Command) throws {
    let input = try Descriptor.temporary(holding: command.input)
    let errors = try Descriptor.pipe()
    self.command = command
    output = try Descriptor.temporary()
    log = Log()
    pid = try command.start((input.number, output.number, errors.writing.number))
    let (log, reading) = (log, errors.reading)
    Thread.detachNewThread {
      while let bytes = readSome(reading.number) { log.append(bytes) }
      log.finish()
    }
  }

  /// Starts `fpcache listen` on a tree and a database, as the role `listening`.
  /// - Parameters:
  ///   - arguments: further options, for instance `["--settle", "0"]`.
  ///   - dsn: how it reaches the database; by default through the socket.
  ///   - stateDirectory: its `--state-dir`; by default one that no other process uses.
  ///   - environment: variables added to `Command.baseEnvironment`.
  ///   - account: the account it runs under.
  public static func listen(
    on tree: TemporaryTree, _ database: TestDatabase, _ arguments: [String] = [],
    dsn: String? = nil, stateDirectory: String? = nil, environment: [String: String?] = [:],
    as account: Account = .current
  ) throws -> Daemon {
    let state = try stateDirectory ?? Scratch.makeFolder("state")
    if stateDirectory == nil { try account.take(state) }
    let options = [
      "listen", "--cache-dir", tree.path, "--dsn", dsn ?? database.listenerDSN, "--state-dir",
      state,
    ]
    var command = Command(try Command.fpcachePath(), options + arguments)
    command.tree = tree
    command.environment = environment
    command.account = account
    return try Daemon(command)
  }

  /// How many threads it has.
  public func threads() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").count
  }

  /// How often its main thread has gone to sleep since its start.
  public func wakeUps() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(pid)/task/\(pid)/status", encoding: .utf8)
    return status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
      .flatMap { Int($0.drop { !$0.isNumber }) } ?? 0
  }

  /// The most memory that the process has ever used, in bytes.
  public func peakMemory() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    guard let peak = line?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
      throw SupportError("no VmHWM in /proc/\(pid)/status")
    }
    return peak * 1024
  }

  /// How much of the program's own code is in memory, from 0 to 1.
  public func residentCode() throws -> Double {
    // In parts: of a large file of /proc, Foundation reads the beginning only.
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/\(pid)/smaps"))
    var bytes = Data()
    while let part = try file.read(upToCount: 1 << 12), !part.isEmpty { bytes += part }
    let maps = String(decoding: bytes, as: UTF8.self)
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
    var (isCode, resident, size) = (false, 0, 0)
    for line in maps.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 1 else { continue }
      if !words[0].hasSuffix(":") { isCode = words[1] == "r-xp" && line.hasSuffix(program) }
      guard isCode, let kilobytes = Int(words[1]) else { continue }
      if words[0] == "Size:" { size += kilobytes }
      if words[0] == "Rss:" { resident += kilobytes }
    }
    guard size > 0 else { throw SupportError("no code of \(program) in /proc/\(pid)/smaps") }
    return Double(resident) / Double(size)
  }

  deinit {
    ended.withLock { ended in
      if ended == nil { ended = killAndReap(pid) }
    }
  }

  /// The lines of its standard error so far.
  public var lines: [String] { log.lines }

  /// Whether it still runs.
  public var isRunning: Bool { exit == nil }

  private var exit: Exit? {
    ended.withLock { ended in
      if ended == nil { ended = reap(pid) }
      return ended
    }
  }

  /// Waits until a line of its standard error contains `text`, and returns that line.
  /// - Parameters:
  ///   - text: what to look for.
  ///   - timeout: how long to wait at most.
  ///   - mark: how many lines to skip, because they were there before; see `lines.count`.
  /// - Throws: `SupportError` when there is no such line in time, at once if the program has ended.
  @discardableResult
  public func waitForLog(
    containing text: String, timeout: Duration = patience, after mark: Int = 0
  ) throws -> String {
    var found: String?
    var isOver = false
    try eventually(timeout: timeout, "the log says \"\(text)\"", details: description) {
      isOver = log.isFinished
      found = log.lines.dropFirst(mark).first { $0.contains(text) }
      return found != nil || isOver
    }
    guard let found else {
      throw SupportError("it ended and never logged \"\(text)\"\n\(self)")
    }
    return found
  }

  /// Sends it a signal; nothing happens if it has ended.
  public func terminate(_ signal: Int32 = SIGTERM) {
    ended.withLock { ended in
      if ended == nil { ended = reap(pid) }
      if ended == nil { kill(pid, signal) }
    }
  }

  /// Waits for its end.
  /// - Throws: `SupportError` when it still runs after `timeout`.
  @discardableResult
  public func waitForExit(timeout: Duration = patience) throws -> CommandResult {
    try eventually(timeout: timeout, "the program ends", details: description) {
      exit != nil && log.isFinished
    }
    return CommandResult(
      command: [command.executable] + command.arguments, exit: exit ?? .signal(SIGKILL),
      outputBytes: output.contents(), errorBytes: log.bytes, tree: command.tree)
  }

  /// The command, whether it runs, its log, and the tree as it is now.
  public var description: String {
    var text = """
      $ \(quoted([command.executable] + command.arguments))
      \(exit.map { "\($0)" } ?? "running as \(pid)")
      --- stderr
      \(lines.joined(separator: "\n"))
      """
    if let tree = command.tree { text += "\n--- \(tree)" }
    return text
  }
}

/// The output of a program so far, split into lines.
private final class Log: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    var lines: [String] = []
    var lineStart = 0
    var isFinished = false
  }

  private let state = Mutex(State())

  var bytes: [UInt8] { state.withLock { $0.bytes } }
  var lines: [String] { state.withLock { $0.lines } }
  var isFinished: Bool { state.withLock { $0.isFinished } }

  func append(_ new: [UInt8]) {
    state.withLock { state in
      state.bytes += new
      while let end = state.bytes[state.lineStart...].firstIndex(of: UInt8(ascii: "\n")) {
        state.lines.append(String(decoding: state.bytes[state.lineStart..<end], as: UTF8.self))
        state.lineStart = end + 1
      }
    }
  }

  /// The program has closed its standard error. The remaining text is a line too.
  func finish() {
    state.withLock { state in
      let rest = state.bytes[state.lineStart...]
      if !rest.isEmpty { state.lines.append(String(decoding: rest, as: UTF8.self)) }
      state.lineStart = state.bytes.count
      state.isFinished = true
    }
  }
}
