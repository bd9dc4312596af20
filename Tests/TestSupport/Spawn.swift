// SPDX-License-Identifier: BSD-2-Clause
//
// Starts and reaps children with posix_spawn(3). Foundation's Process is not used, because it does not define which
// process group, descriptors and signal settings a child gets.

import Foundation
import Synchronization

/// Held while a child starts, and while a descriptor is open that a child must not inherit.
let startingChildren = Mutex(())

/// Whether a child stays in our process group or gets its own group, which Ctrl-C does not reach; or its own session,
/// at a terminal whose Ctrl-C does reach it.
enum ProcessGroup {
  case inherited
  case own
  case session(terminal: String)
}

/// POSIX_SPAWN_SETSID of <spawn.h>, which is not visible in Swift. It has been in POSIX only since 2024.
#if canImport(Glibc) || canImport(Musl)
  private let spawnSetsid: Int32 = 0x80
#else
  private let spawnSetsid = Int32(POSIX_SPAWN_SETSID)
#endif

/// Starts a program.
/// - Parameters:
///   - arguments: the program's path, then its arguments.
///   - environment: its complete environment.
///   - streams: its standard input, output and error; all three are the terminal if it has one.
/// - Returns: its process id. The caller must reap it.
func spawn(
  _ arguments: [String], environment: [String: String],
  streams: (Int32, Int32, Int32), group: ProcessGroup = .inherited
) throws -> pid_t {
  #if os(Linux)
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
  #else
    var actions: posix_spawn_file_actions_t?
    var attributes: posix_spawnattr_t?
  #endif
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }

  if case .session(let terminal) = group {
    // The first terminal that a new session opens becomes its controlling terminal.
    posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
    for stream in [1, 2] as [Int32] { posix_spawn_file_actions_adddup2(&actions, 0, stream) }
  } else {
    posix_spawn_file_actions_adddup2(&actions, streams.0, 0)
    posix_spawn_file_actions_adddup2(&actions, streams.1, 1)
    posix_spawn_file_actions_adddup2(&actions, streams.2, 2)
  }

  // A child starts with the signal settings that a shell would give it, whatever the test runner has changed.
  var signals = sigset_t()
  sigemptyset(&signals)
  posix_spawnattr_setsigmask(&attributes, &signals)
  sigfillset(&signals)
  sigdelset(&signals, SIGKILL)
  sigdelset(&signals, SIGSTOP)
  posix_spawnattr_setsigdefault(&attributes, &signals)
  var flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
  switch group {
  case .inherited: break
  case .own: flags |= Int32(POSIX_SPAWN_SETPGROUP)
  case .session: flags |= spawnSetsid
  }
  posix_spawnattr_setflags(&attributes, Int16(flags))

  var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
  var envp: [UnsafeMutablePointer<CChar>?] =
    environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
  defer { for string in argv + envp { free(string) } }

  var pid: pid_t = 0
  let code = startingChildren.withLock { _ in
    posix_spawn(&pid, arguments[0], &actions, &attributes, &argv, &envp)
  }
  guard code == 0 else {
    throw SupportError(
      "cannot start \(quoted(arguments)): \(String(cString: strerror(code)))")
  }
  return pid
}

/// How a program ended.
public enum Exit: Equatable, Sendable, CustomStringConvertible {
  /// It exited by itself with this status.
  case status(Int32)
  /// This signal ended it.
  case signal(Int32)

  // <sys/wait.h> has macros for this, which are not visible in Swift.
  init(waitStatus: Int32) {
    let signal = waitStatus & 0x7f
    self = signal == 0 ? .status((waitStatus >> 8) & 0xff) : .signal(signal)
  }

  /// `status 0` or `signal 9`.
  public var description: String {
    switch self {
    case .status(let status): "status \(status)"
    case .signal(let signal): "signal \(signal)"
    }
  }
}

/// Reaps a child that has ended, without waiting; nil while it runs.
func reap(_ pid: pid_t) -> Exit? {
  var status: Int32 = 0
  guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
  Scratch.forget(child: pid)
  return Exit(waitStatus: status)
}

/// Kills a child and waits until it is gone.
@discardableResult
func killAndReap(_ pid: pid_t) -> Exit {
  kill(pid, SIGKILL)
  var status: Int32 = 0
  while waitpid(pid, &status, 0) < 0, errno == EINTR {}
  Scratch.forget(child: pid)
  return Exit(waitStatus: status)
}

/// A command line as a person would type it.
func quoted(_ arguments: [String]) -> String {
  let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_")
  return arguments.map { argument in
    if !argument.isEmpty, argument.allSatisfy(plain.contains) { return argument }
    return "'" + argument.replacing("'", with: #"'\''"#) + "'"
  }.joined(separator: " ")
}
