// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache clear-date: clears the daily pages of days, months, years and ranges.

import ArgumentParser
import CacheFS

struct ClearDate: SiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear-date", _superCommandName: "fpcache",
    abstract: "Delete the daily pages of dates.",
    discussion: """
      Each day of the archive of daily commits has one page per branch. A day, month, \
      year or range that does not exist is an error, and nothing is deleted.

      EXAMPLES
        fpcache clear-date yesterday today
        fpcache clear-date -n -v 2020-01            what would go with a month
        fpcache clear-date 2020-01-01..2020-03-31   both ends included
        fpcache clear-date --branch 2020Q1 2020     a year; asks first
        fpcache clear-date --news - < dates.txt     one a line
      """)

  static let unusedOptions: Set = ["--dsn"]

  @OptionGroup var options: ClearOptions
  @OptionGroup var keys: KeyOptions
  @Option(help: "How to print the result.") var format = ClearFormat.text
  @OptionGroup(title: UsageText.commonTitle) var common: CommonOptions

  @Argument(
    help: ArgumentHelp(
      "2020-01-21, 2020-01, 2020, 2020-01-01..2020-01-31, today, yesterday, "
        + "or - for standard input.", valueName: "date"),
    completion: .dates)
  var dates: [String]

  func run() throws {
    let today = CalendarDate.today()
    let command = ClearCommand(common, options, keys, format, .dates)
    try command.run(dates, needs: ("daily", ["year", "month", "day"])) {
      (layout, text) throws(UserError) in
      let date = try DateArgument(text, today: today)
      do throws(KeyError) {
        return ClearRequest(
          text: text, keys: try date.keys(layout), isBroad: !date.isSingleDay,
          extent: date.isYearOrMore ? .days : nil)
      } catch {
        throw UserError(.configuration, error.explanation)
      }
    }
  }
}

extension ClearDate: PlainCommand {
  mutating func take(_ words: inout PlainWords) {
    options = words.options()
    keys = words.options()
    format = words.word("--format") ?? .text
    common = words.options()
    dates = words.operands()
  }
}
