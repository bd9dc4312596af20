// SPDX-License-Identifier: BSD-2-Clause
//
// The manual and the sample of the configuration tell of the same settings, and each command has a
// page. What a page says of options is made of the command line itself (make check-generated).

import ArgumentParser
import Basics
import Foundation
import Testing

@testable import fpcache

@Suite struct ManualTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private func read(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
  }

  @Test("each setting of the sample has its place in the manual, and no other has")
  func settings() throws {
    let sample = try read("etc/fpcache.ini.sample").matches(of: /(?m)^#?([A-Z_]+) ?=/)
      .map { String($0.1) }
    let manual = try read("man/fpcache.ini.5").matches(of: /(?m)^\.It Ic ([A-Z_]+)$/)
      .map { String($0.1) }
    #expect(!sample.isEmpty)
    #expect(Set(manual).count == manual.count)
    #expect(Set(sample).isSubset(of: manual))
    // The sample has a query for what has changed where one is worth writing.
    #expect(Set(manual).subtracting(sample).allSatisfy { $0.hasSuffix("_SINCE") })
    for template in PathTemplate.all { #expect(manual.contains(template.key)) }
  }

  @Test("each command has a page, and fpcache(1) and others refer to it")
  func pages() throws {
    let overview = try read("man/fpcache.1")
    for command in FPCache.configuration.subcommands {
      let name = try #require(command.configuration.commandName)
      #expect(try read("man/fpcache-\(name).1").contains(".Nm fpcache-\(name)\n"))
      // In the list of commands, and under SEE ALSO.
      #expect(overview.ranges(of: "Xr fpcache-\(name) 1").count >= 2)
    }
  }

  @Test("the sample changes nothing as it stands")
  func sample() throws {
    let path = Self.root.appendingPathComponent("etc/fpcache.ini.sample").path
    let config = try Config.resolve(
      flags: Config.Flags(config: path), environment: [:], files: .real)
    var without = try Config.resolve(
      flags: Config.Flags(config: "/dev/null"), environment: [:], files: .real)
    without.file = path
    #expect(config == without)
  }
}
