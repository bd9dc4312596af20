// SPDX-License-Identifier: BSD-2-Clause
//
// The listener's status file, as `stats` reads it.

import Basics
import SystemPackage

/// What became of reading the status file.
package enum StatusFile: Equatable {
  /// Nobody has said where it would be.
  case notNamed
  case missing(path: String)
  case unreadable(path: String, why: String)
  case read(path: String, ListenerStatus)

  /// - Parameter isAlive: whether a process of this number runs on this machine.
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

/// What the listener said of itself (HealthReporter writes it, HealthText words it).
package struct ListenerStatus: Equatable {
  package let process: Int64
  /// Whether that process is there.
  package let isAlive: Bool
  package let state: String
  /// Times are in nanoseconds since the epoch.
  package let stateSince: Int64?
  /// When a drain and a probe had last succeeded.
  package let healthyAt: Int64?
  package let lastDrain: Int64?
  /// What the last drain came to; nil before the first.
  package let drained: DrainCounts?
  /// How far the drain under way has come; nil between drains.
  package let underWay: DrainCounts?
  /// All since the start.
  package let total: DrainCounts
  package var rows: Int64 { total.rows }
  package let retriesWaiting: Int64
  package let settleWaiting: Int64
  /// The queues that the server refuses it.
  package let refused: [String]
  /// The queues that a transaction of somebody else has held for long, and by whom.
  package let held: [(queue: String, holder: String)]
  /// What its rechecks have come to; nil where it does not say.
  package let recheck: RecheckHealth?
  /// What its last scrub has come to; nil where it does not say.
  package let scrub: ScrubHealth?
  package let lastError: (at: Int64?, message: String)?

  /// Nil when the document is none of ours.
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
      && left.scrub == right.scrub
      && left.lastError?.at == right.lastError?.at
      && left.lastError?.message == right.lastError?.message
  }

  private static func time(_ json: JSON?) -> Int64? { json?.string.flatMap(parseTimestamp) }
}

/// What drains have come to (DrainTally's JSON).
package struct DrainCounts: Equatable, Sendable {
  package var rows: Int64 = 0
  package var keys: Int64 = 0
  package var files: Int64 = 0
  package var bytes: Int64 = 0
  /// How long it took; nil where that is not said.
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
