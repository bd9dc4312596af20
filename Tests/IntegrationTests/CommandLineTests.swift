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
  private static let port = "expected letters, digits and + - _ ., not starting with a dot"
  private static let category =
    "expected lower-case letters, digits and + - _ ., starting with a letter or digit"
  private static let fields = """
    year, month, day, branch, category, port, page, part, size, number, file, path, user, id, \
    files,
    """

  static let keys = [
    RefusedLine("clear-date 2020-02-30", "fpcache: 2020-02-30: no such day; \(dates)"),
    RefusedLine("clear-date 2020-01-21 soon", "fpcache: soon: is not a date; \(dates)"),
    RefusedLine("clear-date 2020-1", "fpcache: 2020-1: is not a date; \(dates)"),
    RefusedLine(
      "clear-date 2020-02-01..2020-01-01",
      "fpcache: 2020-02-01..2020-01-01: ends before it begins; \(dates)"),
    RefusedLine(
      "clear-date 2020-01-21 -",
      "fpcache: standard input, key 3: 2020-02-30: no such day; \(dates)",
      input: "2020-01-21\n\n2020-02-30\n2020-01-22\n"),
    RefusedLine(
      "clear-date 21-01-2020", "fpcache: 21-01-2020: is not a date; did you mean 2020-01-21?"),
    RefusedLine(
      "clear-date -", "fpcache: standard input, key 1: 2020-01-21\\x0d: is not a date; \(dates)",
      input: "2020-01-21\r\r\n"),
    RefusedLine(
      "clear-port graphics/py-pygeoapi x",
      "fpcache: x: expected CATEGORY/PORT, such as graphics/py-pygeoapi"),
    RefusedLine(
      "clear-port graphics/py-pygeoapi/x",
      "fpcache: graphics/py-pygeoapi/x: expected CATEGORY/PORT, such as graphics/py-pygeoapi"),
    RefusedLine(
      "clear-port graphics/..", "fpcache: graphics/..: \"..\" is not a valid port: \(port)"),
    RefusedLine("clear-port graphics/", "fpcache: graphics/: \"\" is not a valid port: \(port)"),
    RefusedLine(
      "clear-port graphics/py*", "fpcache: graphics/py*: \"py*\" is not a valid port: \(port)"),
    RefusedLine(
      "clear-port graphics/**", "fpcache: graphics/**: \"**\" is not a valid port: \(port)"),
    RefusedLine("clear-port ../x", "fpcache: ../x: \"..\" is not a valid category: \(category)"),
    RefusedLine("clear-port */*", "fpcache: */*: \"*\" is not a valid category: \(category)"),
    RefusedLine("clear-port Mk/x", "fpcache: Mk/x: \"Mk\" is not a valid category: \(category)"),
    RefusedLine("clear-port /x", "fpcache: /x: \"\" is not a valid category: \(category)"),
    RefusedLine(
      "clear-port -- -x/y", "fpcache: -x/y: \"-x\" is not a valid category: \(category)"),
    RefusedLine(
      "clear-port -",
      "fpcache: standard input, key 2: ../x: \"..\" is not a valid category: \(category)",
      input: "graphics/py-pygeoapi\n../x\n"),
    RefusedLine(
      "clear-port - -0",
      "fpcache: standard input, key 1: a/b\\x0ac/d: expected CATEGORY/PORT, such as "
        + "graphics/py-pygeoapi", input: "a/b\nc/d\0"),
  ]

  static let flags = [
    RefusedLine(
      "nonsense",
      "fpcache: nonsense: no such command; expected one of listen, clear-date, clear-port, clear-news, "
        + "clear, prune, stats, verify, status, sql"),
    RefusedLine("lissten --once", "fpcache: lissten: no such command; did you mean listen?"),
    RefusedLine(
      "clear_port a/b", "fpcache: clear_port: no such command; did you mean clear-port?"),
    RefusedLine(
      "--no-database stats",
      "fpcache: unknown option '--no-database'; write options after the command: "
        + "fpcache stats --no-database"),
    RefusedLine("clear-date", "fpcache: missing expected argument '<date> ...'"),
    RefusedLine("clear-port -n", "fpcache: missing expected argument '<category/port> ...'"),
    RefusedLine("clear -n", "fpcache: expected a family, or --all"),
    RefusedLine(
      "clear --all ports", "fpcache: --all ports: give either --all or a family, not both"),
    RefusedLine(
      "clear --all ports category=net",
      "fpcache: --all ports: give either --all or a family, not both"),
    RefusedLine("clear --all -", "fpcache: --all -: give either --all or a family, not both"),
    RefusedLine("clear --all -0", "fpcache: --null: not with --all, which reads no keys"),
    RefusedLine("clear-news news", "fpcache: unexpected argument 'news'"),
    RefusedLine("stats --bogus", "fpcache: unknown option '--bogus'"),
    RefusedLine("clear-port --dry a/b", "fpcache: unknown option '--dry'; did you mean --dry-run?"),
    RefusedLine("stats --group", "fpcache: unknown option '--group'; did you mean --group-by?"),
    RefusedLine(
      "help claer-port", "fpcache: claer-port: no such command; did you mean clear-port?"),
    RefusedLine(
      "clear port category=net",
      "fpcache: port: no such family in the layout; did you mean ports?"),
    RefusedLine(
      "clear ports categry=net",
      "fpcache: categry=net: ports has no field categry; did you mean category?"),
    RefusedLine(
      "verify --only bad", "fpcache: bad: no such code; did you mean bad-date?"),
    RefusedLine("clear-news --news", "fpcache: unknown option '--news'"),
    RefusedLine("clear-date --no-category 2020", "fpcache: unknown option '--no-category'"),
    RefusedLine(
      "clear-news -q -v",
      "fpcache: --quiet and --verbose cannot be used together"),
    RefusedLine(
      "clear-date --branch trunk 2020",
      "fpcache: --branch trunk: expected head or a quarter such as 2020Q1"),
    RefusedLine(
      "clear-port --branch head --branch 2020Q5 a/b",
      "fpcache: --branch 2020Q5: expected head or a quarter such as 2020Q1"),
    RefusedLine(
      "clear-date --format xml 2020",
      "fpcache: the value 'xml' is invalid for '--format <format>'; "
        + "expected one of 'text' and 'json'"),
    RefusedLine(
      "stats --format nagios",
      "fpcache: the value 'nagios' is invalid for '--format <format>'; "
        + "expected one of 'text', 'json' or 'prometheus'"),
    RefusedLine(
      "verify --format prometheus",
      "fpcache: the value 'prometheus' is invalid for '--format <format>'; "
        + "expected one of 'text', 'json' or 'nagios'"),
    RefusedLine(
      "clear-news --log file",
      "fpcache: the value 'file' is invalid for '--log <log>'; "
        + "expected one of 'stderr' and 'syslog'"),
    RefusedLine("clear-news --cache-dir", "fpcache: missing value for '--cache-dir <dir>'"),
    RefusedLine("stats --top 0", "fpcache: --top 0: expected a number from 1"),
    RefusedLine("stats --watch 0", "fpcache: --watch 0: expected seconds from 0.1 to 86400"),
    RefusedLine("stats --watch soon", "fpcache: --watch soon: expected seconds from 0.1 to 86400"),
    RefusedLine(
      "stats --watch 5 --format prometheus",
      "fpcache: --watch: not with --format prometheus; use text or json"),
    RefusedLine(
      "stats --older-than 5y",
      "fpcache: the value '5y' is invalid for '--older-than <age>': "
        + "expected a number and s, m, h, d or w, such as 90d"),
    RefusedLine(
      "verify --max-backlog=-1", "fpcache: --max-backlog -1: expected a number from 0"),
    RefusedLine(
      "verify --only empty,nonsense",
      "fpcache: nonsense: no such code; expected one of unknown, misplaced, bad-date, future-date, "
        + "empty, stub, symlink, special, not-clearable, unreadable, spool-leftover, empty-dir, "
        + "expired, stale, orphan, pending, backlog, missed, held-queue, no-listener, node-lag, node-lost, "
        + "unknown-event, missing-table, no-permission, risky-trigger, missing-dir, odd-value, "
        + "quoted-value, unused-key"
    ),
    RefusedLine("listen --settle=-1", "fpcache: --settle -1: expected seconds from 0 to 3600"),
    RefusedLine(
      "listen --poll-interval 0",
      "fpcache: --poll-interval 0: expected seconds from 0.1 to 86400"),
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
    #expect(result.stdout.hasPrefix("USAGE: fpcache"), "\(result)")
    #expect(result.stderr.isEmpty, "\(result)")
  }

  @Test(
    "-h has the common options in one line, --help in full, and neither what the command does not use"
  )
  func commonOptions() throws {
    let short = try Command.fpcache(["clear-date", "-h"]).stdout
    #expect(short.contains("COMMON OPTIONS: see 'fpcache help options'\n  --config --cache-dir "))
    #expect(!short.contains("FPCACHE_CONFIG") && short.contains("  --branch <branch>"))
    let full = try Command.fpcache(["clear-date", "--help"]).stdout
    #expect(full.contains("$FPCACHE_CONFIG") && full.contains("  -n, --dry-run "))
    #expect(!full.contains("--dsn"))
    let options = try Command.fpcache(["help", "options"])
    #expect(options.stdout.hasPrefix("COMMON OPTIONS:\n  --config <file>"), "\(options)")
    #expect(options.stdout.contains("--dsn") && options.status == 0)
  }

  @Test(arguments: ["--version", "-V", "version"])
  func version(_ argument: String) throws {
    let result = try Command.fpcache([argument])
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
