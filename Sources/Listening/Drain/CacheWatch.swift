// SPDX-License-Identifier: BSD-2-Clause
//
// The cache as a drain has it: the clearer, and whether what it clears is there at all. The directory may be moved
// away and made anew, a family's file system may come and go; meanwhile nothing is cleared and no row deleted.

import CacheFS
import Logging
import SystemPackage

/// Follows the cache directory and the file systems of families.
package final class CacheWatch {
  private(set) var clearer: Clearer
  /// Whether the cache directory is there.
  private(set) var hasRoot = true
  /// How often a file system has come back.
  private(set) var mountReturns = 0
  /// What is to be done when one comes back.
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

  /// Takes what the configuration says by now.
  func follow(_ clearer: Clearer) {
    self.clearer = clearer
    mounts?.takeUp(clearer)
  }

  /// Looks where the cache directory is by now.
  /// - Returns: whether it is there.
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

  /// Whether the file system of some family is away. Its pages cannot be cleared, and their rows stay.
  var isMountAway: Bool { mounts?.away.isEmpty == false }

  /// Takes note of what a clear found away.
  func noteMounts(_ report: ClearReport) {
    guard !report.failures.isEmpty else { return }
    mounts?.note(report.failures.filter { $0.error == .mountAway }.map(\.path))
  }

  /// A mount that was never seen before must be known after a crash.
  func saveMounts() { mounts?.save(clearer) }
}
