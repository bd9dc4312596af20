// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache clear-news: the feeds and the front page.

import ArgumentParser
import Basics

struct ClearNews: SiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear-news", _superCommandName: "fpcache",
    abstract: "Empty the news family: feeds and the front page.",
    discussion: """
      Files and whole folders go; names that begin with a dot stay. The listener does the same \
      after every change, so this is for a site whose front page is stale and whose listener is not \
      running.

      EXAMPLES
        fpcache clear-news -n -v   what would go
        fpcache clear-news
      """)

  @Option(help: "How to print the result.") var format = ClearFormat.text
  @OptionGroup var common: CommonOptions

  func run() throws {
    try ClearCommand(common, nil, nil, format, .news).runNews()
  }
}
