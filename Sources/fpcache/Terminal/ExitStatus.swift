// How a command ends: the statuses of the contract, and the error that carries one.

import ArgumentParser
import CacheFS
import SystemPackage

/// Exit statuses; those from 64 on are sysexits(3).
enum ExitStatus: Int32 {
  case done = 0
  case incomplete = 1
  case noMatch = 3
  case usage = 64
  case noCacheDirectory = 66
  case noDatabase = 69
  case noPermission = 77
  case configuration = 78
}

/// One failure told to the user: what, where, and what to try.
struct UserError: Error, Equatable {
  let status: ExitStatus
  let message: String

  init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }
}

extension ExitStatus {
  /// Ends a command whose work is done and reported.
  func leave() throws {
    if self != .done { throw ExitCode(rawValue) }
  }
}

extension UserError {
  /// The cache directory cannot be opened.
  static func cacheDirectory(_ path: FilePath, _ error: Errno, from origin: String) -> UserError {
    let name = escape(Array(path.string.utf8))
    switch error {
    case .permissionDenied:
      return UserError(
        .noPermission,
        "cache directory \(name): permission denied; run fpcache as the user who owns the cache")
    case .noSuchFileOrDirectory:
      return UserError(
        .noCacheDirectory,
        "cache directory \(name) (\(origin)) does not exist; name the right one with --cache-dir"
          + (origin == Config.defaultOrigin ? ", or a configuration with --config" : ""))
    case .notDirectory:
      return UserError(
        .noCacheDirectory,
        "cache directory \(name) (\(origin)) is not a directory; "
          + "name the right one with --cache-dir")
    default:
      return UserError(
        .noCacheDirectory,
        "cache directory \(name) (\(origin)): \(error); name another with --cache-dir")
    }
  }
}
