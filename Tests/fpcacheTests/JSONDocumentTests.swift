// SPDX-License-Identifier: BSD-2-Clause
//
// docs/json.md has every key that a document may have, with its type, and none that no document has.

import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS
@testable import Listening
@testable import PGQueue
@testable import fpcache

@Suite("JSON documents") struct JSONDocumentTests {
  // MARK: What is documented

  /// The heading of a document's section.
  private static let headings = [
    "clear": "clear-date, clear-port, clear-news, clear, prune", "once": "listen --once",
    "stats": "stats", "verify": "verify", "status": "status", "status-file": "The status file",
    "events": "The events file",
  ]

  /// The table of a document: each key's place and its type.
  private func documented(_ name: String) throws -> [String: String] {
    let text = try String(
      contentsOf: Document.root.appendingPathComponent("docs/json.md"), encoding: .utf8)
    let heading = try #require(Self.headings[name])
    let parts = text.components(separatedBy: "\n## \(heading)\n")
    try #require(parts.count == 2, "docs/json.md has no section \(heading)")
    let section = parts[1].components(separatedBy: "\n## ")[0]
    var types: [String: String] = [:]
    for row in section.matches(of: /(?m)^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/) {
      let (key, type) = (String(row.1), String(row.2))
      #expect(types[key] == nil, "\(name): \(key) is there twice")
      if key.hasSuffix("seconds") || key.contains("bytes") {
        let unit = key.contains("bytes") ? "byte" : "second"
        let isSaid =
          "\(row.3) \(key)".contains(unit) && ["integer", "number"].contains { type.hasPrefix($0) }
        #expect(isSaid, "\(name): \(key) has no unit")
      }
      types[key] = type
    }
    return types
  }

  // MARK: What is printed

  /// Objects whose keys are a site's own names.
  private static let maps: Set<String> = [
    "families", "queues", "counts", "queue_oldest_seconds", "rates.families", "rates.queues",
    "key",
  ]

  /// Each key's place, and the values that it has.
  private func places(_ json: JSON, _ prefix: String = "") -> [(place: String, value: JSON)] {
    guard case .object(let members) = json else { return [] }
    return members.flatMap { key, value in
      let place = prefix + key
      switch value {
      case .object(let inner) where Self.maps.contains(place):
        return inner.flatMap { [("\(place).*", $0.1)] + places($0.1, "\(place).*.") }
      case .object: return [(place, value)] + places(value, "\(place).")
      case .array(let elements):
        return [("\(place)[]", value)] + elements.flatMap { places($0, "\(place)[].") }
      default: return [(place, value)]
      }
    }
  }

  private func isOf(_ type: String, _ value: JSON) -> Bool {
    let words = type.components(separatedBy: " or ")
    switch value {
    case .null: return words.contains("null")
    case .integer: return words.contains("integer") || words.contains("number")
    case .number: return words.contains("number")
    case .boolean: return words.contains("boolean")
    case .object: return words.contains("object")
    case .string(let text):
      return words.contains("string") || (words.contains("time") && parseTimestamp(text) != nil)
    case .array(let elements):
      let areStrings = elements.allSatisfy { $0.string != nil }
      return words.contains("array of strings") ? areStrings : words.contains("array")
    }
  }

  @Test(
    "each key is documented with its type, and each documented key is printed",
    arguments: ["clear", "once", "stats", "verify", "status", "status-file", "events"])
  func keys(_ name: String) throws {
    let types = try documented(name)
    let printed = try documents(name).flatMap { places($0) }
    for (place, value) in printed {
      // null in the place of an array or of an object with a site's names.
      let key = types[place] == nil && value == .null ? "\(place)[]" : place
      let type = try #require(types[key], "docs/json.md: \(name) lacks \(place)")
      #expect(isOf(type, value), "\(name): \(place) is no \(type): \(value.text)")
    }
    let missing = Set(types.keys).subtracting(printed.map(\.place))
    #expect(missing.isEmpty, "\(name): nothing prints \(missing.sorted())")
  }

  @Test("the queues have one shape in every document")
  func oneShape() throws {
    let shape: Set<String> = [
      "backlog[]", "backlog[].queue", "backlog[].rows", "backlog[].oldest_age_seconds",
      "backlog[].problem",
    ]
    for name in ["stats", "verify", "status", "status-file"] {
      let printed = try documents(name).flatMap { places($0) }.map(\.place)
      #expect(Set(printed.filter { $0.hasPrefix("backlog[]") }) == shape, "\(name)")
    }
  }

  // MARK: A document of each kind, with something in every place

