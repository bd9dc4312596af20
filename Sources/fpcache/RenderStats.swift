// The overview of stats in text, JSON and Prometheus' text format.

import CacheFS
import PGQueue

/// All that stats shows.
struct Overview: Equatable {
  let directory: String
  let layout: Layout
  let tree: StatsReport
  let query: StatsQuery
  let queues: QueueCounts
  /// Nanoseconds since the epoch.
  let now: Int64

  static func == (left: Overview, right: Overview) -> Bool {
    left.directory == right.directory && left.tree == right.tree && left.queues == right.queues
      && left.now == right.now
  }

  /// A database that nobody named and that is not there is no failure.
  func status(namesDatabase: Bool) -> ExitStatus {
    if case .failed = queues, namesDatabase { return .noDatabase }
    return tree.failures.isEmpty ? .done : .incomplete
  }

  /// A row for each family, what matches no pattern, and the total.
  private var rows: [(name: String, tally: Tally)] {
    zip(layout.families.map(\.name), tree.families).map { ($0, $1) }
      + [("unknown", tree.unknown), ("total", tree.total)]
  }

  private func age(_ time: Int64?) -> Int64? { time.map { (now - $0) / 1_000_000_000 } }

  // MARK: Text

  var lines: [String] {
    var table = [["FAMILY", "FILES", "BYTES", "OLDEST", "NEWEST"]]
    table += rows.map { cells($0.name, $0.tally) }
    var lines = ["cache directory \(directory)", ""] + aligned(table)
    if let field = query.groupBy {
      let groups = tree.groups.map { cells(escape($0.value), $0.tally) }
      lines +=
        [""] + aligned([[field.uppercased(), "FILES", "BYTES", "OLDEST", "NEWEST"]] + groups)
    }
    if !tree.largest.isEmpty {
      let files = tree.largest.map { ["\($0.path)", grouped($0.bytes)] }
      lines += [""] + aligned([["LARGEST", "BYTES"]] + files)
    }
    if case .counted(let counts) = queues {
      let queues = counts.map { [$0.table.name, $0.rows.map { grouped($0) } ?? "no such table"] }
      lines += [""] + aligned([["QUEUE", "ROWS"]] + queues)
    }
    return lines
  }

  private func cells(_ name: String, _ tally: Tally) -> [String] {
    [
      name, grouped(tally.files), grouped(tally.bytes),
      age(tally.oldest).map(ageText) ?? "-", age(tally.newest).map(ageText) ?? "-",
    ]
  }

  /// The first column to the left, the others to the right.
  private func aligned(_ table: [[String]]) -> [String] {
    let columns = table.first?.count ?? 0
    let widths = (0..<columns).map { column in table.map { $0[column].count }.max() ?? 0 }
    return table.map { row in
      row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }.joined(separator: "  ")
    }
  }

  // MARK: JSON

  var json: JSON {
    var members: [(String, JSON)] = [
      ("version", .integer(1)),
      ("cache_dir", .string(directory)),
      (
        "families",
        .object(
          zip(layout.families, tree.families).map { ($0.name, json($1)) })
      ),
      ("unknown", json(tree.unknown)),
      ("total", json(tree.total)),
    ]
    if query.groupBy != nil {
      members.append(
        (
          "groups",
          .array(
            tree.groups.map { group in
              json(group.tally, [("value", .string(escape(group.value)))])
            })
        ))
    }
    if query.top != nil {
      members.append(
        (
          "largest",
          .array(
            tree.largest.map {
              .object([("path", .string("\($0.path)")), ("bytes", .integer($0.bytes))])
            })
        ))
    }
    if case .counted(let counts) = queues {
      members.append(
        (
          "queues",
          .object(
            counts.map { ($0.table.name, .object([("rows", $0.rows.map(JSON.integer) ?? .null)])) })
        ))
    }
    members.append(("failures", .array(tree.failures.map(\.json))))
    return .object(members)
  }

  private func json(_ tally: Tally, _ first: [(String, JSON)] = []) -> JSON {
    .object(
      first + [
        ("files", .integer(tally.files)), ("bytes", .integer(tally.bytes)),
        ("oldest", timestamp(tally.oldest)), ("newest", timestamp(tally.newest)),
        ("oldest_age_seconds", age(tally.oldest).map(JSON.integer) ?? .null),
        ("newest_age_seconds", age(tally.newest).map(JSON.integer) ?? .null),
      ])
  }

  private func timestamp(_ time: Int64?) -> JSON {
    time.map { .string(utcTimestamp(Int($0 / 1_000_000_000))) } ?? .null
  }

  // MARK: Prometheus

  var prometheus: String {
    let families = rows.dropLast()
    var text = PrometheusText()
    text.add(
      "fpcache_files", "gauge", "Files in the cache tree by family.",
      families.map { ("family=\"\($0.name)\"", "\($0.tally.files)") })
    text.add(
      "fpcache_bytes", "gauge", "Apparent size of the files by family.",
      families.map { ("family=\"\($0.name)\"", "\($0.tally.bytes)") })
    text.add(
      "fpcache_oldest_age_seconds", "gauge", "Age of the oldest file by family.",
      families.compactMap { row in
        age(row.tally.oldest).map { ("family=\"\(row.name)\"", "\($0)") }
      })
    if case .counted(let counts) = queues {
      text.add(
        "fpcache_queue_rows", "gauge", "Rows in a queue table.",
        counts.compactMap { count in
          count.rows.map { ("queue=\"\(count.table.name)\"", "\($0)") }
        })
    }
    return text.text
  }
}
