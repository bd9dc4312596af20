// fpcache clear-news: the feeds and the front page.

import ArgumentParser

struct ClearNews: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear-news",
    abstract: "Empty the news family: feeds and the front page.",
    discussion: """
      Files and whole folders go; names that begin with a dot stay.

      EXAMPLES
        fpcache clear-news
        fpcache clear-news -n -v
      """)

  @OptionGroup var common: CommonOptions
  @Option(help: "How to print the result.") var format = ClearFormat.text

  func run() throws {
    let config = try common.resolve()
    var run = ClearRun(try common.clearer(config, paths: common.verbose ? .kept : .dropped))
    let news = try common.newsKey(config.layout)
    run.add(ClearRequest(text: Array("news".utf8), keys: [news], isBroad: true))
    try common.report(run.finish(), format)
  }
}
