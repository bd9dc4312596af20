// SPDX-License-Identifier: BSD-2-Clause
//
// The options that only clear commands have.

import ArgumentParser
import Basics
import CacheFS

struct ClearOptions: ParsableArguments {
  @Option(
    name: .customLong("branch"),
    help: ArgumentHelp(
      "Only pages of this branch: head, or a quarter such as 2020Q1. May be given again.",
      valueName: "branch"),
    completion: .branches)
  var branches: [String] = []

  @Flag(help: "Empty the news family too, as the listener does.")
  var news = false

  func validate() throws {
    for branch in branches {
      guard FieldKind.branch.accepts(text: branch) else {
        throw ValidationError(
          "--branch \(branch): expected \(FieldKind.branch.expectation)")
      }
    }
  }

  var branchSet: Set<[UInt8]>? {
    branches.isEmpty ? nil : Set(branches.map { Array($0.utf8) })
  }
}

/// The options about keys, of any kind.
struct KeyOptions: ParsableArguments {
  @Flag(help: "Exit with status 3 if a key matches nothing.")
  var requireMatch = false

  @Flag(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Do not ask before a big purge.",
      discussion: """
        Without this, fpcache asks once before it deletes a whole category, family or folder, or a \
        year of days; only at a terminal, never in a script.
        """))
  var yes = false

  @Flag(
    name: [.customShort("0"), .customLong("null")], help: "Keys on standard input end with NUL.")
  var null = false
}

extension ClearOptions: PlainOptions {
  mutating func take(_ words: inout PlainWords) {
    branches = words.values("--branch")
    news = words.flag("--news")
  }
}

extension KeyOptions: PlainOptions {
  mutating func take(_ words: inout PlainWords) {
    requireMatch = words.flag("--require-match")
    yes = words.flag("-y", "--yes")
    null = words.flag("-0", "--null")
  }
}
