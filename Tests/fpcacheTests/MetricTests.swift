// SPDX-License-Identifier: BSD-2-Clause
//
// The metrics: named as Prometheus' guidelines want, described in docs/metrics.md as they are, and printed with the
// labels that they claim.

import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS
@testable import Listening
@testable import PGQueue
@testable import fpcache

@Suite("Metrics") struct MetricTests {
  private static let all = Metric.ofListener + Metric.ofSurvey

  @Test("the names follow the guidelines, and none is in both sources") func names() {
    let names = Self.all.map(\.name)
    #expect(Set(names).count == names.count, "a name is there twice")
    for metric in Self.all {
      let name = metric.name
      #expect(name.wholeMatch(of: /fpcache(_[a-z]+)+/) != nil, "\(name)")
      #expect((metric.kind == .counter) == name.hasSuffix("_total"), "\(name)")
      #expect(!name.contains("_age_seconds") && !name.hasSuffix("_age"), "\(name) is an age")
      for unit in ["seconds", "bytes", "ratio"] where name.contains("_\(unit)") {
        #expect(name.hasSuffix("_\(unit)") || name.hasSuffix("_\(unit)_total"), "\(name)")
      }
      for suffix in ["_sum", "_count", "_bucket"] { #expect(!name.hasSuffix(suffix), "\(name)") }
      #expect(metric.help.hasSuffix(".") && !metric.help.contains("\n"), "\(name)")
      for label in metric.labels { #expect(!name.contains("_by_\(label)"), "\(name)") }
    }
    // Each of these has values that the configuration, the nodes or the program bound.
    #expect(
      Set(Self.all.flatMap(\.labels)) == [
        "version", "state", "queue", "family", "known", "program", "node", "up_to",
      ])
    for metric in Metric.ofListener {
      let isOurs = metric.name.hasPrefix("fpcache_listener_") || metric == .buildInfo
      #expect(isOurs, "\(metric.name)")
    }
  }

  @Test("docs/metrics.md says of each what it is, and of no other") func document() throws {
    let text = try String(
      contentsOf: Document.root.appendingPathComponent("docs/metrics.md"), encoding: .utf8)
    var rows: [String: [String]] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("| `fpcache_") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 6 else { continue }
      rows[cells[0].trimmingCharacters(in: ["`"])] = cells
    }
    for metric in Self.all {
      let row = rows.removeValue(forKey: metric.name) ?? []
      let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
      let wanted = [
        "`\(metric.name)`", metric.kind.rawValue, metric.unit, labels.isEmpty ? "-" : labels,
        metric.help,
      ]
      #expect(Array(row.prefix(5)) == wanted)
      #expect(row.last?.isEmpty == false, "\(metric.name): nothing on 0 or absence")
    }
    #expect(rows.isEmpty, "no such metrics: \(rows.keys)")
  }

  @Test(
    "rules and dashboard speak of metrics that exist",
    arguments: ["etc/prometheus/fpcache.rules.yml", "etc/grafana/fpcache.json"])
  func use(_ file: String) throws {
    let text = try String(
      contentsOf: Document.root.appendingPathComponent(file), encoding: .utf8)
    let names = Set(Self.all.map(\.name))
    // A rule's own name has a colon before it.
    let used = text.matches(of: /(^|[^a-z_:])(fpcache_[a-z_]+)/).map { String($0.output.2) }
    #expect(used.count > 20)
    for name in Set(used) {
      let base = name.hasSuffix("_bucket") ? String(name.dropLast(7)) : name
      #expect(names.contains(base), "\(file): \(name)")
    }
  }

