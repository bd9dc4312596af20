// SPDX-License-Identifier: BSD-2-Clause
//
// The overview as text: right at every width, nothing raw, and a screen that fits.

import Listening
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS
@testable import PGQueue
@testable import fpcache

@Suite("Text of stats") struct StatsTextTests {
  private static let now: Int64 = 1_600_000_000 * 1_000_000_000

  /// A tree with something of most families, hostile names among them, before a database in
  /// which much is wrong.
  private func overview(groupBy: String? = nil, top: Int? = nil) throws -> Overview {
    let tree = try TemporaryTree()
    for number in 0..<30 {
      let port = "ports/category\(number % 7)/p5-Tool-Box\(number)"
      try tree.write("\(port)/Detail.Part1.head.PageSize100.PageNum1.html", bytes: number * 900)
    }
    for path in [
      "daily/2020/01/21.daily.head", "news/news.rss2.0.head.xml", "packages/net/a.html",
      "html/esc\u{1B}]0;x\u{7}", "html/new\nline", "html/\u{6F22}\u{5B57}", "other/\u{9B}31m",
    ] {
      try tree.write(path, bytes: 123_456)
    }
    let query = StatsQuery(groupBy: groupBy, top: top, now: currentTime())
    let measured = measure(
      Scanner(try Directory(root: FilePath(tree.path)), layout: .freshPorts), query)
    let long = Array(String(repeating: "k", count: 80).utf8)
    let hostile: [UInt8] = [0x1B, 0x5B, 0x32, 0x4A, 0xFF]
    let survey = answers(
      [
        queue(
          .ports, 20_508, first: [[long, hostile], [nil, hostile], [hostile, long]]),
        queue(.dates, 1_234_567, age: nil),
        QueueSurvey(
          table: .commits,
          outcome: .refused(
            ServerError(sqlState: "42501", message: "permission \u{1B}[31m denied", hint: nil))),
        QueueSurvey(table: .files, outcome: .missing),
      ],
      [
        ListeningSession(
          process: 1, role: "r\u{1B}", applicationName: "fpcache listen", age: 100),
        ListeningSession(
          process: 2, role: "r\u{1B}", applicationName: "fpcache listen", age: 200),
        ListeningSession(process: 3, role: "", applicationName: "", age: nil),
      ], hidden: 2, usage: 0.004,
      channels: SiteEvent.all.map {
        Channel(name: String($0.scriptName.dropFirst(7)), scriptName: $0.scriptName)
      } + [Channel(name: "evil\u{1B}[2J", scriptName: "no\nthing")])
    return Overview(
      directory: "/var/db/freshports/cache", layout: .freshPorts, tree: measured, query: query,
      olderThan: nil, database: .done(survey), statusFile: .missing(path: "/run/\u{1B}status"),
      pollInterval: .seconds(60), scanSeconds: 0.25)
  }

  private func terminal(
    _ columns: Int, isUnicode: Bool = true, rows: Int? = nil
  ) -> Terminal {
    Terminal(
      columns: columns, rows: rows, isTerminal: true, isUnicode: isUnicode)
  }

  @Test(arguments: [60, 61, 79, 80, 100, 115, 116, 133, 140, 200], [true, false])
  func noLineIsTooLong(_ columns: Int, _ isUnicode: Bool) throws {
    var overview = try overview(groupBy: "category", top: 3)
    overview.rates = Rates(from: overview, to: overview, seconds: 1)
    let terminal = terminal(columns, isUnicode: isUnicode)
    for line in StatsText(overview: overview, terminal: terminal).lines {
      // Paths, names of others and keys are told whole, each at its line's end.
      let isExempt = ["kkkk", "/", "evil", "pg_read"].contains { line.contains($0) }
      #expect(isExempt || terminal.width(line) <= columns, "\(line)")
      #expect(!line.hasSuffix(" "), "\(columns): \(line)")
    }
    for line in StatsText(overview: overview, terminal: terminal).screen {
      #expect(terminal.width(line) <= columns, "\(line)")
    }
  }

