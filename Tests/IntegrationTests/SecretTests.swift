// SPDX-License-Identifier: BSD-2-Clause
//
// Where a password may not be found while the program runs and after, and what becomes of our files
// in a folder that others may write.

import Foundation
import Testing

@testable import TestSupport

@Suite struct SecretTests {
  private static let secret = "hunter2-Sesam"

  private func listener(
    _ tree: TemporaryTree, _ arguments: [String], _ environment: [String: String?] = [:],
    as account: Account = .current
  ) throws -> Daemon {
    var command = Command(
      try Command.fpcachePath(),
      [
        "listen", "-v", "--cache-dir", tree.fullPath("cache"), "--state-dir",
        tree.fullPath("state"), "--status-file", tree.fullPath("state/status.json"),
        "--metrics-file", tree.fullPath("state/metrics.prom"), "--settle", "60",
      ] + arguments)
    command.environment = environment
    command.account = account
    return try Daemon(command)
  }

  /// All that the process shows of itself to those who may look.
  private func shown(_ listener: Daemon) throws -> [String: String] {
    var texts: [String: String] = [:]
    for name in ["cmdline", "environ"] {
      texts[name] = String(
        decoding: try Data(contentsOf: URL(fileURLWithPath: "/proc/\(listener.pid)/\(name)")),
        as: UTF8.self)
    }
    return texts
  }

  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    try tree.makeDirectory("cache/news")
    try tree.makeDirectory("state", mode: 0o755)
    return tree
  }

  /// A queue with a row that is refused, so that an error is logged and kept.
  private func database() throws -> TestDatabase {
    let database = try PostgresServer.shared.makeDatabase()
    _ = try database.sql(
      """
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES (NULL), ('2020-01-21');
      """)
    return database
  }

  @Test(
    "a password in --dsn is in no file, no log, and not among the arguments",
    arguments: [
      ["--dsn", "@ password=#"], ["--dsn=@ password='#'"],
      ["--dsn", "@ passfile=/x sslpassword=#"],
    ])
  func dsn(_ arguments: [String]) throws {
    let (tree, database) = (try tree(), try database())
    let listener = try listener(
      tree,
      arguments.map {
        $0.replacing("@", with: database.listenerDSN).replacing("#", with: Self.secret)
      })
    try listener.waitForLog(containing: "drained: ")
    let process = try shown(listener)
    #expect(process["cmdline"]?.contains(Self.secret) == false)
    #expect(process["cmdline"]?.contains("--cache-dir") == true)
    #expect(process["cmdline"]?.contains("****") == true)
    #expect(process["environ"]?.contains(Self.secret) == false)
    try endAndSearch(listener, tree)
  }

  @Test("nor is one of the configuration file, or of the environment, but in that itself")
  func file() throws {
    let (tree, database) = (try tree(), try database())
    let words = database.listenerDSN.split(separator: " ").map { $0.split(separator: "=") }
    let value = { (name: String) in words.first { $0[0] == name }.map { "\($0[1])" } ?? "" }
    try tree.write(
      "fp.ini",
      text: """
        [database]
        HOST = \(value("host"))
        PORT = \(value("port"))
        DBNAME = \(value("dbname"))
        DBUSER = listening
        PASSWORD = \(Self.secret)
        """, mode: 0o600)
    let listener = try listener(
      tree, ["--config", tree.fullPath("fp.ini")])
    try listener.waitForLog(containing: "drained: ")
    for (name, text) in try shown(listener) {
      #expect(!text.contains(Self.secret), "\(name)")
    }
    tree.remove("fp.ini")
    try endAndSearch(listener, tree)
  }

  @Test("a wrong password is told of, and not told")
  func wrongPassword() throws {
    let tree = try tree()
    let server = try PostgresServer(listening: .loopback)
    let database = try server.makeDatabase()
    let listener = try listener(tree, ["--dsn", database.loopbackDSN(password: Self.secret)])
    try listener.waitForLog(containing: "password authentication failed for user")
    try eventually("the status file is there") { tree.exists("state/status.json") }
    listener.terminate()
    let result = try listener.waitForExit()
    #expect(!result.stderr.contains(Self.secret), "\(result)")
    for file in try tree.files() { #expect(try !tree.read(file).contains(Self.secret), "\(file)") }
  }

  @Test(
    "a password that libpq takes for a port, a host or a database is told nowhere",
    arguments: ["s3cr3t/w0rd", "p4ss@w0rd:x", "qwerty?asdf/ghjk", "a@b/c@zxcvbn", "uiop/hjkl@vbnm"])
  func misplaced(_ password: String) throws {
    let tree = try tree()
    let dsn = "postgresql://u:\(password)@127.0.0.1:1/x"
    var told = ""
    for arguments in [
      ["listen", "--once", "--state-dir", tree.fullPath("state")],
      ["stats", "--format", "json"], ["stats"], ["verify", "--format", "json"],
      ["verify", "--format", "nagios"], ["clear-news", "-v", "--news"], ["status"],
      ["status", "--format", "json"], ["status", "--format", "nagios"],
      ["status", "--format", "x"],
    ] {
      let result = try Command.fpcache(
        arguments + ["--cache-dir", tree.fullPath("cache"), "--dsn", dsn])
      told += result.stdout + result.stderr
    }
    let listener = try listener(tree, ["--dsn", dsn])
    if (try? listener.waitForLog(containing: "database")) != nil {
      try eventually("the status file is there") { tree.exists("state/status.json") }
    }
    listener.terminate()
    told += try listener.waitForExit().stderr
    for file in try tree.files() { told += try tree.read(file) }
    let bytes = Array(told.utf8)
    let secret = Array(password.utf8)
    for start in secret.indices.dropLast(3) {
      let piece = secret[start..<start + 4]
      #expect(!bytes.contains(piece), "\(String(decoding: piece, as: UTF8.self)) in \(told)")
    }
  }

  private func endAndSearch(_ listener: Daemon, _ tree: TemporaryTree) throws {
    try eventually("both files are there") {
      tree.exists("state/status.json") && tree.exists("state/metrics.prom")
    }
    listener.terminate(SIGUSR1)
    try listener.waitForLog(containing: "status: ")
    listener.terminate()
    let result = try listener.waitForExit()
    #expect(result.status == 0, "\(result)")
    #expect(!result.stderr.contains(Self.secret))
    let files = try tree.files()
    #expect(files == ["state/metrics.prom", "state/settle", "state/status.json"])
    for file in files { #expect(try !tree.read(file).contains(Self.secret), "\(file)") }
    let modes = try tree.snapshot().entries
    #expect(modes["state/settle"]?.mode == S_IFREG | 0o600)
    #expect(modes["state/status.json"]?.mode == S_IFREG | 0o644)
    #expect(modes["state/metrics.prom"]?.mode == S_IFREG | 0o644)
    #expect(try tree.read("state/status.json").contains("holds NULL"))
  }

  @Test(
    "in a sticky folder that all may write: what others have put there is neither read nor harmed")
  func sharedFolder() throws {
    guard let stand = Account.stand else { return }
    let (tree, database) = (try tree(), try database())
    try tree.write("victim", text: "kept\n")
    try tree.give(to: .unprivileged)
    #expect(chown(tree.fullPath("state"), 0, 0) == 0)
    try tree.setMode("state", 0o1777)
    // Another account was there first: a link to a file of ours, a file of its own, a settle list.
    try tree.link("state/status.json", to: tree.fullPath("victim"))
    try tree.write("state/metrics.prom", text: "his\n", mode: 0o666)
    try tree.write("state/settle", text: "1\tnews\n", mode: 0o666)
    for name in ["status.json", "metrics.prom", "settle"] {
      #expect(lchown(tree.fullPath("state/\(name)"), stand.uid + 1, stand.gid + 1) == 0)
    }
    let listener = try listener(tree, ["--dsn", database.listenerDSN], as: .unprivileged)
    try listener.waitForLog(containing: "metrics.prom: Operation not permitted")
    try listener.waitForLog(containing: "/state: ")
    try listener.waitForLog(containing: "drained: ")
    listener.terminate()
    let result = try listener.waitForExit()
    #expect(result.status == 0, "\(result)")
    #expect(result.stderr.contains("will not survive a crash"), "\(result)")
    #expect(try tree.read("victim") == "kept\n")
    #expect(try tree.read("state/metrics.prom") == "his\n")
    #expect(try tree.read("state/settle") == "1\tnews\n")
    #expect(
      try tree.files(below: "state") == ["state/metrics.prom", "state/settle", "state/status.json"])
  }

  @Test("a server's words are printed as words: nothing that a terminal obeys")
  func hostileServer() throws {
    let (tree, database) = (try tree(), try PostgresServer.shared.makeDatabase())
    _ = try database.sql(
      """
      CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION E'\\x1b]0;owned\\x07 password=\(Self.secret)'; END $$;
      CREATE TRIGGER evil BEFORE DELETE ON cache_clearing_dates
        FOR EACH STATEMENT EXECUTE FUNCTION evil();
      INSERT INTO cache_clearing_dates (date_to_clear) VALUES ('2020-01-21');
      """)
    let result = try Command.fpcache([
      "listen", "--once", "--settle", "0", "--cache-dir", tree.fullPath("cache"), "--state-dir",
      tree.fullPath("state"), "--dsn", database.listenerDSN,
    ])
    #expect(result.status == 1, "\(result)")
    #expect(
      result.stderr.contains(#"cache_clearing_dates: \x1b]0;owned\x07 password=***"#), "\(result)")
    #expect(!result.errorBytes.contains(0x1B) && !result.stderr.contains(Self.secret))
  }
}
