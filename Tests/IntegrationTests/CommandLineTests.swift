// SPDX-License-Identifier: BSD-2-Clause
//
// The command line itself, run as a script would: flags and their refusal word for word, help,
// the configuration's and the environment's say, and that no password is ever repeated.

import Testing

@testable import TestSupport

/// Arguments that are refused with status 64, and the whole first line on standard error.
struct RefusedLine: CustomTestStringConvertible {
  let arguments: [String]
  let line: String
  var input = ""

  init(_ arguments: String, _ line: String, input: String = "") {
    self.arguments = arguments.split(separator: " ").map(String.init)
    self.line = line
    self.input = input
  }

  var testDescription: String { arguments.joined(separator: " ") }

  private static let dates =
    "expected 2020-01-21, 2020-01, 2020, 2020-01-01..2020-01-31, today or yesterday"
  private static let port = "expected letters, digits and + - _ ., not led by a dot"
  private static let category =
    "expected lower-case letters, digits and + - _ ., led by a letter or digit"
  private static let fields = """
    year, month, day, branch, category, port, page, part, size, number, file, path, user, id, \
    files,
    """

  static let keys = [
    RefusedLine("clear-date 2020-02-30", "fpcache: 2020-02-30: there is no such day; \(dates)"),
    RefusedLine("clear-date 2020-01-21 soon", "fpcache: soon: is not a date; \(dates)"),
    RefusedLine("clear-date 2020-1", "fpcache: 2020-1: is not a date; \(dates)"),
    RefusedLine(
      "clear-date 2020-02-01..2020-01-01",
      "fpcache: 2020-02-01..2020-01-01: ends before it begins; \(dates)"),
    RefusedLine(
      "clear-date 2020-01-21 -",
      "fpcache: standard input, key 3: 2020-02-30: there is no such day; \(dates)",
      input: "2020-01-21\n\n2020-02-30\n2020-01-22\n"),
    RefusedLine(
      "clear-date -", "fpcache: standard input, key 1: 2020-01-21\\x0d: is not a date; \(dates)",
      input: "2020-01-21\r\n"),
    RefusedLine(
      "clear-port graphics/py-pygeoapi x",
      "fpcache: x: expected CATEGORY/PORT, such as graphics/py-pygeoapi"),
    RefusedLine(
      "clear-port graphics/py-pygeoapi/x",
      "fpcache: graphics/py-pygeoapi/x: expected CATEGORY/PORT, such as graphics/py-pygeoapi"),
    RefusedLine("clear-port graphics/..", "fpcache: graphics/..: \"..\" is no port: \(port)"),
    RefusedLine("clear-port graphics/", "fpcache: graphics/: \"\" is no port: \(port)"),
    RefusedLine("clear-port graphics/py*", "fpcache: graphics/py*: \"py*\" is no port: \(port)"),
    RefusedLine("clear-port graphics/**", "fpcache: graphics/**: \"**\" is no port: \(port)"),
    RefusedLine("clear-port ../x", "fpcache: ../x: \"..\" is no category: \(category)"),
    RefusedLine("clear-port */*", "fpcache: */*: \"*\" is no category: \(category)"),
    RefusedLine("clear-port Mk/x", "fpcache: Mk/x: \"Mk\" is no category: \(category)"),
    RefusedLine("clear-port /x", "fpcache: /x: \"\" is no category: \(category)"),
    RefusedLine(
      "clear-port -- -x/y", "fpcache: -x/y: \"-x\" is no category: \(category)"),
    RefusedLine(
      "clear-port -", "fpcache: standard input, key 2: ../x: \"..\" is no category: \(category)",
      input: "graphics/py-pygeoapi\n../x\n"),
    RefusedLine(
      "clear-port - -0",
      "fpcache: standard input, key 1: a/b\\x0ac/d: expected CATEGORY/PORT, such as "
        + "graphics/py-pygeoapi", input: "a/b\nc/d\0"),
  ]