  @Test(arguments: [60, 140], [true, false])
  func nothingRawReachesTheTerminal(_ columns: Int, _ isUnicode: Bool) throws {
    let text = StatsText(
      overview: try overview(groupBy: "page", top: 99),
      terminal: terminal(columns, isUnicode: isUnicode))
    for line in text.lines + text.screen {
      for scalar in line.unicodeScalars {
        #expect(scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value), "\(line)")
        if !isUnicode { #expect(scalar.isASCII, "\(line)") }
      }
    }
    let all = text.lines.joined(separator: "\n")
    for name in [#"html/esc\x1b]0;x\x07"#, #"html/new\x0aline"#, #"other/\xc2\x9b31m"#] {
      #expect(all.contains(name), "\(name)")
    }
    #expect(all.contains(isUnicode ? "\u{6F22}\u{5B57}" : #"\xe6\xbc\xa2\xe5\xad\x97"#))
  }

  @Test func theDatabaseInWords() throws {
    let lines = StatsText(overview: try overview(), terminal: terminal(80)).lines
    let from = try #require(lines.firstIndex { $0.hasPrefix("QUEUE") })
    let key = String(repeating: "k", count: 80)
    #expect(
      Array(lines[from..<(from + 14)]) == [
        "QUEUE                        ROWS       KEYS   OLDEST   NEWEST",
        "cache_clearing_ports       20,508     20,508      2 d      2 d",
        "  oldest \(key)/\\x1b[2J\\xff, 2 d ago;",
        "  newest \(key)/\\x1b[2J\\xff, 2 d ago",
        "  first \(key)/\\x1b[2J\\xff",
        "        NULL/\\x1b[2J\\xff",
        "        \\x1b[2J\\xff/\(key)",
        "cache_clearing_dates    1,234,567  1,234,567  unknown  unknown",
        "  oldest a/b, unknown age; newest a/b, unknown age",
        "  first a/b",
        "cache_clearing_commits          ?          ?        ?        ?",
        "  permission \\x1b[31m denied",
        "cache_clearing_files         none          -        -        -",
        "  no such table in this database",
      ])
    let all = lines.joined(separator: "\n")
    for text in [
      "port               the port, its category, the news\n",
      "packages_imported  the packages\n",
      "evil\\x1b[2J        nothing: fpcache knows no no\\x0athing\n",
      "LISTENING       PROCESS  ROLE   SINCE\nfpcache listen      1 2  r\\x1b  3 min\n"
        + "(no name)             3             ?\n",
      "2 sessions of other roles: what they do is seen by members of pg_read_all_stats\n",
      "notification queue: 0.4 % full\n", "status file /run/\\x1bstatus: none\n",
    ] {
      #expect(all.contains(text), "\(text)\nin\n\(all)")
    }
    #expect(lines.last?.hasPrefix("the channel evil") == true)
  }

  @Test func wideTerminalsHaveBlocksBesideEachOther() throws {
    let wide = StatsText(overview: try overview(), terminal: terminal(160)).lines
    #expect(wide.contains { $0.hasPrefix("AGE ") && $0.contains("SIZE ") })
    #expect(wide.contains { $0.hasPrefix("QUEUE ") && $0.contains("CHANNEL ") })
    let narrow = StatsText(overview: try overview(), terminal: terminal(80)).lines
    #expect(narrow.count > wide.count + 10)
    #expect(!narrow.contains { $0.contains("AGE ") && $0.contains("SIZE ") })
  }

