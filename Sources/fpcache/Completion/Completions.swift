// SPDX-License-Identifier: BSD-2-Clause
//
// The values that Tab offers: the names that exist in the tree, and the words that an option takes. The shells' scripts
// ask the program itself (`fpcache ---completion`), so the two cannot differ.
//
// On any error it offers nothing and prints nothing: an error in the middle of a line that is being typed helps no
// user. It offers only names that their field's kind accepts, and none of those that could mean anything to a shell.

import ArgumentParser
import Basics
import CacheFS
import SystemPackage

extension CompletionKind {
  static var ports: CompletionKind { offering { $0.ports } }
  static var dates: CompletionKind { offering { $0.dates(today: CalendarDate.today()) } }
  static var branches: CompletionKind { offering { $0.branches } }
  static var fields: CompletionKind { offering { $0.layout.groupNames } }
  static var families: CompletionKind {
    offering { $0.layout.families.filter { $0.clearing != .never }.map(\.name) }
  }

  /// `FIELD=VALUE` for the family on the line.
  static var bindings: CompletionKind {
    .custom { line, index, prefix in
      let line = CompletionLine(line, index, prefix)
      guard let offer = Offer(line) else { return [] }
      return offer.bindings(line)
    }
  }

  /// Fields of the family on the line, separated by commas.
  static var keyFields: CompletionKind {
    .custom { line, index, prefix in
      let line = CompletionLine(line, index, prefix)
      return Offer(line)?.keyFields(line) ?? []
    }
  }

  /// Some of these words, separated by commas.
  static func list(of words: [String]) -> CompletionKind {
    .custom { line, index, prefix in
      Offer.list(of: words, CompletionLine(line, index, prefix).prefix)
    }
  }

  private static func offering(
    _ words: @escaping @Sendable (Offer) -> [String]
  ) -> CompletionKind {
    .custom { line, index, prefix in
      let line = CompletionLine(line, index, prefix)
      guard let offer = Offer(line) else { return [] }
      return words(offer).filter { $0.hasPrefix(line.prefix) }
    }
  }
}

/// What may be offered for a word.
struct Offer {
  let prefix: String
  let layout: Layout
  /// Nil when there is no cache directory.
  let names: FieldValues?

  private func values(_ field: String, _ family: String, _ given: [(String, String)]) -> [String] {
    let given = given.map { (field: $0.0, value: Array($0.1.utf8)) }
    return (names?.values(of: field, in: family, given: given) ?? [])
      .filter(Self.isPlain).map { String(decoding: $0, as: UTF8.self) }.sorted()
  }

  /// Whether every shell takes the name literally. The kinds of FreshPorts accept only such names; those of another
  /// site may accept others.
  private static func isPlain(_ name: [UInt8]) -> Bool {
    escape(name).utf8.elementsEqual(name)
      && name.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...:
          true
        default: "+-_.,@/".utf8.contains(byte)
        }
      }
  }

  // MARK: Fields of a family

  /// The fields that are not bound yet, or the values of a field when only that one can be meant.
  func bindings(_ line: CompletionLine) -> [String] {
    guard let (family, given) = line.clear(layout), let row = layout.family(named: family) else {
      return []
    }
    if let binding = line.binding {
      return values(binding.field, family, given).filter { $0.hasPrefix(binding.value) }
        .map { binding.head + $0 }
    }
    let fields = row.fieldNames.filter { field in
      field.hasPrefix(prefix) && !given.contains { $0.0 == field }
    }
    guard let only = fields.first, fields.count == 1 else { return fields.map { $0 + "=" } }
    let values = values(only, family, given)
    return values.isEmpty ? [only + "="] : values.map { "\(only)=\($0)" }
  }

  /// The fields of the family, separated by commas.
  func keyFields(_ line: CompletionLine) -> [String] {
    guard let (family, _) = line.clear(layout), let row = layout.family(named: family) else {
      return []
    }
    return Self.list(of: row.fieldNames, prefix)
  }

  // MARK: Ports

  /// Categories, or a category's ports when only that category can be meant: so no blank ever follows the slash, and
  /// one folder is listed at a time.
  var ports: [String] {
    if let slash = prefix.firstIndex(of: "/") {
      return ports(of: String(prefix[..<slash]))
    }
    let categories = values("category", "ports", []).filter { $0.hasPrefix(prefix) }
    if let only = categories.first, categories.count == 1 { return ports(of: only) }
    return categories.map { $0 + "/" }
  }

  private func ports(of category: String) -> [String] {
    values("port", "ports", [("category", category)]).map { "\(category)/\($0)" }
  }

  // MARK: Days

  /// Years, months or days, one step at a time, and the words for the latest two.
  func dates(today: CalendarDate) -> [String] {
    if let dots = prefix.ranges(of: "..").first {
      let first = prefix[..<dots.upperBound]
      return days(String(prefix[dots.upperBound...])).map { first + $0 }
    }
    return days(prefix) + ["today", "yesterday"].filter { $0.hasPrefix(prefix) }
  }

  private func days(_ prefix: String) -> [String] {
    let years = values("year", "daily", []).filter { year in
      year.hasPrefix(prefix) || prefix.hasPrefix(year)
    }
    guard let year = years.first, years.count == 1 else { return years }
    let months = values("month", "daily", [("year", year)])
      .filter { CalendarDate.exists("\(year)-\($0)-01") }.map { "\(year)-\($0)" }
      .filter { month in month.hasPrefix(prefix) || prefix.hasPrefix(month) }
    guard let month = months.first, months.count == 1 else { return months }
    return values(
      "day", "daily", [("year", year), ("month", String(month.suffix(2)))]
    ).map { "\(month)-\($0)" }.filter(CalendarDate.exists)
  }

  // MARK: Branches

  /// `head`, and the branches of everything in folders that need no key to be found: the feeds.
  var branches: [String] {
    let found = layout.families.flatMap { values("branch", $0.name, []) }
    return Set(found.filter(FieldKind.branch.accepts(text:)) + ["head"]).sorted()
  }

  // MARK: Lists

  /// The list so far, with each of the words that it does not contain yet. A single word is also offered with a comma,
  /// so that no blank ends the list.
  static func list(of words: [String], _ prefix: String) -> [String] {
    let parts = prefix.split(separator: ",", omittingEmptySubsequences: false)
    let begun = parts.dropLast().map(String.init)
    let last = parts.last ?? ""
    let head = begun.map { $0 + "," }.joined()
    let left = words.filter { !begun.contains($0) }
    let found = left.filter { $0.hasPrefix(last) }
    guard let only = found.first, found.count == 1, left.count > 1 else {
      return found.map { head + $0 }
    }
    return [head + only, head + only + ","]
  }
}

extension Offer {
  /// Reads what the line is about; nil when its configuration is wrong.
  init?(_ line: CompletionLine) {
    guard let config = try? line.resolve() else { return nil }
    let root = try? config.openCacheDirectory()
    self.init(
      prefix: line.prefix, layout: config.layout,
      names: root.map { FieldValues($0, layout: config.layout) })
  }
}

extension CalendarDate {
  fileprivate static func exists(_ text: String) -> Bool { CalendarDate(Array(text.utf8)) != nil }
}
