// SPDX-License-Identifier: BSD-2-Clause
//
// How the listener runs: flags, then [listen] and [syslog] of the configuration, then defaults.

import Basics
import CacheFS
import Listening
import SystemPackage

/// Settings of `listen`; nil means not set.
struct ListenSettings: Equatable, Sendable {
  /// Longer than the slowest render (docs/drain-protocol.md, "Settle").
  static let defaultSettle = Duration.seconds(5)
  /// Used where systemd has made no directory for us: the directories of the BSDs and of Linux (hier(7)).
  static let defaultStateDirectories = ["/var/db/fpcache", "/var/lib/fpcache"]
  /// The first of them that exists.
  static var defaultStateDirectory: String {
    defaultStateDirectories.first { access($0, F_OK) == 0 } ?? defaultStateDirectories[0]
  }

  /// The listener's state directory.
  var stateFolder: FilePath {
    FilePath(
      stateDirectory
        ?? environment()["STATE_DIRECTORY"]?.split(separator: ":").first.map(String.init)
        ?? Self.defaultStateDirectory)
  }

  var settle: Duration?
  var pollInterval: Duration?
  var recheckInterval: Duration?
  var recheckOverlap: Duration?
  var recheckMost: Int?
  var scrubInterval: Duration?
  var scrubMost: Int?
  var scrub: ScrubPlan.Mode?
  var prune: [PruneRule] = []
  var pruneInterval: Duration?
  var stateDirectory: String?
  var statusFile: String?
  var metricsFile: String?
  var eventsFile: String?
  /// The name of this node among many; nil for a listener without nodes.
  var node: String?
  var syslog = SyslogSettings.standard

  init() {}

  /// The settings in the file.
  /// - Parameter layout: the site's families.
  /// - Throws: ``UserError`` with status 78.
  init(_ ini: INI, _ layout: Layout) throws(UserError) {
    settle = try Setting.settle.seconds(in: ini)
    pollInterval = try Setting.pollInterval.seconds(in: ini)
    recheckInterval = try Setting.recheckInterval.seconds(in: ini)
    recheckOverlap = try Setting.recheckOverlap.seconds(in: ini)
    recheckMost = try Setting.recheckMost.number(in: ini)
    scrubInterval = try Setting.scrubInterval.seconds(in: ini)
    scrubMost = try Setting.scrubMost.number(in: ini)
    scrub = try Setting.scrub.text(in: ini).flatMap { ScrubPlan.Mode(rawValue: $0.lowercased()) }
    prune = try PruneSetting.rules(ini, layout)
    pruneInterval = try Setting.pruneInterval.seconds(in: ini)
    stateDirectory = try Setting.stateDirectory.text(in: ini)
    statusFile = try Setting.statusFile.text(in: ini)
    metricsFile = try Setting.metricsFile.text(in: ini)
    eventsFile = try Setting.eventsFile.text(in: ini)
    node = try Setting.node.text(in: ini)
    if let name = try Setting.facility.text(in: ini),
      let facility = SyslogSettings.facility(named: name)
    {
      syslog.facility = facility
    }
    if let identity = try Setting.identity.text(in: ini) { syslog.identity = identity }
  }

  /// These settings where they are set, and the other's where they are not.
  func orElse(_ other: ListenSettings) -> ListenSettings {
    var merged = other
    merged.settle = settle ?? other.settle
    merged.pollInterval = pollInterval ?? other.pollInterval
    merged.recheckInterval = recheckInterval ?? other.recheckInterval
    merged.recheckOverlap = recheckOverlap ?? other.recheckOverlap
    merged.recheckMost = recheckMost ?? other.recheckMost
    merged.scrubInterval = scrubInterval ?? other.scrubInterval
    merged.scrubMost = scrubMost ?? other.scrubMost
    merged.scrub = scrub ?? other.scrub
    merged.pruneInterval = pruneInterval ?? other.pruneInterval
    merged.stateDirectory = stateDirectory ?? other.stateDirectory
    merged.statusFile = statusFile ?? other.statusFile
    merged.metricsFile = metricsFile ?? other.metricsFile
    merged.eventsFile = eventsFile ?? other.eventsFile
    merged.node = node ?? other.node
    return merged
  }

  /// The keys whose values differ in `others`, among those that cannot change while a listener runs: SIGHUP applies all
  /// settings but these. NODE has its own message.
  func changed(in others: ListenSettings) -> [String] {
    Setting.listen.filter { $0.needsRestart && $0 != .node && isChanged($0, in: others) }
      .map(\.key)
  }

  private func isChanged(_ setting: Setting, in others: ListenSettings) -> Bool {
    switch setting {
    case .settle: settle != others.settle
    case .pollInterval: pollInterval != others.pollInterval
    case .recheckInterval: recheckInterval != others.recheckInterval
    case .recheckOverlap: recheckOverlap != others.recheckOverlap
    case .recheckMost: recheckMost != others.recheckMost
    case .scrubInterval: scrubInterval != others.scrubInterval
    case .scrubMost: scrubMost != others.scrubMost
    case .scrub: scrub != others.scrub
    case .prune: prune != others.prune
    case .pruneInterval: pruneInterval != others.pruneInterval
    case .stateDirectory: stateDirectory != others.stateDirectory
    case .node: node != others.node
    case .statusFile: statusFile != others.statusFile
    case .metricsFile: metricsFile != others.metricsFile
    case .eventsFile: eventsFile != others.eventsFile
    case .facility: syslog.facility != others.syslog.facility
    case .identity: syslog.identity != others.syslog.identity
    default: false
    }
  }

  /// A number of seconds within a range, or nil.
  static func seconds(_ text: String, _ range: ClosedRange<Double>) -> Duration? {
    guard let seconds = Double(text), range.contains(seconds) else { return nil }
    return .milliseconds(Int64(seconds * 1000))
  }
}
