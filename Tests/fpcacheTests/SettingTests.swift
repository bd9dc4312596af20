// SPDX-License-Identifier: BSD-2-Clause
//
// The table of settings against what people read of them: the sample, the manual, the options.

import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import Basics
@testable import fpcache

@Suite struct SettingTests {
  /// Those with words of the table's own.
  private static let told = Setting.all.filter { $0.comment != nil || $0.fallback != nil }

  @Test("the sample shows each with its words, its default or an example", arguments: told)
  func sample(_ setting: Setting) throws {
    let lines = try SampleConfiguration.text.split(separator: "\n").map(String.init)
    let value = try #require(setting.fallback ?? setting.example, "\(setting.key) has none")
    let place = try #require(
      lines.firstIndex(of: "#\(setting.key) = \(value)"), "no line #\(setting.key) = \(value)")
    guard let comment = setting.comment else { return }
    let option = setting.option.map { " (--\($0.name))" } ?? ""
    let above = lines[..<place].reversed().prefix { $0.hasPrefix("# ") }.reversed()
      .map { $0.dropFirst(2) }.joined(separator: " ")
    #expect(above.contains("\(comment)\(option)."))
  }

  @Test("the manual tells of each the range and the default", arguments: told)
  func manual(_ setting: Setting) throws {
    let page = try String(
      contentsOf: Document.root.appendingPathComponent("man/fpcache.ini.5.in"), encoding: .utf8)
    let start = try #require(page.range(of: ".It Ic \(setting.key)\n")).upperBound
    let item = page[start...].components(separatedBy: "\n.It ")[0].replacing("\\-", with: "-")
    if case .seconds(let range) = setting.domain {
      #expect(item.contains("\(plain(range.lowerBound)) to \(plain(range.upperBound))"))
    }
    if let fallback = setting.fallback { #expect(item.contains(fallback)) }
  }

  @Test("the manual tells which need a restart") func restart() throws {
    let page = try String(
      contentsOf: Document.root.appendingPathComponent("man/fpcache.ini.5.in"), encoding: .utf8)
    let start = try #require(page.range(of: "A running listener applies")).upperBound
    let end = try #require(page[start...].range(of: "a change of the others")).lowerBound
    let taken = Setting.all.filter {
      page[start..<end].contains(try! Regex("\\.Ic \($0.key)( ,)?\n"))
    }
    #expect(taken == Setting.listen.filter { !$0.needsRestart })
  }

  @Test("listen has the options of the table, with its default") func options() {
    let help = Listen.helpMessage().split { $0 == " " || $0 == "\n" }.joined(separator: " ")
    let settings = Setting.all.filter { $0.option != nil }
    #expect(settings.count > 5)
    for setting in settings {
      let (option, fallback) = (setting.option!, setting.fallback.map { " (default: \($0))" } ?? "")
      #expect(help.contains("--\(option.name) <\(option.valueName)> \(option.help)\(fallback)."))
    }
  }
}
