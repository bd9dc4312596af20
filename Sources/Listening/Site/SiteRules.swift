// What a site's queues, events and drains ask of its cache: the joint between the database and the
// tree, as one value. FreshPorts' own is a value like any other.

import CacheFS
import PGQueue

/// A queue, and what its rows name.
struct QueueRule: Equatable, Sendable {
  let table: QueueTable
  let keys: KeyRule
  /// What one of its keys is called.
  let noun: String
  /// What is cleared for a row, in words.
  let clears: String
}

/// The rules of a site, compiled for its layout.
struct SiteRules: Equatable, Sendable {
  /// In the order in which the queues are drained.
  var queues: [QueueRule]
  var events: [SiteEvent]
  /// The families that show something of everything, and so are emptied after every drain that served
  /// a row and after every event but those that empty other families.
  var emptiedAfter: [String]

  /// The rules of FreshPorts (docs/freshports.md, section 3) for its layout, wherever its families lie.
  /// - Parameter reports: what the report of failed commits is called, by each name it has.
  static func freshPorts(
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

  var tables: [QueueTable] { queues.map(\.table) }

  func queue(_ table: QueueTable) -> QueueRule? { queues.first { $0.table == table } }

  /// - Throws: ``UserError`` with status 78 where a site's own layout has no rules beside it.
  func requireSome() throws(UserError) {
    guard queues.isEmpty, events.isEmpty else { return }
    throw UserError(
      .configuration,
      "the configuration has a [\(LayoutSection.name)] and says of no table or event what it "
        + "clears: write [\(QueuesSection.queues)] and [\(QueuesSection.events)]")
  }

  /// The keys of all that an invalidation could ask for.
  func everything(_ layout: Layout) -> [CacheKey] {
    let families = events.flatMap(\.emptied) + emptiedAfter
    var plan = ClearPlan()
    _ = plan.add(queues.flatMap { $0.keys.everything(layout) })
    _ = plan.add(families.compactMap { try? layout.all(of: $0) })
    return plan.keys
  }
}

extension SiteRules {
  /// What a notification on a channel clears, in words.
  func effect(of channel: Channel) -> String {
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
