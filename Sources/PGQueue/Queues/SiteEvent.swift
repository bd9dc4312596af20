// What a notification means: one of the events of the site, by the script_name that listen_for has.

/// What a site's script_name asks for.
public struct SiteEvent: Hashable, Sendable {
  /// What is to be done.
  public enum Action: Hashable, Sendable {
    /// Serve these queues, which its trigger fills.
    case drain([QueueTable])
    /// Empty families of the cache. No queue remembers that it was asked for.
    case empty([String])
    /// Nothing of its own.
    case nothing
  }

  public let scriptName: String
  public let action: Action

  public init(_ scriptName: String, _ action: Action) {
    self.scriptName = scriptName
    self.action = action
  }

  /// The queues that its trigger fills.
  public var queues: [QueueTable] {
    if case .drain(let queues) = action { queues } else { [] }
  }

  /// The families that it has emptied.
  public var emptied: [String] {
    if case .empty(let families) = action { families } else { [] }
  }

  /// Whether it asks for what no queue remembers: then it is not done at each connect, as if it might
  /// have been missed, which would cost a site those families each time.
  public var isErrand: Bool { !emptied.isEmpty }

  // MARK: FreshPorts

  public static let portUpdated = SiteEvent("listen_port", .drain([.ports]))
  public static let dateUpdated = SiteEvent("listen_date_updated", .drain([.dates]))
  public static let portsMoved = SiteEvent("listen_ports_moved", .nothing)
  public static let portsUpdating = SiteEvent("listen_ports_updating", .nothing)
  public static let vuxml = SiteEvent("listen_vuxml", .nothing)
  public static let categoryNew = SiteEvent("listen_category_new", .nothing)
  public static let commitUpdated = SiteEvent("listen_commit", .drain([.commits]))
  public static let fileUpdated = SiteEvent("listen_file_updated", .drain([.files]))
  public static let packagesImported = SiteEvent("listen_packages_imported", .empty(["packages"]))

  /// Those of FreshPorts (docs/freshports.md, section 3).
  public static let all = [
    portUpdated, dateUpdated, portsMoved, portsUpdating, vuxml, categoryNew, commitUpdated,
    fileUpdated, packagesImported,
  ]
}
