// SPDX-License-Identifier: BSD-2-Clause
//
// A mount namespace that stays while programs run in it. A test can unmount and remount file systems under those
// programs. No other process sees the namespace, and it is gone with its last reference.

import Foundation

/// A namespace of mounts, held by a process that sleeps.
public final class MountNamespace: Sendable {
  private let holder: Daemon

  /// Whether this machine allows it: as root, outside of a container that forbids it.
  public static let isAllowed = getuid() == 0 && PrivateMount.isAllowed

  public init() throws {
    let unshare = findProgram("unshare") ?? "/usr/bin/unshare"
    holder = try Daemon(
      Command(unshare, ["--mount", "/bin/sh", "-c", "echo holds >&2; exec sleep infinity"]))
    try holder.waitForLog(containing: "holds")
  }

  /// The same command inside the namespace.
  public func wrap(_ command: Command) -> Command {
    var wrapped = command
    wrapped.executable = findProgram("nsenter") ?? "/usr/bin/nsenter"
    wrapped.arguments = ["-t", "\(holder.pid)", "-m", command.executable] + command.arguments
    return wrapped
  }

  /// Runs a shell script inside.
  /// - Returns: its standard output.
  /// - Throws: `SupportError` when it fails.
  @discardableResult
  public func run(_ script: String) throws -> String {
    let result = try wrap(Command("/bin/sh", ["-ec", script])).run()
    guard result.status == 0 else { throw SupportError("\(result)") }
    return result.stdout
  }
}

/// A cache in which each family is a separate file system, as on the real site.
public final class MountedCache: Sendable {
  public static let families = [
    "categories", "commits", "daily", "general", "news", "packages", "pages", "ports", "spooling",
  ]

  public let tree: TemporaryTree
  public let namespace: MountNamespace

  /// The full path of the cache directory.
  public var path: String { tree.fullPath("cache") }

  public init() throws {
    tree = try TemporaryTree()
    namespace = try MountNamespace()
    for family in Self.families + ["html"] { try tree.makeDirectory("cache/\(family)") }
    for family in Self.families { try mount(family) }
  }

  /// Mounts an empty file system at a folder of the cache.
  public func mount(_ folder: String) throws {
    try namespace.run(
      "mkdir -p \(whole(folder)); mount -t tmpfs -o size=1m,mode=777 none \(whole(folder))")
  }

  /// Unmounts a file system from its folder, but keeps its contents.
  public func unmount(_ folder: String) throws {
    try namespace.run(
      """
      mkdir -p \(kept(folder)); mount --bind \(whole(folder)) \(kept(folder)); umount \(whole(folder))
      """)
  }

  /// Mounts it at its folder again.
  public func remount(_ folder: String) throws {
    try namespace.run(
      "mount --bind \(kept(folder)) \(whole(folder)); umount \(kept(folder))")
  }

  /// Writes a small page at each path.
  public func plant(_ paths: [String]) throws {
    let words = paths.map { path in
      let folder = (path as NSString).deletingLastPathComponent
      return "mkdir -p \(whole(folder)); echo page > \(whole(path))"
    }
    try namespace.run(words.joined(separator: "\n"))
  }

  /// All visible files, in order.
  public func files() throws -> [String] {
    try namespace.run("cd \(quoted([path])); find . -type f | sed 's,^./,,' | LC_ALL=C sort")
      .split(separator: "\n").map(String.init)
  }

  /// `fpcache` with these arguments on the cache.
  public func command(_ arguments: [String]) throws -> Command {
    namespace.wrap(Command(try Command.fpcachePath(), arguments + ["--cache-dir", path]))
  }

  public func fpcache(_ arguments: [String]) throws -> CommandResult {
    try command(arguments).run()
  }

  private func whole(_ folder: String) -> String { quoted([path + "/" + folder]) }
  private func kept(_ folder: String) -> String { quoted([tree.fullPath("kept/" + folder)]) }
}
