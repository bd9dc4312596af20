// The database's side of an audit: the tables and who may use them, the queues, the listener, and
// the site's own queries. What cannot be asked is said, and stops nothing else.

import CacheFS
import PGQueue
import SystemPackage

/// Something that was to be looked for and could not be.
struct NotChecked: Equatable {
  /// What it is about: a family, a table.
  let subject: String
  let codes: [FindingCode]
  /// Why not; escaped.
  let reason: String
}

/// Asks the database, before the tree is walked and after.
final class DatabaseAudit {
  /// A listener that reconnects or is restarted may be away for a moment.
  private static let secondLookMilliseconds = 700
  /// A status file whose proof of health is older than so many polls is nobody's any more.
  private static let pollsWithoutProof = 5

  private let connection: Connection
  private let config: Config
  private let codes: Set<FindingCode>
  private let maxBacklog: Int?
  private(set) var findings: [Finding] = []
  private(set) var notChecked: [NotChecked] = []
  /// The rows of each queue that could be counted.
  private(set) var rows: [(table: QueueTable, rows: Int)] = []
  private(set) var clocks = ClockComparison()
  private var tables: [QueueTable] = []
  private var channels: [Channel] = []
  private var hasNoListener = false
  private var queueReview: QueueReview?
  /// Whether a node was behind or gone at the first look.
  private var hasNodeTrouble = false
  /// Why the nodes could not be looked at; nil when they were, or there are none.
  private(set) var nodesRefused: String?

  /// - Throws: ``DatabaseError`` when there is no connection.
  init(_ config: Config, _ codes: Set<FindingCode>, maxBacklog: Int?) throws(DatabaseError) {
    self.config = config
    self.codes = codes
    self.maxBacklog = maxBacklog
    var parameters = config.connection
    // So that one audit does not take another for a listener.
    parameters.keywords.append(("fallback_application_name", "fpcache verify"))
    connection = try Connection(parameters)
    try connection.makeAuditor()
  }

  private func wants(_ code: FindingCode) -> Bool { codes.contains(code) }

  private func tell(_ code: FindingCode, _ subject: String, _ evidence: Finding.Evidence) {
    if wants(code) { findings.append(Finding(code, CachePath(Array(subject.utf8)), evidence)) }
  }

  // MARK: Before the walk

