// SPDX-License-Identifier: BSD-2-Clause
//
// Every setting that fpcache reads in a configuration file, one row each. The option, the file's reader, SIGHUP and the
// audit use this table; tests compare the sample and the manual with it (SettingTests).

import ArgumentParser
import Basics
import CacheFS
import Listening
import PGQueue

/// A key of a section, with everything that the program knows about it.
struct Setting: Hashable, Sendable {
  /// The values that are allowed.
  enum Domain: Hashable, Sendable {
    case text
    case seconds(ClosedRange<Double>)
    case number(ClosedRange<Int>)
    case node
    case facility
    case choice
    /// One of these.
    case word([String])
  }

  /// The option of `fpcache listen` that overrides the file.
  struct Option: Hashable, Sendable {
    /// Without its dashes.
    let name: String
    /// What `--help` says, without the default.
    let help: String
    let valueName: String
  }

  let section: String
  /// In upper case, as the site writes keys; case does not matter.
  let key: String
  var domain = Domain.text
  /// The value when none is set; nil for none.
  var fallback: String?
  /// The value that the sample shows where there is no fallback.
  var example: String?
  /// The sample's comment; nil where the sample has its own words.
  var comment: String?
  var option: Option?
  /// Whether a running listener keeps the value that it was started with.
  var needsRestart = false

  init(_ section: String, _ key: String) {
    self.section = section
    self.key = key
  }

  // MARK: The rows

  static let settle = row("listen", "SETTLE") {
    $0.domain = .seconds(0...3600)
    $0.fallback = whole(ListenSettings.defaultSettle.seconds)
    $0.comment = "Seconds until each key is cleared again: longer than the slowest render takes"
    $0.option = Option(
      name: "settle",
      help: "Clear each key again after this many seconds; 0 disables", valueName: "seconds")
    $0.needsRestart = true
  }

  static let pollInterval = row("listen", "POLL_INTERVAL") {
    $0.domain = .seconds(0.1...86_400)
    $0.fallback = whole(ListenerMachine.Settings().pollInterval.seconds)
    $0.comment = "Seconds between two drains without a notification"
    $0.option = Option(
      name: "poll-interval", help: "Drain all queues at least this often, in seconds",
      valueName: "seconds")
  }

  static let recheckInterval = row("listen", "RECHECK_INTERVAL") {
    $0.domain = .seconds(0...86_400)
    $0.fallback = whole(RecheckPlan.Limits.defaultInterval.seconds)
    $0.comment = """
      Seconds between two runs of the queries of [verify], to clear what has changed; 0 turns them \
      off
      """
    $0.option = Option(
      name: "recheck-interval",
      help: "Ask the queries of [verify] for changes this often, in seconds; 0 disables",
      valueName: "seconds")
  }

  static let recheckOverlap = row("listen", "RECHECK_OVERLAP") {
    $0.domain = .seconds(1...86_400)
    $0.fallback = whole(RecheckPlan.Limits.defaultOverlap.seconds)
    $0.comment = """
      How many seconds back the queries look if the role may not see which transactions are open: \
      longer than the longest of them
      """
  }

  static let recheckMost = row("listen", "RECHECK_MOST") {
    $0.domain = .number(1...1_000_000)
    $0.fallback = String(RecheckPlan.Limits.defaultMost)
    $0.comment =
      "If more keys of a family than this have changed at once, none of them is cleared"
  }

  static let scrubInterval = row("listen", "SCRUB_INTERVAL") {
    $0.domain = .seconds(0...2_592_000)
    $0.fallback = whole(ScrubPlan.Limits.defaultInterval.seconds)
    $0.comment =
      "Seconds between two comparisons of the whole tree with the queries of [verify]; 0 disables them"
    $0.option = Option(
      name: "scrub-interval",
      help:
        "Compare the whole tree with the queries of [verify] this often, in seconds; 0 disables it",
      valueName: "seconds")
  }

  static let scrubMost = row("listen", "SCRUB_MOST") {
    $0.domain = .number(1...100_000)
    $0.fallback = String(ScrubPlan.Limits.defaultMost)
    $0.comment = "If a comparison finds more pages out of date than this, it clears none of them"
  }

  static let scrub = row("listen", "SCRUB") {
    $0.domain = .word(ScrubPlan.Mode.allCases.map(\.rawValue))
    $0.fallback = ScrubPlan.Mode.clear.rawValue
    $0.comment = "What a comparison does with the pages that it finds: clear or report"
  }