  static let flags = [
    RefusedLine(
      "nonsense",
      "Error: nonsense: no such command; expected one of listen, clear-date, clear-port, clear-news, "
        + "clear, stats, verify"),
    RefusedLine("lissten --once", "Error: lissten: no such command; did you mean listen?"),
    RefusedLine(
      "clear_port a/b", "Error: clear_port: no such command; did you mean clear-port?"),
    RefusedLine(
      "--no-database stats",
      "Error: Unknown option '--no-database'; an option stands behind its command: "
        + "fpcache stats --no-database"),
    RefusedLine("clear-date", "Error: Missing expected argument '<date> ...'"),
    RefusedLine("clear-port -n", "Error: Missing expected argument '<category/port> ...'"),
    RefusedLine("clear -n", "Error: expected a family, or --all"),
    RefusedLine(
      "clear --all ports", "Error: --all ports: expected either --all or a family, not both"),
    RefusedLine(
      "clear --all ports category=net",
      "Error: --all ports: expected either --all or a family, not both"),
    RefusedLine("clear --all -", "Error: --all -: expected either --all or a family, not both"),
    RefusedLine("clear --all -0", "Error: --null: --all reads no keys; give one of them"),
    RefusedLine("clear-news news", "Error: Unexpected argument 'news'"),
    RefusedLine("stats --bogus", "Error: Unknown option '--bogus'. Did you mean '--log'?"),
    RefusedLine("clear-news --news", "Error: Unknown option '--news'"),
    RefusedLine("clear-date --no-category 2020", "Error: Unknown option '--no-category'"),
    RefusedLine(
      "clear-news -q -v",
      "Error: --quiet and --verbose exclude each other; give one of them"),
    RefusedLine(
      "clear-date --branch trunk 2020",
      "Error: --branch trunk: expected head or a quarter such as 2020Q1"),
    RefusedLine(
      "clear-port --branch head --branch 2020Q5 a/b",
      "Error: --branch 2020Q5: expected head or a quarter such as 2020Q1"),
    RefusedLine(
      "clear-date --format xml 2020",
      "Error: The value 'xml' is invalid for '--format <format>'. "
        + "Please provide one of 'text' and 'json'."),
    RefusedLine(
      "stats --format nagios",
      "Error: The value 'nagios' is invalid for '--format <format>'. "
        + "Please provide one of 'text', 'json' or 'prometheus'."),
    RefusedLine(
      "verify --format prometheus",
      "Error: The value 'prometheus' is invalid for '--format <format>'. "
        + "Please provide one of 'text', 'json' or 'nagios'."),
    RefusedLine(
      "clear-news --log file",
      "Error: The value 'file' is invalid for '--log <log>'. "
        + "Please provide one of 'stderr' and 'syslog'."),
    RefusedLine("clear-news --cache-dir", "Error: Missing value for '--cache-dir <dir>'"),
    RefusedLine("stats --top 0", "Error: --top 0: expected a number from 1"),
    RefusedLine("stats --watch 0", "Error: --watch 0: expected seconds from 0.1 to 86400"),
    RefusedLine("stats --watch soon", "Error: --watch soon: expected seconds from 0.1 to 86400"),
    RefusedLine(
      "stats --watch 5 --format prometheus",
      "Error: --watch: Prometheus asks by itself; expected --format text or json"),
    RefusedLine(
      "stats --older-than 5y",
      "Error: The value '5y' is invalid for '--older-than <age>': "
        + "expected a number and s, m, h, d or w, such as 90d"),
    RefusedLine(
      "verify --max-backlog=-1", "Error: --max-backlog -1: expected a number from 0"),
    RefusedLine(
      "verify --only empty,nonsense",
      "Error: nonsense: no such code; expected some of unknown, misplaced, bad-date, future-date, "
        + "empty, stub, symlink, special, not-clearable, unreadable, spool-leftover, empty-dir, "
        + "expired, stale, orphan, pending, backlog, missed, held-queue, no-listener, node-lag, node-lost, "
        + "unknown-event, missing-table, no-permission, risky-trigger, missing-dir, odd-value, "
        + "quoted-value, unused-key"
    ),
    RefusedLine("listen --settle=-1", "Error: --settle -1: expected seconds from 0 to 3600"),
    RefusedLine(
      "listen --poll-interval 0",
      "Error: --poll-interval 0: expected seconds from 0.1 to 86400"),
    RefusedLine(
      "listen --dsn nonsense",
      "fpcache: --dsn: not a libpq connection string or URI; "
        + "expected e.g. \"host=db.example.org dbname=freshports.org user=listening\""),
  ]
}

