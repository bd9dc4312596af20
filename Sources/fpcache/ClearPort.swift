// fpcache clear-port: a port's pages and its category's.

import ArgumentParser
import CacheFS

struct ClearPort: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear-port",
    abstract: "Delete the pages of ports, and of their categories.",
    discussion: """
      Whatever lies in a port's folder goes with it.

      EXAMPLES
        fpcache clear-port graphics/py-pygeoapi
        fpcache clear-port --no-category 'graphics/*'
        fpcache clear-port --format json - < ports.txt
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var options: ClearOptions
  @Flag(name: .customLong("no-category"), help: "Leave the category's own pages.")
  var noCategory = false
  @Option(help: "How to print the result.") var format = ClearFormat.text

  @Argument(
    help: ArgumentHelp(
      "CATEGORY/PORT, 'CATEGORY/*', or - for standard input.", valueName: "category/port"))
  var ports: [String]

  func run() throws {
    try common.clear(ports, options, format) { (layout, text) throws(UserError) in
      try Self.request(text, layout, withCategory: !noCategory)
    }
  }

  /// Reads one argument.
  /// - Throws: ``UserError`` with status 64.
  static func request(
    _ text: [UInt8], _ layout: Layout, withCategory: Bool
  ) throws(UserError) -> ClearRequest {
    let parts = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw UserError(
        .usage, "\(escape(text)): expected CATEGORY/PORT, such as graphics/py-pygeoapi")
    }
    let category = Array(parts[0])
    let port = Array(parts[1])
    let isWhole = port == [UInt8(ascii: "*")]
    do throws(KeyError) {
      let key =
        isWhole
        ? try layout.ports(of: category) : try layout.port(category: category, port: port)
      return ClearRequest(
        text: text, keys: [key], companions: withCategory ? [try layout.category(category)] : [],
        isBroad: isWhole)
    } catch {
      throw UserError(.usage, "\(escape(text)): \(error.explanation)")
    }
  }
}
