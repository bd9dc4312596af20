// SPDX-License-Identifier: BSD-2-Clause
//
// Runs a program to its end: the built fpcache, or any other. Both streams go to files, so that neither a full pipe
// nor a grandchild that holds one can block a test.

import Foundation

/// A program with its arguments and environment, ready to run.
public struct Command: Sendable {
  /// The program's path.
  public var executable: String
  /// Its arguments.
  public var arguments: [String]
  /// Variables added to `baseEnvironment`; nil removes a variable.
  public var environment: [String: String?] = [:]
  /// The bytes of its standard input.
  public var input: [UInt8] = []
  /// The tree that is listed when the result is printed. The program runs in it unless another folder is set.
  public var tree: TemporaryTree?
  /// The folder it runs in: by default the tree's, or else the current folder.
  public var workingDirectory: String?
  /// The account it runs under.
  public var account: Account = .current
  /// The time after which it is killed and `run` throws.
  public var timeout: Duration = .seconds(60)

  /// A command without input, in the current folder, with the base environment.
  public init(_ executable: String, _ arguments: [String] = []) {
    self.executable = executable
    self.arguments = arguments
  }

  /// The environment of every child. It has none of the caller's PG* and FPCACHE_* variables, and no configuration
  /// file of this machine.
  public static let baseEnvironment: [String: String] = {
    var result = ["LANG": "C.UTF-8", "HOME": "/nonexistent", "FPCACHE_CONFIG": "/dev/null"]
    for name in ["PATH", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE", "ASAN_OPTIONS", "TSAN_OPTIONS"] {
      result[name] = ProcessInfo.processInfo.environment[name]
    }
    return result
  }()

  /// The built `fpcache`: `$FPCACHE_BIN`, or the one beside the test bundle.
  public static let fpcacheExecutable: String? = {
    if let path = ProcessInfo.processInfo.environment["FPCACHE_BIN"] {
      return URL(fileURLWithPath: path).path
    }
    let starts: [String?] = [
      Bundle.main.executablePath, Bundle.main.bundlePath, CommandLine.arguments.first,
    ]
    for case let start? in starts {
      var folder = URL(fileURLWithPath: start)
      for _ in 0..<4 {
        let candidate = folder.appendingPathComponent("fpcache").path
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder),
          !isFolder.boolValue
        {
          return candidate
        }
        folder.deleteLastPathComponent()
      }
    }
    return nil
  }()

  /// Runs the built `fpcache` with these arguments and waits for its end.
  /// - Parameters:
  ///   - tree: its working directory, listed when the result is printed; not an argument.
  ///   - environment: variables added to `baseEnvironment`; nil removes a variable.
  ///   - input: its standard input.
  ///   - account: the account it runs under.
  /// - Throws: `SupportError` when it cannot be started or does not end in time; never because of its status.
  public static func fpcache(
    _ arguments: [String], in tree: TemporaryTree? = nil, environment: [String: String?] = [:],
    input: String = "", as account: Account = .current, timeout: Duration = .seconds(60)
  ) throws -> CommandResult {
    var command = Command(try fpcachePath(), arguments)
    command.tree = tree
    command.environment = environment
    command.input = Array(input.utf8)
    command.account = account
    command.timeout = timeout
    return try command.run()
  }

  static func fpcachePath() throws -> String {
    guard let path = fpcacheExecutable else {
      throw SupportError(
        "no fpcache beside the test bundle; build it with `swift build`, or set FPCACHE_BIN")
    }
    return path
  }

  /// Runs the command and waits for its end.
  /// - Throws: `SupportError` when it cannot be started or does not end in time.
  public func run() throws -> CommandResult {
    let input = try Descriptor.temporary(holding: input)
    let output = try Descriptor.temporary()
    let errors = try Descriptor.temporary()
    let pid = try start((input.number, output.number, errors.number))
    var exit: Exit?
    var overdue = false
    do {
      try eventually(timeout: timeout) {
        exit = reap(pid)
        return exit != nil
      }
    } catch {
      exit = killAndReap(pid)
      overdue = true
    }
    let result = CommandResult(
      command: [executable] + arguments, exit: exit ?? .signal(SIGKILL),
      outputBytes: output.contents(), errorBytes: errors.contents(), tree: tree)
    if overdue { throw SupportError("killed after \(timeout): \(result)") }
    return result
  }

  /// Starts the command. The caller must reap it.
  func start(
    _ streams: (Int32, Int32, Int32), _ group: ProcessGroup = .inherited
  ) throws -> pid_t {
    var variables = Command.baseEnvironment
    for (name, value) in environment { variables[name] = value }
    var commandLine = [executable] + arguments
    if let folder = workingDirectory ?? tree?.path {
      // posix_spawn(3) cannot change the folder on every system. A shell that calls exec keeps the process id.
      commandLine = ["/bin/sh", "-c", #"cd "$0" && exec "$@""#, folder] + commandLine
    }
    let pid = try spawn(
      try account.wrap(commandLine), environment: variables, streams: streams, group: group)
    try Scratch.register(child: pid)
    return pid
  }
}

/// How a command ended, and its output.
public struct CommandResult: CustomStringConvertible, Sendable {
  /// The program and its arguments.
  public let command: [String]
  /// How it ended.
  public let exit: Exit
  /// Its standard output, byte for byte.
  public let outputBytes: [UInt8]
  /// Its standard error, byte for byte.
  public let errorBytes: [UInt8]
  /// The tree it ran in.
  public let tree: TemporaryTree?

  /// Its exit status, or 128 plus the signal, as in a shell.
  public var status: Int32 {
    switch exit {
    case .status(let status): status
    case .signal(let signal): 128 + signal
    }
  }
  /// Its standard output as text.
  public var stdout: String { String(decoding: outputBytes, as: UTF8.self) }
  /// The first line of its standard output, which a monitor shows.
  public var firstLine: String { String(stdout.prefix { $0 != "\n" }) }
  /// Its standard error as text.
  public var stderr: String { String(decoding: errorBytes, as: UTF8.self) }

  /// The command, how it ended, both streams, and the tree as it is now.
  public var description: String {
    var text = """
      $ \(quoted(command))
      \(exit)
      --- stdout
      \(stdout)
      --- stderr
      \(stderr)
      """
    if let tree { text += "\n--- \(tree)" }
    return text
  }
}