@Suite struct CommandLineTests {
  /// A day, a port, its category and the news.
  private func tree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    for page in [
      "daily/2020/01/21.daily.head", "ports/graphics/py-pygeoapi/Makefile.PageSize1.PageNum1.html",
      "categories/graphics/graphics.0.head.PageSize100.PageNum1.html", "news/news.rss2.0.head.xml",
    ] {
      try tree.write(page, bytes: 10)
    }
    return tree
  }

  @Test(
    "is refused with status 64 and its exact words, and nothing is touched",
    arguments: RefusedLine.keys + RefusedLine.flags)
  func refused(_ row: RefusedLine) throws {
    let tree = try tree()
    let before = try tree.snapshot()
    let result = try Command.fpcache(
      row.arguments, in: tree, environment: ["FPCACHE_DIR": tree.path], input: row.input)
    #expect(result.status == 64, "\(result)")
    #expect(result.stdout.isEmpty, "\(result)")
    #expect(result.stderr.split(separator: "\n").first.map(String.init) == row.line, "\(result)")
    #expect(try tree.snapshot().differences(from: before) == [])
  }

  @Test("a bad key is told of before a missing cache directory, a bad configuration before it")
  func order() throws {
    let missing = ["--cache-dir", "/nonexistent"]
    #expect(try Command.fpcache(["clear-date", "2020-02-30"] + missing).status == 64)
    #expect(try Command.fpcache(["clear-date", "2020-02-28"] + missing).status == 66)
    let config = ["--config", "/nonexistent"]
    #expect(try Command.fpcache(["clear-date", "2020-02-30"] + missing + config).status == 78)
  }

  @Test(
    "help goes to standard output and ends with 0",
    arguments: [
      ["--help"], ["-h"], ["help"], ["help", "listen"], ["listen", "-h"], ["clear-date", "--help"],
      ["clear-port", "--help"], ["clear-news", "--help"], ["stats", "--help"],
      ["verify", "--help"],
    ])
  func help(_ arguments: [String]) throws {
    // What a command needs is not needed for its help.
    let result = try Command.fpcache(arguments, environment: ["FPCACHE_CONFIG": "/nonexistent"])
    #expect(result.status == 0, "\(result)")
    #expect(result.stdout.hasPrefix("OVERVIEW: "), "\(result)")
    #expect(result.stderr.isEmpty, "\(result)")
  }

  @Test func version() throws {
    let result = try Command.fpcache(["--version"])
    #expect(result.status == 0)
    #expect(result.stdout.wholeMatch(of: /fpcache \d+\.\d+\.\d+\n/) != nil, "\(result)")
  }

  // MARK: Passwords

  @Test(
    "a password on the command line is not repeated, wherever it stands",
    arguments: [
      ["stats", "--dsn", "host=h", "password=hunter2"], ["stats", "password=hunter2"],
      ["stats", "--dsn", "password=hunter2 host"], ["stats", "--dns=postgresql://u:hunter2@h/d"],
      ["stats", "postgresql://u:hunter2@h/d"], ["clear-port", "password=hunter2"],
      ["clear-date", "postgresql://u:hunter2@h/d"], ["clear-news", "--config", "password=hunter2"],
      ["listen", "--once", "--dsn", "host=/nonexistent password=hunter2", "-v"],
      ["stats", "--dsn", "host=/nonexistent password=hunter2", "-v"],
      ["stats", "--dsn", "postgresql://u:hunter2@127.0.0.1:1/d", "--format", "json"],
      ["verify", "--dsn", "host=/nonexistent password=hunter2", "--format", "json"],
      ["verify", "--dsn", "host=/nonexistent password=hunter2", "--format", "nagios"],
    ])
  func passwords(_ arguments: [String]) throws {
    let tree = try tree()
    let result = try Command.fpcache(arguments, in: tree, environment: ["FPCACHE_DIR": tree.path])
    #expect(result.status != 0, "\(result)")
    #expect(!result.stdout.contains("hunter2"), "\(result)")
    #expect(!result.stderr.contains("hunter2"), "\(result)")
  }

  @Test("nor is one of the configuration file")
  func passwordOfTheFile() throws {
    let tree = try tree()
    try tree.write("fp.ini", text: "[database]\nHOST = /nonexistent\nPASSWORD = hunter2\n")
    for arguments in [["stats", "-v"], ["verify", "-v"], ["listen", "--once", "-v"]] {
      let result = try Command.fpcache(
        arguments + ["--config", tree.fullPath("fp.ini"), "--cache-dir", tree.path], in: tree)
      #expect(result.status == 69, "\(result)")
      #expect(!(result.stdout + result.stderr).contains("hunter2"), "\(result)")
    }
    try tree.write("fp.ini", text: "[database]\nPASSWORD = hunter2%\n")
    let broken = try Command.fpcache(
      ["clear-news", "--config", tree.fullPath("fp.ini")], in: tree)
    #expect(broken.status == 78, "\(broken)")
    #expect(
      broken.stderr
        == "fpcache: \(tree.fullPath("fp.ini")):2: PASSWORD: a single '%'; write '%%' for a "
        + "percent sign, or '%(KEY)s' for the value of another key\n")
  }
}
