// SPDX-License-Identifier: BSD-2-Clause
//
// libpq is loaded when a command first needs it. Without it the commands that need no database work, and the others
// name the package to install.

import FoundationEssentials
import Testing

@testable import TestSupport

@Suite struct LibraryTests {
  private static let page = "news/news.rss2.0.head.xml"
  private static let advice = "install PostgreSQL's client library, on Debian the package libpq5"

  /// A folder in which the dynamic linker looks first, and in it a file in libpq's place that is none.
  private func broken() throws -> TemporaryTree {
    let folder = try TemporaryTree()
    try folder.write("libpq.so.5", text: "this is no library\n")
    return folder
  }

  private func run(
    _ arguments: [String], _ libraries: TemporaryTree, in tree: TemporaryTree? = nil
  ) throws -> CommandResult {
    try Command.fpcache(
      arguments, in: tree,
      environment: ["LD_LIBRARY_PATH": libraries.path, "FPCACHE_DIR": tree?.path])
  }

  @Test("the program is linked to no libpq")
  func notLinked() throws {
    let result = try Command("/bin/sh", ["-c", "exec ldd \(quoted([Command.fpcachePath()]))"]).run()
    #expect(result.stdout.contains("libc.so"), "\(result)")
    #expect(!result.stdout.contains("libpq"), "\(result)")
  }

  /// A configuration with what needs no libpq to be read, and arguments that hold a `=`.
  private static let settings = """
    [database]
    HOST = db.example.org
    DBNAME = freshports.org
    DBUSER = listening
    PASSWORD = hunter2
    SSLMODE = require
    [dirs]
    BASEDIR = /var/db/freshports

    """

  @Test(
    "a clear loads no libpq, with a configuration and without",
    .enabled(if: findProgram("ld.so") != nil, "ld.so(8) is not glibc's"))
  func notLoaded() throws {
    let tree = try TemporaryTree()
    let file = try Scratch.makeFolder("settings") + "/fpcache.ini"
    try Self.settings.write(toFile: file, atomically: false, encoding: .utf8)
    let options = [
      [], ["--config", file], ["--config=\(file)"], ["--config=\(file)", "--dsn=service=x"],
    ]
    let loads = try options.map { options in
      let result = try Command.fpcache(
        ["clear-news", "--cache-dir=\(tree.path)"] + options, in: tree,
        environment: ["LD_DEBUG": "files"])
      #expect(result.status == 0, "\(result)")
      #expect(result.stderr.contains("file=libc.so"), "\(result)")
      return result.stderr.contains("file=libpq.so.5")
    }
    // Only libpq can say what in a connection string is a password, which must not be seen in the list of processes.
    #expect(loads == [false, false, false, true])
  }

  @Test(
    "without libpq a command that needs no database works, whatever it is told of one",
    arguments: [
      ["clear-news"], ["clear-news", "--dsn", "host=h password=hunter2"],
      ["clear-news", "--config", "@"], ["stats", "--no-database", "--config", "@"],
      ["verify", "--no-database"],
    ])
  func others(_ arguments: [String]) throws {
    let tree = try TemporaryTree()
    try tree.write(Self.page, bytes: 10)
    let file = try Scratch.makeFolder("settings") + "/fpcache.ini"
    let uri = Self.settings.replacing("freshports.org", with: "postgres://u:hunter2@h/d")
      .replacing("SSLMODE", with: "SSLNEGOTIATION")
    try uri.write(toFile: file, atomically: false, encoding: .utf8)
    let result = try run(
      arguments.map { $0 == "@" ? file : $0 }, try broken(), in: tree)
    #expect(result.status == 0, "\(result)")
    #expect(result.stderr.isEmpty, "\(result)")
  }

  @Test("without libpq a command that needs the database names the package, and no option to try")
  func database() throws {
    let tree = try TemporaryTree()
    let libraries = try broken()
    let reason = "cannot load libpq: \(libraries.path)/libpq.so.5: file too short; \(Self.advice)"
    let once = try run(["listen", "--once", "--dsn", "host=h"], libraries, in: tree)
    #expect(once.status == 69, "\(once)")
    #expect(once.stderr.hasSuffix("fpcache: database: \(reason)\n"), "\(once)")
    let queues = try run(["stats", "--queues", "--dsn", "host=h"], libraries, in: tree)
    #expect(queues.status == 69, "\(queues)")
    #expect(queues.stderr == "fpcache: queues not counted: \(reason)\n", "\(queues)")
    let status = try run(
      ["status", "--format", "nagios", "--dsn", "host=h"], libraries, in: tree)
    #expect(status.status == 3, "\(status)")
    #expect(status.stdout.contains("cannot see: \(reason)"), "\(status)")
  }

  @Test(
    "a library that lacks one of libpq's functions is as none, and the function is named",
    .enabled(if: findProgram("cc") != nil, "cc is not installed"))
  func missingFunction() throws {
    let libraries = try TemporaryTree()
    let library = libraries.fullPath("libpq.so.5")
    let built = try Command(
      "/bin/sh", ["-c", "exec cc -shared -x c -o \(quoted([library])) /dev/null"]
    ).run()
    try #require(built.status == 0, "\(built)")
    let result = try run(
      ["listen", "--once", "--dsn", "host=h"], libraries, in: try TemporaryTree())
    #expect(result.status == 69, "\(result)")
    #expect(result.stderr.contains("undefined symbol: PQconnectStartParams;"), "\(result)")
  }

  @Test("a listener that was started without libpq connects once libpq is installed")
  func later() throws {
    let database = try PostgresServer.shared.makeDatabase()
    let libraries = try broken()
    let listener = try Daemon.listen(
      on: try TemporaryTree(), database, environment: ["LD_LIBRARY_PATH": libraries.path])
    try listener.waitForLog(containing: "\(Self.advice); will retry until it answers")
    libraries.remove("libpq.so.5")
    try listener.waitForLog(containing: "database: reconnected after")
  }
}
