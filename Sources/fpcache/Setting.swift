// Every setting that fpcache reads in a configuration file: what the audit calls unknown, and the
// sample file shows, is judged by this table.

import CacheFS

/// A key of a section.
struct Setting: Hashable {
  let section: String
  /// In capitals, as the site writes them; case does not matter.
  let key: String

  /// Sections that were there before fpcache: other programs may have keys of their own in them.
  static let sharedSections: Set<String> = ["database", "dirs"]

  /// Sections whose keys are names of the site's own; what is wrong there is an error.
  static let openSections = [LayoutSection.name, QueuesSection.queues, QueuesSection.events]

  /// Those of a site with the layout of FreshPorts.
  static let all = all(families: VerifySettings.families(of: .freshPorts))

  /// - Parameter families: those of which [verify] may speak.
  static func all(families: [String]) -> [Setting] {
    ["HOST", "PORT", "DBNAME", "DBUSER", "PASSWORD", "SSLMODE"].map { Setting("database", $0) }
      + (["BASEDIR", SiteConfiguration.crossMountsKey] + Template.all.map(\.key)).map {
        Setting("dirs", $0)
      }
      + [
        "SETTLE", "POLL_INTERVAL", "STATE_DIR", "STATUS_FILE", "METRICS_FILE", "NODE",
        SiteConfiguration.emptiedAfterKey,
      ].map { Setting("listen", $0) }
      + ["FACILITY", "IDENT"].map { Setting("syslog", $0) }
      + [Setting("verify", VerifySettings.timeoutKey)]
      + families.flatMap {
        [
          Setting("verify", VerifySettings.queryKey($0)),
          Setting("verify", VerifySettings.leastSizeKey($0)),
        ]
      }
  }

  /// Keys that the sample does not show: libpq's other keywords, and what another listener obeyed.
  static let more =
    DatabaseSection.keys.map { Setting(DatabaseSection.name, $0) }
    + [Setting("dirs", Self.snapshotKey)]

  /// What the old listener rolled back when packages were imported.
  static let snapshotKey = "PKG_ZFS_SNAPSHOT"

  /// What is said of a key that is known and has no effect.
  static func unused(_ key: String, in section: String) -> String? {
    switch section {
    case "dirs" where key == snapshotKey:
      "\(key) is not used: fpcache empties the packages family instead, which does the same"
    case DatabaseSection.name:
      DatabaseSection.own[key.lowercased()].map { "\(key) is not used: \($0)" }
    default: nil
    }
  }

  private init(_ section: String, _ key: String) {
    self.section = section
    self.key = key
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