  private func documents(_ name: String) throws -> [JSON] {
    switch name {
    case "clear":
      var summary = ClearSummary(dryRun: false, keys: 2, keysWithoutMatch: 1)
      summary.cleared.failures = [Self.failure]
      summary.cleared.removed = [CachePath(Array("a".utf8))]
      summary.interruption = (2, 1)
      summary.left = PageTally()
      return [summary.json(listing: true)]
    case "once":
      var result = SingleRun.Result()
      result.contended = ["q"]
      return [result.json(dryRun: true)]
    case "stats": return try stats()
    case "verify": return [verify()]
    case "events": return try events()
    case "status":
      let failed = StatusReport(
        at: Self.now, database: .failed(.unreachable("x")), statusFile: .notNamed,
        rules: .freshPorts(.freshPorts), pollInterval: .seconds(60))
      let report = StatusReport(
        at: Self.now, database: .done(Self.survey), statusFile: try Self.statusFile(),
        rules: .freshPorts(.freshPorts), pollInterval: .seconds(60))
      return [report, failed].map { $0.json(Judgment($0)) }
    default: return [Self.health().json(lastError: (Self.now, "x"), pid: 5)]
    }
  }

  private static let now: Int64 = 1_600_000_000 * 1_000_000_000
  private static let failure = PathFailure(
    path: CachePath(Array("a".utf8)), error: .permissionDenied)

  private static let survey: DatabaseSurvey.Answers = {
    let refusal = ServerError(sqlState: "42501", message: "no", hint: nil)
    var survey = answers(
      [
        queue(.ports, 3), queue(.dates, 0), QueueSurvey(table: .commits, outcome: .missing),
        QueueSurvey(table: .files, outcome: .refused(refusal)),
      ],
      [
        ListeningSession(process: 1, role: "r", applicationName: "fpcache listen", age: 1),
        ListeningSession(
          process: 2, role: "r", applicationName: "fpcache listen", age: nil, listens: nil),
      ])
    survey.nodes = [NodeBacklog(name: "web1", rows: 5, age: 130)]
    survey.refused = [.init(table: "cache_clearing_files", reason: refusal, grant: "GRANT it;")]
    return survey
  }()

  private static func health() -> Health {
    var health = Health(now: now)
    var tally = DrainTally()
    tally.rows = 1
    _ = health.probed(now: now)
    _ = health.drained(tally, seconds: 2.5, isProof: true, now: now)
    _ = health.served(tally, isProof: true, now: now)
    health.refused = ["q"]
    health.held = [HeldQueue(queue: "q", since: now, holder: "process 4")]
    health.polled([QueueBacklog(table: .ports, rows: 1, oldestAge: 2.5)], now: now)
    health.recheck.families = [RecheckHealth.Family("ports")]
    health.scrub.families = [ScrubHealth.Family("ports")]
    health.prune = PruneHealth()
    health.events = EventHealth()
    return health
  }

  private static func statusFile() throws -> StatusFile {
    let text = health().json(lastError: (now, "x"), pid: 5).text
    let file = StatusFile.read("/s", FileReader { (_) throws(Errno) in Array(text.utf8) })
    try #require(file.status != nil)
    return file
  }

  private func stats() throws -> [JSON] {
    let tree = try TemporaryTree()
    try tree.write("ports/a/b/Detail.Part1.head.PageSize100.PageNum1.html", bytes: 5)
    try tree.write("html/x", bytes: 5)
    let query = StatsQuery(groupBy: "category", top: 1, now: currentTime())
    var measured = measure(
      Scanner(try Directory(root: FilePath(tree.path)), layout: .freshPorts), query)
    measured.failures = [Self.failure]
    func overview(_ survey: DatabaseSurvey.Answers, _ age: Age?) throws -> Overview {
      Overview(
        directory: "/cache", layout: .freshPorts, tree: measured, query: query, olderThan: age,
        database: .done(survey), statusFile: try Self.statusFile(), pollInterval: .seconds(60),
        scanSeconds: 0.5)
    }
    var whole = try overview(Self.survey, nil)
    whole.rates = Rates(from: whole, to: whole, seconds: 1)
    var blind = Self.survey
    blind.channels = nil
    return [whole.json, try overview(blind, Age(argument: "5d")).json]
  }

  private func events() throws -> [JSON] {
    let key = try Layout.freshPorts.port(category: Array("a".utf8), port: Array("b".utf8))
    let lines = ClearReason.lines([(key, 1), (key, 0)], .freshPorts) {
      $0 == 0 ? .queue(.ports) : .settle
    }
    return try lines.split(separator: UInt8(ascii: "\n")).map {
      try #require(JSON(parsing: Array($0)))
    }
  }

  private func verify() -> JSON {
    var finding = Finding(.empty, CachePath(Array("a".utf8)))
    finding.fix = .failed(Self.failure)
    var audit = Audit(
      findings: [finding], files: 5, dryRun: false, databaseError: nil, namesDatabase: false)
    audit.notChecked = [
      NotChecked(
        subject: "cache_clearing_files", codes: [.backlog], reason: "no", grant: "GRANT it;"),
      NotChecked(subject: "ports", codes: [.stale], reason: "no"),
    ]
    audit.queues = [
      QueueBacklog(table: .ports, rows: 1, oldestAge: 2.5),
      QueueBacklog(table: .dates, rows: 0, oldestAge: nil),
    ]
    return audit.json
  }
}
