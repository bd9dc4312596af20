// SPDX-License-Identifier: BSD-2-Clause
//
// The database part of an audit: the tables and their permissions, the queues, the listener, and the site's own
// queries. A part that cannot be asked is reported, and the other parts go on.

import Basics
import CacheFS
import Listening
import PGQueue
import SystemPackage

/// Asks the database before the walk of the tree and after it.
final class DatabaseAudit {
  /// A listener that reconnects or restarts may be away for a moment.
  private static let secondLookMilliseconds = 700
  /// A status file whose proof of health is older than this many polls no longer belongs to a running listener.
  static let pollsWithoutProof = 5

  let connection: Connection
  let config: Config
  let codes: Set<FindingCode>
  private let limits: QueueLimits
  private(set) var findings: [Finding] = []
  var notChecked: [NotChecked] = []
  /// Each queue that could be read.
  private(set) var queues: [QueueBacklog] = []
  private(set) var clocks = ClockComparison()
  private var tables: [QueueTable] = []
  /// Nil where the channels could not be read.
  private var channels: [Channel]?
  /// What the role that asks may do with the tables.
  private(set) var rights: [TableRights] = []
  var listener: ListenerAudit?
  /// Whether the role that asks could be the listener's.
  var isListenersRole = false
  private var queueReview: QueueReview?
  /// How long a transaction may hold a queue.
  var holdPatience = QueueHold.patience
  /// Whether a node was behind or gone at the first look.
  private var hasNodeTrouble = false
  /// Why the nodes could not be read, and what would change that; nil when they were read, or when there are none.
  private(set) var nodesRefused: (reason: String, grant: String?)?

  /// - Throws: ``DatabaseError`` when there is no connection.
  init(
    _ config: Config, _ codes: Set<FindingCode>, _ limits: QueueLimits
  ) throws(DatabaseError) {
    self.config = config
    self.codes = codes
    self.limits = limits
    var parameters = config.connection
    // This name lets one audit not mistake another for a listener.
    parameters.keywords.append(("fallback_application_name", "fpcache verify"))
    connection = try Connection(parameters)
    try connection.makeAuditor()
  }

  func wants(_ code: FindingCode) -> Bool { codes.contains(code) }

  func tell(_ code: FindingCode, _ subject: String, _ evidence: Finding.Evidence) {
    tell(code, Array(subject.utf8), evidence)
  }

  private func tell(_ code: FindingCode, _ subject: [UInt8], _ evidence: Finding.Evidence) {
    if wants(code) { findings.append(Finding(code, name: subject, evidence)) }
  }

  // MARK: Before the walk

