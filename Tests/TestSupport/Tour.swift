// SPDX-License-Identifier: BSD-2-Clause
//
// A site in which the commands of a document run: a cache tree, a database and a configuration, in a fresh folder.
// Documents name it by the paths of a real site.

import Foundation
import Synchronization

/// A site for a document.
public final class Tour: Sendable {
  /// The folder that contains `cache`, `etc` and `state`.
  public let folder: TemporaryTree
  /// Nil where the sources themselves are the site.
  public let database: TestDatabase?

  private let kind: String
  private let programs: TemporaryTree
  /// The user who owns the cache. A large cache that is only read keeps its owner, because changing it takes long.
  private let account: Account
  private let listener = Listener()

  /// - Parameter name: `small-cache`, whose database has the site's triggers; `audited`, whose database has the
  ///   content of the pages; `incident`, the two days without a listener in full; `monitor`, a host without a cache,
  ///   whose role `reporting` may read the site's tables; `wiki`, a site with its own layout, and `new-wiki`, the same
  ///   site before fpcache is configured; `new-shop`, a site without a trigger before it has a table; `tiles`, a map's
  ///   tiles by path; `completion`, a small cache and the completion scripts; `sources`, this project's own folder.
  public init(_ name: String) throws {
    kind = name
    account = name == "incident" || name == "sources" ? .current : .unprivileged
    folder = try TemporaryTree()
    programs = try TemporaryTree()
    guard symlink(try Command.fpcachePath(), programs.fullPath("fpcache")) == 0 else {
      throw SupportError.system("symlink", programs.fullPath("fpcache"))
    }
    guard name != "sources" else {
      database = nil
      return
    }
    let database = try PostgresServer.shared.makeDatabase()
    self.database = database
    try folder.makeDirectory("state", mode: 0o755)
    switch name {
    case "small-cache":
      try SmallCache.fill(folder)
      try SmallCache.queue(in: database)
    case "audited":
      try SmallCache.fill(folder)
      try SmallCache.tell(database)
    case "incident": try IncidentSite.fill(folder, database)
    case "monitor": try MonitorTour.prepare(folder, database)
    case "wiki", "new-wiki": try WikiTour.fill(folder, database, isNew: name == "new-wiki")
    case "new-shop": try ShopTour.fill(folder, database)
    case "tiles": try TileTour.fill(folder)
    case "completion":
      try SmallCache.fill(folder)
      try SmallCache.copyCompletions(folder)
    default: throw SupportError("there is no tour \(name)")
    }
    if !hasOwnLayout, name != "monitor" {
      try configure(
        database, queries: name == "audited" ? SampleConfiguration.freshPortsQueries : "")
    }
    try folder.give(to: account)
  }

  /// Writes the old listener's file, and the same file with our settings.
  private func configure(_ database: TestDatabase, queries: String) throws {
    try folder.makeDirectory("etc", mode: 0o755)
    let old = """
      [database]
      HOST = \(database.server.socketDirectory)
      DBNAME = \(database.name)
      DBUSER = listening

      [dirs]
      BASEDIR = \(folder.path)
      PORT_CACHE_PATH     = %(BASEDIR)s/cache/ports/%%s/%%s/*
      CATEGORY_CACHE_PATH = %(BASEDIR)s/cache/categories/%%s/*
      DATE_CACHE_PATH     = %(BASEDIR)s/cache/daily/%%s/%%s/%%s.daily.*
      NEWS_CACHE_DIR      = '%(BASEDIR)s/cache/news/*'

      """
    try folder.write("etc/fp-listen.ini", text: old, mode: 0o644)
    try folder.write("etc/fpcache.ini", text: old + queries, mode: 0o644)
  }

  deinit {
    try? listener.stop()
  }

  private var isShop: Bool { kind == "new-shop" }
  private var isTiles: Bool { kind == "tiles" }
  private var hasOwnLayout: Bool { isShop || isTiles || kind == "wiki" || kind == "new-wiki" }

  // MARK: Names

  /// The names in a document and the names in this site that replace them; longer paths first.
  private var aliases: [(document: String, here: String)] {
    guard let database else { return [] }
    let site =
      hasOwnLayout
      ? [
        ("/etc/fpcache", folder.path + "/etc"),
        (isShop ? "/var/db/shop" : isTiles ? "/var/db/tiles" : "/var/db/wiki", folder.path),
        ("DBNAME = shop", "DBNAME = \(database.name)"),
      ]
      : [
        ("/usr/local/etc/freshports", folder.path + "/etc"), ("/var/db/freshports", folder.path),
        ("/var/lib/node_exporter", folder.path), ("freshports.org", database.name),
      ]
    return site + [
      ("/var/db/fpcache", folder.path + "/state"),
      ("/var/run/postgresql", database.server.socketDirectory),
    ]
  }

  /// A line of the document with this site's names.
  private func here(_ text: String) -> String {
    let text = aliases.reduce(text) { $0.replacing($1.document, with: $1.here) }
    return text.replacing(
      "--as-user freshports", with: "--as-user \(Account.stand?.name ?? NSUserName())")
  }

  /// The output with the document's names.
  private func documented(_ text: String) -> String {
    var text = aliases.sorted { $0.here.count > $1.here.count }
      .reduce(text) { $0.replacing($1.here, with: $1.document) }
    if let stand = Account.stand {
      text = text.replacing("that \(stand.name) could not", with: "that freshports could not")
    }
    return text
  }

  // MARK: Running

