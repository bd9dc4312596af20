// SPDX-License-Identifier: BSD-2-Clause
//
// Runs a program in its own mount namespace. No other process sees what is mounted there, and it is gone when the
// program ends.

import Foundation

/// What is mounted before a program starts. Paths are absolute.
public enum PrivateMount: Sendable {
  /// A folder that appears at a second place too.
  case bind(String, at: String)
  /// An empty file system in memory, of this many bytes.
  case memory(at: String, size: Int)
  /// The content of this path, read-only.
  case readOnly(String)

  fileprivate var script: String {
    switch self {
    case .bind(let source, let path): "mount --bind \(quoted([source, path]))"
    case .memory(let path, let size):
      "mount -t tmpfs -o size=\(size),mode=777 none \(quoted([path]))"
    case .readOnly(let path):
      "mount --bind \(quoted([path, path])) && mount -o remount,bind,ro \(quoted([path]))"
    }
  }

  /// Whether this machine allows it.
  public static let isAllowed: Bool = {
    let command = Command("/bin/sh", ["-c", "exec true"]).mounting([.memory(at: "/mnt", size: 4096)]
    )
    return (try? command.run())?.status == 0
  }()
}

extension Command {
  /// The same command, run after these mounts and then `script`.
  public func mounting(_ mounts: [PrivateMount], then script: String = "true") -> Command {
    var command = self
    command.executable = findProgram("unshare") ?? "/usr/bin/unshare"
    let steps = mounts.map(\.script) + [script, #"exec "$0" "$@""#]
    let rights = getuid() == 0 ? [] : ["--map-root-user"]
    command.arguments =
      rights + ["--mount", "/bin/sh", "-c", steps.joined(separator: " && "), executable] + arguments
    return command
  }
}
