// SPDX-License-Identifier: BSD-2-Clause
//
// `stats` for people: the part about the tree. The part about the database is in StatsQueueText.swift.

import Basics
import CacheFS

/// The text of an overview for one terminal.
struct StatsText {
  /// On a narrower terminal, blocks are placed below each other.
  private static let wide = 116

  let overview: Overview
  let terminal: Terminal
  var palette = Palette.plain

  /// The whole text. The verdict comes last, directly above the next prompt.
  var lines: [String] {
    let tree = overview.scope == .all ? [tree, spread, groups, largest] : []
    return Self.joined([heading] + tree + databaseSections + [verdict(cut: false)])
  }

  /// The text cut to the terminal's size. The most important part comes first, because a small terminal does not show
  /// the rest. The line below it is for the cursor.
  var screen: [String] {
    let sections =
      [problems] + queueSections
      + (overview.scope == .all ? [tree, groups, largest, spread] : []) + channelSections
    let lines = Self.joined([cut(heading), verdict(cut: true)] + sections.map(cut))
    guard let rows = terminal.rows, lines.count > rows - 1, rows > 2 else { return lines }
    let rest = lines.count - (rows - 2)
    return lines.prefix(rows - 2) + ["and \(counted(rest, "line")) more, on a taller terminal"]
  }

  private func cut(_ lines: [String]) -> [String] {
    lines.map { terminal.cut($0, to: terminal.columns) }
  }

  /// Painted last, because colour takes no room.
  private func verdict(cut isCut: Bool) -> [String] {
    Verdict.of(overview).flatMap { verdict in
      let paint: Palette.Paint =
        switch verdict.severity {
        case .good: .green
        case .waiting: .yellow
        case .bad: .red
        }
      let words = verdict.text.split(separator: " ").map(String.init)
      let lines = terminal.lines("", words: words)
      return (isCut ? cut(lines) : lines).map { palette.paint($0, paint) }
    }
  }

  /// The first errors; a report that is printed once lists them at its end.
  private var problems: [String] { overview.problems(all: false).prefix(5).map(terminal.fit) }

  static func joined(_ sections: [[String]]) -> [String] {
    Array(sections.filter { !$0.isEmpty }.joined(separator: [""]))
  }

  // MARK: The tree

  private var heading: [String] {
    if overview.scope == .queues {
      return terminal.lines(
        "", words: ["queues", "at", utcTimestamp(Int(overview.now / 1_000_000_000))])
    }
    var words = ["cache directory", overview.directory + ","]
    if let age = overview.olderThan {
      words += ["only files older than", ageText(age.seconds) + ","]
    }
    let time = utcTimestamp(Int(overview.now / 1_000_000_000))
    words += ["at", time + ",", "scanned", "in", "\(fixed(overview.scanSeconds, 2)) s"]
    return terminal.lines("", words: words)
  }

  private var tree: [String] {
    let shown = overview.rows.indices.filter { index in
      let row = overview.rows[index]
      return row.tally.files > 0 || row.folders.folders > 0 || row.name == "unknown"
    }
    let absent = overview.rows.indices.filter { !shown.contains($0) }.map { overview.rows[$0].name }
    var lines = terminal.lines { detail in
      var table = TextTable(columns: columns("FAMILY", detail), rows: [])
      for index in shown {
        table.rows.append(cells(overview.rows[index], detail, rate: overview.rates?.files[index]))
      }
      table.rows.append(cells(overview.total, detail, rate: overview.rates?.totalFiles))
      return table
    }
    if !absent.isEmpty { lines += terminal.lines("nothing in ", words: withCommas(absent)) }
    if overview.olderThan == nil {
      lines += terminal.lines(
        "",
        words: [
          "with the folders themselves, as du counts:",
          "\(grouped(overview.tree.apparentBytes)) bytes,",
          "\(grouped(overview.tree.diskBytes)) on disk",
        ])
    }
    return lines
  }

  private func withCommas(_ names: [String]) -> [String] {
    names.dropLast().map { $0 + "," } + names.suffix(1)
  }

  private func columns(_ name: String, _ detail: Detail) -> [TextTable.Column] {
    var columns = [
      TextTable.Column(title: name, isRight: false, isFree: name != "FAMILY"),
      TextTable.Column(title: "FILES"),
      TextTable.Column(title: "FOLDERS", rank: 2),
      TextTable.Column(title: "BYTES"),
      TextTable.Column(title: detail == .compact ? "DISK" : "ON DISK", rank: 1),
      TextTable.Column(title: "SHARE", rank: 3),
      TextTable.Column(title: "OLDEST"),
      TextTable.Column(title: "NEWEST", rank: 4),
    ]
    if overview.rates != nil { columns.append(TextTable.Column(title: "FILES/S")) }
    // Folders have no age and no group.
    if overview.olderThan != nil || name != "FAMILY" { columns.remove(at: 2) }
    if name != "FAMILY", overview.rates != nil { columns.removeLast() }
    return columns
  }

  private func cells(_ row: Overview.Row, _ detail: Detail, rate: Double?) -> [String] {
    var cells = cells(row.name, row.tally, detail)
    if overview.olderThan == nil { cells.insert(grouped(row.folders.folders), at: 2) }
    if let rate { cells.append(rateText(rate)) }
    return cells
  }

