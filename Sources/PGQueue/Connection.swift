// The only importer of libpq: one connection, its statements and its notifications.
//
// Nothing here blocks for longer than the reply timeout: libpq is used without blocking, and
// each wait is a poll(2) on its socket and on the descriptor that says "stop".

import CLibpq

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where to connect to: libpq's keywords, in its own order of precedence.
public struct ConnectionParameters: Equatable, Sendable {
  /// Keyword and value pairs (PostgreSQL manual, 34.1.2). `dbname` may be a whole connection
  /// string or URI, which later keywords override.
  public var keywords: [(String, String)]

  public init(_ keywords: [(String, String)]) { self.keywords = keywords }

  public static func == (left: Self, right: Self) -> Bool {
    left.keywords.elementsEqual(right.keywords, by: ==)
  }

  /// For drains: text comes as the bytes that the database holds. Converted, one row that is not
  /// of its encoding (SQL_ASCII holds anything) would be refused by the server, and with it every
  /// row of its queue, for ever.
  public var unconverted: ConnectionParameters {
    ConnectionParameters(keywords + [("client_encoding", "SQL_ASCII")])
  }

  /// The same place under another name for the program, unless the site has given it one.
  public func named(_ applicationName: String) -> ConnectionParameters {
    ConnectionParameters(
      keywords.map { $0.0 == "fallback_application_name" ? ($0.0, applicationName) : $0 })
  }

  /// Checks a connection string or URI without connecting.
  /// - Throws: ``DatabaseError/badConnectionString``.
  public static func check(_ text: String) throws(DatabaseError) {
    guard let options = PQconninfoParse(text, nil) else { throw .badConnectionString }
    PQconninfoFree(options)
  }
}

extension ConnectionParameters {
  /// The values that a connection string or URI gives to keywords that libpq takes for secret.
  public static func secrets(in text: String) -> [String] {
    guard let options = PQconninfoParse(text, nil) else { return [] }
    defer { PQconninfoFree(options) }
    var secrets: [String] = []
    var option = options
    while option.pointee.keyword != nil {
      // "*": a password field, whose value is to be hidden (PostgreSQL manual, 34.1).
      let isSecret = option.pointee.dispchar.map { strchr($0, 0x2A) != nil } ?? false
      if isSecret, let value = option.pointee.val, value.pointee != 0 {
        secrets.append(String(cString: value))
      }
      option += 1
    }
    return secrets
  }
}

/// A notification that arrived.
public struct Notification: Equatable, Sendable {
  public let channel: String
  /// The backend that sent it.
  public let sender: Int32
  public let payload: String
}

/// One connection to PostgreSQL, used by one thread.
public final class Connection {
  /// How long the server may take to answer. A batch takes milliseconds; what takes this long is
  /// a connection that died without a word.
  public static let replyTimeout = Duration.seconds(10)
  /// Whether the server can catch an error before it logs it: it has plpgsql, as far as is known.
  var catchesErrors = true
  private let handle: OpaquePointer
  private let stop: Stop?

  /// Connects.
  /// - Parameters:
  ///   - timeout: for the whole of it, however many hosts there are.
  ///   - stop: ends what takes too long, once it was asked for.
  /// - Throws: ``DatabaseError/unreachable(_:)``.
  public init(
    _ parameters: ConnectionParameters, timeout: Duration = .seconds(10),
    stop: Stop? = nil
  ) throws(DatabaseError) {
    guard let handle = Self.start(parameters) else { throw .unreachable("out of memory") }
    self.handle = handle
    self.stop = stop
    try finishConnecting(by: .now + timeout)
    // A statement must not be interrupted by libpq printing to standard error.
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
    PQsetnonblocking(handle, 1)
  }

  deinit { PQfinish(handle) }

  private static func start(_ parameters: ConnectionParameters) -> OpaquePointer? {
    let keywords = parameters.keywords.map { strdup($0.0) } + [nil]
    let values = parameters.keywords.map { strdup($0.1) } + [nil]
    defer { for string in keywords + values { free(string) } }
    let constantKeywords = keywords.map { UnsafePointer($0) }
    let constantValues = values.map { UnsafePointer($0) }
    return PQconnectStartParams(constantKeywords, constantValues, 1)
  }

