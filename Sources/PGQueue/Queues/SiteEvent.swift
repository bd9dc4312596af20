// SPDX-License-Identifier: BSD-2-Clause
//
// What a notification means: one of the site's events, by its script_name in listen_for.

/// What a script_name of the site asks for.
package struct SiteEvent: Hashable, Sendable {
  /// What to do.
  package enum Action: Hashable, Sendable {
    /// Serve these queues, which the event's trigger fills.
    case drain([QueueTable])
    /// Empty families of the cache. No queue remembers the request.
    case empty([String])
    /// Do nothing.
    case nothing
  }

  package let scriptName: String
  package let action: Action

  package init(_ scriptName: String, _ action: Action) {
    self.scriptName = scriptName
    self.action = action
  }

  /// The queues that the event's trigger fills.
  package var queues: [QueueTable] {
    if case .drain(let queues) = action { queues } else { [] }
  }

  /// The families that the event empties.
  package var emptied: [String] {
    if case .empty(let families) = action { families } else { [] }
  }

  /// Whether it asks for something that no queue remembers. Such an event is not repeated at each connect in case it
  /// was missed: that would cost a site those families each time.
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

  /// The events of FreshPorts (docs/freshports.md, section 3).
  package static let all = [
    portUpdated, dateUpdated, portsMoved, portsUpdating, vuxml, categoryNew, commitUpdated,
    fileUpdated, packagesImported,
  ]
}
