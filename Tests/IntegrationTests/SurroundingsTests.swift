// SPDX-License-Identifier: BSD-2-Clause
//
// What surrounds a command: configuration files, the environment, accounts and streams, and the
// statuses 66, 69, 77 and 78 that they lead to.

import Foundation
import Testing

@testable import TestSupport

@Suite struct SurroundingsTests {
  private static let page = "news/news.rss2.0.head.xml"

  /// Three cache trees in one, and a configuration that names the first.
  private func sites() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for site in ["one/cache", "two/cache", "three"] {
      try tree.write("\(site)/\(Self.page)", bytes: 10)
    }
    try tree.write("one.ini", text: "[dirs]\nBASEDIR = \(tree.path)/one\n")
    try tree.write("two.ini", text: "[dirs]\nBASEDIR = \(tree.path)/two\n")
    return tree
  }

  /// Flags and environment, with `@` for the tree's path, and the page that goes.
  struct Choice: CustomTestStringConvertible {
    let rule: String
    var flags: [String] = []
    var environment: [String: String] = [:]
    let gone: String
    var testDescription: String { rule }

    static let all = [
      Choice(
        rule: "$FPCACHE_CONFIG", environment: ["FPCACHE_CONFIG": "@/one.ini"], gone: "one/cache"),
      Choice(
        rule: "--config before $FPCACHE_CONFIG", flags: ["--config", "@/two.ini"],
        environment: ["FPCACHE_CONFIG": "@/one.ini"], gone: "two/cache"),
      Choice(
        rule: "$FPCACHE_DIR before the file",
        environment: ["FPCACHE_CONFIG": "@/one.ini", "FPCACHE_DIR": "@/three"], gone: "three"),
      Choice(
        rule: "--cache-dir before $FPCACHE_DIR", flags: ["--cache-dir", "@/two/cache"],
        environment: ["FPCACHE_CONFIG": "@/one.ini", "FPCACHE_DIR": "@/three"], gone: "two/cache"),
      Choice(
        rule: "a variable set to nothing is not set",
        environment: ["FPCACHE_CONFIG": "@/one.ini", "FPCACHE_DIR": ""], gone: "one/cache"),
      Choice(
        rule: "a cache directory that is a link, with a slash", flags: ["--cache-dir", "@/link/"],
        gone: "three"),
      Choice(rule: "a relative cache directory", flags: ["--cache-dir", "three"], gone: "three"),
    ]
  }

  @Test("where the pages lie", arguments: Choice.all)
  func precedence(_ row: Choice) throws {
    let tree = try sites()
    try tree.link("link", to: "three")
    let before = try tree.files()
    let result = try Command.fpcache(
      ["clear-news"] + row.flags.map { $0.replacing("@", with: tree.path) }, in: tree,
      environment: row.environment.mapValues { $0.replacing("@", with: tree.path) })
    #expect(result.status == 0, "\(result)")
    #expect(result.stdout == "removed 1 page of the news, 10 bytes\n", "\(result)")
    #expect(try tree.files() == before.filter { $0 != "\(row.gone)/\(Self.page)" })
  }

  @Test("a configuration that comes by a pipe, however slowly")
  func pipe() throws {
    let tree = try sites()
    let script = #"{ read -r line < "$1"; cat "$1"; } | "$0" clear-news --config /dev/stdin"#
    var command = Command("/bin/sh", ["-c", script, try Command.fpcachePath(), "one.ini"])
    command.tree = tree
    let result = try command.run()
    #expect(result.status == 0, "\(result)")
    #expect(!tree.exists("one/cache/\(Self.page)"), "\(result)")
  }

  /// A file's text, what is wrong with it (`@` is its path), and for whom it is.
  @Test(
    "78 with file, line, key and what was expected",
    arguments: [
      (
        "[dirs]\nBASEDIR = /x\nNEWS_CACHE_DIR = %(BASEDR)s/cache/news\n",
        "@:3: NEWS_CACHE_DIR: '%(BASEDR)s' is not a key of [dirs] or [DEFAULT]; "
          + "did you mean '%(BASEDIR)s'?"
      ),
      (
        "[dirs]\nBASEDIR = %(BASEDIR)s\n",
        "@:2: BASEDIR: the references form a circle, BASEDIR -> BASEDIR; "
          + "give one of these keys a value without a reference"
      ),
      (
        "[dirs]\nBASEDIR = /x\nDATE_CACHE_PATH = %(BASEDIR)s/cache/daily/%s/%s/%s\n",
        "@:3: DATE_CACHE_PATH: a single '%'; write '%%' for a percent sign, "
          + "or '%(KEY)s' for the value of another key"
      ),
      (
        "[dirs]\nBASEDIR = /x\nNEWS_CACHE_DIR = %(BASEDIR)s/cache/*\n",
        "@:3: NEWS_CACHE_DIR: has no folder of its own; "
          + "write one below the cache directory, such as news"
      ),
      (
        "[dirs]\nBASEDIR = /x\nNEWS_CACHE_DIR = /etc\n",
        "@:3: NEWS_CACHE_DIR: is outside the cache directory; expected a path below /x/cache"
      ),
      (
        "BASEDIR = /x\n",
        "@:1: the line is outside any section; write a line such as [dirs] above it"
      ),
      ("\u{0}", "@:1: the line contains a NUL character; the file must be plain text in UTF-8"),
    ])
  func brokenConfiguration(_ text: String, _ message: String) throws {
    let tree = try sites()
    try tree.write("broken.ini", text: text)
    let path = tree.fullPath("broken.ini")
    for command in [["clear-news"], ["stats"], ["verify"], ["listen", "--once"]] {
      // Nothing of the file can be trusted: not even a flag in its stead is enough.
      let result = try Command.fpcache(
        command + ["--config", path, "--cache-dir", tree.path], in: tree)
      #expect(result.status == 78, "\(result)")
      #expect(result.stdout.isEmpty, "\(result)")
      #expect(result.stderr == "fpcache: \(message.replacing("@", with: path))\n", "\(result)")
    }
  }

  @Test(
    "66 for a cache directory that is none",
    arguments: [["clear-news"], ["clear-date", "2020"], ["stats"], ["verify"], ["listen"]])
  func noCacheDirectory(_ command: [String]) throws {
    let tree = try sites()
    let missing = try Command.fpcache(
      command, in: tree, environment: ["FPCACHE_DIR": "\(tree.path)/four"])
    #expect(missing.status == 66, "\(missing)")
    #expect(
      missing.stderr
        == "fpcache: cache directory \(tree.path)/four ($FPCACHE_DIR) does not exist; "
        + "name the right one with --cache-dir\n")
    let file = try Command.fpcache(command + ["--cache-dir", "one.ini"], in: tree)
    #expect(file.status == 66, "\(file)")
    #expect(
      file.stderr == "fpcache: cache directory one.ini (--cache-dir) is not a directory; "
        + "name the right one with --cache-dir\n")
  }

  @Test("66 for an empty name: it is not the current folder")
  func emptyCacheDirectory() throws {
    let tree = try TemporaryTree()
    try tree.write(Self.page, bytes: 10)
    let result = try Command.fpcache(["clear-news", "--cache-dir", ""], in: tree)
    #expect(result.status == 66, "\(result)")
    #expect(tree.exists(Self.page))
  }

  @Test(
    "77 for a cache directory that may not be read or searched", arguments: [0o000, 0o111, 0o444])
  func noPermission(_ mode: mode_t) throws {
    let tree = try sites()
    try tree.give(to: .unprivileged)
    try tree.setMode("three", mode)
    for command in [["clear-news"], ["clear-date", "2020"], ["stats"], ["verify"], ["listen"]] {
      let result = try Command.fpcache(
        command + ["--cache-dir", tree.fullPath("three")], in: tree, as: .unprivileged)
      #expect(result.status == 77, "\(result)")
      #expect(
        result.stderr == "fpcache: cache directory \(tree.path)/three: permission denied; "
          + "run fpcache as the user who owns the cache\n")
    }
    try tree.setMode("three", 0o755)
    #expect(tree.exists("three/\(Self.page)"))
  }

  @Test("69 for a database that was named and cannot be reached; the tree is told of all the same")
  func noDatabase() throws {
    let tree = try TemporaryTree()
    try tree.write(Self.page, bytes: 10)
    let directory = ["--cache-dir", tree.path]
    let why = "cannot connect: connection to server on socket \"/nonexistent/.s.PGSQL.5432\" failed"
    let environment = ["PGHOST": "/nonexistent"]
    let stats = try Command.fpcache(
      ["stats", "--format", "json"] + directory, environment: environment)
    #expect(stats.status == 69, "\(stats)")
    #expect(stats.stderr.hasPrefix("fpcache: queues not counted: \(why)"), "\(stats)")
    #expect(stats.stdout.contains(#""total":{"files":1,"#), "\(stats)")
    let verify = try Command.fpcache(
      ["verify", "--only", "empty,unknown-event"] + directory, environment: environment)
    #expect(verify.status == 69, "\(verify)")
    #expect(verify.stderr.hasPrefix("fpcache: database not checked: \(why)"), "\(verify)")
    let nagios = try Command.fpcache(
      ["verify", "--format", "nagios"] + directory, environment: environment)
    #expect(nagios.status == 3, "\(nagios)")
    #expect(nagios.stdout.hasPrefix("FPCACHE UNKNOWN - \(why)"), "\(nagios)")
    #expect(nagios.stdout.split(separator: "\n").count == 1, "\(nagios)")
    let once = try Command.fpcache(["listen", "--once"] + directory, environment: environment)
    #expect(once.status == 69, "\(once)")
    for command in [["stats", "--no-database"], ["verify", "--no-database"], ["clear-news"]] {
      let result = try Command.fpcache(command + directory, environment: environment)
      #expect(result.status == 0 && result.stderr.isEmpty, "\(result)")
    }
  }

  @Test("a reader who has gone ends nothing by a signal")
  func goneReader() throws {
    let tree = try TemporaryTree()
    for number in 0..<200 { try tree.write("news/page-\(number)", bytes: 1) }
    // The reader leaves first: only then does the writer get its input and go on.
    let script = #"(: | true; "$0" clear-news -v --cache-dir . ; echo $? >&2) | exec true"#
    var command = Command("/bin/sh", ["-c", script, try Command.fpcachePath()])
    command.tree = tree
    let result = try command.run()
    #expect(result.stderr == "0\n", "\(result)")
    #expect(try tree.files() == [])
  }

  @Test("a result that cannot be written is an error: standard output is closed")
  func closedOutput() throws {
    let tree = try TemporaryTree()
    try tree.write("news/page", bytes: 1)
    let script = #""$0" clear-news --cache-dir . >&-"#
    var command = Command("/bin/sh", ["-c", script, try Command.fpcachePath()])
    command.tree = tree
    let result = try command.run()
    #expect(
      result.stderr == "fpcache: standard output: closed; the result could not be written\n",
      "\(result)")
    #expect(result.status == 1)
    #expect(try tree.files() == [])
  }

  @Test("closed standard streams are nobody else's: the log is not read as signals")
  func closedStreams() throws {
    let tree = try TemporaryTree()
    try tree.makeDirectory("cache")
    try tree.makeDirectory("state")
    let script = #"""
      "$0" listen --cache-dir cache --state-dir state --status-file status \
        --dsn host=/nonexistent <&- >&- 2>&- &
      until [ -s status ]; do :; done
      for number in 0 1 2; do readlink /proc/$!/fd/$number; done
      kill -TERM $!
      wait $!
      """#
    var command = Command("/bin/sh", ["-c", script, try Command.fpcachePath()])
    command.tree = tree
    let result = try command.run()
    #expect(result.stdout == "/dev/null\n/dev/null\n/dev/null\n", "\(result)")
    #expect(result.status == 0, "\(result)")
  }
}
