// SPDX-License-Identifier: BSD-2-Clause
//
// Command lines that are read without the parser give what the parser makes of them, and only they are read so.

import ArgumentParser
import Testing

@testable import fpcache

@Suite struct PlainWordsTests {
  /// Each property with its value. One that was not set is a `definition`.
  private func properties(_ subject: Any) -> [String] {
    Mirror(reflecting: subject).children.flatMap { child in
      let label = child.label ?? ""
      guard let parsed = Mirror(reflecting: child.value).descendant("_parsedValue"),
        let value = Mirror(reflecting: parsed).children.first
      else { return ["\(label): \(child.value)"] }
      let isGroup = value.value is any ParsableArguments
      return isGroup
        ? properties(value.value).map { "\(label).\($0)" }
        : ["\(label): \(value.label ?? "") \(value.value)"]
    }
  }

  @Test(
    "the usual command lines are read without the parser, and all of their options are set",
    arguments: [
      "clear-port x/y", "clear-port --cache-dir /c x/y", "clear-port -n -v a/b c/d",
      "clear-port a/b --quiet",
      "clear-port --no-category --branch head --branch 2020Q1 --news --dry-run --verbose a/b",
      "clear-port --format json - -0", "clear-port --require-match --null --yes a/b",
      "clear-date --config /f.ini --dsn service=s --any-cache-dir --cross-mounts -q -y 2020",
      "clear-date --log syslog --color never today", "clear-news --log-format json",
      "listen", "listen --once --quiet --format json",
      "listen --settle 3 --poll-interval 60 --recheck-interval 60 --scrub-interval 86400",
      "listen --state-dir /s --status-file /f --metrics-file /m --events /e --node a",
      "listen --print-schema",
    ])
  func usual(_ line: String) throws {
    let words = line.split(separator: " ").map(String.init)
    let command = try #require(FPCache.plainCommands.first { $0._commandName == words.first })
    let read: (any PlainCommand)? = command.plain(Array(words.dropFirst()))
    let plain = try #require(read)
    let parsed = try command.parseAsRoot(Array(words.dropFirst()))
    #expect(properties(plain) == properties(parsed))
    #expect(properties(plain).count > 11)
  }

  @Test(
    "all else is the parser's",
    arguments: [
      "--help", "-h", "--version", "-nv a/b", "--cache-dir=/c a/b", "--cache-dir -n a/b",
      "a/b --cache-dir", "--format", "--settle -1", "--dsn - a/b",
      "--cache-dir /c --cache-dir /d a/b", "--cache-dir --no-category /c a/b",
      "--cache-dir --news /c a/b", "--config --once /f", "--dsn --branch head host=h a/b",
      "-n -n a/b", "-- a/b", "-- --x",
      "--unknown a/b", "--format xml a/b", "--quiet --verbose a/b",
      "--log syslog --log-format text a/b",
      "--branch nonsense a/b", "--generate-completion-script", "--experimental-dump-help",
    ])
  func others(_ line: String) {
    let words = line.split(separator: " ").map(String.init)
    for command in FPCache.plainCommands {
      let read: (any PlainCommand)? = command.plain(words)
      #expect(read == nil, "\(command)")
    }
  }

  @Test("no random command line is read in another way than by the parser")
  func random() throws {
    let vocabulary = [
      "-n", "-v", "-q", "-y", "-0", "--dry-run", "--quiet", "--yes", "--null", "--news",
      "--no-category",
      "--branch", "head", "--format", "json", "text", "--config", "--cache-dir", "--dsn", "--log",
      "syslog", "--color", "auto", "a/b", "2020-01", "-", "--", "", "-nv", "--format=json",
      "--help",
      "--require-match", "--cross-mounts", "host=h", "-x", "é", "--once", "--settle", "3", "-1",
    ]
    var random = SystemRandomNumberGenerator()
    var count = 0
    for _ in 0..<600 {
      let words = (0..<Int.random(in: 0...5, using: &random)).compactMap { _ in
        vocabulary.randomElement(using: &random)
      }
      for command in FPCache.plainCommands {
        guard let plain = command.plain(words) else { continue }
        count += 1
        let parsed = try command.parseAsRoot(words)
        #expect(type(of: parsed) == command, "\(words)")
        #expect(properties(parsed) == properties(plain), "\(words)")
      }
    }
    #expect(count > 20)
  }
}
