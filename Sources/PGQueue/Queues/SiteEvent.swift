// SPDX-License-Identifier: BSD-2-Clause
//
// What a notification means: one of the events of the site, by the script_name that listen_for has.

/// What a site's script_name asks for.
package struct SiteEvent: Hashable, Sendable {
  /// What is to be done.
  package enum Action: Hashable, Sendable {
    /// Serve these queues, which its trigger fills.
    case drain([QueueTable])
    /// Empty families of the cache. No queue remembers that it was asked for.
    case empty([String])
    /// Nothing of its own.
    case nothing
  }

  package let scriptName: String
  package let action: Action

  package init(_ scriptName: String, _ action: Action) {
    self.scriptName = scriptName
    self.action = action
  }

  /// The queues that its trigger fills.
  package var queues: [QueueTable] {
    if case .drain(let queues) = action { queues } else { [] }
  }

  /// The families that it has emptied.
  package var emptied: [String] {
    if case .empty(let families) = action { families } else { [] }
  }

  /// Whether it asks for what no queue remembers: then it is not done at each connect, as if it might
  /// have been missed, which would cost a site those families each time.
  package var isErrand: Bool { !emptied.isEmpty }

  // MARK: FreshPorts

  package static let portUpdated = SiteEvent("listen_port", .drain([.ports]))
  package static let dateUpdated = SiteEvent("listen_date_updated", .drain([.dates]))
  package static let portsMoved = SiteEvent("listen_ports_moved", .nothing)
  package static let portsUpdating = SiteEvent("listen_ports_updating", .nothing)
  package static let vuxml = SiteEvent("listen_vuxml", .nothing)
  package static let categoryNew = SiteEvent("listen_category_new", .nothing)
  package static let commitUpdated = SiteEvent("listen_commit", .drain([.commits]))
  package static let fileUpdated = SiteEvent("listen_file_updated", .drain([.files]))
  package static let packagesImported = SiteEvent("listen_packages_imported", .empty(["packages"]))

  /// Those of FreshPorts (docs/freshports.md, section 3).
  package static let all = [
    portUpdated, dateUpdated, portsMoved, portsUpdating, vuxml, categoryNew, commitUpdated,
    fileUpdated, packagesImported,
  ]
}
