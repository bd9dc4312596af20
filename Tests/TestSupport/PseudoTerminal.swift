// SPDX-License-Identifier: BSD-2-Clause
//
// A terminal for programs that check whether they have one. Keys go in, and what would be on the screen comes out,
// byte for byte.

import Foundation
import Synchronization

/// A terminal without a program, or with one that it controls.
public final class PseudoTerminal: Sendable, CustomStringConvertible {
  /// The path of the side that a program opens.
  public let path: String
  private let master: Descriptor
  /// Kept open, so that the output stays after the program has ended.
  private let slave: Descriptor
  private let seen = Mutex<[UInt8]>([])

  /// - Parameter columns: the width that it reports.
  public init(columns: UInt16 = 100) throws {
    var (number, other): (Int32, Int32) = (-1, -1)
    var size = winsize(ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    // No child may start before both descriptors are closed on exec; and ttyname(3) has one buffer for all threads.
    path = try startingChildren.withLock { _ in
      guard openpty(&number, &other, nil, nil, &size) == 0, let name = ttyname(other) else {
        throw SupportError.system("openpty", "")
      }
      for side in [number, other] { _ = fcntl(side, F_SETFD, FD_CLOEXEC) }
      return String(cString: name)
    }
    master = Descriptor(number)
    slave = Descriptor(other)
    _ = fcntl(number, F_SETFL, O_NONBLOCK)
  }

  /// Sends keys, as a person types them.
  public func type(_ keys: String) throws {
    try writeAll(Array(keys.utf8), to: master.number)
  }

  /// All output so far; here a line ends in `\r\n`.
  public var output: String {
    seen.withLock { seen in
      while let bytes = readSome(master.number) { seen += bytes }
      return String(decoding: seen, as: UTF8.self)
    }
  }

  /// Waits until `text` has been printed, `times` times in all.
  public func wait(for text: String, times: Int = 1, timeout: Duration = .seconds(30)) throws {
    try eventually(timeout: timeout, "the terminal shows \(text)", details: description) {
      output.ranges(of: text).count >= times
    }
  }

  /// The output, with its control characters visible.
  public var description: String { output.debugDescription }
}

/// A program at its own terminal.
public final class TerminalSession: Sendable, CustomStringConvertible {
  public let terminal: PseudoTerminal
  /// Its process id.
  public let pid: pid_t
  private let command: Command
  private let ended = Mutex<Exit?>(nil)

  /// Starts a command with a terminal for all three streams; its `input` is not used.
  public init(_ command: Command, columns: UInt16 = 100) throws {
    self.command = command
    terminal = try PseudoTerminal(columns: columns)
    pid = try command.start((0, 1, 2), .session(terminal: terminal.path))
  }

  /// Starts the built `fpcache` on a tree.
  public static func fpcache(
    _ arguments: [String], in tree: TemporaryTree, environment: [String: String?] = [:]
  ) throws -> TerminalSession {
    var command = Command(try Command.fpcachePath(), arguments)
    command.tree = tree
    command.environment = environment.merging(["FPCACHE_DIR": tree.path]) { given, _ in given }
    return try TerminalSession(command)
  }

  deinit {
    ended.withLock { ended in
      if ended == nil { ended = killAndReap(pid) }
    }
  }

  /// Sends it a signal.
  public func signal(_ number: Int32) { kill(pid, number) }

  /// Waits for its end.
  /// - Returns: its status, or 128 plus the signal, as in a shell, and all of its output.
  public func end(timeout: Duration = .seconds(30)) throws -> (status: Int32, output: String) {
    try eventually(timeout: timeout, "it ends", details: description) {
      _ = terminal.output
      return ended.withLock { ended in
        if ended == nil { ended = reap(pid) }
        return ended != nil
      }
    }
    let status =
      switch ended.withLock({ $0 }) {
      case .status(let status)?: status
      case .signal(let signal)?: 128 + signal
      case nil: Int32(-1)
      }
    return (status, terminal.output)
  }

  /// The command and its output.
  public var description: String {
    "$ \(quoted([command.executable] + command.arguments))\n\(terminal)"
  }
}
