// SPDX-License-Identifier: BSD-2-Clause
//
// A file of Sources as text: what it imports, declares and names, and how long its functions are. It is not a parser:
// the project's format puts each declaration at the start of its line.

import Foundation

/// One Swift file of Sources.
package struct SourceFile {
  /// The path from the root of the package, as `Sources/CacheFS/Clear/Clearer.swift`.
  package let path: String
  /// The text without comments and the contents of strings.
  package let code: String

  package struct Function {
    package let name: String
    /// From its first line to its closing brace.
    package let lines: Int
    package let arguments: Int
  }

  package init(path: String, text: String) {
    self.path = path
    code = text.replacing(/"(\\.|[^"\\\n])*"/, with: "\"\"").replacing(/\/\/[^\n]*/, with: "")
  }

  /// All files of the package that contains this file.
  package static func all() -> [SourceFile] {
    let top = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../..").standardized
    let sources = top.appendingPathComponent("Sources")
    let found = FileManager.default.enumerator(atPath: sources.path)
    let names = (found?.allObjects ?? []).compactMap { $0 as? String }
    return names.filter { $0.hasSuffix(".swift") }.sorted().compactMap { name in
      guard
        let text = try? String(contentsOf: sources.appendingPathComponent(name), encoding: .utf8)
      else { return nil }
      return SourceFile(path: "Sources/\(name)", text: text)
    }
  }

  /// `CacheFS/Clear`
  package var folder: String {
    path.split(separator: "/").dropFirst().dropLast().joined(separator: "/")
  }
  package var target: String { String(folder.prefix { $0 != "/" }) }

  package var imports: Set<String> {
    Set(code.matches(of: /(?m)^\s*(?:@\w+ )*import (\w+)/).map { String($0.1) })
  }

  /// The types that it declares at the top level.
  package var types: Set<String> {
    let declarations = code.matches(
      of: /(?m)^(?:@\S+ )*(?:\w+ )*(?:struct|class|enum|protocol|typealias) (\w+)/)
    return Set(declarations.map { String($0.1) })
  }

  /// All words that are spelled like a type.
  package var words: Set<String> { Set(code.matches(of: /\b[A-Z]\w*/).map { String($0.0) }) }

  /// Every function with a body, initializers too.
  package var functions: [Function] {
    let lines = code.split(separator: "\n", omittingEmptySubsequences: false)
    var found: [Function] = []
    for (index, line) in lines.enumerated() {
      guard
        let match = line.firstMatch(
          of: /^(\s*)(?:[\w@]+(?:\([\w ]*\))? )*(?:func (\S+?)|(init)[?!]?)[(<]/),
        !line.contains("convenience init()")
      else { continue }
      let indent = match.1
      guard let end = lines[index...].firstIndex(where: { $0.hasPrefix(indent + "}") }) else {
        continue
      }
      let signature = lines[index...end].joined(separator: "\n")
      let isOneLine = line.hasSuffix("}")
      // A requirement of a protocol has no body.
      let next = lines[(index + 1)...end].first { !$0.hasPrefix(indent + " ") && !$0.isEmpty }
      guard isOneLine || line.hasSuffix("{") || next?.hasSuffix("{") == true else { continue }
      found.append(
        Function(
          name: String(match.2 ?? match.3 ?? "?"), lines: isOneLine ? 1 : end - index + 1,
          arguments: Self.arguments(signature)))
    }
    return found
  }

  /// The number of arguments that a signature requires; those with a default are optional. The text between the
  /// parentheses is split at commas, except at commas in inner parentheses.
  private static func arguments(_ signature: String) -> Int {
    var (depth, angles) = (0, 0)
    var parts = [""]
    for character in signature {
      switch character {
      case "<" where depth == 0: angles += 1
      case ">" where depth == 0: angles = max(0, angles - 1)
      case "(", "[":
        if angles > 0 { continue }
        depth += 1
      case ")", "]":
        if angles > 0 { continue }
        depth -= 1
        if depth == 0 {
          return parts.count { !$0.contains("=") && $0.contains { !$0.isWhitespace } }
        }
      case "," where depth == 1: parts.append("")
      default: if depth > 0 { parts[parts.count - 1].append(character) }
      }
    }
    return 0
  }
}
