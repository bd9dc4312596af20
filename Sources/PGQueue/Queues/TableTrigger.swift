// SPDX-License-Identifier: BSD-2-Clause
//
// Which changes of a site's own table are queued, and where.

/// A table of the site whose changes fill queues.
package struct TableTrigger: Equatable, Sendable {
  /// One of the queues that it fills.
  package struct Target: Equatable, Sendable {
    package let queue: QueueTable
    /// For each column of ``QueueTable/Definition/filled``, the table's column that gives its value, in order.
    package let sources: [SQLIdentifier]
    /// Other columns whose change matters; nil for all columns.
    package let watched: [SQLIdentifier]?

    package init(queue: QueueTable, sources: [SQLIdentifier], watched: [SQLIdentifier]?) {
      self.queue = queue
      self.sources = sources
      self.watched = watched
    }
  }

  package let table: SQLIdentifier
  package let targets: [Target]

  package init(table: SQLIdentifier, targets: [Target]) {
    self.table = table
    self.targets = targets
  }
}
