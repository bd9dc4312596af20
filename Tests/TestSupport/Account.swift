// SPDX-License-Identifier: BSD-2-Clause
//
// The account that runs a child process. PostgreSQL refuses to run as root, and the file system refuses nothing to
// root. So tests that run as root need an ordinary account for both.

import Foundation

/// The account of a child process.
public enum Account: Sendable {
  /// The account that runs the tests.
  case current
  /// An ordinary account: `postgres` or `nobody` when the tests run as root, else the current one.
  case unprivileged

  /// The name and ids behind `unprivileged`, or nil when the tests do not run as root.
  static let stand: (name: String, uid: uid_t, gid: gid_t)? = {
    guard getuid() == 0 else { return nil }
    for name in ["postgres", "nobody"] {
      if let entry = getpwnam(name) { return (name, entry.pointee.pw_uid, entry.pointee.pw_gid) }
    }
    return nil
  }()

  /// The command line that runs `arguments` under this account.
  func wrap(_ arguments: [String]) throws -> [String] {
    guard self == .unprivileged, getuid() == 0 else { return arguments }
    guard let stand = Account.stand else {
      throw SupportError("running as root, and there is neither a user postgres nor nobody")
    }
    // setpriv and runuser keep the process id and need no password; su is available everywhere.
    if let setpriv = findProgram("setpriv") {
      return [setpriv, "--reuid=\(stand.uid)", "--regid=\(stand.gid)", "--clear-groups", "--"]
        + arguments
    }
    if let runuser = findProgram("runuser") {
      return [runuser, "-u", stand.name, "--"] + arguments
    }
    if let su = findProgram("su") {
      return [su, "-m", stand.name, "-c", #"exec "$0" "$@""#] + arguments
    }
    throw SupportError("running as root, and none of setpriv, runuser and su was found")
  }

  /// Makes this account the owner of one file or folder.
  func take(_ path: String) throws {
    guard self == .unprivileged, let stand = Account.stand else { return }
    guard lchown(path, stand.uid, stand.gid) == 0 else { throw SupportError.system("chown", path) }
  }
}

/// The full path of a program. It is searched for in PATH and in the system's own folders.
func findProgram(_ name: String) -> String? {
  let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
  let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin", "/bin"]
  return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
}
