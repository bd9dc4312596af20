// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache clear-port: clears a port's pages and its category's pages.

import ArgumentParser
import Basics
import CacheFS

struct ClearPort: SiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear-port", _superCommandName: "fpcache",
    abstract: "Delete the pages of ports, and of their categories.",
    discussion: """
      Deletes everything in the folder of a port. The pages of its category list its ports, so they are deleted too, unless --no-category is given. \
      A port without a page deletes nothing, and keeps its category's pages.

      EXAMPLES
        fpcache clear-port graphics/py-pygeoapi
        fpcache clear-port -n -v www/nginx lang/python37   what would go
        fpcache clear-port 'graphics/*'                    a category; asks first
        fpcache clear-port --format json - < ports.txt     one a line
      """)

  static let unusedOptions: Set = ["--dsn"]

  @Flag(name: .customLong("no-category"), help: "Keep the category's own pages.")
  var noCategory = false
  @OptionGroup var options: ClearOptions
  @OptionGroup var keys: KeyOptions
  @Option(help: "How to print the result.") var format = ClearFormat.text
  @OptionGroup(title: UsageText.commonTitle) var common: CommonOptions

  @Argument(
    help: ArgumentHelp(
      "CATEGORY/PORT, 'CATEGORY/*', or - for standard input.", valueName: "category/port"),
    completion: .ports)
  var ports: [String]

  func run() throws {
    let command = ClearCommand(common, options, keys, format, .ports)
    var keys: PortKeys?
    try command.run(ports, needs: ("ports", ["category", "port"])) {
      (layout, text) throws(UserError) in
      try Self.request(text, layout, &keys, withCategory: !noCategory)
    }
  }

  /// Reads one argument.
  /// - Parameter keys: kept from one argument to the next.
  /// - Throws: ``UserError`` with status 64.
  static func request(
    _ text: [UInt8], _ layout: Layout, _ keys: inout PortKeys?, withCategory: Bool
  ) throws(UserError) -> ClearRequest {
    let parts = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw UserError(
        .usage, "\(escape(text)): expected CATEGORY/PORT, such as graphics/py-pygeoapi")
    }
    let category = Array(parts[0])
    let port = Array(parts[1])
    let isWhole = port == everyPort
    do throws(KeyError) {
      let made = if let keys { keys } else { try PortKeys(layout) }
      keys = made
      let key = try made.key(category: category, port: isWhole ? nil : port)
      let companion = withCategory ? try made.category(category) : nil
      return ClearRequest(
        text: text, keys: [key], companions: companion.map { [$0] } ?? [],
        isBroad: isWhole, extent: isWhole ? .category(category) : nil)
    } catch {
      throw UserError(.usage, "\(escape(text)): \(error.explanation)")
    }
  }
}

extension ClearPort: PlainCommand {
  mutating func take(_ words: inout PlainWords) {
    noCategory = words.flag("--no-category")
    options = words.options()
    keys = words.options()
    format = words.word("--format") ?? .text
    common = words.options()
    ports = words.operands()
  }
}

/// The port name that means all ports of a category.
private let everyPort = [UInt8(ascii: "*")]

extension ClearRequest {
  /// The argument of ``ClearPort``: without a name it means all of a category. Nil for text that is not a port.
  var port: (category: [UInt8], name: [UInt8]?)? {
    let parts = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    return (Array(parts[0]), Array(parts[1]) == everyPort ? nil : Array(parts[1]))
  }
}
