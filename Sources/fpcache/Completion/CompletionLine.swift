// SPDX-License-Identifier: BSD-2-Clause
//
// The command line as a shell passes it when the user presses Tab, before it is valid: the word being typed, and the
// cache directory that it is about.

import Basics
import CacheFS

/// A line being typed.
struct CompletionLine: Equatable {
  /// The part of the completed word before the cursor.
  let prefix: String
  /// The line's words, without their quotes.
  let words: [String]
  /// The index of the completed word.
  private let index: Int

  /// - Parameters:
  ///   - words: as they were typed, with their quotes.
  ///   - index: of the word that is completed.
  ///   - prefix: what the parser says precedes the cursor; it takes that from the last word whichever word is
  ///     completed.
  init(_ words: [String], _ index: Int, _ prefix: String) {
    self.index = index
    let isLast = index >= words.count - 1
    let typed = unquoted(isLast || !words.indices.contains(index) ? prefix : words[index])
    self.prefix = Self.withoutOption(typed)
    self.words = words.map(unquoted)
  }

  /// The part after the equals sign of `--option=`; bash splits the word at that sign.
  private static func withoutOption(_ word: String) -> String {
    if word == "=" { return "" }
    guard word.hasPrefix("--"), let equals = word.firstIndex(of: "=") else { return word }
    return String(word[equals...].dropFirst())
  }

  /// The last value of an option on the line, as `--option VALUE` or `--option=VALUE`. Bash passes the latter as three
  /// words.
  func value(of option: String) -> String? {
    var value: String?
    for (index, word) in words.enumerated() {
      if word.hasPrefix(option + "=") {
        value = String(word.dropFirst(option.count + 1))
      } else if word == option, let next = words.dropFirst(index + 1).first {
        value = next == "=" ? words.dropFirst(index + 2).first : next
      }
    }
    return value.map(withHome)
  }

  /// A word `NAME=VALUE` that is being typed.
  struct Binding: Equatable {
    let field: String
    let value: String
    /// The text that must precede each offer: bash makes three words of the binding, other shells one.
    let head: String
  }

  /// The word being typed, if it has an equals sign already.
  var binding: Binding? {
    if words.indices.contains(index), words[index] == "=", index > 0 {
      return Binding(field: words[index - 1], value: "", head: "")
    }
    if index > 1, words.indices.contains(index - 1), words[index - 1] == "=" {
      return Binding(field: words[index - 2], value: prefix, head: "")
    }
    guard let equals = prefix.firstIndex(of: "=") else { return nil }
    let field = String(prefix[..<equals])
    return Binding(
      field: field, value: String(prefix[equals...].dropFirst()), head: field + "=")
  }

  /// The family that `fpcache clear` is given, and those of its fields that other words on the line give.
  func clear(_ layout: Layout) -> (family: String, given: [(String, String)])? {
    guard let start = words.firstIndex(of: "clear") else { return nil }
    var family: String?
    var given: [(String, String)] = []
    for place in words.indices where place > start && place != index {
      let word = words[place]
      if family == nil, place < index {
        if layout.family(named: word) != nil { family = word }
      } else if place + 2 < words.count, words[place + 1] == "=", place + 2 != index,
        place + 1 != index
      {
        given.append((word, words[place + 2]))
      } else if let equals = word.firstIndex(of: "="), equals != word.startIndex,
        !word.hasPrefix("-")
      {
        given.append((String(word[..<equals]), String(word[equals...].dropFirst())))
      }
    }
    return family.map { ($0, given) }
  }

  /// The configuration that the line names, or the default one.
  /// - Throws: ``UserError``.
  func resolve() throws(UserError) -> Config {
    try Config.resolve(
      flags: Config.Flags(config: value(of: "--config"), cacheDir: value(of: "--cache-dir")),
      environment: environment(), files: .real)
  }

  /// Expands `~/` as the shell would.
  private func withHome(_ path: String) -> String {
    guard path.hasPrefix("~/"), let home = getenv("HOME") else { return path }
    return String(cString: home) + path.dropFirst(1)
  }
}

/// The word without its quotes and backslashes, as a shell would pass it; a quote may be open.
func unquoted(_ word: String) -> String {
  var text = ""
  var quote: Character?
  var isEscaped = false
  for character in word {
    if isEscaped {
      text.append(character)
      isEscaped = false
    } else if character == "\\", quote != "'" {
      isEscaped = true
    } else if character == quote {
      quote = nil
    } else if quote == nil, character == "'" || character == "\"" {
      quote = character
    } else {
      text.append(character)
    }
  }
  return text
}
