// SPDX-License-Identifier: BSD-2-Clause
//
// PRUNE of [listen]: what fpcache prune is told by its options, one rule a line.
//
//   PRUNE = tiles max-bytes 20G
//       articles, history older-than 90d by atime

import Basics
import CacheFS
import Listening

/// Reads PRUNE.
enum PruneSetting {
  private static let key = Setting.prune.key
  private static let expected =
    "FAMILY max-bytes SIZE, FAMILY max-files NUMBER or FAMILY older-than AGE"

  /// The rules; empty where the file has none.
  /// - Throws: ``UserError`` with status 78.
  static func rules(_ ini: INI, _ layout: Layout) throws(UserError) -> [PruneRule] {
    guard let value = try Setting.prune.value(in: ini) else { return [] }
    var text = RuleTokens(value.text)
    var rules: [PruneRule] = []
    while text.next != .end { rules.append(try rule(&text, value, layout)) }
    return rules
  }

  private static func rule(
    _ text: inout RuleTokens, _ value: INIValue, _ layout: Layout
  ) throws(UserError) -> PruneRule {
    var families: [String] = []
    repeat {
      let name = try word(&text, value)
      _ = try layout.clearable(name, value, key)
      guard !families.contains(name) else {
        throw value.problem(key, "\(name) is given twice; give it once")
      }
      families.append(name)
    } while text.take(.sign(","))
    let limit = try limit(&text, value)
    var order = PruneOrder.mtime
    if text.take(.word("by")) {
      let name = try word(&text, value)
      guard let word = AgeWord(rawValue: name) else {
        throw value.problem(
          key,
          "\(name) is not understood; expected \(listed(AgeWord.allCases.map(\.rawValue), "or"))")
      }
      order = word.order
    }
    return PruneRule(families, limit, by: order)
  }

  private static func limit(
    _ text: inout RuleTokens, _ value: INIValue
  ) throws(UserError) -> PruneRule.Limit {
    let kind = try word(&text, value)
    let amount = try word(&text, value)
    switch kind {
    case "max-bytes":
      if let size = ByteSize(argument: amount) { return .bytes(size.bytes) }
    case "max-files":
      if let number = Int(amount), number >= 0 { return .files(number) }
    case "older-than":
      if let age = Age(argument: amount) { return .age(age.nanoseconds) }
    default: break
    }
    throw value.problem(key, "\(kind) \(amount) is not understood; expected \(expected)")
  }

  private static func word(
    _ text: inout RuleTokens, _ value: INIValue
  ) throws(UserError) -> String {
    guard let word = text.takeWord() else {
      throw value.problem(key, "\(text.next.text) is not understood; expected \(expected)")
    }
    return word
  }
}