  @Test(arguments: [5, 24, 40, 200])
  func aScreenHasRoomForTheCursor(_ rows: Int) throws {
    let screen = StatsText(overview: try overview(), terminal: terminal(80, rows: rows)).screen
    #expect(screen.count <= rows - 1)
    #expect(screen[0].hasPrefix("cache directory"))
    let verdict = try #require(screen.firstIndex { $0.isEmpty }) + 1
    #expect(
      rows < 6 || screen[verdict].hasPrefix("20,508 ports and 1,234,567 dates have waited 2 d"))
    #expect((screen.last?.hasSuffix("more, on a taller terminal") == true) == (rows < 100))
  }

  @Test func aFrameWipesWhatWasThere() {
    #expect(
      Watch.frame(["a", "b"], isFirst: true) == "\u{1B}[H\u{1B}[2Ja\u{1B}[K\nb\u{1B}[K\n\u{1B}[J")
    #expect(Watch.frame(["a"], isFirst: false) == "\u{1B}[Ha\u{1B}[K\n\u{1B}[J")
  }

  @Test func theVerdictIsColoured() throws {
    let overview = try overview()
    let palette = Palette(isColored: true)
    let text = StatsText(overview: overview, terminal: terminal(200), palette: palette)
    let bad = try #require(Verdict.of(overview).first)
    #expect(text.lines.contains("\u{1B}[31m\(bad.text)\u{1B}[0m"))
    #expect(text.screen.contains("\u{1B}[31m\(bad.text)\u{1B}[0m"))
  }

  @Test func howFarTheWalkIs() {
    #expect(
      ScanTally.text(files: 61_871, seconds: 2, folder: CachePath(Array("ports/n\u{1B}".utf8)))
        == "61,871 files, 30,935/s, ports/n\\x1b")
    #expect(ScanTally.text(files: 1, seconds: 0, folder: CachePath([])) == "1 file, 1,000/s")
  }

  /// Told by the walk itself.
  @Test func theWalkTells() throws {
    let tree = try TemporaryTree()
    for number in 0..<300 { try tree.write("html/page\(number)", bytes: 1) }
    let tally = ScanTally()
    let scanner = Scanner(try Directory(root: FilePath(tree.path)), layout: .freshPorts)
    _ = measure(scanner, StatsQuery(), observer: tally)
    #expect(
      tally.text.hasPrefix("256 files, ") && tally.text.hasSuffix("/s, html"), "\(tally.text)")
  }

  @Test func whatChanges() throws {
    var overview = try overview()
    overview.rates = Rates(from: overview, to: overview, seconds: 1)
    let text = StatsText(overview: overview, terminal: terminal(100)).lines
    #expect(text.contains { $0.hasPrefix("FAMILY") && $0.hasSuffix("FILES/S") })
    #expect(text.contains { $0.hasPrefix("QUEUE") && $0.hasSuffix("ROWS/S") })
    #expect(text.contains { $0.hasPrefix("cache_clearing_ports") && $0.hasSuffix(" 0") })
    #expect(text.contains { $0.hasPrefix("cache_clearing_files") && $0.hasSuffix(" -") })
  }

  /// Whatever is asked for, the documents stay what they are.
  @Test func theNumbersAreTheSameEverywhere() throws {
    let overview = try overview(groupBy: "category", top: 2)
    let json = overview.json
    let metrics = overview.prometheus.split(separator: "\n").map(String.init)
    #expect(JSON(parsing: Array(json.text.utf8)) == json)
    for scalar in json.text.unicodeScalars { #expect(scalar.value >= 0x20 && scalar.value != 0x7F) }
    for row in overview.rows {
      let document = row.name == "unknown" ? json["unknown"] : json["families"]?[row.name]
      for (key, metric) in [
        ("files", "files"), ("bytes", "bytes"), ("disk_bytes", "disk_bytes"),
        ("folders", "folders"), ("folder_bytes", "folder_bytes"),
        ("folder_disk_bytes", "folder_disk_bytes"),
      ] {
        let sample = "fpcache_tree_\(metric){family=\"\(row.name)\"} "
        let value = metrics.first { $0.hasPrefix(sample) }?.dropFirst(sample.utf8.count)
        #expect(value.flatMap { Int64($0) } == document?[key]?.wholeNumber, "\(row.name) \(key)")
      }
    }
    #expect(json["du"]?["apparent_bytes"]?.wholeNumber == overview.tree.apparentBytes)
    #expect(metrics.contains("fpcache_queue_keys{queue=\"cache_clearing_ports\"} 20508"))
    #expect(json["queues"]?["cache_clearing_ports"]?["keys"]?.wholeNumber == 20_508)
    #expect(metrics.contains("fpcache_notification_queue_usage_ratio 0.004"))
    #expect(metrics.contains("fpcache_channels{known=\"no\"} 1"))
    #expect(metrics.contains("fpcache_listening_sessions{program=\"other\"} 1"))
    #expect(metrics.contains("fpcache_hidden_sessions 2"))
  }
}