  private func finishConnecting(by deadline: ContinuousClock.Instant) throws(DatabaseError) {
    guard PQstatus(handle) != CONNECTION_BAD else { throw .unreachable(lastMessage) }
    var next = PGRES_POLLING_WRITING
    while next != PGRES_POLLING_OK {
      guard next != PGRES_POLLING_FAILED else { throw .unreachable(lastMessage) }
      let events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT
      switch wait(for: events, until: deadline) {
      case .ready: next = PQconnectPoll(handle)
      case .timeout: throw .unreachable("no answer in time")
      }
    }
  }

  /// The descriptor to wait on for notifications.
  public var socket: CInt { PQsocket(handle) }

  /// The server's process for this connection.
  public var backend: Int32 { PQbackendPID(handle) }

  /// `name` as an identifier, whatever is in it.
  /// - Throws: ``DatabaseError`` when the name is not valid in the client's encoding.
  public func quoted(identifier name: String) throws(DatabaseError) -> String {
    guard let quoted = PQescapeIdentifier(handle, name, name.utf8.count) else {
      throw .lost(lastMessage)
    }
    defer { PQfreemem(quoted) }
    return String(cString: quoted)
  }

  // MARK: Statements

  /// Runs one statement with parameters, all as text.
  /// - Throws: ``DatabaseError``.
  @discardableResult
  public func query(
    _ sql: String, _ parameters: [String?] = [], timeout: Duration = replyTimeout
  ) throws(DatabaseError) -> Rows {
    let values = parameters.map { $0.map { strdup($0) } ?? nil }
    defer { for value in values { free(value) } }
    let sent = PQsendQueryParams(
      handle, sql, CInt(values.count), nil, values.map { UnsafePointer($0) }, nil, nil, 0)
    guard sent == 1 else { throw .lost(lastMessage) }
    let deadline = ContinuousClock.now + timeout
    try finishSending(by: deadline)
    return try results(by: deadline).last ?? Rows(nil)
  }

  /// Runs several statements in one round trip.
  /// - Parameter work: what is done here while the server is at it; not on this connection.
  /// - Returns: a result for each.
  /// - Throws: ``DatabaseError``; what follows the failing statement was not run.
  @discardableResult
  public func script(
    _ sql: String, meanwhile work: () -> Void = {}
  ) throws(DatabaseError) -> [Rows] {
    guard PQsendQuery(handle, sql) == 1 else { throw .lost(lastMessage) }
    try finishSending(by: .now + Self.replyTimeout)
    work()
    return try results(by: .now + Self.replyTimeout)
  }

  /// A statement of which a part is still here is none that the server could work on.
  private func finishSending(by deadline: ContinuousClock.Instant) throws(DatabaseError) {
    while true {
      switch PQflush(handle) {
      case 0: return
      case 1: try exchange(POLLIN | POLLOUT, by: deadline)
      default: throw .lost(lastMessage)
      }
    }
  }

  /// Takes every result of what was sent, the rest too when one is an error.
  private func results(by deadline: ContinuousClock.Instant) throws(DatabaseError) -> [Rows] {
    var results: [Rows] = []
    var failure: DatabaseError?
    while true {
      while PQisBusy(handle) == 1 { try exchange(POLLIN, by: deadline) }
      guard let result = PQgetResult(handle) else { break }
      let rows = Rows(result)
      switch PQresultStatus(result) {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: results.append(rows)
      default: failure = failure ?? error(of: rows)
      }
    }
    if let failure { throw failure }
    return results
  }

  /// Waits until the server can be read from, or written to, and reads what it has sent.
  private func exchange(
    _ events: Int32, by deadline: ContinuousClock.Instant
  ) throws(DatabaseError) {
    switch wait(for: events, until: deadline) {
    case .ready: guard PQconsumeInput(handle) == 1 else { throw .lost(lastMessage) }
    case .timeout: throw .lost("no answer in time")
    }
  }

  private func error(of rows: Rows) -> DatabaseError {
    guard PQstatus(handle) == CONNECTION_OK, let state = rows.field(.sqlState) else {
      return .lost(lastMessage)
    }
    // Class 57 but for a cancelled query: the server is going away under us.
    if state.hasPrefix("57P") { return .lost(rows.field(.message) ?? state) }
    return .refused(
      ServerError(
        sqlState: state, message: rows.field(.message) ?? "no message",
        hint: rows.field(.hint)))
  }

  // MARK: Notifications

