// SPDX-License-Identifier: BSD-2-Clause
//
// Reports health to the status file, the metrics file and the service manager.

import Basics
import Logging
import SystemPackage

/// The files that monitors read.
package struct HealthFiles {
  let status: AtomicFile?
  let metrics: AtomicFile?
  /// The version of the program, for the metrics.
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

/// Keeps the listener's health and reports it.
package final class HealthReporter {
  /// The files are written at most this often.
  private static let writeInterval = Duration.seconds(1)
  /// The metrics file is written this often even when nothing changes: a file that does not change means that the
  /// listener is dead.
  private static let heartbeat = Duration.seconds(30)

  private(set) var health = Health(now: currentTime())
  private let files: HealthFiles
  private let manager: SystemdNotifier?
  private let lastError: LastError
  let logger: Logger
  /// The time of the first change that is not in the files yet.
  private var dirtySince: ContinuousClock.Instant? = .now
  private var lastWrite: ContinuousClock.Instant?
  /// Files whose failure was already logged.
  private var failed: Set<String> = []
  /// READY is sent when a drain and a probe have completed since the start or a reload.
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

  /// The queues that the server refuses us.
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

  /// The connection is lost, and its proof is void.
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

  /// Writes the files when something has changed and the last write is long enough ago.
  ///
  /// - Parameter isBusy: whether more changes follow soon, as in the middle of a drain. A write now would need another
  ///   wakeup for the rest.
  /// - Returns: the time until the files should be written; nil when nothing has changed and no heartbeat is due.
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

  /// Writes the metrics file when its last write is long ago.
  /// - Returns: the time until the next write is due; nil without a metrics file.
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
    // The file's modification time is the time of the proof: a monitor may read either.
    replace(
      files.status, "status file",
      health.json(lastError: lastError.value, pid: getpid()).text + "\n",
      modified: health.healthyAt ?? 0)
    writeMetrics()
  }

  /// Writes one file. Logs the first of several failures in a row, and their end.
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
