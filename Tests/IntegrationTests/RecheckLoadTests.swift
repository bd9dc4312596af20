// SPDX-License-Identifier: BSD-2-Clause
//
// A site without a trigger under load (RecheckLoad.swift), for some seconds. `make stress` runs it for longer, and
// beside it two wrong ways to look for changes, which must fail.

import Testing

@testable import TestSupport

@Suite struct RecheckLoadTests {
  @Test("no page is stale at rest, whatever was open, slow, killed or restarted")
  func load() throws {
    let load = try RecheckLoad(for: .seconds(8), longest: 3)
    let result = try load.run { try FpcacheKeeper(load.site) }
    print("recheck load: \(result)")
    #expect(result.stale == 0, "\(result)")
    #expect(result.pages > 100 && result.kills > 1)
  }
}