  static let stateDirectory = row("listen", "STATE_DIR") {
    $0.example = ListenSettings.defaultStateDirectories[0]
    $0.comment = "A folder in which the list of second clears survives a crash"
    $0.option = Option(
      name: "state-dir", help: "Folder for the list of keys to clear again, which survives a crash",
      valueName: "dir")
    $0.needsRestart = true
  }

  static let node = row("listen", "NODE") {
    $0.domain = .node
    $0.example = "web1"
    $0.comment = "The name of this web node, if several caches share the database"
    $0.option = Option(
      name: "node", help: "Share the queues with other nodes, under this name", valueName: "name")
    $0.needsRestart = true
  }

  static let statusFile = row("listen", "STATUS_FILE") {
    $0.example = "/var/run/fpcache/status.json"
    $0.comment = "The listener's health, as JSON; verify looks at its age"
    $0.option = Option(
      name: "status-file", help: "Keep the listener's status here, as JSON", valueName: "file")
    $0.needsRestart = true
  }

  static let metricsFile = row("listen", "METRICS_FILE") {
    $0.example = "/var/run/fpcache/fpcache.prom"
    $0.comment = "The same for Prometheus' text collector"
    $0.option = Option(
      name: "metrics-file", help: "Keep the listener's metrics here, for Prometheus",
      valueName: "file")
    $0.needsRestart = true
  }

  static let eventsFile = row("listen", "EVENTS_FILE") {
    $0.example = "/var/lib/fpcache/events.json"
    $0.comment =
      "A line of JSON for each key that is cleared, for other programs, such as a CDN's purge"
    $0.option = Option(
      name: "events", help: "Append a line of JSON for each cleared key to this file",
      valueName: "file")
    $0.needsRestart = true
  }

  static let prune = row("listen", "PRUNE") {
    $0.example = "packages max-bytes 20G"
    $0.comment = """
      The oldest pages of families go until the rest is within a bound, one rule a line: max-bytes, max-files or \
      older-than, and by atime if the age goes by the last read
      """
  }

  static let pruneInterval = row("listen", "PRUNE_INTERVAL") {
    $0.domain = .seconds(0...2_592_000)
    $0.fallback = whole(RegularPrunePlan.defaultInterval.seconds)
    $0.comment = "Seconds between two prunes; 0 disables them"
  }

  static let emptiedAfter = row("listen", "EMPTY_AFTER") {
    $0.fallback = SiteRules.freshPorts(.freshPorts).emptiedAfter.joined(separator: ", ")
    $0.comment = """
      The families that show something of everything, separated by commas: emptied after every \
      drain
      """
  }

  static let facility = row("syslog", "FACILITY") {
    $0.domain = .facility
    $0.fallback = SyslogSettings.standard.facilityName
    $0.needsRestart = true
  }

  static let identity = row("syslog", "IDENT") {
    $0.fallback = SyslogSettings.standard.identity
    $0.needsRestart = true
  }

  static let crossMounts = row("dirs", "CROSS_MOUNTS") {
    $0.domain = .choice
    $0.fallback = "no"
  }

  static let queryTimeout = row("verify", "TIMEOUT") {
    $0.domain = .seconds(1...86_400)
    $0.fallback = whole(FamilyQuery.defaultTimeout.seconds)
    $0.comment = "How long each of the queries below may take, in seconds"
  }

  private static func row(
    _ section: String, _ key: String, _ fill: (inout Setting) -> Void
  ) -> Setting {
    var setting = Setting(section, key)
    fill(&setting)
    return setting
  }

  private static func whole(_ seconds: Double) -> String { String(Int(seconds)) }

  // MARK: All of them

  /// Sections that existed before fpcache: other programs may have their own keys in them.
  static let sharedSections: Set<String> = ["database", "dirs"]

  /// Sections whose keys are names from the site; anything wrong there is an error.
  static let openSections = [
    LayoutSection.name, QueuesSection.queues, QueuesSection.events, TriggersSection.name,
  ]

  /// The settings of a site with the layout of FreshPorts.
  static let all = all(families: VerifySettings.families(of: .freshPorts))

  /// - Parameter families: the families that [verify] may name.
  static func all(families: [String]) -> [Setting] {
    ["HOST", "PORT", "DBNAME", "DBUSER", "PASSWORD", "SSLMODE"].map { Setting("database", $0) }
      + [Setting("dirs", "BASEDIR"), crossMounts] + PathTemplate.all.map { Setting("dirs", $0.key) }
      + listen + [queryTimeout]
      + families.flatMap {
        [
          Setting("verify", VerifySettings.queryKey($0)),
          Setting("verify", VerifySettings.sinceKey($0)),
          Setting("verify", VerifySettings.leastSizeKey($0)),
        ]
      }
  }

