// SPDX-License-Identifier: BSD-2-Clause
//
// What a pass over a queue remembers of the keys that it has cleared.

import Testing

@testable import CacheFS
@testable import Listening

@Suite struct DrainPassTests {
  private func key(_ port: String) throws -> CacheKey {
    try Layout.freshPorts.key(
      "ports", [("category", Array("www".utf8)), ("port", Array(port.utf8))])
  }

  @Test("a key is new once, and another is new still")
  func known() throws {
    var recent = RecentKeys()
    #expect(recent.add([try key("nginx")]) == [0])
    #expect(recent.add([try key("nginx"), try key("apache24")]) == [1])
    #expect(recent.add([try key("nginx"), try key("apache24")]) == [])
  }

  @Test("the same value of another field is another key")
  func fields() throws {
    let name = Array("www".utf8)
    let category = try Layout.freshPorts.key("ports", [("category", name)])
    let port = try Layout.freshPorts.key("ports", [("port", name)])
    var recent = RecentKeys()
    #expect(recent.add([category, port]) == [0, 1])
  }

  @Test("of a queue with ever new keys it remembers the first, so that its memory is bounded")
  func bounded() throws {
    var recent = RecentKeys()
    let keys = try (0..<100_000).map { try key("p\($0)") }
    #expect(recent.add(keys).count == 100_000)
    #expect(recent.add(keys) == Array(65_536..<100_000))
  }
}
