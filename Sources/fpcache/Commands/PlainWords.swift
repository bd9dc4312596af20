// SPDX-License-Identifier: BSD-2-Clause
//
// Reads a command line of the plainest form without the parser: options by their whole names, each with its value as
// the next word, and operands. Scripts run a clear for each page, and two thirds of what such a run executed were the
// parser's: it asks Swift's runtime which protocols the type of each option conforms to.
//
// Whatever is not plain, or not valid, goes to the parser, which has the error messages, the help and all other forms.

import ArgumentParser

/// A command that can be read from plain words.
protocol PlainCommand: ParsableCommand, PlainOptions {}

/// Options that can be read from plain words.
protocol PlainOptions: ParsableArguments {
  /// Takes the words of each property, and sets every one: a property that is not set ends the program when it is read.
  /// (Not an initializer: there, an assignment would only replace a property's definition.)
  mutating func take(_ words: inout PlainWords)
}

extension PlainCommand {
  /// The command that these words ask for; nil when only the parser can tell.
  static func plain(_ arguments: [String]) -> Self? {
    var words = PlainWords(arguments)
    let command: Self = words.options()
    return words.isTaken ? command : nil
  }
}

/// The words of a command line, which are taken one by one.
struct PlainWords {
  /// Nil where a word was taken, so that words which were apart do not become neighbours.
  private var words: [String?]
  private var isPlain = true

  init(_ words: [String]) { self.words = words }

  /// Whether every word was taken, and all of them are plain and valid.
  fileprivate var isTaken: Bool { isPlain && words.allSatisfy { $0 == nil } }

  /// Options that several commands have.
  mutating func options<Options: PlainOptions>() -> Options {
    var options = Options()
    options.take(&self)
    do { try options.validate() } catch { isPlain = false }
    return options
  }

  /// Whether a flag is given, by any of its names.
  mutating func flag(_ names: String...) -> Bool {
    let index = words.firstIndex { $0.map(names.contains) ?? false }
    guard let index else { return false }
    words[index] = nil
    return true
  }

  /// The value of an option; nil where it is not given.
  mutating func value(_ name: String) -> String? {
    guard let index = words.firstIndex(of: name) else { return nil }
    words[index] = nil
    guard index + 1 < words.count, let value = words[index + 1], value != "-", isOperand(value)
    else {
      isPlain = false
      return nil
    }
    words[index + 1] = nil
    return value
  }

  /// The values of an option that may be given again.
  mutating func values(_ name: String) -> [String] {
    var values: [String] = []
    while let value = value(name) { values.append(value) }
    return values
  }

  /// The value of an option that is one of a few words; nil where it is not given.
  mutating func word<Word: WordArgument>(_ name: String) -> Word? {
    guard let text = value(name) else { return nil }
    let word = Word(rawValue: text)
    if word == nil { isPlain = false }
    return word
  }

  /// What is left: at least one operand.
  mutating func operands() -> [String] {
    let left = words.compactMap(\.self)
    if left.isEmpty || !left.allSatisfy(isOperand) { isPlain = false }
    words = []
    return left
  }

  /// Whether the parser takes a word for an operand, wherever it stands.
  private func isOperand(_ word: String) -> Bool {
    !word.isEmpty && (word == "-" || !word.utf8.starts(with: "-".utf8))
  }
}