  private func command(_ shell: String, role: String, columns: Int = 80) throws -> Command {
    var command = Command("/bin/sh", ["-c", shell])
    let postgres = try PostgresPrograms.found.get().folder
    let path = Command.baseEnvironment["PATH"] ?? "/usr/bin:/bin"
    command.environment = [
      "PATH": "\(programs.path):\(postgres):\(path)", "COLUMNS": "\(columns)", "TERM": "dumb",
      "TZ": "UTC",
    ]
    guard let database else {
      command.environment["FPCACHE_BIN"] = try Command.fpcachePath()
      command.workingDirectory = Document.root.path
      return command
    }
    let site = [
      hasOwnLayout ? "FPCACHE_CONFIG" : "FPCACHE_DIR": folder.fullPath(
        hasOwnLayout ? "etc/fpcache.ini" : "cache"),
      "PGHOST": database.server.socketDirectory, "PGDATABASE": database.name, "PGUSER": role,
      "HOME": folder.fullPath("home"),
    ]
    command.environment.merge(site) { _, new in new }
    command.workingDirectory = folder.path
    command.account = account
    return command
  }

  /// Runs a block's commands, one after the other in one shell.
  /// - Returns: what each command printed on both streams, in lines.
  public func run(_ block: Document.Block) throws -> [[String]] {
    let columns = block.notes["columns"].flatMap { Int($0) } ?? 80
    if let typed = block.notes["typed"] {
      return try block.lines.map { try run(here($0.command), typing: typed) }
    }
    // The next command can read `$?` of the previous one.
    let tail = block.notes["unseen"] == nil ? "" : "echo; echo $fpc; "
    let script =
      "exec 2>&1\n"
      + block.lines.map { "\(here($0.command))\nfpc=$?; \(tail)printf '\\036'; (exit $fpc)\n" }
      .joined()
    let role = block.notes["as"] ?? "listening"
    let said = try command(script, role: role, columns: columns).run().stdout
    let parts = said.split(separator: "\u{1e}", omittingEmptySubsequences: false)
    guard parts.count == block.lines.count + 1, parts.last == "" else {
      throw SupportError("the shell ended before the last command of the block\n\(said)")
    }
    return parts.dropLast().map { Self.lines(documented(String($0))) }
  }

  private func run(_ shell: String, typing text: String) throws -> [String] {
    let session = try TerminalSession(command(shell, role: "listening"), columns: 80)
    try session.terminal.wait(for: "? ")
    try session.terminal.type(text + "\n")
    return Self.lines(documented(try session.end().output.replacing("\r\n", with: "\n")))
  }

  /// Starts each of a block's commands, and stops it as Ctrl-C does when it has printed `text`.
  public func stay(_ block: Document.Block, until text: String) throws -> [[String]] {
    let log = "stays.log"
    return try block.lines.map { line in
      let shell = "exec \(here(line.command)) >\(folder.fullPath(log)) 2>&1"
      let daemon = try Daemon(command(shell, role: block.notes["as"] ?? "listening"))
      try eventually(
        "\(line.command) says \(text)", details: (try? folder.read(log)) ?? "\(daemon)"
      ) {
        try folder.read(log).contains(text)
      }
      daemon.terminate(SIGINT)
      let status = try daemon.waitForExit().status
      guard status == 0 || status == 130 else {
        throw SupportError("\(line.command) ended with \(status)\n\(try folder.read(log))")
      }
      return Self.lines(documented(try folder.read(log)))
    }
  }

  /// Types keys at a shell's prompt, and returns what its screen then shows.
  /// - Parameter expected: what to wait for; nil waits until the screen no longer changes.
  public func screen(of shell: String, keys: String, expected: [String]?) throws -> [String] {
    var command = try command("", role: "listening")
    command.environment["COLUMNS"] = .some(nil)
    return try ShellScreen(shell, command, folder).type(keys, expected: expected)
  }

  /// Appends text to a file.
  public func append(_ text: String, to file: String) throws {
    let path = here(file).replacing(folder.path + "/", with: "")
    let before = folder.exists(path) ? try folder.read(path) : ""
    try folder.write(path, text: before + here(text), mode: 0o644)
    try folder.give(to: account)
  }

  private static func lines(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  /// Runs a shell line that the document does not show, as the database's owner.
  public func meanwhile(_ shell: String) throws {
    let result = try command(here(shell), role: "postgres").run()
    guard result.status == 0 else { throw SupportError("meanwhile: \(result)") }
  }

  /// Starts a listener that logs to `listen.log`, and waits until it has drained; or stops it.
  public func listener(_ arguments: String) throws {
    if arguments == "stop" { return try listener.stop() }
    let log = folder.fullPath("listen.log")
    let line = "exec fpcache listen --state-dir \(folder.path)/state \(here(arguments)) 2>\(log)"
    // The log of an earlier listener must not be taken for this listener's log.
    folder.remove("listen.log")
    try listener.start(command(line, role: "listening"))
    let files = arguments.matches(of: /-file ([^ ]+)/).map { String($0.1) }
    try eventually("the listener has drained, and has told of it") {
      (try? folder.read("listen.log").contains("drained: ")) == true
        && files.allSatisfy(folder.exists)
    }
  }

  /// The only listener of a tour.
  private final class Listener: Sendable {
    private let daemon = Mutex<Daemon?>(nil)

    func start(_ command: Command) throws {
      let started = try Daemon(command)
      daemon.withLock { $0 = started }
    }

    func stop() throws {
      guard let daemon = daemon.withLock({ $0.take() }) else { return }
      daemon.terminate()
      try daemon.waitForExit()
    }
  }
}
