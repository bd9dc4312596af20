// SPDX-License-Identifier: BSD-2-Clause
//
// What a site's queues, events and drains ask of its cache: the connection between the database and the tree, as one
// value. The rules of FreshPorts are a value like any other.

import Basics
import CacheFS
import PGQueue

/// A queue, and what its rows name.
package struct QueueRule: Equatable, Sendable {
  package let table: QueueTable
  let keys: KeyRule
  /// The noun for one of its keys.
  package let noun: String
  /// What a row clears, in words.
  let clears: String

  package init(
    table: QueueTable,
    keys: KeyRule,
    noun: String,
    clears: String
  ) {
    self.table = table
    self.keys = keys
    self.noun = noun
    self.clears = clears
  }
}

/// The rules of a site, compiled for its layout.
package struct SiteRules: Equatable, Sendable {
  /// In the order in which the queues are drained.
  package var queues: [QueueRule]
  package var events: [SiteEvent]
  /// The families whose pages show some of everything. They are emptied after every drain that served a row, and after
  /// every event except those that empty other families.
  package var emptiedAfter: [String]

  package init(
    queues: [QueueRule],
    events: [SiteEvent],
    emptiedAfter: [String]
  ) {
    self.queues = queues
    self.events = events
    self.emptiedAfter = emptiedAfter
  }

  /// The rules of FreshPorts (docs/freshports.md, section 3) for its layout, wherever its families lie.
  /// - Parameter reports: all names of the report of failed commits.
  package static func freshPorts(
    _ layout: Layout, reports: [String] = [KeyRule.Part.FreshPorts.sanityReport]
  ) -> SiteRules {
    typealias Part = KeyRule.Part.FreshPorts
    return SiteRules(
      queues: [
        QueueRule(
          table: .ports, keys: KeyRule(Part.ports, width: 2, layout), noun: "port",
          clears: "the port, its category"),
        QueueRule(
          table: .dates, keys: KeyRule(Part.dates, width: 1, layout), noun: "date",
          clears: "that day"),
        QueueRule(
          table: .commits, keys: KeyRule(Part.commits(andReports: reports), width: 1, layout),
          noun: "commit", clears: "that commit, sanity failures"),
        QueueRule(
          table: .files, keys: KeyRule(Part.files, width: 1, layout), noun: "file",
          clears: "that file"),
      ], events: SiteEvent.all, emptiedAfter: ["news"])
  }

  /// Whether the database has nothing to announce, and no table for announcements.
  package var isSilent: Bool { queues.isEmpty && events.isEmpty }

  package var tables: [QueueTable] { queues.map(\.table) }

  package func queue(_ table: QueueTable) -> QueueRule? { queues.first { $0.table == table } }

  /// Whether the site clears by the table's rows, or the table is the log.
  func asksFor(_ table: QueueTable) -> Bool { table == .log || queue(table) != nil }

  /// The keys of all that an invalidation could ask for.
  package func everything(_ layout: Layout) -> [CacheKey] {
    let families = events.flatMap(\.emptied) + emptiedAfter
    var plan = KeySet()
    _ = plan.add(queues.flatMap { $0.keys.everything(layout) })
    _ = plan.add(families.compactMap { try? layout.all(of: $0) })
    return plan.keys
  }
}

extension SiteRules {
  /// What a notification on a channel clears, in words.
  package func effect(of channel: Channel) -> String {
    guard let event = channel.event else {
      return "nothing: fpcache knows no \(channel.scriptName.escaped)"
    }
    let words: [String]
    switch event.action {
    case .drain(let tables): words = tables.compactMap { queue($0)?.clears } + afterwards
    case .nothing: words = afterwards
    case .empty(let families): words = families.map { "the \($0)" }
    }
    return words.isEmpty ? "nothing" : words.joined(separator: ", ")
  }

  private var afterwards: [String] { emptiedAfter.map { "the \($0)" } }
}
