// What a pass over a queue remembers of the keys that it has cleared.

import CacheFS
import Testing

@testable import fpcache

@Suite struct DrainPassTests {
  private func key(_ port: String) throws -> CacheKey {
    try Layout.freshPorts.key(
      "ports", [("category", Array("www".utf8)), ("port", Array(port.utf8))])
  }

  @Test("a key is known once it was added, and no other is")
  func known() throws {
    var recent = RecentKeys()
    #expect(recent.isEmpty)
    recent.add([try key("nginx")])
    #expect(!recent.isEmpty)
    #expect(recent.contains(try key("nginx")))
    #expect(!recent.contains(try key("apache24")))
  }

  @Test("of a queue with ever new keys it remembers the first, so that its memory is bounded")
  func bounded() throws {
    var recent = RecentKeys()
    for number in 0..<100_000 { recent.add([try key("p\(number)")]) }
    #expect(recent.contains(try key("p0")))
    let known = try (0..<100_000).count { recent.contains(try key("p\($0)")) }
    #expect(known == 65_536)
  }
}