  /// Checks tables, channels, queues and the listener.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func begin() throws(DatabaseError) {
    // A site without queues and events has no listen_for either.
    if !config.rules.isSilent {
      rights = try TableRights.all(of: config.rules.tables, to: .read, on: connection)
    }
    if let events = rights.last { try readChannels(events) }
    for table in rights { try judge(table) }
    for channel in channels ?? [] where channel.event == nil {
      tell(
        .unknownEvent, channel.name,
        .words(
          "names the event \(escape(Array(channel.scriptName.utf8))), which fpcache does not know"))
    }
    try lookForListener()
    if wants(.riskyTrigger) { try judgeTriggers() }
    hasNodeTrouble = try !nodeFindings().isEmpty
  }

  /// Checks the text of the triggers' functions.
  private func judgeTriggers() throws(DatabaseError) {
    do throws(DatabaseError) {
      for trigger in try RiskyTrigger.all(of: config.rules.tables, on: connection) {
        tell(.riskyTrigger, trigger.function, .words(trigger.words))
      }
    } catch {
      guard case .refused(let reason) = error else { throw error }
      leaveOut("pg_proc", [.riskyTrigger], reason)
    }
  }

  /// The problems of the nodes; empty on a site without nodes.
  private func nodeFindings() throws(DatabaseError) -> [Finding] {
    guard wants(.nodeLag) || wants(.nodeLost) else { return [] }
    do throws(DatabaseError) {
      let silence = (pollInterval * Self.pollsWithoutProof).seconds
      return try NodeBacklog.all(on: connection)
        .flatMap { $0.findings(maxBacklog: limits.rows, longestSilence: silence) }
        .filter { wants($0.code) }
    } catch {
      guard case .refused(let reason) = error else { throw error }
      let grants = try TableRights.ofNodes(on: connection).compactMap(\.shownGrant)
      let grant = grants.isEmpty ? nil : grants.joined(separator: " ")
      // A site without nodes does not need to hear that we may not read them.
      if config.listen.node != nil {
        leaveOut("fpcache_node", [.nodeLag, .nodeLost], reason.explanation, grant)
      }
      nodesRefused = (reason.explanation, grant)
      return []
    }
  }

  var pollInterval: Duration {
    config.listen.pollInterval ?? ListenerMachine.Settings().pollInterval
  }

  private func readChannels(_ events: TableRights) throws(DatabaseError) {
    guard events.exists else {
      if !wants(.missingTable) { leaveOut(events.table, [.unknownEvent], QueueBacklog.noSuchTable) }
      return
    }
    if events.missing.contains(TableRights.usage) {
      return leaveOut(events.table, [.unknownEvent], events.denial, events.shownGrant)
    }
    do throws(DatabaseError) {
      channels = try Channel.all(of: config.rules.events, on: connection)
    } catch {
      guard case .refused(let reason) = error else { throw error }
      leaveOut(events.table, [.unknownEvent], reason)
    }
  }

  /// Reads a queue, or reports why it cannot be read.
  private func judge(_ rights: TableRights) throws(DatabaseError) {
    let queue = config.rules.tables.first { $0.name == rights.table }
    if rights.exists {
      if let queue, let backlog = try read(queue, rights) {
        tables.append(queue)
        queues.append(backlog)
      }
      return
    }
    // A queue that no channel announces may be missing: older schemas lack two of them.
    if let queue, channels == nil, self.rights.last?.exists == true, queue.mayBeMissing {
      leaveOut(
        rights.table, [.missingTable],
        "\(QueueBacklog.noSuchTable), and whether its event is in listen_for "
          + "cannot be read", self.rights.last?.shownGrant)
    } else if queue?.isNeeded(announced: channels?.announced ?? []) ?? true {
      if wants(.missingTable) {
        tell(.missingTable, rights.table, .none)
      } else if queue != nil {
        leaveOut(rights.table, [.backlog, .pending], QueueBacklog.noSuchTable)
      }
    }
  }

  /// A queue's rows; nil where they cannot be read, which is reported once.
  private func read(
    _ table: QueueTable, _ rights: TableRights
  ) throws(DatabaseError) -> QueueBacklog? {
    if rights.missing.contains(TableRights.usage) {
      // The server's own message would be that the table does not exist.
      leaveOut(table.name, [.backlog, .pending], rights.denial, rights.shownGrant)
      return nil
    }
    do throws(DatabaseError) {
      return try QueueBacklog(of: table, on: connection)
    } catch {
      guard case .refused(let reason) = error else { throw error }
      leaveOut(table.name, [.backlog, .pending], reason)
      return nil
    }
  }

  private func leaveOut(_ subject: String, _ codes: [FindingCode], _ reason: ServerError) {
    let grant = reason.isPermissionDenied ? rights.first { $0.table == subject }?.shownGrant : nil
    leaveOut(subject, codes, reason.explanation, grant)
  }

  /// - Parameter reason: the reason, escaped for output.
  func leaveOut(
    _ subject: String, _ codes: [FindingCode], _ reason: String, _ grant: String? = nil
  ) {
    let wanted = codes.filter(wants)
    guard !wanted.isEmpty,
      !notChecked.contains(where: { $0.subject == subject && $0.codes == wanted })
    else { return }
    notChecked.append(NotChecked(subject: subject, codes: wanted, reason: reason, grant: grant))
  }

  // MARK: The site's queries

  /// Asks when the pages were last changed. The result has a table for each family that has a query.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func changes() throws(DatabaseError) -> [ChangeTable] {
    guard wants(.stale) || wants(.orphan), !config.verify.queries.isEmpty else { return [] }
    clocks = try ClockComparison(try? config.openCacheDirectory(), connection)
    var tables: [ChangeTable] = []
    for query in config.verify.queries {
      if let table = try ask(query) { tables.append(table) }
    }
    return tables
  }

  private func ask(_ query: FamilyQuery) throws(DatabaseError) -> ChangeTable? {
    let changes: FamilyChanges
    do throws(DatabaseError) {
      changes = try FamilyChanges(
        query, config.layout, timeout: config.verify.timeout, on: connection)
    } catch {
      guard case .refused(let reason) = error else { throw error }
      leaveOut(query.family, [.stale, .orphan], reason)
      return nil
    }
    if let refused = changes.table?.refused, let example = refused.example {
      odd(
        query,
        "gives \(counted(refused.rows, "row")) with what no \(example.field) can be, "
          + "such as \"\(escape(example.value))\"")
    }
    if let table = changes.table, table.count == 0 {
      // Without this, every page of the family would be reported as an orphan.
      leaveOut(query.family, [.stale, .orphan], "the query of \(query.place) gives no row")
      return nil
    }
    if let problem = changes.problem {
      odd(query, problem)
      leaveOut(query.family, [.stale, .orphan], "the query of \(query.place) \(problem)")
    }
    return changes.table
  }

  private func odd(_ query: FamilyQuery, _ words: String) {
    tell(.oddValue, query.place, .words("\(query.key) \(words)"))
  }

  // MARK: Between the two looks at the tree

  /// The table where this node's rows wait after they were moved out of the queues. Nil for a site without nodes, and
  /// where the configuration does not name this node.
  private var nodeLog: NodeLog? {
    config.listen.node.flatMap { Node(name: $0, token: "") }.map {
      NodeLog($0, on: Queue(.log, on: connection), tables: config.rules.tables)
    }
  }

  /// Removes the suspects that are about to be cleared, and adds the pages that have waited too long.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func review(_ suspects: inout [Finding], _ root: Directory) throws(DatabaseError) {
    let isExcusable = suspects.contains { $0.code == .stale || $0.code == .orphan }
    guard wants(.pending) || isExcusable else { return }
    var review = QueueReview(root, config.layout, config.rules)
    for table in tables {
      do throws(DatabaseError) {
        try review.read(Queue(table, on: connection))
      } catch {
        guard case .refused(let reason) = error else { throw error }
        leaveOut(table.name, [.pending], reason)
      }
    }
    // The log is read after the queues: a row that is moved meanwhile is seen in one of the two.
    if let nodeLog {
      do throws(DatabaseError) {
        try review.read(nodeLog)
      } catch {
        guard case .refused(let reason) = error else { throw error }
        leaveOut(nodeLog.table.name, [.pending], reason)
      }
    }
    review.addEmptied()
    review.apply(to: &suspects, tellsPending: wants(.pending))
    queueReview = review
  }

  // MARK: After the walk

  /// Checks again what may have lasted only a moment.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func end(_ found: inout [Finding], elapsed: Duration) throws(DatabaseError) {
    let waited = Int(elapsed / .milliseconds(1))
    if hasNoListener, waited < Self.secondLookMilliseconds {
      pause(milliseconds: Self.secondLookMilliseconds - waited)
    }
    if wants(.noListener) { try judgeListener() }
    tellRefusals()
    tellMissed()
    for first in queues where wants(.backlog) {
      guard limits.isPassed(by: first) || limits.isUntold(by: first),
        let still = try read(first.table, TableRights(table: first.table.name, exists: true))
      else { continue }
      if limits.isPassed(by: still) {
        tell(.backlog, first.table.name, .words(limits.words(still)))
      } else if limits.isUntold(by: still) {
        leaveOut(
          first.table.name, [.backlog],
          "\(counted(still.rows, "row")) waiting, and none has a date")
      }
    }
    try judgeHolders()
    if hasNodeTrouble { findings += try nodeFindings() }
    try confirmPending(&found)
  }

  /// A row that is gone now was cleared while we looked.
  private func confirmPending(_ found: inout [Finding]) throws(DatabaseError) {
    guard let queueReview, found.contains(where: { $0.code == .pending }) else { return }
    var waiting: Set<QueueReview.RowName> = []
    for table in tables {
      do throws(DatabaseError) {
        waiting.formUnion(try QueueReview.oldRows(Queue(table, on: connection)))
      } catch {
        guard case .refused = error else { throw error }
      }
    }
    if let nodeLog {
      do throws(DatabaseError) {
        waiting.formUnion(try QueueReview.oldRows(nodeLog))
      } catch {
        guard case .refused = error else { throw error }
      }
    }
    found.removeAll { $0.code == .pending && !queueReview.isWaiting($0.path, waiting) }
  }
}

extension RiskyTrigger {
  /// A predicate of the function.
  fileprivate var words: String {
    switch risk {
    case .looksFirst: "reads \(queue.escaped) in one statement and adds its row in another"
    case .catchesViolation: "catches the unique violation of its INSERT into \(queue.escaped)"
    }
  }
}
