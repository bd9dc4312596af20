// SPDX-License-Identifier: BSD-2-Clause
//
// Tells other programs of every key that is cleared, by a line of a file that is on the disk before the key's row is
// deleted. A CDN is purged by it, or pages are rendered in advance. See docs/events.md.
//
// When the file cannot be written, pages are cleared all the same, and what names their keys stays: rows in their
// queues, other keys on the settle list. So the lines come later, and none is lost.

import Basics
import CacheFS
import Logging

/// The results of writing events.
package struct EventHealth: Equatable, Sendable {
  /// Lines that are on the disk.
  package var written = 0
  /// Tries that failed.
  package var failures = 0
  /// Why the last try failed; nil when it succeeded.
  package var problem: String?

  package init() {}
}

/// Writes the events of one listener.
package final class ClearEvents {
  private let file: EventFile
  private let logger: Logger
  private(set) var health = EventHealth()

  package init(_ path: String, _ logger: Logger) {
    file = EventFile(path)
    self.logger = logger
    open()
  }

  /// Whether the last try failed.
  var isBlocked: Bool { health.problem != nil }

  /// Opens the file by its name: a log rotator has given the old one another name.
  func open() {
    do throws(EventFile.Problem) {
      try file.openByName()
      // Whether there is space again, only a line shows.
      if isBlocked, !hasFailedToWrite { noteSuccess(0) }
    } catch {
      note(error, whileWriting: false)
    }
  }

  /// Whether the last failure was of a line, and not of opening the file.
  private var hasFailedToWrite = false

  /// Writes a line for each of these keys.
  /// - Parameter reason: the reason of the key at an index.
  /// - Returns: false when not all lines are on the disk.
  func write(
    _ cleared: [(key: CacheKey, files: Int)], _ layout: Layout, reason: (Int) -> ClearReason
  ) -> Bool {
    guard !cleared.isEmpty else { return true }
    let lines = ClearReason.lines(cleared, layout, reason: reason)
    do throws(EventFile.Problem) {
      try file.append(lines)
      CrashPoint.eventsWritten.reach()
      noteSuccess(cleared.count)
      return true
    } catch {
      note(error, whileWriting: true)
      return false
    }
  }

  /// When to call ``open()`` again; nil while a line will be the next try, or all is well.
  func openIfDue() -> Duration? {
    guard isBlocked, !hasFailedToWrite else { return nil }
    open()
    return isBlocked ? .seconds(1) : nil
  }

  private func noteSuccess(_ lines: Int) {
    health.written += lines
    guard isBlocked else { return }
    health.problem = nil
    logger.notice("events file \(file.name): can be written again")
  }

  private func note(_ problem: EventFile.Problem, whileWriting: Bool) {
    health.failures += 1
    hasFailedToWrite = whileWriting
    guard health.problem != problem.text else { return }
    health.problem = problem.text
    logger.error(
      """
      events file \(file.name): \(problem.text); pages are cleared, but rows stay in their queues until it can be \
      written. Free space, or correct its folder's permissions
      """)
  }
}
