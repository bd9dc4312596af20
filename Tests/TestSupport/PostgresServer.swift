// SPDX-License-Identifier: BSD-2-Clause
//
// A real PostgreSQL server for the tests. initdb makes it in the scratch folder. Tests reach it through a Unix socket
// there, and start and stop it at will. Tests share one server; a test that breaks its server makes its own.

import Foundation
import Synchronization

/// How the site's triggers fill the queues. It selects which of the files trigger-shape-N.sql is loaded.
public enum TriggerShape: Int, CaseIterable, Sendable {
  /// A row and a notification for every change.
  case plain = 1
  /// Neither of them, if the writer sees that the same key already waits.
  case lookFirst = 2
  /// The unique constraint rejects a second row; a notification for every change.
  case onConflict = 3
}

/// A throwaway PostgreSQL server. Its superuser is `postgres`, without a password, on a socket in a folder that no
/// other user can enter.
public final class PostgresServer: Sendable {
  /// Whether the server waits for the disk.
  public enum Durability: Sendable {
    /// It waits, as a site's server does, and its folder is on disk: for measurements.
    case synced
    /// It does not wait: for everything else.
    case unsynced
  }

  /// Where the server accepts connections.
  public enum Listening: Sendable {
    /// On its Unix socket only.
    case socketOnly
    /// On a free port of 127.0.0.1 too, by the role `listening`, with `listenerPassword`.
    case loopback
  }

  /// How `pg_ctl` stops it.
  public enum StopMode: String, Sendable {
    /// After all clients have disconnected.
    case smart
    /// Clients are disconnected, and transactions are rolled back.
    case fast
    /// As in a crash: it recovers at the next start.
    case immediate
  }

  /// The password of `listening` on a server that listens on 127.0.0.1. It cannot appear in a text by chance.
  public static let listenerPassword = "tell-nobody-8c1f"

  /// The server that the tests of this process share. It starts at first use and ends with the process.
  public static var shared: PostgresServer { get throws { try sharedResult.get() } }
  private static let sharedResult = Result { try PostgresServer() }

  /// The folder of its socket.
  public let socketDirectory: String
  /// Its port on 127.0.0.1, if it listens there. The port is always part of its socket's name.
  public let port: Int

  private let programs: PostgresPrograms
  private let listening: Listening
  private let templates = Mutex<Set<String>>([])

  /// Makes a new server and starts it.
  /// - Parameters:
  ///   - durability: whether it waits for the disk.
  ///   - listening: where it accepts connections.
  ///   - settings: further lines for postgresql.conf, for instance `["max_connections": "'5'"]`.
  /// - Throws: `SupportError`, which says what to install if PostgreSQL is missing.
  public init(
    durability: Durability = .unsynced, listening: Listening = .socketOnly,
    settings: [String: String] = [:]
  ) throws {
    programs = try PostgresPrograms.found.get()
    self.listening = listening
    port = listening == .loopback ? try PostgresServer.freePort() : 5432
    socketDirectory = try Scratch.makeFolder("pg", on: durability == .synced ? .disk : .memory)
    chmod(socketDirectory, 0o700)
    try Account.unprivileged.take(socketDirectory)

    try run(
      "initdb", "-D", dataDirectory, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale",
      "--no-sync")
    let wait = durability == .synced ? "on" : "off"
    var lines = [
      "unix_socket_directories": "'\(socketDirectory)'", "port": "\(port)",
      "listen_addresses": listening == .loopback ? "'127.0.0.1'" : "''",
      "fsync": wait, "synchronous_commit": wait, "full_page_writes": wait,
      "shared_buffers": "32MB", "max_connections": "60", "log_timezone": "UTC",
    ]
    lines.merge(settings) { _, new in new }
    let configuration = lines.map { "\($0) = \($1)\n" }.sorted().joined()
    try append(configuration, to: "postgresql.conf")
    try replace(
      "pg_hba.conf",
      with: "local all all trust\nhost all listening 127.0.0.1/32 scram-sha-256\n")
    try start()
  }

  deinit {
    // At the end of the process the watchdog does this, above all for the shared server.
    try? stop(.immediate)
  }

  // MARK: Life

  /// Starts it and waits until it accepts connections.
  public func start() throws {
    do {
      try run("pg_ctl", "start", "-w", "-s", "-t", "60", "-D", dataDirectory, "-l", logFile)
    } catch {
      throw SupportError("\(error)\n--- server log\n\(log)")
    }
  }

