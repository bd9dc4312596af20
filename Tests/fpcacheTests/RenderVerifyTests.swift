// SPDX-License-Identifier: BSD-2-Clause
//
// How an audit is told: hostile names fit for every place they are printed in, the states of the
// monitoring plugin, and the document that lists the codes.

import Foundation
import PGQueue
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import CacheFS
@testable import fpcache

@Suite("How an audit is told") struct RenderVerifyTests {
  private func audit(_ findings: [Finding], _ notChecked: [NotChecked] = []) -> Audit {
    var audit = Audit(
      findings: findings, files: 5, dryRun: false, databaseError: nil, namesDatabase: false)
    audit.notChecked = notChecked
    return audit
  }

  private static let unseen = NotChecked(subject: "ports", codes: [.stale], reason: "because")

  @Test(
    "the plugin's state",
    arguments: [
      ([], [], .ok, "OK - no findings"), ([.emptyDirectory], [], .ok, "OK - empty-dir=1"),
      ([.quotedValue], [], .ok, "OK - quoted-value=1"),
      ([.unknown], [], .warning, "WARNING - unknown=1"),
      ([.unknown, .empty], [], .critical, "CRITICAL - unknown=1 empty=1"),
      ([], [unseen], .unknown, "UNKNOWN - no findings; stale of ports: not checked: because"),
      (
        [.emptyDirectory], [unseen], .unknown,
        "UNKNOWN - empty-dir=1; stale of ports: not checked: because"
      ),
      (
        [.unknown], [unseen], .warning, "WARNING - unknown=1; stale of ports: not checked: because"
      ),
    ] as [([FindingCode], [NotChecked], NagiosState, String)])
  private func states(
    _ codes: [FindingCode], _ notChecked: [NotChecked], _ state: NagiosState, _ text: String
  ) {
    let findings = codes.map { Finding($0, CachePath(Array("x".utf8))) }
    let answer = audit(findings, notChecked).nagios
    #expect(answer.state == state && answer.output.hasPrefix("FPCACHE \(text) | findings="))
  }

  /// A bar begins the performance data, a newline the long text, wherever they come from.
  @Test func theLineHasOneBar() {
    var audit = audit([])
    audit.databaseError = .unreachable("a|b\nc | d=1")
    audit = Audit(
      findings: [], files: 1, dryRun: false, databaseError: audit.databaseError, namesDatabase: true
    )
    #expect(
      audit.nagios.output
        == "FPCACHE UNKNOWN - cannot connect: a/b\\x0ac / d=1 | findings=0;;;0 files=1;;;0 "
        + "critical=0;;;0 warning=0;;;0 notice=0;;;0")
  }

  /// Names that would speak to a terminal, to JSON or to a monitor.
  @Test(arguments: [
    "a\nb", "a\u{1B}[2J", "a\"b", "a\\b", "a|b", "\u{202E}gpj.exe", "a\u{7F}", "-rf", "é",
  ])
  func hostileNames(_ name: String) throws {
    let audit = audit([Finding(.unknown, CachePath(Array("news/\(name)".utf8)))])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(audit.json.text.utf8)) as? [String: Any])
    let path = (object["findings"] as? [[String: Any]])?.first?["path"] as? String
    #expect(path.flatMap { unescape($0) } == Array("news/\(name)".utf8))
    let text =
      audit.lines(all: true).joined(separator: "\n") + audit.json.text + audit.nagios.output
    for scalar in text.unicodeScalars {
      #expect(scalar == "\n" || scalar.properties.generalCategory != .control)
      #expect(scalar.properties.generalCategory != .format)
    }
    #expect(audit.lines(all: true).count == 4 && audit.nagios.output.utf8.count { $0 == 0x7C } == 1)
  }

  /// Bytes that are no text at all.
  @Test func namesThatAreNoText() {
    let audit = audit([Finding(.unknown, CachePath([0x61, 0xFF, 0x62]))])
    #expect(audit.lines(all: true)[1] == "  a\\xffb")
    #expect(audit.json.text.contains(#""path":"a\\xffb""#))
  }

  @Test func whatCameOfAFix() throws {
    let tree = try TemporaryTree()
    try tree.write("html/a", bytes: 0)
    try tree.setAge("html/a", .seconds(60))
    let clearer = Clearer(
      try Directory(root: FilePath(tree.path)), layout: .freshPorts, dryRun: .no)
    let findings = clearer.fix(
      [
        Finding(.empty, CachePath(Array("html/a".utf8)), .none),
        Finding(.unknown, CachePath([0x78])),
      ])
    let audit = audit(findings)
    #expect(audit.status == .incomplete)
    #expect(
      audit.lines(all: false) == [
        "unknown (warning): 1: matches no pattern of the layout", "  x",
        "  remedy: remove it by hand, or add it to the layout",
        "empty (critical): 1: is a page of zero bytes", "  html/a: removed", "1 finding in 5 files",
      ])
  }

  @Test func aTreeThatWasLeftAloneIsNotCounted() {
    var audit = Audit(
      findings: [], files: nil, dryRun: false, databaseError: nil, namesDatabase: false)
    #expect(audit.lines(all: false) == ["clean"])
    #expect(audit.json.text.hasPrefix(#"{"version":1,"dry_run":false,"files":null,"#))
    audit.notChecked = [Self.unseen]
    #expect(
      audit.lines(all: false) == [
        "stale of ports: not checked: because", "nothing found, but not all was checked",
      ])
    #expect(audit.status == .incomplete)
  }

  @Test func aTerminalHasColoursAndNoLineIsWiderThanIt() {
    let long = "html/" + String(repeating: "a b  ", count: 40) + "c"
    let audit = audit([
      Finding(.empty, CachePath(Array(long.utf8)), .none),
      Finding(.unknown, CachePath([0x78])),
    ])
    let terminal = Terminal(columns: 60, isTerminal: true, isUnicode: true)
    let lines = audit.lines(all: true, on: terminal, Palette(isColored: true))
    #expect(
      lines.contains("\u{1B}[33munknown (warning): 1: matches no pattern of the layout\u{1B}[0m"))
    #expect(lines.contains("\u{1B}[31mempty (critical): 1: is a page of zero bytes\u{1B}[0m"))
    #expect(lines.last == "\u{1B}[31m2 findings in 5 files\u{1B}[0m")
    let plain = audit.lines(all: true, on: terminal, .plain)
    #expect(plain.allSatisfy { terminal.width($0) <= 60 })
    // Nothing is lost at the ends of lines.
    let words = { (lines: [String]) in
      lines.joined(separator: " ").split(separator: " ").joined(separator: " ")
    }
    #expect(words(plain) == words(audit.lines(all: true)))
    // What is piped stays on its line.
    let file = Terminal(columns: 60, isTerminal: false, isUnicode: true)
    #expect(audit.lines(all: true, on: file, .plain) == audit.lines(all: true))
  }

  // MARK: The documents

  /// docs/verify.md has each code, as the table of codes has it, and no other.
  @Test func theDocumentListsEveryCode() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
        "docs/verify.md")
    let lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map(
      String.init)
    let expected = FindingCode.allCases.map { code in
      "| `\(code.rawValue)` | \(code.severity.rawValue) | \(code.meaning) | \(code.remedy) | "
        + (code.isFixable ? "yes |" : "|")
    }
    #expect(lines.filter { $0.hasPrefix("| `") } == expected)
  }
}
