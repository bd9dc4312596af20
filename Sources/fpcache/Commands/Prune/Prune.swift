// SPDX-License-Identifier: BSD-2-Clause
//
// fpcache prune: removes the oldest pages of families until the rest is within a limit.

import ArgumentParser
import Basics
import CacheFS

struct Prune: SiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune", _superCommandName: "fpcache",
    abstract: "Delete the oldest pages of families until a bound holds.",
    discussion: """
      For a cache that grows because bots visit every page. The pages that were written longest ago go first; \
      with --by atime, those that were read or written longest ago. The bound is for all of the families \
      together. A page that is written anew meanwhile stays.

      EXAMPLES
        fpcache prune tiles --max-bytes 20G
        fpcache prune -n tiles --max-files 1000000          what would go
        fpcache prune articles history --older-than 90d     two families
        fpcache prune tiles --max-bytes 20G --by atime      by their last use
      """)

  static let unusedOptions: Set = ["--dsn"]

  @Option(
    help: ArgumentHelp(
      "Keep so many bytes at most: a number, or one with k, M, G or T (powers of 1,000).",
      valueName: "size"), transform: ByteSize.parse)
  var maxBytes: ByteSize?

  @Option(help: ArgumentHelp("Keep so many pages at most.", valueName: "number"))
  var maxFiles: Int?

  @Option(
    help: ArgumentHelp("Keep no page older than this, such as 90d.", valueName: "age"),
    transform: Age.parse)
  var olderThan: Age?

  @Option(help: "What the age goes by: the last write, or the last read or write.")
  var by = AgeWord.mtime

  @Flag(name: .shortAndLong, help: "Do not ask first; a script is never asked.")
  var yes = false

  @Option(help: "How to print the result.") var format = ClearFormat.text
  @OptionGroup(title: UsageText.commonTitle) var common: CommonOptions

  @Argument(
    help: ArgumentHelp("Families of the layout.", valueName: "family"), completion: .families)
  var families: [String]

  func validate() throws {
    let given = [
      (maxBytes != nil, "--max-bytes"), (maxFiles != nil, "--max-files"),
      (olderThan != nil, "--older-than"),
    ].filter(\.0).map(\.1)
    if given.isEmpty {
      throw ValidationError("expected a bound: --max-bytes, --max-files or --older-than")
    }
    if given.count > 1 {
      throw ValidationError("\(listed(given, "and")) cannot be used together")
    }
    if let maxFiles, maxFiles < 0 {
      throw ValidationError("--max-files \(maxFiles): expected a number from 0")
    }
  }

  private var bound: PruneBound {
    if let maxBytes { return .bytes(maxBytes.bytes) }
    if let maxFiles { return .files(maxFiles) }
    return .since(olderThan?.before(currentTime()) ?? .min)
  }

  func run() throws {
    let command = ClearCommand(common, nil, nil, format, .oldest(families))
    try command.runPrune(families, bound, by: by.order, isAsked: !yes)
  }
}