  @Test("the listener prints each of its metrics, as they are described") func listener() throws {
    var health = Health(now: 1)
    let empty = health.prometheus(version: "1", now: 5)
    // What has not happened is 0, and only what the document says is absent is not there.
    let absent = Set(Metric.ofListener.map(\.name)).subtracting(printed(empty).keys)
    #expect(
      absent == [
        "fpcache_listener_queue_rows", "fpcache_listener_queue_oldest_row_timestamp_seconds",
        "fpcache_listener_recheck_timestamp_seconds", "fpcache_listener_recheck_keys_total",
        "fpcache_listener_missed_invalidations_total", "fpcache_listener_recheck_refused_keys",
        "fpcache_listener_recheck_broken", "fpcache_listener_scrub_timestamp_seconds",
        "fpcache_listener_scrub_duration_seconds", "fpcache_listener_scrub_pages",
        "fpcache_listener_scrub_cleared_pages_total", "fpcache_listener_scrub_refused_pages",
        "fpcache_listener_scrub_broken", "fpcache_listener_prune_timestamp_seconds",
        "fpcache_listener_prune_duration_seconds", "fpcache_listener_pruned_files_total",
        "fpcache_listener_pruned_bytes_total", "fpcache_listener_prune_failures",
        "fpcache_listener_events_written_total",
        "fpcache_listener_event_failures_total", "fpcache_listener_events_blocked",
      ])
    #expect(empty.contains("\nfpcache_listener_healthy_timestamp_seconds 0\n"))
    health.polled([QueueBacklog(table: .ports, rows: 3, oldestAge: 40)], now: 100 * 1_000_000_000)
    health.recheck.families = [.init("ports")]
    health.scrub.families = [.init("ports")]
    health.prune = PruneHealth()
    health.events = EventHealth()
    var tally = DrainTally()
    tally.rows = 7
    _ = health.drained(tally, seconds: 1, isProof: true, now: 2)
    _ = health.served(tally, isProof: true, now: 3)
    let text = health.prometheus(version: "1", now: 5)
    expectAsDescribed(text, Metric.ofListener)
    // The drain under way counts, and the oldest row keeps its time however old the file is.
    #expect(text.contains("\nfpcache_listener_rows_retired_total 14\n"))
    #expect(
      text.contains(#"_oldest_row_timestamp_seconds{queue="cache_clearing_ports"} 60"# + "\n"))
  }

  @Test("stats prints each of its metrics, as they are described") func survey() throws {
    let tree = try TemporaryTree()
    try tree.write("html/a", bytes: 3)
    let query = StatsQuery(now: 1_000 * 1_000_000_000)
    var survey = answers([queue(.ports, 2)], [], channels: [])
    survey.nodes = [NodeBacklog(name: "n", rows: 1, age: 5)]
    let status = """
      {"pid":1,"state":"listening","recheck":{"keys":1,"families":[{"family":"ports"}]},\
      "scrub":{"pages":1,"families":[{"family":"ports"}]}}
      """
    let file = StatusFile.read(
      "s", FileReader { (_) throws(Errno) in Array(status.utf8) }, isAlive: { _ in true })
    let overview = Overview(
      directory: "/c", layout: .freshPorts,
      tree: measure(
        Scanner(try Directory(root: FilePath(tree.path)), layout: .freshPorts), query),
      query: query, olderThan: nil, database: .done(survey), statusFile: file,
      pollInterval: .seconds(60), scanSeconds: 0.25)
    expectAsDescribed(overview.prometheus, Metric.ofSurvey)
    #expect(
      overview.prometheus.contains(
        "\nfpcache_node_oldest_row_timestamp_seconds{node=\"n\"} 995\n"))
    #expect(overview.prometheus.contains("\nfpcache_tree_size_files{up_to=\"128\"} 1\n"))
  }

  // MARK: What is printed

  private func expectAsDescribed(_ text: String, _ metrics: [Metric]) {
    let printed = printed(text)
    #expect(Set(printed.keys) == Set(metrics.map(\.name)))
    for metric in metrics {
      #expect(text.contains("# TYPE \(metric.name) \(metric.kind.rawValue)\n"))
      for labels in printed[metric.name] ?? [] {
        #expect(labels == metric.labels, "\(metric.name)")
      }
    }
  }

  /// The names of a text, each with the labels of its samples but `le`.
  private func printed(_ text: String) -> [String: [[String]]] {
    var found: [String: [[String]]] = [:]
    var name = ""
    for line in text.split(separator: "\n") {
      if line.hasPrefix("# TYPE ") {
        name = String(line.split(separator: " ")[2])
      } else if !line.hasPrefix("#") {
        #expect(line.hasPrefix(name), "\(line)")
        let labels = line.matches(of: /([a-z_]+)="/).map { String($0.output.1) }
        found[name, default: []].append(labels.filter { $0 != "le" })
      }
    }
    return found
  }
}

extension Metric {
  /// As its name has it.
  fileprivate var unit: String {
    let name = name.hasSuffix("_total") ? String(name.dropLast(6)) : name
    if name.hasSuffix("_timestamp_seconds") { return "seconds since 1970" }
    if name.hasSuffix("_seconds") { return "seconds" }
    if name.hasSuffix("_bytes") { return "bytes" }
    if name.hasSuffix("_ratio") { return "0 to 1" }
    return help.hasPrefix("1 ") || help.hasPrefix("Always 1") ? "0 or 1" : "number"
  }
}