  /// Reads what has arrived and returns every notification so far, those that came in with a
  /// statement's answer too.
  /// - Throws: ``DatabaseError/lost(_:)``.
  public func takeNotifications() throws(DatabaseError) -> [Notification] {
    guard PQconsumeInput(handle) == 1 else { throw .lost(lastMessage) }
    var taken: [Notification] = []
    while let notification = PQnotifies(handle) {
      defer { PQfreemem(notification) }
      taken.append(
        Notification(
          channel: String(cString: notification.pointee.relname),
          sender: notification.pointee.be_pid,
          payload: String(cString: notification.pointee.extra)))
    }
    guard PQstatus(handle) == CONNECTION_OK else { throw .lost(lastMessage) }
    return taken
  }

  // MARK: Waiting

  private enum Wait {
    case ready
    case timeout
  }

  private func wait(for events: Int32, until deadline: ContinuousClock.Instant) -> Wait {
    while true {
      let left = ContinuousClock.now.duration(to: min(deadline, stop?.deadline ?? deadline))
      guard left > .zero else { return .timeout }
      var descriptors = [pollfd(fd: socket, events: Int16(events), revents: 0)]
      if let stop, stop.deadline == nil {
        descriptors.append(pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0))
      }
      let ready = poll(&descriptors, nfds_t(descriptors.count), left.pollTimeout)
      if ready < 0, errno != EINTR { return .timeout }
      if descriptors[0].revents != 0 { return .ready }
      if descriptors.count > 1, descriptors[1].revents != 0 { stop?.noteSeen() }
    }
  }

  private var lastMessage: String {
    let text = String(cString: PQerrorMessage(handle))
    let lines = text.split(separator: "\n").map { $0.drop { $0 == " " || $0 == "\t" } }
    guard let first = lines.first else { return "connection closed" }
    return lines.count == 1
      ? String(first) : "\(first) (\(lines.dropFirst().joined(separator: " ")))"
  }
}

extension Duration {
  /// Whole milliseconds for poll(2), rounded up so that a timer is never early.
  public var pollTimeout: CInt {
    let (seconds, attoseconds) = components
    guard seconds < 1_000_000 else { return 1_000_000_000 }
    let roundedUp = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return CInt(max(0, seconds * 1000 + roundedUp))
  }
}

/// The rows of one statement's result.
public final class Rows {
  private let result: OpaquePointer?

  init(_ result: OpaquePointer?) { self.result = result }

  deinit { PQclear(result) }

  public var count: Int { result.map { Int(PQntuples($0)) } ?? 0 }

  /// How many rows the statement changed; 0 when it is of no such kind.
  public var changed: Int { result.flatMap { Int(String(cString: PQcmdTuples($0))) } ?? 0 }

  /// The names of the columns.
  public var columnNames: [String] {
    guard let result else { return [] }
    return (0..<PQnfields(result)).compactMap { PQfname(result, $0).map { String(cString: $0) } }
  }

  /// The bytes at a row and column; nil for NULL or what is not there.
  public subscript(row: Int, column: Int) -> [UInt8]? { withBytes(row, column) { Array($0) } }

  /// Calls `body` with the bytes at a row and column, unless they are NULL or not there.
  func withBytes<Result>(
    _ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result? {
    guard let result, (0..<count).contains(row), (0..<Int(PQnfields(result))).contains(column),
      PQgetisnull(result, CInt(row), CInt(column)) == 0,
      let value = PQgetvalue(result, CInt(row), CInt(column))
    else { return nil }
    let length = Int(PQgetlength(result, CInt(row), CInt(column)))
    return body(UnsafeRawBufferPointer(start: value, count: length))
  }

  /// The same as text; bytes that are not UTF-8 become U+FFFD.
  public func text(_ row: Int, _ column: Int) -> String? {
    self[row, column].map { String(decoding: $0, as: UTF8.self) }
  }

  fileprivate func field(_ code: ErrorField) -> String? {
    result.flatMap { PQresultErrorField($0, CInt(code.rawValue)) }.map { String(cString: $0) }
  }
}

/// The fields of an error (postgres_ext.h), which Swift cannot import as they are.
private enum ErrorField: UInt8 {
  case sqlState = 0x43  // PG_DIAG_SQLSTATE, 'C'
  case message = 0x4D  // PG_DIAG_MESSAGE_PRIMARY, 'M'
  case hint = 0x48  // PG_DIAG_MESSAGE_HINT, 'H'
}