  /// Stops it and waits until it is gone.
  public func stop(_ mode: StopMode = .fast) throws {
    try run("pg_ctl", "stop", "-w", "-s", "-t", "60", "-D", dataDirectory, "-m", mode.rawValue)
  }

  /// Stops and starts it.
  public func restart(_ mode: StopMode = .fast) throws {
    try stop(mode)
    try start()
  }

  /// The server's log.
  public var log: String {
    let file = try? Descriptor.open(logFile, O_RDONLY)
    return String(decoding: file?.contents() ?? [], as: UTF8.self)
  }

  /// The process id of its postmaster; 0 when it is not running.
  public var processID: pid_t {
    let file = try? String(contentsOfFile: dataDirectory + "/postmaster.pid", encoding: .utf8)
    return file?.split(separator: "\n").first.flatMap { pid_t($0) } ?? 0
  }

  // MARK: Databases

  /// Makes a database with the site's schema, triggers of this shape, and empty queues.
  /// - Parameter encoding: the encoding of its text, as PostgreSQL calls it; SQL_ASCII holds any bytes.
  public func makeDatabase(
    shape: TriggerShape = .onConflict, encoding: String = "UTF8"
  ) throws -> TestDatabase {
    let template = "template_shape_\(shape.rawValue)_\(encoding.lowercased())"
    try templates.withLock { templates in
      if templates.contains(template) { return }
      try sql("CREATE DATABASE \(template) TEMPLATE template0 ENCODING '\(encoding)'")
      for file in ["tables.sql", "trigger-shape-\(shape.rawValue).sql"] {
        let path = SQLFiles.folder + "/" + file
        try sql(String(contentsOfFile: path, encoding: .utf8), in: template)
      }
      if listening == .loopback {
        try sql("ALTER ROLE listening PASSWORD '\(PostgresServer.listenerPassword)'")
      }
      templates.insert(template)
    }
    let name = "t_" + String(UInt64.random(in: .min ... .max), radix: 36)
    try sql("CREATE DATABASE \(name) TEMPLATE \(template)")
    return TestDatabase(name: name, server: self)
  }

  /// Runs statements as superuser, in one of its databases.
  @discardableResult
  public func sql(_ sql: String, in database: String = "postgres") throws -> String {
    try programs.run(sql, on: dsn(database))
  }

  /// Whether the server was installed with an extension: some builds do not include all of them.
  public func offers(extension name: String) throws -> Bool {
    try sql("SELECT count(*) FROM pg_available_extensions WHERE name = '\(name)'") == "1"
  }

  /// How to reach a database through the socket.
  public func dsn(_ database: String = "postgres", as role: String = "postgres") -> String {
    "host=\(socketDirectory) port=\(port) dbname=\(database) user=\(role)"
  }

  /// psql on a separate connection; see `TestDatabase.session`.
  func session(_ database: String, as role: String) throws -> PsqlSession {
    try PsqlSession(program: programs.path("psql"), dsn: dsn(database, as: role))
  }

  // MARK: Inside

  private var dataDirectory: String { socketDirectory + "/data" }
  private var logFile: String { socketDirectory + "/server.log" }

  private func run(_ program: String, _ arguments: String...) throws {
    var command = Command(programs.path(program), arguments)
    command.workingDirectory = socketDirectory
    command.account = .unprivileged
    command.timeout = .seconds(120)
    let result = try command.run()
    guard result.status == 0 else { throw SupportError("\(program) failed\n\(result)") }
  }

  private func append(_ text: String, to file: String) throws {
    let file = try Descriptor.open("\(dataDirectory)/\(file)", O_WRONLY | O_APPEND)
    try writeAll(Array(text.utf8), to: file.number)
  }

  private func replace(_ file: String, with text: String) throws {
    let file = try Descriptor.open("\(dataDirectory)/\(file)", O_WRONLY | O_TRUNC)
    try writeAll(Array(text.utf8), to: file.number)
  }

  /// A port that was free a moment ago. The system does not assign it again so soon.
  private static func freePort() throws -> Int { try Loopback.listen().port }
}

/// The SQL files beside these sources.
enum SQLFiles {
  static let folder = (#filePath as NSString).deletingLastPathComponent + "/SQL"
}
