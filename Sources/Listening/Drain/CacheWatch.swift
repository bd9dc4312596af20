// SPDX-License-Identifier: BSD-2-Clause
//
// The cache as a drain sees it: the clearer, and whether the directory that it clears exists at all. The cache
// directory may be moved away and created again; a family's file system may be unmounted and mounted again. While
// either is away, nothing is cleared and no row is deleted.

import CacheFS
import Logging
import SystemPackage

/// Follows the cache directory and the file systems of families.
package final class CacheWatch {
  private(set) var clearer: Clearer
  /// Whether the cache directory exists.
  private(set) var hasRoot = true
  /// How often a file system was mounted again.
  private(set) var mountReturns = 0
  /// Actions to run when a file system is mounted again.
  var whenMountReturns: [() -> Void] = []
  private let mounts: MountMemory?
  private let logger: Logger

  init(_ clearer: Clearer, _ mounts: MountMemory?, _ logger: Logger) {
    self.clearer = clearer
    self.mounts = mounts
    self.logger = logger
    mounts?.takeUp(clearer)
  }

  var isDry: Bool { clearer.dryRun == .yes }

  /// Takes over the current configuration.
  func follow(_ clearer: Clearer) {
    self.clearer = clearer
    mounts?.takeUp(clearer)
  }

  /// Looks where the cache directory is now.
  /// - Returns: whether it exists.
  @discardableResult
  func followRoot() -> Bool {
    do throws(Errno) {
      if try clearer.followRoot() || !hasRoot {
        logger.notice(
          """
          cache directory \(clearer.rootText) was replaced or is back; resuming
          """)
      }
      hasRoot = true
      if let mounts, mounts.look(clearer) {
        mountReturns += 1
        for action in whenMountReturns { action() }
      }
    } catch {
      if hasRoot {
        let problem =
          error == .tooManySymbolicLinkLevels
          ? "a symbolic link in its path now leads elsewhere; send SIGHUP to follow it" : "\(error)"
        logger.error(
          """
          cache directory \(clearer.rootText): \(problem); rows stay in their queues until it is back
          """)
      }
      hasRoot = false
    }
    return hasRoot
  }

  /// Whether the file system of a family is away. Its pages cannot be cleared, and their rows stay.
  var isMountAway: Bool { mounts?.away.isEmpty == false }

  /// Notes which mounts a clear found away.
  func noteMounts(_ report: ClearReport) {
    guard !report.failures.isEmpty else { return }
    mounts?.note(report.failures.filter { $0.error == .mountAway }.map(\.path))
  }

  /// A mount that was seen for the first time must be known after a crash.
  func saveMounts() { mounts?.save(clearer) }
}
