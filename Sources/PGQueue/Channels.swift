// What the site asks to be listened to: the table listen_for.

/// What a notification means. The names are listen_for's script_name (docs/freshports.md, section 3).
public enum SiteEvent: String, CaseIterable, Sendable {
  case portUpdated = "listen_port"
  case dateUpdated = "listen_date_updated"
  case portsMoved = "listen_ports_moved"
  case portsUpdating = "listen_ports_updating"
  case vuxml = "listen_vuxml"
  case categoryNew = "listen_category_new"
  case commitUpdated = "listen_commit"
  case fileUpdated = "listen_file_updated"
  case packagesImported = "listen_packages_imported"

  /// The queue that its trigger fills, where there is one.
  public var queue: QueueTable? {
    switch self {
    case .portUpdated: .ports
    case .dateUpdated: .dates
    case .commitUpdated: .commits
    case .fileUpdated: .files
    case .portsMoved, .portsUpdating, .vuxml, .categoryNew, .packagesImported: nil
    }
  }
}

/// A row of listen_for.
public struct Channel: Hashable, Sendable {
  /// The site's choice; an identifier, to be quoted.
  public let name: String
  public let scriptName: String
  /// Nil for a script_name that is not known.
  public var event: SiteEvent? { SiteEvent(rawValue: scriptName) }

  public init(name: String, scriptName: String) {
    self.name = name
    self.scriptName = scriptName
  }

  /// How long an identifier may be, in bytes (NAMEDATALEN less its NUL). The server cuts longer
  /// ones short, in LISTEN as in NOTIFY.
  static let longestName = 63

  /// Whether a notification under this name is meant for the channel.
  func isNamed(_ name: String) -> Bool {
    // Byte by byte, as the server compares and cuts: a cut may part a letter from its accent.
    let (name, own) = (name.utf8, self.name.utf8)
    return own.elementsEqual(name)
      || (own.count > Self.longestName && own.starts(with: name)
        && name.count > Self.longestName - 4)
  }

  /// Reads listen_for; rows without a name are left out.
  /// - Throws: ``DatabaseError``.
  public static func all(on connection: Connection) throws(DatabaseError) -> [Channel] {
    let rows = try connection.query("SELECT name, script_name FROM listen_for ORDER BY id")
    return (0..<rows.count).compactMap { row in
      rows.text(row, 0).map { Channel(name: $0, scriptName: rows.text(row, 1) ?? "") }
    }
  }
}
