// SPDX-License-Identifier: BSD-2-Clause
//
// Tables, bars and lines for people, fitted to the terminal.

import Basics

/// The precision of a number, from exact to the form that takes the least space.
enum Detail: CaseIterable {
  /// `49,411,072`
  case exact
  /// `49.4 MB`
  case units
  /// `49.4M`
  case compact

  func size(_ bytes: Int64) -> String {
    switch self {
    case .exact: grouped(bytes)
    case .units: Self.scaled(bytes, ["B", "KB", "MB", "GB", "TB", "PB", "EB"], " ")
    case .compact: Self.scaled(bytes, ["", "K", "M", "G", "T", "P", "E"], "")
    }
  }

  /// About three digits, and the fitting unit of a thousand, as in sizeText(_:); cut off, not rounded up.
  private static func scaled(_ bytes: Int64, _ units: [String], _ space: String) -> String {
    var unit = 0
    var tenths = bytes &* 10
    if bytes > Int64.max / 10 { (unit, tenths) = (1, bytes / 1000 * 10) }
    while tenths >= 10_000, unit + 1 < units.count {
      tenths /= 1000
      unit += 1
    }
    let number = unit == 0 || tenths >= 1000 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    return number + (units[unit].isEmpty ? "" : space) + units[unit]
  }
}

/// Rows of text in columns.
struct TextTable {
  struct Column {
    let title: String
    var isRight = true
    /// The column with the highest rank is dropped first where there is no space; columns with rank 0 stay.
    var rank = 0
    /// The texts may have any length: where there is no space, the column moves to the end of the line.
    var isFree = false
  }

  var columns: [Column]
  var rows: [[String]]

  fileprivate func widths(_ terminal: Terminal) -> [Int] {
    columns.indices.map { column in
      rows.reduce(terminal.width(columns[column].title)) {
        max($0, terminal.width($1[column]))
      }
    }
  }

  fileprivate func fits(_ terminal: Terminal, gap: Int) -> Bool {
    var widths = widths(terminal)
    if columns.last?.isFree == true { widths[widths.count - 1] = 0 }
    return widths.reduce(0, +) + gap * (widths.count - 1) <= terminal.columns
  }

  fileprivate func lines(_ terminal: Terminal, gap: Int) -> [String] {
    let widths = widths(terminal)
    let space = String(repeating: " ", count: gap)
    return ([columns.map(\.title)] + rows).map { texts in
      let row = texts.map(terminal.fit)
      var cells = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - terminal.width(cell))
        return columns[column].isRight ? padding + cell : cell + padding
      }
      // A line must not end in blanks.
      if columns.last?.isRight == false, let last = row.last { cells[cells.count - 1] = last }
      var line = cells.joined(separator: space)
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  fileprivate mutating func moveFreeColumnLast() {
    guard let column = columns.firstIndex(where: \.isFree) else { return }
    columns.append(columns.remove(at: column))
    columns[columns.count - 1].isRight = false
    for row in rows.indices { rows[row].append(rows[row].remove(at: column)) }
  }

  fileprivate mutating func dropColumn() -> Bool {
    guard let rank = columns.map(\.rank).max(), rank > 0,
      let column = columns.lastIndex(where: { $0.rank == rank })
    else { return false }
    columns.remove(at: column)
    for row in rows.indices { rows[row].remove(at: column) }
    return true
  }
}

extension Terminal {
  /// The table in the most precise form that fits.
  func lines(_ make: (Detail) -> TextTable) -> [String] {
    for detail in Detail.allCases {
      let table = make(detail)
      if table.fits(self, gap: 2) { return table.lines(self, gap: 2) }
    }
    var table = make(.compact)
    if table.fits(self, gap: 1) { return table.lines(self, gap: 1) }
    table.moveFreeColumnLast()
    while !table.fits(self, gap: 1), table.dropColumn() {}
    return table.lines(self, gap: 1)
  }

  /// Words after a heading, in several lines; no word is cut.
  func lines(_ heading: String, words: [String]) -> [String] {
    let indent = String(repeating: " ", count: width(heading))
    var lines: [String] = []
    var line = heading
    var isEmpty = true
    for word in words.map(fit) {
      if !isEmpty, width(line) + 1 + width(word) > columns {
        lines.append(line)
        (line, isEmpty) = (indent, true)
      }
      line += isEmpty ? word : " " + word
      isEmpty = false
    }
    return lines + [line]
  }

  /// A line wrapped into as many lines as it needs, where people read it. A line that is piped or searched is not
  /// wrapped. The further lines are indented two columns more than the first.
  func wrapped(_ line: String) -> [String] {
    guard isTerminal, width(line) > columns else { return [fit(line)] }
    let indent = String(line.prefix { $0 == " " })
    let words = line.dropFirst(indent.count).split(separator: " ", omittingEmptySubsequences: false)
    var narrower = self
    narrower.columns -= 2
    let lines = narrower.lines(indent, words: words.map(String.init))
    return lines.prefix(1) + lines.dropFirst().map { "  " + $0 }
  }

  /// A bar for a share of the whole width; a value above zero is always visible.
  func bar(_ value: Int, of largest: Int, width: Int) -> String {
    guard value > 0, largest > 0, width > 0 else { return "" }
    let share = Double(value) / Double(largest) * Double(width)
    guard isUnicode else {
      return share < 0.5 ? "." : String(repeating: "#", count: Int(share.rounded()))
    }
    let eighths = max(1, Int((share * 8).rounded()))
    let rest = [
      "", "\u{258F}", "\u{258E}", "\u{258D}", "\u{258C}", "\u{258B}", "\u{258A}", "\u{2589}",
    ]
    return String(repeating: "\u{2588}", count: eighths / 8) + rest[eighths % 8]
  }

  /// A character for each value, as high as its share of the largest; a blank for a missing value.
  func sparkline(_ values: some Collection<Double?>) -> String {
    let signs: [String] =
      isUnicode
      ? (0x2581...0x2588).compactMap { Unicode.Scalar($0) }.map(String.init)
      : ["_", ".", "-", "=", "+", "*", "%", "#"]
    let largest = values.reduce(0) { max($0, $1 ?? 0) }
    return values.map { value in
      guard let value else { return " " }
      guard value > 0, largest > 0 else { return signs[0] }
      // A value above zero is drawn higher than zero.
      let step = Int((value / largest * Double(signs.count - 1)).rounded())
      return signs[min(max(1, step), signs.count - 1)]
    }.joined()
  }

  /// Two blocks of lines side by side. A line of the left block that is too long gets its own row.
  func beside(_ left: [String], _ right: [String], gap: Int) -> [String] {
    let column = columns - gap - right.reduce(0) { max($0, width($1)) }
    let start = left.map(width).filter { $0 <= column }.max() ?? 0
    var rest = right[...]
    var lines: [String] = []
    for line in left {
      guard width(line) <= column, let other = rest.popFirst() else {
        lines.append(line)
        continue
      }
      lines.append(line + String(repeating: " ", count: start - width(line) + gap) + other)
    }
    return lines + rest.map { String(repeating: " ", count: start + gap) + $0 }
  }
}
