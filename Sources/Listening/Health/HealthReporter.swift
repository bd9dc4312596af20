// SPDX-License-Identifier: BSD-2-Clause
//
// Tells those who watch: the status file, the metrics file and the service manager.

import Basics
import Logging
import SystemPackage

/// The files that monitors read.
package struct HealthFiles {
  let status: AtomicFile?
  let metrics: AtomicFile?
  /// Of the program, as the metrics say.
  let version: String

  /// - Parameters:
  ///   - status: the path of the status file; nil for none.
  ///   - metrics: the path of the metrics file; nil for none.
  package init(status: String?, metrics: String?, version: String) {
    self.status = status.map(AtomicFile.init)
    self.metrics = metrics.map(AtomicFile.init)
    self.version = version
  }
}

/// Keeps the listener's health and passes it on.
package final class HealthReporter {
  /// The files are written at most this often.
  private static let writeInterval = Duration.seconds(1)
  /// The metrics file is written this often even if nothing changes: one that stands still means that the listener
  /// is dead.
  private static let heartbeat = Duration.seconds(30)

  private(set) var health = Health(now: currentTime())
  private let files: HealthFiles
  private let manager: SystemdNotifier?
  private let lastError: LastError
  let logger: Logger
  /// When something changed that the files do not tell yet.
  private var dirtySince: ContinuousClock.Instant? = .now
  private var lastWrite: ContinuousClock.Instant?
  /// Files whose failure has been told.
  private var failed: Set<String> = []
  /// READY is sent once a drain was completed and a probe came back, since the start or a reload.
  private var isReady = false
  private var hasDrained = false
  private var hasProbed = false

  package init(
    _ files: HealthFiles, manager: SystemdNotifier?, lastError: LastError, _ logger: Logger
  ) {
    self.files = files
    self.manager = manager
    self.lastError = lastError
    self.logger = logger
  }

  func enter(_ state: Health.State) {
    guard state != health.state else { return }
    health.enter(state, now: currentTime())
    if state == .stopping { manager?.stopping() }
    noteChange()
  }

  func served(_ tally: DrainTally, isProof: Bool) {
    passOn(health.served(tally, isProof: isProof, now: currentTime()))
  }

  /// The queues that the server keeps from us.
  func refused(_ queues: [String]) {
    if queues != health.refused { update { $0.refused = queues } }
  }

  func drained(_ tally: DrainTally, _ duration: Duration, complete: Bool, isProof: Bool) {
    hasDrained = isProof && (hasDrained || complete)
    passOn(
      health.drained(tally, seconds: duration.seconds, isProof: isProof, now: currentTime()))
    let queues = health.refused.isEmpty ? "" : " (\(health.refused.joined(separator: ", ")))"
    manager?.status("\(health.state.rawValue)\(queues): \(health.total.text) since the start")
  }

  func probed() {
    hasProbed = true
    passOn(health.probed(now: currentTime()))
  }

  /// The connection is gone, and what it proved.
  func lost() {
    health.lost()
    noteChange()
  }

  func reloading() {
    manager?.reloading()
    isReady = false
    hasDrained = false
    hasProbed = false
  }

  func update(_ change: (inout Health) -> Void) {
    change(&health)
    noteChange()
  }

  private func noteChange() { dirtySince = dirtySince ?? .now }

  private func passOn(_ isProved: Bool) {
    noteChange()
    if isProved { manager?.feedWatchdog() }
    if !isReady, hasDrained, hasProbed {
      isReady = true
      manager?.ready()
    }
  }

  /// Writes the files when something has changed and the last time is long enough ago.
  ///
  /// - Parameter isBusy: whether more is about to change, as in the middle of a drain. To write
  ///   then would mean to wake once more for the rest.
  /// - Returns: the time until they should be written; nil when nothing has changed and no heartbeat is due.
  func writeIfDue(isBusy: Bool) -> Duration? {
    guard files.status != nil || files.metrics != nil else { return nil }
    guard let dirtySince else { return beatIfDue() }
    if let lastWrite {
      if isBusy, dirtySince.duration(to: .now) < Self.writeInterval { return nil }
      let left = Self.writeInterval - lastWrite.duration(to: .now)
      if left > .zero { return left }
    }
    write()
    return nil
  }

  /// Writes the metrics file where it has not been written for long.
  /// - Returns: the time until that is due; nil without such a file.
  private func beatIfDue() -> Duration? {
    guard files.metrics != nil, let lastWrite else { return nil }
    let left = Self.heartbeat - lastWrite.duration(to: .now)
    if left > .zero { return left }
    self.lastWrite = .now
    writeMetrics()
    return Self.heartbeat
  }

  private func writeMetrics() {
    replace(
      files.metrics, "metrics file",
      health.prometheus(version: files.version, now: currentTime()))
  }

  /// Writes the files now.
  func write() {
    dirtySince = nil
    lastWrite = .now
    // The file's own time is the proof's: a monitor may look at either.
    replace(
      files.status, "status file",
      health.json(lastError: lastError.value, pid: getpid()).text + "\n",
      modified: health.healthyAt ?? 0)
    writeMetrics()
  }

  /// Writes one of them; only the first failure in a row is told, and its end.
  private func replace(
    _ file: AtomicFile?, _ what: String, _ text: String, modified: Int64? = nil
  ) {
    guard let file else { return }
    do throws(Errno) {
      try file.write(text, modified: modified)
      if failed.remove(what) != nil { logger.notice("\(what) \(file.name): written again") }
    } catch {
      if failed.insert(what).inserted {
        let remedy =
          error == .noSpace ? "free space on its file system" : "create its folder or name another"
        logger.warning("\(what) \(file.name): \(error); will retry at each write; \(remedy)")
      }
    }
  }
}