  /// Looks at tables, channels, queues and the listener.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func begin() throws(DatabaseError) {
    let rights = try TableRights.all(of: config.rules.tables, on: connection)
    if let events = rights.last, events.exists, events.missing.isEmpty { try readChannels(events) }
    for table in rights { judge(table) }
    for channel in channels where channel.event == nil {
      tell(
        .unknownEvent, channel.name,
        .words(
          "names the event \(escape(Array(channel.scriptName.utf8))), which fpcache does not know"))
    }
    for table in tables {
      guard let count = try count(table) else { continue }
      rows.append((table, count))
    }
    if wants(.noListener) { hasNoListener = try seesNoListener() }
    hasNodeTrouble = try !nodeFindings().isEmpty
  }

  /// What is wrong with the nodes. A site without any has no need to be told that it may not know.
  private func nodeFindings() throws(DatabaseError) -> [Finding] {
    guard wants(.nodeLag) || wants(.nodeLost) else { return [] }
    do throws(DatabaseError) {
      let silence = (pollInterval * Self.pollsWithoutProof).seconds
      return try NodeBacklog.all(on: connection)
        .flatMap { $0.findings(maxBacklog: maxBacklog, longestSilence: silence) }
        .filter { wants($0.code) }
    } catch {
      guard case .refused(let reason) = error else { throw error }
      if nodesRefused == nil, config.listen.node != nil {
        leaveOut("fpcache_node", [.nodeLag, .nodeLost], reason)
      }
      nodesRefused = reason.explanation
      return []
    }
  }

  private var pollInterval: Duration {
    config.listen.pollInterval ?? ListenerMachine.Settings().pollInterval
  }

  private func readChannels(_ events: TableRights) throws(DatabaseError) {
    do throws(DatabaseError) {
      channels = try Channel.all(of: config.rules.events, on: connection)
    } catch {
      guard case .refused(let reason) = error else { throw error }
      leaveOut(events.table, [.unknownEvent], reason)
    }
  }

  /// A queue that nothing announces may be missing: older schemas lack two of them.
  private func judge(_ rights: TableRights) {
    let queue = config.rules.tables.first { $0.name == rights.table }
    if rights.exists {
      if !rights.missing.isEmpty {
        tell(
          .noPermission, rights.table,
          .words("lacks \(rights.missing.joined(separator: " and ")) for the listener's role"))
      }
      if let queue, !rights.missing.contains("SELECT") { tables.append(queue) }
      return
    }
    let isNeeded = queue?.isNeeded(announced: channels.announced) ?? true
    if isNeeded { tell(.missingTable, rights.table, .none) }
  }

  private func count(_ table: QueueTable) throws(DatabaseError) -> Int? {
    do throws(DatabaseError) {
      return try Queue(table, on: connection).count()
    } catch {
      guard case .refused(let reason) = error else { throw error }
      leaveOut(table.name, [.backlog, .pending], reason)
      tables.removeAll { $0 == table }
      return nil
    }
  }

  private func leaveOut(_ subject: String, _ codes: [FindingCode], _ reason: ServerError) {
    leaveOut(subject, codes, reason.explanation)
  }

  /// - Parameter reason: fit to be shown.
  private func leaveOut(_ subject: String, _ codes: [FindingCode], _ reason: String) {
    let wanted = codes.filter(wants)
    guard !wanted.isEmpty else { return }
    notChecked.append(NotChecked(subject: subject, codes: wanted, reason: reason))
  }

  // MARK: The site's queries

  /// Asks when the pages were last changed: a table for each family that has a query.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func changes() throws(DatabaseError) -> [ChangeTable] {
    guard wants(.stale) || wants(.orphan), !config.verify.queries.isEmpty else { return [] }
    try compareClocks()
    var tables: [ChangeTable] = []
    for query in config.verify.queries {
      if let table = try ask(query) { tables.append(table) }
    }
    return tables
  }

  private func compareClocks() throws(DatabaseError) {
    let root = try? config.openCacheDirectory()
    let server = try connection.serverTime()
    // Where the file system does not say, it is taken to be this machine's own.
    let local = root?.fileSystemTime() ?? currentTime()
    let asked = nanoseconds(server.seconds)
    clocks.lead = clampedDifference(asked, local)
    clocks.asked = asked
    clocks.allowance = clampedSum(
      clocks.allowance, nanoseconds(server.roundTrip.seconds))
  }

  private func ask(_ query: VerifySettings.Query) throws(DatabaseError) -> ChangeTable? {
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
      // Or else every page of the family would be an orphan.
      leaveOut(query.family, [.stale, .orphan], "the query of \(query.place) gives no row")
      return nil
    }
    if let problem = changes.problem {
      odd(query, problem)
      leaveOut(query.family, [.stale, .orphan], "the query of \(query.place) \(problem)")
    }
    return changes.table
  }

  private func odd(_ query: VerifySettings.Query, _ words: String) {
    tell(.oddValue, query.place, .words("\(query.key) \(words)"))
  }

  // MARK: Between the two looks at the tree

  /// Where this node's rows wait once they were moved out of the queues; nil for a site without nodes, and
  /// where the configuration does not say which of them this is.
  private var nodeLog: NodeLog? {
    config.listen.node.flatMap { Node(name: $0, token: "") }.map {
      NodeLog($0, on: Queue(.log, on: connection), tables: config.rules.tables)
    }
  }

  /// Takes out what is on its way to be cleared, and adds what has been for too long.
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
    // After the queues: what is moved meanwhile is seen in one of the two.
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

  /// Looks again at what may have been over in a moment.
  /// - Throws: ``DatabaseError`` when the connection is lost.
  func end(_ found: inout [Finding], elapsed: Duration) throws(DatabaseError) {
    let waited = Int(elapsed / .milliseconds(1))
    if hasNoListener, waited < Self.secondLookMilliseconds {
      pause(milliseconds: Self.secondLookMilliseconds - waited)
    }
    if hasNoListener, try seesNoListener() {
      tell(.noListener, "listen_for", .words(noListenerWords))
    } else if wants(.noListener) {
      judgeStatusFile()
    }
    tellRefusals()
    for (table, first) in rows {
      guard let maxBacklog, wants(.backlog), first > maxBacklog,
        let still = try count(table), still > maxBacklog
      else { continue }
      tell(
        .backlog, table.name,
        .words("has \(counted(still, "row")) waiting; \(grouped(maxBacklog)) are allowed"))
    }
    if hasNodeTrouble { findings += try nodeFindings() }
    try confirmPending(&found)
  }

  /// A row that is gone by now was served while we looked.
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
    found.removeAll { $0.code == .pending && !queueReview.isWaiting($0.subject, waiting) }
  }

  // MARK: The listener

  private var role = ""

  /// Whether no session shows itself as a listener's. Where that cannot be seen it is said, once.
  private func seesNoListener() throws(DatabaseError) -> Bool {
    let sessions = try ListenerSessions.count(on: connection)
    role = sessions.role
    if sessions.listening > 0 { return false }
    let cannotSee =
      !sessions.isTracked
      ? "track_activities is off"
      : sessions.hidden > 0 ? "permission denied for the statements of other roles" : nil
    guard let cannotSee else { return true }
    if !notChecked.contains(where: { $0.codes == [.noListener] }) {
      leaveOut("pg_stat_activity", [.noListener], cannotSee)
    }
    return false
  }

  private var noListenerWords: String {
    "has nobody who listens to its channels: no session of the role \(escape(Array(role.utf8))) "
      + "or of another that we may see"
  }

  /// The listener's role may be another than ours: what the server refuses it stands in its status file.
  private func tellRefusals() {
    guard let status = StatusFile.read(config.listen.statusFile).status, status.isAlive else {
      return
    }
    for queue in status.refused {
      let subject = CachePath(Array(queue.utf8))
      let isKnown = findings.contains {
        $0.subject == subject && [.noPermission, .missingTable].contains($0.code)
      }
      if !isKnown {
        tell(.noPermission, queue, .words("is refused to the listener: its log says why"))
      }
    }
  }

  /// A listener that is connected and does not drain does not pass for healthy; one that has
  /// proved its health is there, whether we may see its sessions or not.
  private func judgeStatusFile() {
    guard let path = config.listen.statusFile,
      let proof = (try? Ownership(of: FilePath(path)))?.modified
    else { return }
    let polls = pollInterval * Self.pollsWithoutProof
    guard Double(clampedDifference(currentTime(), proof)) / 1e9 > polls.seconds else {
      return notChecked.removeAll { $0.codes == [.noListener] }
    }
    tell(
      .noListener, "listen_for",
      .words(
        "has a listener that has not proved its health since \(timestamp(proof)) "
          + "(\(escape(Array(path.utf8))))"))
  }
}

/// A time of the database's, in seconds, as nanoseconds; cut where it is infinite or lies in years
/// that nobody will see.
func nanoseconds(_ seconds: Double) -> Int64 {
  seconds.isNaN ? 0 : Int64(min(max(seconds, -9e9), 9e9) * 1_000_000_000)
}
