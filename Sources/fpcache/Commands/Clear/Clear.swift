// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache clear: clears pages of any family of the layout by any of its fields, or the pages of all families.

import ArgumentParser
import Basics
import CacheFS

struct Clear: SiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear", _superCommandName: "fpcache",
    abstract: "Delete the pages of any family, by its fields.",
    discussion: """
      The families are those of the layout: FreshPorts', or [layout] of the configuration. Each \
      FIELD=VALUE selects fewer pages; without any, the whole family is deleted. With -, each line of standard input is one key: FIELD=VALUE, separated by tabs. With --all, every family that an invalidation may clear is deleted; pages that visitors do not re-create stay. With --fields, each line holds only the values of these fields, such as z/x/y of an expire list.

      EXAMPLES
        fpcache clear packages category=graphics port=gimp
        fpcache clear -n -v general report=sanity_test_failures   what would go
        fpcache clear commits                               the whole; asks first
        fpcache clear --all                                 all that can be stale; asks first
        fpcache clear --format json packages - < keys.txt   one a line
        fpcache clear tiles - --fields z,x,y --separator / < expire.list
      """)

  static let unusedOptions: Set = ["--dsn"]

  @Flag(help: "Clear every family that an invalidation may clear.") var all = false
  @OptionGroup var columns: KeyColumnOptions
  @OptionGroup var keys: KeyOptions
  @Option(help: "How to print the result.") var format = ClearFormat.text
  @OptionGroup(title: UsageText.commonTitle) var common: CommonOptions

  @Argument(
    help: ArgumentHelp("A family of the layout.", valueName: "family"), completion: .families)
  var family: String?

  @Argument(
    help: ArgumentHelp("FIELD=VALUE, or - for standard input.", valueName: "field=value"),
    completion: .bindings)
  var bindings: [String] = []

  func validate() throws {
    if columns.fields != nil, !bindings.contains("-") {
      throw ValidationError("--fields: is for keys on standard input; give - too")
    }
    guard all else {
      if family == nil { throw ValidationError("expected a family, or --all") }
      return
    }
    if let family {
      throw ValidationError("--all \(family.escaped): give either --all or a family, not both")
    }
    if keys.null { throw ValidationError("--null: not with --all, which reads no keys") }
  }

  func run() throws {
    guard let family else {
      return try ClearCommand(common, nil, keys, format, .everything).runAll()
    }
    let given = bindings.filter { $0 != "-" }
    // A FIELD=VALUE given together with `-` holds for each line.
    let inputs = bindings.contains("-") ? ["-"] : [""]
    let fixed = given.map { Array($0.utf8) }
    let command = ClearCommand(common, nil, keys, format, .family(family))
    if let fields = columns.names {
      var lines = KeyColumns()
      let prepare = { (layout: Layout) throws(UserError) in
        lines = try KeyColumns(
          try Self.family(family, layout), fields, columns.separatorByte, beside: fixed, layout)
      }
      return try command.run(inputs, prepare: prepare) { (_, line) throws(UserError) in
        try lines.request(line)
      }
    }
    var fields: [String]?
    try command.run(inputs) { (layout, text) throws(UserError) in
      let lines = text.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
      let own = text.isEmpty ? [] : lines.map(Array.init)
      return try Self.request(family, fixed + own, layout, &fields)
    }
  }

  /// Reads a key.
  /// - Parameter usual: the fields that the first key binds. Keys that bind the same fields do not overlap.
  /// - Throws: ``UserError`` with status 64.
  static func request(
    _ name: String, _ bindings: [[UInt8]], _ layout: Layout, _ usual: inout [String]?
  ) throws(UserError) -> ClearRequest {
    let values = try values(bindings, of: try family(name, layout))
    let text = ([Array(name.utf8)] + bindings).joined(separator: [UInt8(ascii: " ")])
    let fields = values.map(\.field).sorted()
    if usual == nil { usual = fields }
    do throws(KeyError) {
      let key = try layout.key(name, values)
      return ClearRequest(
        text: Array(text), keys: [key], isBroad: fields != usual || layout.isPattern(key),
        extent: layout.isBig(key) ? .part : nil)
    } catch {
      throw UserError(.usage, "\(escape(Array(text))): \(error.explanation)")
    }
  }

  /// Reads each FIELD=VALUE.
  /// - Throws: ``UserError`` with status 64.
  static func values(
    _ bindings: [[UInt8]], of family: Family
  ) throws(UserError) -> [(field: String, value: [UInt8])] {
    let name = family.name
    var values: [(field: String, value: [UInt8])] = []
    for binding in bindings {
      let field = binding.prefix { $0 != UInt8(ascii: "=") }
      guard field.count < binding.count, !field.isEmpty else {
        throw UserError(
          .usage,
          "\(escape(binding)): expected FIELD=VALUE; the fields of \(name) are \(family.fieldList)")
      }
      let fieldName = String(decoding: field, as: UTF8.self)
      guard family.field(named: fieldName) != nil else {
        throw UserError(
          .usage,
          "\(escape(binding)): \(name) has no field \(escape(field)); "
            + suggestion(for: fieldName, among: family.fields.map(\.name)))
      }
      guard !values.contains(where: { $0.field == fieldName }) else {
        throw UserError(.usage, "\(escape(binding)): \(fieldName) is given twice; give it once")
      }
      values.append((fieldName, Array(binding.dropFirst(field.count + 1))))
    }
    return values
  }

  /// A family that may be cleared.
  /// - Throws: ``UserError`` with status 64.
  static func family(_ name: String, _ layout: Layout) throws(UserError) -> Family {
    guard let family = layout.family(named: name) else {
      throw UserError(
        .usage,
        "\(name.escaped): no such family in the layout; "
          + suggestion(for: name, among: layout.clearableFamilies))
    }
    guard family.clearing != .never else {
      throw UserError(
        .usage, "\(name): is never cleared; expected one of \(layout.clearableNames)")
    }
    return family
  }
}