  /// The listener's settings, in the order in which it reports them.
  static let listen = [
    settle, pollInterval, recheckInterval, recheckOverlap, recheckMost, scrubInterval, scrubMost,
    scrub, prune, pruneInterval, stateDirectory, node, statusFile, metricsFile, eventsFile,
    emptiedAfter, facility,
    identity,
  ]

  /// Keys that the sample does not show: libpq's other keywords, and a key of the old listener.
  static func more(for ini: INI) -> [Setting] {
    DatabaseSection.keys(for: ini).map { Setting(DatabaseSection.name, $0) }
      + [Setting("dirs", snapshotKey)]
  }

  /// The ZFS snapshot that the old listener rolled back to when packages were imported.
  static let snapshotKey = "PKG_ZFS_SNAPSHOT"

  /// The message for a key that is known and has no effect.
  static func unused(_ key: String, in section: String) -> String? {
    switch section {
    case "dirs" where key == snapshotKey:
      "\(key) is not used: fpcache empties the packages family instead, which does the same"
    case DatabaseSection.name:
      DatabaseSection.own[key.lowercased()].map { "\(key) is not used: \($0)" }
    default: nil
    }
  }
}

// MARK: What others make of a row

extension Setting {
  /// The option's help, with the default.
  func help(_ discussion: String = "") -> ArgumentHelp {
    let text = option?.help ?? ""
    return ArgumentHelp(
      "\(text)\(fallback.map { " (default: \($0))" } ?? "").", discussion: discussion,
      valueName: option?.valueName)
  }

  /// The value of an option, which validate() has checked.
  func seconds(ofOption text: String?) -> Duration? { text.flatMap { seconds(in: $0) } }

  /// - Throws: ``ValidationError`` for an invalid value of the option.
  func validate(_ text: String?) throws {
    guard let text, let option else { return }
    switch domain {
    case .seconds(let range) where seconds(in: text) == nil:
      throw ValidationError(
        "--\(option.name) \(text): expected seconds from \(plain(range.lowerBound)) to "
          + plain(range.upperBound))
    case .node where !Node.isName(text):
      throw ValidationError("--\(option.name) \(escape(Array(text.utf8))): \(Node.expectation)")
    default: break
    }
  }

  private func seconds(in text: String) -> Duration? {
    guard case .seconds(let range) = domain else { return nil }
    return ListenSettings.seconds(text, range)
  }

  /// The value in the file; nil where it is not set.
  /// - Throws: ``UserError`` with status 78.
  func text(in ini: INI) throws(UserError) -> String? { try value(in: ini)?.text }

  /// - Throws: ``UserError`` with status 78, also for an invalid value.
  func seconds(in ini: INI) throws(UserError) -> Duration? {
    guard let value = try value(in: ini), case .seconds(let range) = domain else { return nil }
    guard let seconds = seconds(in: value.text) else {
      throw value.problem(
        key,
        "is not a number in this range; expected seconds from \(plain(range.lowerBound)) to "
          + plain(range.upperBound))
    }
    return seconds
  }

  /// - Throws: ``UserError`` with status 78, also for an invalid value.
  func number(in ini: INI) throws(UserError) -> Int? {
    guard let value = try value(in: ini), case .number(let range) = domain else { return nil }
    guard let number = Int(value.text), range.contains(number) else {
      throw value.problem(
        key,
        "is not a number in this range; expected a whole number from \(range.lowerBound) to "
          + "\(range.upperBound)")
    }
    return number
  }

  /// - Throws: ``UserError`` with status 78.
  func value(in ini: INI) throws(UserError) -> INIValue? {
    let value = try ini.checkedValue(key, in: section)
    guard let value else { return nil }
    switch domain {
    case .node where !Node.isName(value.text):
      throw value.problem(key, "is not a valid node name; \(Node.expectation)")
    case .facility where SyslogSettings.facility(named: value.text) == nil:
      throw value.problem(
        key,
        "is not a syslog facility; expected one of "
          + SyslogSettings.facilities.map(\.name).joined(separator: ", "))
    case .word(let words) where !words.contains(value.text.lowercased()):
      throw value.problem(key, "is unknown; expected \(listed(words, "or"))")
    default: return value
    }
  }
}

extension [Setting] {
  var sections: [String] {
    reduce(into: []) { sections, setting in
      if !sections.contains(setting.section) { sections.append(setting.section) }
    }
  }

  /// The keys of a section.
  func keys(of section: String) -> [String] { filter { $0.section == section }.map(\.key) }
}
