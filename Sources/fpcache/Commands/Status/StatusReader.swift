// SPDX-License-Identifier: BSD-2-Clause
//
// Takes the looks of `status`, repeatedly over one connection.

import Basics
import Listening
import PGQueue

/// Asks the database and reads the status file.
struct StatusReader {
  private let rules: SiteRules
  private let thresholds: QueueThresholds
  private let statusFile: String?
  private let pollInterval: Duration
  private var database: DatabaseReader

  /// - Parameter patience: how long a look may take.
  init(
    _ config: Config, _ thresholds: QueueThresholds, statusFile: String?, patience: Duration
  ) {
    rules = config.rules
    self.thresholds = thresholds
    self.statusFile = statusFile ?? config.listen.statusFile
    pollInterval = config.listen.pollInterval ?? ListenerMachine.Settings().pollInterval
    database = DatabaseReader(
      config.connection.named("fpcache status"), rules, tellsNodes: true, depth: .brief,
      patience: patience)
  }

  mutating func read() -> StatusReport {
    StatusReport(
      at: currentTime(), database: database.read(), statusFile: StatusFile.read(statusFile),
      rules: rules, pollInterval: pollInterval, thresholds: thresholds)
  }
}
