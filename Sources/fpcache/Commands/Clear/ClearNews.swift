// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache clear-news: clears the feeds and the front page.

import ArgumentParser
import Basics

struct ClearNews: SiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear-news", _superCommandName: "fpcache",
    abstract: "Empty the news family: feeds and the front page.",
    usage: "fpcache clear-news [<options>]",
    discussion: """
      Deletes files and whole folders, except names that begin with a dot. The listener does the \
      same after every change; use this command when the front page is stale and the listener is not running.

      EXAMPLES
        fpcache clear-news -n -v   what would go
        fpcache clear-news
      """)

  static let unusedOptions: Set = ["--dsn"]

  @Option(help: "How to print the result.") var format = ClearFormat.text
  @OptionGroup(title: UsageText.commonTitle) var common: CommonOptions

  func run() throws {
    try ClearCommand(common, nil, nil, format, .news).runNews()
  }
}

extension ClearNews: PlainCommand {
  mutating func take(_ words: inout PlainWords) {
    format = words.word("--format") ?? .text
    common = words.options()
  }
}
