// SPDX-License-Identifier: BSD-2-Clause
//
// The only importer of libpq: one connection, its statements and its notifications.
//
// Nothing here blocks for longer than the reply timeout: libpq is used in non-blocking mode, and each wait is a poll(2)
// on its socket and on the descriptor that says "stop".

import Basics
import CLibpq

/// What the server says before it ends an idle connection. libpq delivers it as a notice, and later reports that the
/// connection is closed, without a reason.
private final class LastWords {
  private(set) var message: String?

  static func note(_ notice: OpaquePointer?, in context: UnsafeMutableRawPointer?) {
    guard let context, ["FATAL", "PANIC"].contains(Rows.field(.severity, of: notice)) else {
      return
    }
    let words = Unmanaged<LastWords>.fromOpaque(context).takeUnretainedValue()
    words.message = Rows.field(.message, of: notice)
  }
}

/// One connection to PostgreSQL, used by one thread.
///
/// Text is sent and received as the bytes that the database holds. If text were converted, the server would refuse a
/// row that is invalid in its encoding (SQL_ASCII holds anything), and with it every row of its queue, for ever. One
/// such notification, which any role may send, would end the connection.
package final class Connection {
  /// How long the server may take to answer. A batch takes milliseconds. If an answer takes this long, the connection
  /// has died silently.
  package static let replyTimeout = Duration.seconds(10)
  /// Whether the server can catch an error before it logs it. It can if it has plpgsql, which is assumed at first.
  var catchesErrors = true
  /// How much the server may send before it has completed an answer. A batch of the largest rows that are asked for is
  /// a quarter of this; libpq would accept gigabytes.
  static let largestAnswer = 128 << 20
  private let handle: OpaquePointer
  private let stop: StopDeadline?
  private let addressSpace = AddressSpace()
  private var inbox = Inbox()
  /// Bytes of an answer or a notification that is not complete yet.
  private var received = 0
  /// The payload that marks our own notifications.
  package var ownPayload: [UInt8]?
  private let mask: PasswordMask
  private let lastWords = LastWords()

  /// Connects.
  /// - Parameters:
  ///   - timeout: for all hosts together. The site's own `connect_timeout` takes precedence.
  ///   - stop: ends what takes too long after a stop was requested.
  /// - Throws: ``DatabaseError/unreachable(_:)`` or ``DatabaseError/noLibrary(_:)``.
  package init(
    _ parameters: ConnectionParameters, timeout: Duration = .seconds(10),
    stop: StopDeadline? = nil
  ) throws(DatabaseError) {
    if let problem = Libpq.problem { throw .noLibrary(problem) }
    guard let handle = Self.start(parameters) else { throw .unreachable("out of memory") }
    self.handle = handle
    self.stop = stop
    mask = PasswordMask(parameters)
    // Set before the server can send a notice: libpq would print it to standard error unescaped.
    PQsetNoticeReceiver(
      handle, { LastWords.note($1, in: $0) }, Unmanaged.passUnretained(lastWords).toOpaque())
    try finishConnecting(by: .now + (Self.connectTimeout(of: handle) ?? timeout))
    PQsetnonblocking(handle, 1)
    try script(SessionSettings.script(version: PQserverVersion(handle)))
  }

  deinit { PQfinish(handle) }

  private static func start(_ parameters: ConnectionParameters) -> OpaquePointer? {
    let parameters = parameters.keywords + [("client_encoding", "SQL_ASCII")]
    let keywords = parameters.map { strdup($0.0) } + [nil]
    let values = parameters.map { strdup($0.1) } + [nil]
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
  package var socket: CInt { PQsocket(handle) }

  /// The process id of the server's backend for this connection.
  package var backend: Int32 { PQbackendPID(handle) }

  /// `name` as an identifier, whatever characters it has.
  /// - Throws: ``DatabaseError``.
  package func quoted(identifier name: String) throws(DatabaseError) -> String {
    String(decoding: try quoted(identifier: Array(name.utf8)), as: UTF8.self)
  }

  private func quoted(identifier name: [UInt8]) throws(DatabaseError) -> [UInt8] {
    let quoted = name.withUnsafeBytes {
      PQescapeIdentifier(handle, $0.bindMemory(to: CChar.self).baseAddress, name.count)
    }
    guard let quoted else { throw .lost(reasonOfLoss) }
    defer { PQfreemem(quoted) }
    return Array(UnsafeRawBufferPointer(start: quoted, count: strlen(quoted)))
  }

  /// Listens to a channel, whatever the encoding of its name.
  /// - Throws: ``DatabaseError``.
  package func listen(to channel: [UInt8]) throws(DatabaseError) {
    let statement = Array("LISTEN ".utf8) + (try quoted(identifier: channel)) + [0]
    received = 0
    let sent = statement.withUnsafeBytes {
      PQsendQuery(handle, $0.bindMemory(to: CChar.self).baseAddress)
    }
    guard sent == 1 else { throw .lost(reasonOfLoss) }
    let deadline = ContinuousClock.now + Self.replyTimeout
    try finishSending(by: deadline)
    _ = try results(by: deadline)
  }

  // MARK: Statements

  /// Types of parameters that the statement does not determine, by their numbers, which are the same on every server.
  package enum ParameterType: UInt32, Sendable {
    case timestamptz = 1184
  }

  /// Runs one statement with parameters, all as text.
  /// - Parameters:
  ///   - types: the types of the first parameters; the statement determines those of the others.
  ///   - work: runs here while the server works; must not use this connection. Work that takes milliseconds calls
  ///     what it is given now and then, since the server waits when nobody reads what it has sent.
  /// - Throws: ``DatabaseError``.
  @discardableResult
  package func query(
    _ sql: String, _ parameters: [String?] = [], types: [ParameterType] = [],
    timeout: Duration = replyTimeout, meanwhile work: (() -> Void) -> Void = { _ in }
  ) throws(DatabaseError) -> Rows {
    received = 0
    let values = parameters.map { $0.map { strdup($0) } ?? nil }
    defer { for value in values { free(value) } }
    let types = values.indices.map { $0 < types.count ? types[$0].rawValue : 0 }
    let sent = PQsendQueryParams(
      handle, sql, CInt(values.count), types, values.map { UnsafePointer($0) }, nil, nil, 0)
    guard sent == 1 else { throw .lost(reasonOfLoss) }
    let deadline = ContinuousClock.now + timeout
    try finishSending(by: deadline)
    // The time that our own work takes is not the server's.
    let began = ContinuousClock.now
    try run(work)
    return try results(by: deadline + began.duration(to: .now)).last ?? Rows(nil)
  }

  /// Runs work that reads what has arrived meanwhile.
  private func run(_ work: (() -> Void) -> Void) throws(DatabaseError) {
    var failure: DatabaseError?
    work {
      do throws(DatabaseError) {
        while failure == nil, unread > 0 { try takeIn() }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  /// Runs several statements in one round trip.
  /// - Parameter work: runs here while the server works; must not use this connection.
  /// - Returns: a result for each.
  /// - Throws: ``DatabaseError``; what follows the failing statement was not run.
  @discardableResult
  package func script(
    _ sql: String, meanwhile work: () -> Void = {}
  ) throws(DatabaseError) -> [Rows] {
    received = 0
    guard PQsendQuery(handle, sql) == 1 else { throw .lost(reasonOfLoss) }
    try finishSending(by: .now + Self.replyTimeout)
    work()
    return try results(by: .now + Self.replyTimeout)
  }

  /// The server cannot work on a statement while a part of it is still here.
  private func finishSending(by deadline: ContinuousClock.Instant) throws(DatabaseError) {
    while true {
      switch PQflush(handle) {
      case 0: return
      case 1: try exchange(POLLIN | POLLOUT, by: deadline)
      default: throw .lost(reasonOfLoss)
      }
    }
  }

  /// Takes every result of what was sent, including those after an error.
  private func results(by deadline: ContinuousClock.Instant) throws(DatabaseError) -> [Rows] {
    var results: [Rows] = []
    var failure: DatabaseError?
    while true {
      while PQisBusy(handle) == 1 { try exchange(POLLIN, by: deadline) }
      guard let result = PQgetResult(handle) else { break }
      let rows = Rows(result)
      switch PQresultStatus(result) {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: results.append(rows)
      // libpq would return the same result again for ever.
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: throw .lost("the server began a COPY")
      default: failure = failure ?? error(of: rows)
      }
    }
    if let failure { throw failure }
    return results
  }

  /// Waits until the server can be read from or written to, and reads what it has sent.
  private func exchange(
    _ events: Int32, by deadline: ContinuousClock.Instant
  ) throws(DatabaseError) {
    switch wait(for: events, until: deadline) {
    case .ready: try takeIn()
    case .timeout: throw .lost("no answer in time")
    }
  }

  /// Reads what has arrived.
  /// - Returns: the number of notifications in it.
  @discardableResult
  private func takeIn() throws(DatabaseError) -> Int {
    let (before, space) = (unread, addressSpace.size)
    guard PQconsumeInput(handle) == 1 else { throw .lost(reasonOfLoss) }
    // libpq reads all of a long message that has arrived. Of short messages, it reads what its buffer holds: this much.
    received += max(min(before, 16 << 10), before - unread)
    let taken = inbox.collect(from: handle, own: ownPayload)
    let grown = space.flatMap { space in addressSpace.size.map { $0 - space } } ?? 0
    guard max(received, grown) <= Self.largestAnswer, inbox.kinds.count <= Inbox.mostKinds else {
      throw .lost("the server sent more than was requested")
    }
    return taken
  }

  /// How many bytes wait to be read.
  private var unread: Int {
    var bytes: CInt = 0
    return ioctl(socket, UInt(FIONREAD), &bytes) == 0 ? Int(bytes) : 0
  }

  private func error(of rows: Rows) -> DatabaseError {
    guard PQstatus(handle) == CONNECTION_OK, let state = rows.field(.sqlState) else {
      return .lost(reasonOfLoss)
    }
    // Class 57 except a cancelled query: the server is shutting down during our statement.
    if state.hasPrefix("57P") { return .lost(rows.field(.message).map(mask.hide) ?? state) }
    return .refused(
      ServerError(
        sqlState: state, message: rows.field(.message).map(mask.hide) ?? "no message",
        hint: rows.field(.hint).map(mask.hide)))
  }

  // MARK: Notifications

  /// Reads what has arrived and returns every notification so far, including those that came with a statement's answer.
  /// - Throws: ``DatabaseError/lost(_:)``.
  package func takeNotifications() throws(DatabaseError) -> [Notification] {
    if try takeIn() > 0 { received = 0 }
    guard PQstatus(handle) == CONNECTION_OK else { throw .lost(reasonOfLoss) }
    return inbox.empty()
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

  /// Why the server ended the connection, if it said so; otherwise what libpq found.
  private var reasonOfLoss: String {
    if let words = lastWords.message { return mask.hide(words) }
    let severity = "FATAL:  "
    guard let first = lastLines.first, first.hasPrefix(severity) else { return lastMessage }
    return String(first.dropFirst(severity.count))
  }

  private var lastLines: [Substring] {
    mask.hide(Rows.words(PQerrorMessage(handle))).split(separator: "\n")
      .map { $0.drop { $0 == " " || $0 == "\t" } }
  }

  private var lastMessage: String {
    let lines = lastLines
    guard let first = lines.first else { return "connection closed" }
    return lines.count == 1
      ? String(first) : "\(first) (\(lines.dropFirst().joined(separator: " ")))"
  }
}
