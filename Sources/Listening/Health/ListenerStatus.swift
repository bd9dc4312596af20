// SPDX-License-Identifier: BSD-2-Clause
//
// The listener's status file, as `stats` reads it.

import Basics
import SystemPackage

/// The result of reading the status file.
package enum StatusFile: Equatable {
  /// The path of the file is not set.
  case notNamed
  case missing(path: String)
  case unreadable(path: String, why: String)
  case read(path: String, ListenerStatus)

  /// - Parameter isAlive: whether a process with this number runs on this machine.
  package static func read(
    _ path: String?, _ files: FileReader = .ours, isAlive: (Int64) -> Bool = processIsAlive
  ) -> StatusFile {
    guard let path else { return .notNamed }
    do throws(Errno) {
      let bytes = try files.read(path)
      guard let json = JSON(parsing: bytes), let status = ListenerStatus(json, isAlive: isAlive)
      else { return .unreadable(path: path, why: "is no status file of fpcache listen") }
      return .read(path: path, status)
    } catch {
      if error == .noSuchFileOrDirectory { return .missing(path: path) }
      return .unreadable(path: path, why: error.description)
    }
  }

  package var status: ListenerStatus? {
    if case .read(_, let status) = self { status } else { nil }
  }
}

/// What the listener reported about itself (HealthReporter writes it, HealthText formats it).
package struct ListenerStatus: Equatable {
  package let process: Int64
  /// Whether that process is running.
  package let isAlive: Bool
  package let state: String
  /// Times are in nanoseconds since the epoch.
  package let stateSince: Int64?
  /// When a drain and a probe last succeeded.
  package let healthyAt: Int64?
  package let lastDrain: Int64?
  /// The counts of the last drain; nil before the first.
  package let drained: DrainCounts?
  /// The progress of the current drain; nil between drains.
  package let underWay: DrainCounts?
  /// All counts since the start.
  package let total: DrainCounts
  package var rows: Int64 { total.rows }
  package let retriesWaiting: Int64
  package let settleWaiting: Int64
  /// The queues that the server refuses to the listener.
  package let refused: [String]
  /// The queues that another transaction has held for long, and who holds them.
  package let held: [(queue: String, holder: String)]
  /// The results of its rechecks; nil where the file has none.
  package let recheck: RecheckHealth?
  /// The result of its last scrub; nil where the file has none.
  package let scrub: ScrubHealth?
  /// The result of its last prune; nil where it prunes nothing.
  package let prune: PruneHealth?
  /// The results of writing events; nil where it writes none.
  package let events: EventHealth?
  package let lastError: (at: Int64?, message: String)?

  /// Nil when the document was not written by fpcache.
  init?(_ json: JSON, isAlive: (Int64) -> Bool) {
    guard let process = json["pid"]?.wholeNumber, let state = json["state"]?.string else {
      return nil
    }
    self.process = process
    self.isAlive = isAlive(process)
    self.state = state
    stateSince = Self.time(json["since"])
    healthyAt = Self.time(json["healthy_at"])
    lastDrain = Self.time(json["last_drain"]?["at"])
    drained = DrainCounts(json["last_drain"])
    underWay = DrainCounts(json["drain_under_way"])
    total = DrainCounts(json["total"]) ?? DrainCounts()
    retriesWaiting = json["retries_waiting"]?.wholeNumber ?? 0
    settleWaiting = json["settle_waiting"]?.wholeNumber ?? 0
    refused = json["queues_refused"]?.elements.compactMap(\.string) ?? []
    held = (json["queues_held"]?.elements ?? []).compactMap { entry in
      entry["queue"]?.string.map { ($0, entry["by"]?.string ?? "") }
    }
    recheck = json["recheck"].flatMap { RecheckHealth($0) }
    scrub = json["scrub"].flatMap { ScrubHealth($0) }
    prune = json["prune"].flatMap { PruneHealth($0) }
    events = json["events"].flatMap { EventHealth($0) }
    lastError = json["last_error"]?["message"]?.string.map { message in
      (Self.time(json["last_error"]?["at"]), message)
    }
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.process == right.process && left.isAlive == right.isAlive && left.state == right.state
      && left.stateSince == right.stateSince && left.healthyAt == right.healthyAt
      && left.lastDrain == right.lastDrain && left.drained == right.drained
      && left.underWay == right.underWay && left.total == right.total
      && left.held.elementsEqual(right.held, by: ==)
      && left.retriesWaiting == right.retriesWaiting && left.settleWaiting == right.settleWaiting
      && left.refused == right.refused && left.recheck == right.recheck
      && left.scrub == right.scrub && left.prune == right.prune && left.events == right.events
      && left.lastError?.at == right.lastError?.at
      && left.lastError?.message == right.lastError?.message
  }

  private static func time(_ json: JSON?) -> Int64? { json?.string.flatMap(parseTimestamp) }
}

/// The counts of drains (DrainTally's JSON).
package struct DrainCounts: Equatable, Sendable {
  package var rows: Int64 = 0
  package var keys: Int64 = 0
  package var files: Int64 = 0
  package var bytes: Int64 = 0
  /// The duration of the drains; nil where the file does not say.
  package var seconds: Double?

  package init() {}

  /// Nil where there is no such object.
  init?(_ json: JSON?) {
    guard let json, let rows = json["rows"]?.wholeNumber else { return nil }
    self.rows = rows
    keys = json["keys"]?.wholeNumber ?? 0
    files = json["files_removed"]?.wholeNumber ?? 0
    bytes = json["bytes_removed"]?.wholeNumber ?? 0
    if case .number(let number)? = json["duration_seconds"] { seconds = number }
    if case .integer(let number)? = json["duration_seconds"] { seconds = Double(number) }
  }
}

private func processIsAlive(_ process: Int64) -> Bool {
  guard process > 0, let process = pid_t(exactly: process) else { return false }
  return kill(process, 0) == 0 || errno == EPERM
}
