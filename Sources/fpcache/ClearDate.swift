// fpcache clear-date: the daily pages of days, months, years and ranges.

import ArgumentParser
import CacheFS

struct ClearDate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear-date",
    abstract: "Delete the daily pages of dates.",
    discussion: """
      EXAMPLES
        fpcache clear-date 2020-01-21
        fpcache clear-date --branch head --branch 2020Q1 2020-01-01..2020-01-31
        fpcache clear-date -n -v 2020
        fpcache clear-date - < dates.txt
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var options: ClearOptions
  @Option(help: "How to print the result.") var format = ClearFormat.text

  @Argument(
    help: ArgumentHelp(
      "2020-01-21, 2020-01, 2020, 2020-01-01..2020-01-31, today, yesterday, "
        + "or - for standard input.", valueName: "date"))
  var dates: [String]

  func run() throws {
    let today = CalendarDate.today()
    try common.clear(dates, options, format) { (layout, text) throws(UserError) in
      let date = try DateArgument(text, today: today)
      do throws(KeyError) {
        return ClearRequest(text: text, keys: try date.keys(layout), isBroad: !date.isSingleDay)
      } catch {
        throw UserError(.configuration, "the layout has no daily family to clear")
      }
    }
  }
}
