// What the listener asks of the cache, and how its news reads in the log.

import CacheFS
import Logging
import PGQueue

/// The listener's side of the cache: drains queues, empties families, tells people.
final class ListenService: ListenerService {
  private let drain: Drain
  private let logger: Logger
  private var drainBegan: ContinuousClock.Instant?
  /// Whether no drain has been completed on this connection.
  private var isFresh = true
  /// Families that an event asked to be emptied and that could not be, wholly.
  private var owed: Set<String> = []
  private(set) var total = Drain.Tally()

  init(_ drain: Drain, _ logger: Logger) {
    self.drain = drain
    self.logger = logger
  }

  func serve(_ queue: Queue) throws(DatabaseError) -> ListenerMachine.Served {
    if drainBegan == nil { drainBegan = .now }
    return try drain.step(queue)
  }

  func reset() {
    drain.reset()
    isFresh = true
  }

  /// Empties the families that the events and the rows ask for, once, and logs the drain.
  func finish(_ events: Set<SiteEvent>, complete: Bool) {
    var families = owed
    if drain.tally.rows > 0 || events.contains(where: { $0 != .packagesImported }) {
      families.insert("news")
    }
    if events.contains(.packagesImported) { families.insert("packages") }
    for family in families.sorted() { empty(family) }
    let tally = drain.takeTally()
    total.add(tally)
    let began = drainBegan ?? .now
    drainBegan = nil
    if isFresh || tally.rows > 0 || tally.files > 0 || !complete {
      let rest = complete ? "" : "; a writer holds the rest, pages are gone and rows follow"
      logger.notice("drained: \(tally.text) in \(began.duration(to: .now).text)\(rest)")
    }
    if complete { isFresh = false }
  }

  private func empty(_ family: String) {
    guard let key = try? drain.clearer.layout.all(of: family) else { return }
    let failures = drain.clear(key).failures
    if failures.isEmpty {
      if owed.remove(family) != nil { logger.notice("\(family): emptied at last") }
    } else if owed.insert(family).inserted, let first = failures.first {
      logger.error("\(family): \(first.explanation); tried again with the next drain")
    }
  }

  func note(_ news: ListenerNews) {
    switch news {
    case .ready(let channels):
      let names = channels.map { escape(Array($0.name.utf8)) }.joined(separator: ", ")
      logger.notice("ready: listening on \(channels.count) channels: \(names)")
    case .notHeard(let channel, let error):
      logger.error("channel \(channel.text): LISTEN failed: \(error.explanation)")
    case .unknownEvent(let channel):
      let name = escape(Array(channel.scriptName.utf8))
      logger.error(
        "channel \(channel.text): unknown script_name \(name) in listen_for; it clears nothing")
    case .disconnected(let error):
      logger.error("database: \(error.explanation); trying again until it answers")
    case .reconnected(let downtime):
      logger.notice("database: back after \(downtime.text)")
    case .probeUnanswered:
      logger.warning("database: our own notification did not come back; connecting anew")
    case .deaf(let interval):
      logger.error(
        """
        database: notifications do not arrive (a pooler in transaction mode?); \
        draining every \(interval.text) instead. Connect to the server itself to be prompt
        """)
    case .hearsAgain: logger.notice("database: notifications arrive again")
    case .statusAsked: logger.notice("status: \(total.text) since the start")
    case .reloading: logger.notice("SIGHUP: connecting anew, listen_for is read again")
    case .stopping: logger.notice("stopping: \(total.text) since the start")
    }
  }
}

extension Channel {
  fileprivate var text: String { "\"\(escape(Array(name.utf8)))\"" }
}

extension DatabaseError {
  /// What happened, in the words of libpq or the server where there are any.
  var explanation: String {
    switch self {
    case .unreachable(let message): "cannot connect: \(message)"
    case .lost(let message): "connection lost: \(message)"
    case .refused(let reason): reason.message + (reason.hint.map { " (\($0))" } ?? "")
    case .badConnectionString: "the connection string cannot be read"
    }
  }
}

extension Drain.Tally {
  mutating func add(_ other: Drain.Tally) {
    rows += other.rows
    keys += other.keys
    files += other.files
    bytes += other.bytes
    refused += other.refused
    failures += other.failures
  }

  var text: String {
    "\(counted(rows, "row")), \(counted(keys, "key")), \(counted(files, "file")), "
      + "\(grouped(bytes)) bytes"
      + (refused > 0 ? ", \(grouped(refused)) refused" : "")
      + (failures > 0 ? ", \(grouped(failures)) not cleared" : "")
  }
}

extension Duration {
  /// Seconds with milliseconds below a minute, whole seconds above.
  var text: String {
    let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    if milliseconds >= 60_000 { return "\(grouped(milliseconds / 1000)) s" }
    let fraction = String(1000 + milliseconds % 1000).dropFirst()
    return "\(milliseconds / 1000).\(fraction) s"
  }
}
