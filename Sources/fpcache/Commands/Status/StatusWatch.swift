// SPDX-License-Identifier: BSD-2-Clause
//
// `status --watch`: the screen again and again, with what has happened since the watch began.

import Basics
import Listening

/// Looks again and again until no process reads the output.
struct StatusWatch {
  private let command: Status
  private let interval: Duration
  private var history = StatusHistory()

  init(_ command: Status, _ interval: Duration) {
    self.command = command
    self.interval = interval
  }

  mutating func run(_ reader: inout StatusReader) throws {
    Watch.leaveOnInterrupt()
    var isFirst = true
    while try show(reader.read(), isFirst: isFirst) == .there {
      isFirst = false
      Watch.wait(interval)
    }
  }

  private mutating func show(_ report: StatusReport, isFirst: Bool) throws(UserError) -> Audience {
    let judgment = Judgment(report)
    guard command.format == .text else { return try printResult(report.json(judgment).text) }
    history.add(report, judgment, at: .now)
    let terminal = Terminal.narrow()
    var text = command.text(report, judgment, terminal)
    text.since = history.since
    let lines = StatusText.joined([
      ["fpcache status at \(timestamp(report.at))"], text.verdict, history.lines(terminal),
      text.facts,
    ])
    guard terminal.isTerminal else { return try printResult((isFirst ? [] : [""]) + lines) }
    return try writeResult(Watch.frame(Self.fit(lines, terminal), isFirst: isFirst))
  }

  /// As many lines as there is room for. The line below them is for the cursor.
  private static func fit(_ lines: [String], _ terminal: Terminal) -> [String] {
    let lines = lines.map { line in
      Palette.aroundPaint(line) { terminal.cut($0, to: terminal.columns) }
    }
    guard let rows = terminal.rows, lines.count > rows - 1, rows > 2 else { return lines }
    let rest = lines.count - (rows - 2)
    return lines.prefix(rows - 2) + ["and \(counted(rest, "line")) more, on a taller terminal"]
  }
}

/// What the looks have shown so far.
struct StatusHistory {
  /// More numbers than the widest terminal shows.
  private static let most = 1000

  /// When the current state began, in nanoseconds since the epoch, as far as this watch has seen.
  private(set) var since: Int64?
  private var state: Judgment.State?
  /// Nil where a look could not read the number.
  private var rows: [Double?] = []
  private var rates: [Rate] = []
  private var last: (counts: DrainCounts, process: Int64, at: ContinuousClock.Instant)?

  /// What the listener has done per second; nil where it does not report it.
  private struct Rate {
    var rows: Double?
    var keys: Double?
    var files: Double?
  }

  mutating func add(
    _ report: StatusReport, _ judgment: Judgment, at now: ContinuousClock.Instant
  ) {
    if judgment.state != state { (state, since) = (judgment.state, report.at) }
    rows.append(report.database.answers.map { _ in Double(report.rows) })
    rates.append(rate(report.listener, now))
    if rows.count > Self.most {
      rows.removeFirst()
      rates.removeFirst()
    }
  }

  private mutating func rate(_ listener: ListenerStatus?, _ now: ContinuousClock.Instant) -> Rate {
    guard let listener else {
      last = nil
      return Rate()
    }
    // The counts include the drain under way, because it may take hours.
    let counts = listener.total + (listener.underWay ?? DrainCounts())
    defer { last = (counts, listener.process, now) }
    // A new process begins to count from zero.
    guard let last, last.process == listener.process else { return Rate() }
    let seconds = last.at.duration(to: now).seconds
    guard seconds > 0 else { return Rate() }
    func perSecond(_ count: KeyPath<DrainCounts, Int64>) -> Double {
      max(
        0, Double(clampedDifference(counts[keyPath: count], last.counts[keyPath: count])) / seconds)
    }
    return Rate(rows: perSecond(\.rows), keys: perSecond(\.keys), files: perSecond(\.files))
  }

  /// A line for each number: its current value and its history.
  func lines(_ terminal: Terminal) -> [String] {
    let series: [(name: String, values: [Double?])] = [
      ("rows waiting", rows), ("rows/s cleared", rates.map(\.rows)),
      ("keys/s cleared", rates.map(\.keys)), ("files/s removed", rates.map(\.files)),
    ]
    let names = series.reduce(0) { max($0, $1.name.utf8.count) }
    let numbers = series.map { $0.values.last.flatMap { $0 }.map(Self.number) ?? "?" }
    let width = numbers.reduce(0) { max($0, $1.utf8.count) }
    let room = max(0, terminal.columns - names - width - 4)
    return zip(series, numbers).map { series, number in
      let name = series.name + String(repeating: " ", count: names - series.name.utf8.count)
      let space = String(repeating: " ", count: width - number.utf8.count)
      return "\(name)  \(space)\(number)  \(terminal.sparkline(series.values.suffix(room)))"
    }
  }

  private static func number(_ value: Double) -> String {
    value >= 100 || value == value.rounded() ? grouped(whole(value.rounded())) : fixed(value, 1)
  }
}

extension DrainCounts {
  fileprivate static func + (left: DrainCounts, right: DrainCounts) -> DrainCounts {
    var sum = left
    sum.rows = clampedSum(left.rows, right.rows)
    sum.keys = clampedSum(left.keys, right.keys)
    sum.files = clampedSum(left.files, right.files)
    sum.bytes = clampedSum(left.bytes, right.bytes)
    return sum
  }
}