  private func cells(_ name: String, _ tally: FileTally, _ detail: Detail) -> [String] {
    let isEmpty = tally.files == 0
    return [
      name, grouped(tally.files), detail.size(tally.bytes), detail.size(tally.diskBytes),
      isEmpty ? "-" : percent(overview.share(tally)),
      ageCell(tally.oldest), ageCell(tally.newest),
    ]
  }

  private func ageCell(_ time: Int64?) -> String {
    guard let age = overview.age(time) else { return "-" }
    return age < 0 ? "future" : ageText(age)
  }

  // MARK: Ages and sizes

  private var spread: [String] {
    guard overview.tree.total.files > 0 else { return [] }
    let isWide = terminal.columns >= Self.wide
    let gap = 4
    let width = isWide ? (terminal.columns - gap) / 2 : terminal.columns
    let ages = bars("AGE", overview.tree.ages, ageLabels, width)
    let sizes = bars("SIZE", overview.tree.sizes, sizeLabels, width)
    return isWide ? terminal.beside(ages, sizes, gap: gap) : ages + [""] + sizes
  }

  private var ageLabels: [String] {
    let bounds = Histogram.ageBounds
    return ["in future"] + bounds.dropFirst().map { "to \(boundText($0))" }
      + ["over \(boundText(bounds.last ?? 0))"]
  }

  private func boundText(_ seconds: Int64) -> String {
    let year: Int64 = 365 * 86_400
    if seconds >= year { return "\(seconds / year) y" }
    return seconds < 86_400 ? "\(seconds / 3600) h" : "\(seconds / 86_400) d"
  }

  private var sizeLabels: [String] {
    let bounds = Histogram.sizeBounds.map { Detail.units.size($0).replacingZeroTenths }
    return ["empty"] + bounds.dropFirst().map { "to \($0)" } + ["over \(bounds.last ?? "")"]
  }

  /// A line for each bucket from the first that has files to the last: the size, the number of files, and a bar for
  /// the number beside it.
  private func bars(
    _ title: String, _ histogram: Histogram, _ labels: [String], _ width: Int
  ) -> [String] {
    let buckets = histogram.buckets
    let filled = buckets.indices.filter { buckets[$0].files > 0 }
    guard let first = filled.first, let last = filled.last else { return [] }
    let shown = first...last
    func column(_ title: String, _ text: (Int) -> String) -> [String] {
      let cells = [title] + shown.map(text)
      let width = cells.reduce(0) { max($0, $1.utf8.count) }
      return cells.map { String(repeating: " ", count: width - $0.utf8.count) + $0 }
    }
    let names = [title] + shown.map { labels[$0] }
    let nameWidth = names.reduce(0) { max($0, $1.utf8.count) }
    let files = column("FILES") { grouped(buckets[$0].files) }
    let bytes = column("BYTES") { Detail.units.size(buckets[$0].bytes) }
    let most = buckets.reduce(0) { max($0, $1.files) }
    return names.indices.map { index in
      let name = names[index] + String(repeating: " ", count: nameWidth - names[index].utf8.count)
      let text = "\(name)  \(bytes[index])  \(files[index])"
      guard index > 0 else { return text }
      let bar = terminal.bar(
        buckets[first + index - 1].files, of: most, width: width - text.utf8.count - 2)
      return bar.isEmpty ? text : text + "  " + bar
    }
  }

  // MARK: Groups and the largest

  private var groups: [String] {
    guard let field = overview.query.groupBy else { return [] }
    let tree = overview.tree
    return terminal.lines { detail in
      var table = TextTable(
        columns: columns(field.uppercased(), detail),
        rows: tree.groups.map { cells(escape($0.value), $0.tally, detail) })
      if tree.otherGroups.count > 0 {
        let name = "(\(grouped(tree.otherGroups.count)) more)"
        table.rows.append(cells(name, tree.otherGroups.tally, detail))
      }
      table.rows.append(cells("(no \(field))", tree.ungrouped, detail))
      return table
    }
  }

  private var largest: [String] {
    guard !overview.tree.largest.isEmpty else { return [] }
    let rows = overview.tree.largest.map { [grouped($0.bytes), "\($0.path)"] }
    return terminal.lines { _ in
      TextTable(
        columns: [
          TextTable.Column(title: "BYTES"),
          TextTable.Column(title: "LARGEST", isRight: false, isFree: true),
        ], rows: rows)
    }
  }
}

extension String {
  /// `1.0 KB` as `1 KB`.
  fileprivate var replacingZeroTenths: String {
    guard let point = firstIndex(of: ".") else { return self }
    guard self[point...].hasPrefix(".0") else { return self }
    return self[..<point] + String(self[point...].dropFirst(2))
  }
}

/// A change per second, with its sign: `+12.5`, `-1,200`, `0`.
func rateText(_ rate: Double) -> String {
  let size = abs(rate)
  let text =
    size >= 100
    ? (size < 1e15 ? grouped(Int64(size.rounded())) : "\(size)") : fixed(size, size < 10 ? 2 : 1)
  if text.allSatisfy({ "0.".contains($0) }) { return "0" }
  return (rate < 0 ? "-" : "+") + text
}
