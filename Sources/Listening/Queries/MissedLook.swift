// Notifications that no queue remembers: the site's own query of a family tells whether one was missed.
//
// The query may take minutes, and the drains must not wait for it: it runs on a thread and a connection
// of its own, and the listener takes what it found at its next tick.

import CacheFS
import Logging
import PGQueue
import Synchronization

/// Looks for pages that an event without a queue should have cleared, once on each connection.
final class MissedNotifications {
  /// How often the listener wakes to see whether a look has ended.
  private static let pollInterval = Duration.milliseconds(100)

  private let logger: Logger
  private var look: MissedLook?
  /// Whether there is to be one, and whether one is under way.
  private var isWanted = false
  private var isUnderWay = false
  /// Whether the configuration has changed since it began: its keys are those of another layout.
  private var isObsolete = false
  private let result = MissedLook.Box()
  /// What was told of each family that could not be looked at.
  private var told: [String: String] = [:]

  init(_ logger: Logger) { self.logger = logger }

  /// Looks for these from now on; nil for nothing.
  func follow(_ look: MissedLook?) {
    self.look = look
    isWanted = false
    isObsolete = isUnderWay
  }

  /// Asks for a look: the connection is new, and nobody knows what was missed before.
  func want() { isWanted = look != nil }

  /// Begins the look that was asked for, if there is none under way.
  func begin() {
    guard isWanted, !isUnderWay, let look else { return }
    isWanted = false
    isUnderWay = true
    let result = result
    let body: @Sendable () -> Void = { result.put(look.run { result.note(isAsking: $0) }) }
    // Where there is no thread to be had, it is done here rather than not at all.
    if !detachThread(body) { body() }
  }

  /// The same here and now.
  func lookNow() {
    guard let look else { return }
    isWanted = false
    isUnderWay = true
    result.put(look.run { _ in })
  }

  /// Whether a look has ended that nobody has taken yet.
  var hasEnded: Bool { isUnderWay && result.isThere }

  /// When to come back for the result; nil when none is to come.
  var nextLook: Duration? { isUnderWay ? Self.pollInterval : nil }

  /// What was found, once; what could not be looked at is logged, once until it changes.
  func take() -> [MissedLook.Found] {
    guard isUnderWay, let outcome = result.take() else { return [] }
    isUnderWay = false
    guard !isObsolete else {
      isObsolete = false
      return []
    }
    isWanted = isWanted || outcome.isUnfinished
    for (family, reason) in outcome.failures where told[family] != reason {
      logger.warning("\(family): cannot tell whether a notification was missed: \(reason)")
    }
    told = outcome.failures
    return outcome.found
  }

  /// Waits until no statement is under way: libpq must not be at work while the process ends.
  func leave() {
    while isUnderWay, result.isAsking { pause(milliseconds: 5) }
  }
}

/// What to look for, and where.
struct MissedLook: Sendable {
  /// A page that was written so long after a change, or less, may not show it. `changed_at` is mostly when
  /// the writer's transaction began, and a page that was rendered before its commit is younger than
  /// that and stale all the same: so this has to be longer than an import takes.
  static let margin = Duration.seconds(900)
  /// Some 35 bytes each are kept.
  private static let mostKeys = 1_000_000

  /// A family that has pages to clear.
  struct Found: Sendable {
    let query: VerifySettings.Query
    let keys: StaleKeys
  }

  struct Outcome: Sendable {
    var found: [Found] = []
    /// Why a family could not be looked at; fit to be shown.
    var failures: [String: String] = [:]
    /// Whether it is worth looking again: the server or the cache directory was away.
    var isUnfinished = false
  }

  private let config: Config
  private let queries: [VerifySettings.Query]
  private let stop: CInt

