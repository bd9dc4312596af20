// SPDX-License-Identifier: BSD-2-Clause
//
// Tells those who watch: the status file, the metrics file and the service manager.

import Basics
import Logging
import SystemPackage

/// Keeps the listener's health and passes it on.
package final class HealthReporter {
  /// The files are written at most this often.
  private static let writeInterval = Duration.seconds(1)

  private(set) var health = Health(now: currentTime())
  private let statusFile: AtomicFile?
  private let metricsFile: AtomicFile?
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
    statusFile: String?, metricsFile: String?, manager: SystemdNotifier?, lastError: LastError,
    _ logger: Logger
  ) {
    self.statusFile = statusFile.map(AtomicFile.init)
    self.metricsFile = metricsFile.map(AtomicFile.init)
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
  /// - Returns: the time until they should be written; nil when nothing has changed.
  func writeIfDue(isBusy: Bool) -> Duration? {
    guard let dirtySince, statusFile != nil || metricsFile != nil else { return nil }
    if let lastWrite {
      if isBusy, dirtySince.duration(to: .now) < Self.writeInterval { return nil }
      let left = Self.writeInterval - lastWrite.duration(to: .now)
      if left > .zero { return left }
    }
    write()
    return nil
  }

  /// Writes the files now.
  func write() {
    dirtySince = nil
    lastWrite = .now
    // The file's own time is the proof's: a monitor may look at either.
    replace(
      statusFile, "status file", health.json(lastError: lastError.value, pid: getpid()).text + "\n",
      modified: health.healthyAt ?? 0)
    replace(metricsFile, "metrics file", health.prometheus)
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
          error == .noSpace ? "make room on its file system" : "create its folder or name another"
        logger.warning("\(what) \(file.name): \(error); tried again at each write; \(remedy)")
      }
    }
  }
}
