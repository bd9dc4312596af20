// SPDX-License-Identifier: BSD-2-Clause
//
// Lists that other programs write, such as the z/x/y of osm2pgsql's expired tiles. Each line of standard input is
// split at a separator into the values of the fields that --fields names.

import ArgumentParser
import Basics
import CacheFS

/// How the lines of a list become keys of one family.
struct KeyColumns {
  private var family = ""
  private var fields: [String] = []
  private var separator = KeyColumnOptions.tab
  /// The values that hold for each line. Their fields come before the others in the recipe.
  private var fixed: [[UInt8]] = []
  /// Nil until the layout is checked.
  private var recipe: (layout: Layout, keys: KeyRecipe)?

  /// The state before the layout is checked.
  init() {}

  /// - Parameters:
  ///   - fields: the fields of a line's values, in order.
  ///   - bindings: each FIELD=VALUE that holds for every line.
  /// - Throws: ``UserError`` with status 64.
  init(
    _ family: Family, _ fields: [String], _ separator: UInt8, beside bindings: [[UInt8]],
    _ layout: Layout
  ) throws(UserError) {
    let beside = try Clear.values(bindings, of: family)
    var seen: Set<String> = []
    for field in fields {
      let option = "--fields \(fields.joined(separator: ",").escaped)"
      guard family.field(named: field) != nil else {
        throw UserError(
          .usage,
          "\(option): \(family.name) has no field \(field.isEmpty ? "\"\"" : field.escaped); "
            + "expected some of \(family.fieldList)")
      }
      guard seen.insert(field).inserted else {
        throw UserError(.usage, "\(option): \(field) is given twice; give it once")
      }
      if beside.contains(where: { $0.field == field }) {
        throw UserError(
          .usage, "\(option): \(field) is also given as \(field)=VALUE; give it once")
      }
    }
    self.family = family.name
    self.fields = fields
    self.separator = separator
    fixed = beside.map(\.value)
    do throws(KeyError) {
      recipe = (layout, try layout.recipe(family.name, beside.map(\.field) + fields))
      // Each line checks the fixed values too. This check finds a wrong value even when there are no lines.
      _ = try layout.key(family.name, beside)
    } catch {
      throw UserError(.usage, "\(family.name): \(error.explanation)")
    }
  }

  /// The key of a line.
  /// - Throws: ``UserError`` with status 64.
  func request(_ line: [UInt8]) throws(UserError) -> ClearRequest {
    let values = line.split(separator: separator, omittingEmptySubsequences: false)
    guard values.count == fields.count, let recipe else {
      let sign = String(decoding: [separator], as: UTF8.self).escaped
      throw UserError(
        .usage,
        "\(excerpt(line)): has \(counted(values.count, "value")); "
          + "expected \(fields.count), for \(listed(fields, "and")), with \"\(sign)\" between")
    }
    do throws(KeyError) {
      let key = try recipe.keys.key { place in
        place < fixed.count ? fixed[place] : Array(values[place - fixed.count])
      }
      return ClearRequest(
        text: Array(family.utf8) + [UInt8(ascii: " ")] + line, keys: [key],
        isBroad: recipe.layout.isPattern(key),
        extent: recipe.layout.isBig(key) ? .part : nil)
    } catch {
      throw UserError(.usage, "\(excerpt(line)): \(error.explanation)")
    }
  }
}

/// The options that say how to split a line.
struct KeyColumnOptions: ParsableArguments {
  static let tab = UInt8(ascii: "\t")

  @Option(
    help: ArgumentHelp(
      "With -: the fields whose values each line holds, with commas between.",
      valueName: "field,..."),
    completion: .keyFields)
  var fields: String?

  @Option(
    help: ArgumentHelp(
      "With --fields: the character between two values of a line (default: a tab).",
      valueName: "character"))
  var separator: String?

  func validate() throws {
    guard let separator else { return }
    if fields == nil { throw ValidationError("--separator: is for --fields; give that too") }
    guard let byte = separator.utf8.first, separator.utf8.count == 1,
      byte == Self.tab || byte >= 0x20
    else {
      throw ValidationError(
        "--separator \"\(separator.escaped)\": expected one ASCII character, such as / or a comma")
    }
  }

  /// The names of the fields; nil where lines are not split into columns.
  var names: [String]? {
    // Split by scalars: a comma and a combining mark behind it are one character.
    fields.map { text in
      text.unicodeScalars.split(separator: ",", omittingEmptySubsequences: false)
        .map { String(Substring($0)) }
    }
  }

  /// The separator, as validate() has checked it.
  var separatorByte: UInt8 { separator?.utf8.first ?? Self.tab }
}