  /// Nil when no event that has no queue empties a family that has a query.
  /// - Parameter stop: readable once the program is to end.
  init?(_ config: Config, stop: CInt) {
    let emptied = Set(config.rules.events.flatMap(\.emptied))
    queries = config.verify.queries.filter { emptied.contains($0.family) }
    guard !queries.isEmpty else { return nil }
    self.config = config
    self.stop = stop
  }

  /// Asks the queries, one after the other, and compares the pages with each.
  /// - Parameter isAsking: is told when the database is asked, and when it no longer is.
  func run(_ isAsking: (Bool) -> Void) -> Outcome {
    var outcome = Outcome()
    // Whether it is there is told by the drain.
    guard let root = try? config.openCacheDirectory() else {
      return Outcome(isUnfinished: true)
    }
    var asked: [(query: VerifySettings.Query, table: ChangeTable)] = []
    var lead: Int64 = 0
    isAsking(true)
    do throws(DatabaseError) {
      // The connection is closed before isAsking(false).
      (asked, lead) = try ask(root, &outcome)
    } catch {
      outcome.isUnfinished = true
      for query in queries { outcome.failures[query.family] = error.explanation }
    }
    isAsking(false)
    for (query, table) in asked {
      let margin = nanoseconds(Self.margin.seconds)
      let keys = StaleKeys(in: root, config.layout, table, lead: lead, margin: margin)
      if keys.pages > 0 { outcome.found.append(Found(query: query, keys: keys)) }
    }
    return outcome
  }

  private func ask(
    _ root: Directory, _ outcome: inout Outcome
  ) throws(DatabaseError) -> ([(VerifySettings.Query, ChangeTable)], lead: Int64) {
    let connection = try Connection(
      config.connection.named(ApplicationName.listener + " (queries)"),
      stop: Stop(descriptor: stop, patience: .zero))
    try connection.makeAuditor()
    let local = root.fileSystemTime() ?? currentTime()
    let lead = clampedDifference(nanoseconds(try connection.serverTime().seconds), local)
    var asked: [(VerifySettings.Query, ChangeTable)] = []
    for query in queries {
      do throws(DatabaseError) {
        let changes = try FamilyChanges(
          query, config.layout, timeout: config.verify.timeout, mostKeys: Self.mostKeys,
          on: connection)
        if let table = changes.table { asked.append((query, table)) }
        outcome.failures[query.family] = changes.problem.map { "the query of \(query.place) \($0)" }
      } catch {
        guard case .refused(let reason) = error else { throw error }
        outcome.failures[query.family] = reason.explanation + reason.grantRemedy(on: connection)
      }
    }
    return (asked, lead)
  }

  /// Where a thread leaves its outcome.
  final class Box: Sendable {
    private struct State {
      var outcome: Outcome?
      var isAsking = false
    }

    private let state = Mutex(State())

    var isThere: Bool { state.withLock { $0.outcome != nil } }
    var isAsking: Bool { state.withLock { $0.isAsking } }
    func note(isAsking: Bool) { state.withLock { $0.isAsking = isAsking } }
    func put(_ outcome: Outcome) { state.withLock { $0.outcome = outcome } }

    func take() -> Outcome? {
      state.withLock { state in
        defer { state.outcome = nil }
        return state.outcome
      }
    }
  }
}

extension ServerError {
  /// `; GRANT SELECT ON TABLE TO ROLE`, where a right is missing; empty where it is something else. The
  /// server names the table in its message only, and in its own language.
  func grantRemedy(on connection: Connection) -> String {
    guard isPermissionDenied else { return "" }
    let role =
      (try? connection.query("SELECT pg_catalog.quote_ident(current_user)").text(0, 0)) ?? nil
    let to = escape(Array((role ?? "the role").utf8))
    guard let start = message.firstRange(of: "permission denied for table ")?.upperBound else {
      return "; GRANT SELECT ON what the query reads TO \(to)"
    }
    return "; GRANT SELECT ON \(escape(Array(message[start...].utf8))) TO \(to)"
  }
}
